"""An entry."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from files.rules import rules_in
from submissions.models import Group, SequenceEntry


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
