"""Pages: organisms, submitting, submissions and their live state, entries."""

from submissions.views.entries import entry_detail
from submissions.views.home import home
from submissions.views.submissions import submission_detail, submission_list, submission_live
from submissions.views.submitting import organism_submit

__all__ = ["entry_detail", "home", "organism_submit", "submission_detail", "submission_list", "submission_live"]
