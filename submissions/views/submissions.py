"""Submissions, their live state, releasing what of them is accepted, and their receipts."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from files.models import File, FileAttachment
from submissions import services
from submissions.errors import NothingAcceptedError, ReceiptNotReadyError, SubmissionNotFoundError
from submissions.models import Group, Organism, SequenceEntry, Submission, SubmissionQuerySet
from submissions.views.common import counted_page, member, moment_of, release_and_tell, visible_submissions

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
        accepted = submissions.with_entries(Status.ACCEPTED)
        return accepted.without_entries(Status.VERIFYING).without_entries(Status.REJECTED)
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
        **_release_counts(submission),
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


def _release_counts(submission: Submission) -> dict[str, int]:
    """How many entries are released, how many can be, and how many cannot as one of their files is held back."""
    released = releasable = 0
    if submission.accepted_count:
        released = submission.entries.filter(released_at__isnull=False).count()
        releasable = submission.entries.releasable().count()
    return {
        "number_released": released,
        "number_releasable": releasable,
        "number_held_back": submission.accepted_count - released - releasable,
    }


def _only_rejected(submission: Submission) -> SequenceEntry | None:
    """The entry to be corrected, where it is just one."""
    if submission.rejected_count != 1:
        return None
    return submission.entries.filter(status=Status.REJECTED).first()


# --- releasing what of it is accepted ------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def submission_release(request: HttpRequest, submission_id: int) -> HttpResponse:
    """Ask whether to release all accepted entries of a submission, and do so, all or none; lands on its page.

    `until` is the time of the question: what was accepted since is not among them.
    """
    submissions = visible_submissions(member(request)).with_counts().select_related("organism", "group")
    submission = get_object_or_404(submissions, pk=submission_id)
    until = moment_of(request.POST.get("until", "")) if request.method == "POST" else timezone.now()
    releasable = submission.entries.releasable()
    releasable = releasable.none() if until is None else releasable.filter(settled_at__lte=until)
    if not releasable.exists():
        messages.warning(request, "Nothing is released: no accepted entry is left that can be.")
        return redirect("submission", submission_id)
    if request.method == "POST":
        rows = releasable.order_by("position").values_list("accession", "version", "settled_at")
        release_and_tell(request, submission.organism, [services.AccessionVersion(*row) for row in rows])
        return redirect("submission", submission_id)
    attached = FileAttachment.objects.filter(entry__in=releasable.values("pk")).values("file")
    files = File.objects.filter(pk__in=attached).aggregate(number=Count("pk"), size=Sum("size"))
    context = {"submission": submission, "files": files, "until": until, **_release_counts(submission)}
    return render(request, "submissions/submission_release.html", context)


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
