"""Submissions and their live state."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from files.models import FileAttachment
from submissions.models import Group, SequenceEntry
from submissions.views.common import member, visible_submissions

SUBMISSIONS_A_PAGE = 25
ENTRIES_A_PAGE = 100


@login_required
@require_safe
def submission_list(request: HttpRequest) -> HttpResponse:
    """The submissions of the user's groups, newest first, 25 a page."""
    page = Paginator(visible_submissions(member(request)), SUBMISSIONS_A_PAGE).get_page(request.GET.get("page"))
    has_groups = bool(page.object_list) or Group.objects.visible_to(member(request)).exists()
    return render(request, "submissions/submission_list.html", {"page": page, "has_groups": has_groups})


@login_required
@require_safe
@never_cache
def submission_detail(request: HttpRequest, submission_id: int) -> HttpResponse:
    """A submission, its state and its entries with their files, 100 entries a page."""
    return render(request, "submissions/submission_detail.html", _submission_context(request, submission_id))


@login_required
@require_safe
@never_cache
def submission_live(request: HttpRequest, submission_id: int) -> HttpResponse:
    """The part of a submission's page that changes while it is being verified; the page fetches it again."""
    return render(request, "submissions/_submission_live.html", _submission_context(request, submission_id))


def _submission_context(request: HttpRequest, submission_id: int) -> dict[str, object]:
    submission = get_object_or_404(visible_submissions(member(request)), pk=submission_id)
    attachments = Prefetch("attachments", FileAttachment.objects.with_results())
    entries = submission.entries.order_by("position").prefetch_related(attachments)
    paginator = Paginator(entries, ENTRIES_A_PAGE)
    paginator.count = submission.entry_count  # counted already
    page: Page[SequenceEntry] = paginator.get_page(request.GET.get("page"))
    return {"submission": submission, "page": page}
