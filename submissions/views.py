"""Pages: organisms, submitting one entry, submissions and their live state, an entry."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from common.errors import DomainError, RetryLaterError, ValidationFailedError
from files.models import FileAttachment, FileCategory
from files.rules import rules_in
from submissions import services
from submissions.forms import EntryForm
from submissions.models import Group, MetadataField, Organism, SequenceEntry, Submission

LATEST_SUBMISSIONS = 5
SUBMISSIONS_A_PAGE = 25
ENTRIES_A_PAGE = 100


def _member(request: HttpRequest) -> User:
    """The user of a page behind `login_required`."""
    return cast("User", request.user)


def _submissions(request: HttpRequest) -> QuerySet[Submission]:
    """The submissions that the user may see, newest first, with their counts."""
    visible = Submission.objects.visible_to(_member(request)).with_counts()
    return visible.select_related("organism", "group", "submitted_by").order_by("-pk")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The organisms and what each takes; for members also their latest submissions."""
    organisms = Organism.objects.order_by("name").prefetch_related(
        Prefetch("file_categories", FileCategory.objects.order_by("order", "name")),
        Prefetch("metadata_fields", MetadataField.objects.order_by("order", "name")),
    )
    context: dict[str, object] = {"organisms": organisms}
    if request.user.is_authenticated:
        context["groups"] = list(Group.objects.visible_to(request.user).order_by("name"))
        context["latest_submissions"] = list(_submissions(request)[:LATEST_SUBMISSIONS])
    return render(request, "submissions/home.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def organism_submit(request: HttpRequest, slug: str) -> HttpResponse:
    """Submit one entry; lands on the submission's page."""
    organism = get_object_or_404(Organism, slug=slug)
    user = _member(request)
    initial = {"groupId": request.GET.get("groupId")}
    is_sent = request.method == "POST"
    form = EntryForm(request.POST if is_sent else None, organism=organism, user=user, initial=initial)
    status = 200
    if form.is_valid():
        try:
            return redirect("submission", _submit(user, form).pk)
        except ValidationFailedError as error:
            form.add_problems(error.errors, error.count)
        except DomainError as error:
            status = 503 if isinstance(error, RetryLaterError) else 200
            form.add_problems([error], 1)
    has_groups = Group.objects.visible_to(user).exists()
    context = {"organism": organism, "form": form, "has_groups": has_groups}
    return render(request, "submissions/organism_submit.html", context, status=status)


def _submit(user: User, form: EntryForm) -> Submission:
    group: Group = form.cleaned_data["groupId"]
    return services.submit(user=user, organism_slug=form.organism.slug, group_id=group.pk, sent=form.sent())


@login_required
@require_safe
def submission_list(request: HttpRequest) -> HttpResponse:
    """The submissions of the user's groups, newest first, 25 a page."""
    page = Paginator(_submissions(request), SUBMISSIONS_A_PAGE).get_page(request.GET.get("page"))
    has_groups = bool(page.object_list) or Group.objects.visible_to(_member(request)).exists()
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
    submission = get_object_or_404(_submissions(request), pk=submission_id)
    attachments = Prefetch("attachments", FileAttachment.objects.with_results())
    entries = submission.entries.order_by("position").prefetch_related(attachments)
    paginator = Paginator(entries, ENTRIES_A_PAGE)
    paginator.count = submission.entry_count  # counted already
    page: Page[SequenceEntry] = paginator.get_page(request.GET.get("page"))
    return {"submission": submission, "page": page}


@require_safe
@never_cache
def entry_detail(request: HttpRequest, accession: str, version: int) -> HttpResponse:
    """An entry: metadata, sequences, files; before its release for members alone."""
    visible = SequenceEntry.objects.visible_to(request.user)
    visible = visible.select_related("submission__organism", "submission__group", "rule_set")
    entry = get_object_or_404(visible, accession=accession, version=version)
    context = {
        "entry": entry,
        "metadata": _metadata(entry),
        "attachments": list(entry.attachments.with_results()),
        "rules": rules_in(entry.rule_set) if entry.rule_set else [],
        "is_member": Group.objects.visible_to(request.user).filter(pk=entry.submission.group_id).exists(),
    }
    return render(request, "submissions/entry_detail.html", context)


def _metadata(entry: SequenceEntry) -> list[tuple[str, str]]:
    """Shown names and values: the organism's own fields in their order, then the columns beyond them."""
    fields = entry.submission.organism.metadata_fields.order_by("order", "name")
    shown_names = dict(fields.values_list("name", "shown_name"))
    own = [(shown, entry.metadata[name]) for name, shown in shown_names.items() if name in entry.metadata]
    return own + [(name, value) for name, value in entry.metadata.items() if name not in shown_names]
