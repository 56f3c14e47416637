"""Submissions, their live state, and their receipts."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from files.models import FileAttachment
from submissions import services
from submissions.errors import NothingAcceptedError, ReceiptNotReadyError, SubmissionNotFoundError
from submissions.models import Group, Organism, SequenceEntry, Submission, SubmissionQuerySet
from submissions.views.common import counted_page, member, visible_submissions

SUBMISSIONS_A_PAGE = 25
ENTRIES_A_PAGE = 100

Status = SequenceEntry.Status
STATUS_SHOWN = {"problems": Status.REJECTED, "verifying": Status.VERIFYING, "accepted": Status.ACCEPTED}
"""What `?show=` asks for, of entries; of a submission, that all of its entries are accepted."""


LABELS = {"problems": "With problems", "verifying": "Verifying", "accepted": "Accepted"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things that a list can be narrowed to; `count` is None where it is not counted."""

    show: str
    label: str
    count: int | None = None


@login_required
@require_safe
@never_cache
def submission_list(request: HttpRequest) -> HttpResponse:
    """The submissions of the user's groups, newest first, 25 a page, by `?show=` and `?organism=`."""
    user = member(request)
    visible = visible_submissions(user)
    show, organism = _show(request), _text(request, "organism")
    page = counted_page(_narrowed(visible, show, organism), request.GET.get("page"), SUBMISSIONS_A_PAGE)
    here = Submission.objects.visible_to(user).filter(organism=OuterRef("pk"))
    context = {
        "page": page,
        "show": show,
        "organism": organism,
        "choices": [Choice("", "All"), *(Choice(key, label) for key, label in LABELS.items())],
        "organisms": list(Organism.objects.filter(Exists(here)).order_by("name")),
        "has_groups": bool(page.object_list) or Group.objects.visible_to(user).exists(),
    }
    return render(request, "submissions/submission_list.html", context)


def _narrowed(submissions: SubmissionQuerySet, show: str, organism: str) -> SubmissionQuerySet:
    if organism:
        submissions = submissions.filter(organism__slug=organism)
    if show == "accepted":
        return submissions.without_entries(Status.VERIFYING).without_entries(Status.REJECTED)
    return submissions.with_entries(STATUS_SHOWN[show]) if show else submissions


def _show(request: HttpRequest) -> str:
    """What `?show=` asks for; everything where it is no word of ours."""
    asked = request.GET.get("show", "")
    return asked if asked in STATUS_SHOWN else ""


def _text(request: HttpRequest, name: str) -> str:
    """A parameter as PostgreSQL takes it, which refuses NUL in any text."""
    return request.GET.get(name, "").replace("\0", "").strip()


# --- one submission ----------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def submission_detail(request: HttpRequest, submission_id: int) -> HttpResponse:
    """A submission, its state and its entries with their files, 100 entries a page, by `?show=` and `?q=`."""
    return render(request, "submissions/submission_detail.html", _submission_context(request, submission_id))


@login_required
@require_safe
@never_cache
def submission_live(request: HttpRequest, submission_id: int) -> HttpResponse:
    """The part of a submission's page that changes while it is being verified; the page fetches it again."""
    return render(request, "submissions/_submission_live.html", _submission_context(request, submission_id))


def _submission_context(request: HttpRequest, submission_id: int) -> dict[str, object]:
    submissions = visible_submissions(member(request)).with_counts()
    submissions = submissions.select_related("organism", "group", "submitted_by")
    submission = get_object_or_404(submissions, pk=submission_id)
    show, words = _show(request), _text(request, "q")
    return {
        "submission": submission,
        "page": _entries_page(submission, show, words, request.GET.get("page")),
        "show": show,
        "words": words,
        "choices": [choice for choice in _entry_choices(submission) if choice.count or choice.show == show],
        "rejected": _only_rejected(submission),
    }


def _entries_page(submission: Submission, show: str, words: str, number: str | None) -> Page[SequenceEntry]:
    attachments = Prefetch("attachments", FileAttachment.objects.with_results())
    entries = submission.entries.order_by("position").prefetch_related(attachments)
    if show:
        entries = entries.filter(status=STATUS_SHOWN[show])
    if words:
        entries = entries.named(words)
    paginator = Paginator(entries, ENTRIES_A_PAGE)
    if not words:
        paginator.count = _counts(submission)[show]  # counted already
    return paginator.get_page(number)


def _counts(submission: Submission) -> dict[str, int]:
    counts = submission.counts
    return {
        "": counts["entries"],
        "problems": counts["rejected"],
        "verifying": counts["verifying"],
        "accepted": counts["accepted"],
    }


def _entry_choices(submission: Submission) -> list[Choice]:
    labels = {"": "All", **LABELS}
    return [Choice(show, labels[show], count) for show, count in _counts(submission).items()]


def _only_rejected(submission: Submission) -> SequenceEntry | None:
    """The entry to be corrected, where it is just one."""
    if submission.rejected_count != 1:
        return None
    return submission.entries.filter(status=Status.REJECTED).first()


# --- its receipt -------------------------------------------------------------------------------------


@login_required
@require_safe
@never_cache
def submission_receipt(request: HttpRequest, submission_id: int) -> HttpResponse:
    """The receipt to be read and printed; back to the submission, which says why, where there is none."""
    try:
        receipt = services.receipt_for(user=member(request), submission_id=submission_id)
    except SubmissionNotFoundError as error:
        raise Http404 from error
    except (ReceiptNotReadyError, NothingAcceptedError):
        return redirect("submission", submission_id)
    context = {"receipt": receipt, "submission": receipt.submission, "name": services.receipt_name(receipt.submission)}
    return render(request, "submissions/submission_receipt.html", context)
