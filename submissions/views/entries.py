"""An entry, its live state, its files as they are replaced, and how it is released or withdrawn."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from common.errors import DomainError, ValidationFailedError
from common.problems import STATUS_OF_CODE
from files.rules import rules_in
from submissions import services
from submissions.entry_forms import EntryFilesForm
from submissions.errors import EntryNotFoundError
from submissions.models import SequenceEntry
from submissions.services import AccessionVersion
from submissions.views.common import member, moment_of, release_and_tell


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
    visible = visible.select_related("submission__organism", "submission__group", "rule_set", "released_by")
    entry = get_object_or_404(visible, accession=accession, version=version)
    attachments = list(entry.attachments.with_results())
    return {
        "entry": entry,
        "metadata": _metadata(entry),
        "attachments": attachments,
        "is_held_back": any(attachment.file.quarantined_at for attachment in attachments),
        "rules": rules_in(entry.rule_set) if entry.rule_set else [],
        "is_member": SequenceEntry.objects.of_members(request.user).filter(pk=entry.pk).exists(),
    }


def _metadata(entry: SequenceEntry) -> list[tuple[str, str]]:
    """Shown names and values: the organism's own fields in their order, then the columns beyond them."""
    fields = entry.submission.organism.metadata_fields.order_by("order", "name")
    shown_names = dict(fields.values_list("name", "shown_name"))
    own = [(shown, entry.metadata[name]) for name, shown in shown_names.items() if name in entry.metadata]
    return own + [(name, value) for name, value in entry.metadata.items() if name not in shown_names]


def _entry_of_member(request: HttpRequest, accession: str, version: int) -> SequenceEntry:
    """The entry, for members of its group alone, released or not."""
    entries = SequenceEntry.objects.of_members(member(request))
    entries = entries.select_related("submission__organism", "submission__group")
    return get_object_or_404(entries, accession=accession, version=version)


# --- its files ---------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def entry_files(request: HttpRequest, accession: str, version: int) -> HttpResponse:
    """Replace the files of an entry, for members of its group; lands on the entry's page."""
    entry = _entry_of_member(request, accession, version)
    if not entry.submission.organism.file_sharing:
        raise Http404
    is_sent = request.method == "POST"
    form = EntryFilesForm(request.POST if is_sent else None, entry=entry)
    status = 200
    if form.is_valid():
        try:
            saved = services.replace_files(
                user=member(request), accession=accession, version=version, replacement=form.replacement()
            )
            messages.success(request, _saved_words(saved))
            return redirect("entry", accession, version)
        except ValidationFailedError as failure:
            form.add_problems(failure.errors)
        except EntryNotFoundError as error:
            raise Http404 from error
        except DomainError as error:
            status = STATUS_OF_CODE[error.code]
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


def _saved_words(entry: SequenceEntry) -> SafeString:
    """That the files are saved, what becomes of the entry, and the way to what else is to be corrected."""
    is_open = entry.status == SequenceEntry.Status.VERIFYING
    state = "verified again" if is_open else entry.get_status_display().lower()
    words = format_html("The files of {} are saved; the entry is {}.", entry.given_submission_id, state)
    others = entry.submission.entries.filter(status=SequenceEntry.Status.REJECTED).exclude(pk=entry.pk).count()
    if not others:
        return words
    what = "1 more entry has" if others == 1 else f"{others:,} more entries have"
    address = reverse("submission", args=[entry.submission_id])
    return format_html('{} <a href="{}?show=problems">{} problems</a>.', words, address, what)


# --- releasing and withdrawing it ----------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def entry_release(request: HttpRequest, accession: str, version: int) -> HttpResponse:
    """Ask whether to release an accepted entry, and do so; lands on the entry's page.

    `asOf` is when the entry was settled that the question was about: what others have put there since is not released.
    """
    entry = _entry_of_member(request, accession, version)
    as_of = moment_of(request.POST.get("asOf", ""))
    if as_of is not None:
        release_and_tell(request, entry.submission.organism, [AccessionVersion(accession, version, as_of)])
        return redirect("entry", accession, version)
    if not SequenceEntry.objects.releasable().filter(pk=entry.pk).exists():
        messages.warning(request, f"{entry} cannot be released now.")
        return redirect("entry", accession, version)
    attachments = list(entry.attachments.with_results())
    return render(request, "submissions/entry_release.html", {"entry": entry, "attachments": attachments})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def entry_withdraw(request: HttpRequest, accession: str, version: int) -> HttpResponse:
    """Ask whether to withdraw an entry that is not released, and do so; lands on its submission's page."""
    entry = _entry_of_member(request, accession, version)
    if request.method == "POST":
        return _withdraw(request, entry)
    if entry.released_at is not None:
        messages.warning(request, f"{entry} is released, and what is released can no longer be withdrawn.")
        return redirect("entry", accession, version)
    attachments = list(entry.attachments.with_results())
    return render(request, "submissions/entry_withdraw.html", {"entry": entry, "attachments": attachments})


def _withdraw(request: HttpRequest, entry: SequenceEntry) -> HttpResponse:
    try:
        services.withdraw(user=member(request), accession=entry.accession, version=entry.version)
    except EntryNotFoundError:
        messages.warning(request, f"{entry} was withdrawn already.")
    except DomainError as error:
        messages.error(request, error.detail)
        return redirect("entry", entry.accession, entry.version)
    else:
        messages.success(request, f"{entry} ({entry.given_submission_id}) is withdrawn.")
    return redirect("submission", entry.submission_id)
