"""Pages: organisms, submitting, submissions and their live state, entries, groups and their uploads."""

from submissions.views.bulk import organism_check_documents, organism_submit_bulk, organism_table_template
from submissions.views.entries import entry_detail, entry_files, entry_live, entry_release, entry_withdraw
from submissions.views.groups import group_detail, group_list, member_remove
from submissions.views.home import home
from submissions.views.submissions import (
    submission_detail,
    submission_list,
    submission_live,
    submission_receipt,
    submission_release,
)
from submissions.views.submitting import organism_submit
from submissions.views.uploads import uploads_discard

__all__ = [
    "entry_detail",
    "entry_files",
    "entry_live",
    "entry_release",
    "entry_withdraw",
    "group_detail",
    "group_list",
    "home",
    "member_remove",
    "organism_check_documents",
    "organism_submit",
    "organism_submit_bulk",
    "organism_table_template",
    "submission_detail",
    "submission_list",
    "submission_live",
    "submission_receipt",
    "submission_release",
    "uploads_discard",
]
