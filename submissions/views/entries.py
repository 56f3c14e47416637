"""An entry, its live state, and its files as they are replaced."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from common.errors import DomainError, RetryLaterError, ValidationFailedError
from common.problems import STATUS_OF_CODE
from files.rules import rules_in
from submissions import services
from submissions.entry_forms import EntryFilesForm
from submissions.models import SequenceEntry
from submissions.views.common import member


@require_safe
@never_cache
def entry_detail(request: HttpRequest, accession: str, version: int) -> HttpResponse:
    """An entry: metadata, sequences, files; before its release for members alone."""
    return render(request, "submissions/entry_detail.html", _entry_context(request, accession, version))


@require_safe
@never_cache
def entry_live(request: HttpRequest, accession: str, version: int) -> HttpResponse:
    """The part of an entry's page that changes while it is being verified; the page fetches it again."""
    return render(request, "submissions/_entry_live.html", _entry_context(request, accession, version))


def _entry_context(request: HttpRequest, accession: str, version: int) -> dict[str, object]:
    visible = SequenceEntry.objects.visible_to(request.user)
    visible = visible.select_related("submission__organism", "submission__group", "rule_set")
    entry = get_object_or_404(visible, accession=accession, version=version)
    return {
        "entry": entry,
        "metadata": _metadata(entry),
        "attachments": list(entry.attachments.with_results()),
        "rules": rules_in(entry.rule_set) if entry.rule_set else [],
        "is_member": SequenceEntry.objects.of_members(request.user).filter(pk=entry.pk).exists(),
    }


def _metadata(entry: SequenceEntry) -> list[tuple[str, str]]:
    """Shown names and values: the organism's own fields in their order, then the columns beyond them."""
    fields = entry.submission.organism.metadata_fields.order_by("order", "name")
    shown_names = dict(fields.values_list("name", "shown_name"))
    own = [(shown, entry.metadata[name]) for name, shown in shown_names.items() if name in entry.metadata]
    return own + [(name, value) for name, value in entry.metadata.items() if name not in shown_names]


# --- its files ---------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def entry_files(request: HttpRequest, accession: str, version: int) -> HttpResponse:
    """Replace the files of an entry, for members of its group; lands on the entry's page."""
    entries = SequenceEntry.objects.of_members(member(request)).filter(submission__organism__file_sharing=True)
    entries = entries.select_related("submission__organism", "submission__group")
    entry = get_object_or_404(entries, accession=accession, version=version)
    is_sent = request.method == "POST"
    form = EntryFilesForm(request.POST if is_sent else None, entry=entry)
    status = 200
    if form.is_valid():
        try:
            services.replace_files(
                user=member(request), accession=accession, version=version, replacement=form.replacement()
            )
            return redirect("entry", accession, version)
        except ValidationFailedError as failure:
            form.add_problems(failure.errors)
        except DomainError as error:
            status = 503 if isinstance(error, RetryLaterError) else STATUS_OF_CODE[error.code]
            form.add_problems([error])
            entry.refresh_from_db(fields=["status", "settled_at", "released_at"])
    problems = [(one, one.problem()) for one in entry.attachments.with_results()]
    context = {
        "entry": entry,
        "form": form,
        "problems": [(attachment, problem) for attachment, problem in problems if problem],
        # What was chosen stays on the page after a refusal, even if it has to wait now.
        "is_open": is_sent or entry.can_be_edited,
    }
    return render(request, "submissions/entry_files.html", context, status=status)
