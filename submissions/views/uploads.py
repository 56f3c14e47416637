"""Discarding uploads of a group that no entry has."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from files.models import File, FileQuerySet
from files.services import discard_files
from submissions.models import Group
from submissions.views.common import member, moment_of
from submissions.views.groups import group_of_member

NAMED = 10
"""How many of the files the question names; of more it says how many there are."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def uploads_discard(request: HttpRequest, group_id: int) -> HttpResponse:
    """Ask whether to discard the chosen unattached uploads (`fileId`, several times) or `all`, and do so.

    `until` is the time of the question: what others have begun to upload since is not among “all”.
    """
    group = group_of_member(request, group_id)
    if request.method == "POST":
        _discard(request, _chosen(group, request.POST))
        return redirect("group", group.pk)
    chosen = _chosen(group, request.GET)
    counts = chosen.aggregate(
        number=Count("pk"),
        size=Sum(Coalesce("size", "claimed_size")),
        unfinished=Count("pk", filter=Q(status=File.Status.REQUESTED)),
    )
    if not counts["number"]:
        messages.warning(request, "Nothing is discarded: choose files first.")
        return redirect("group", group.pk)
    files = list(
        chosen.select_related("requested_by")
        .prefetch_related("check_results")
        .order_by("-requested_at", "claimed_name", "pk")[:NAMED]
    )
    context = {
        "group": group,
        "files": files,
        "more": counts["number"] - len(files),
        "is_all": "all" in request.GET,
        "file_ids": [] if "all" in request.GET else list(chosen.values_list("pk", flat=True)),
        "until": timezone.now().isoformat(),
        **counts,
    }
    return render(request, "submissions/uploads_discard.html", context)


def _chosen(group: Group, sent: QueryDict) -> FileQuerySet:
    """What was chosen of the group's files, as far as it can be discarded."""
    files = File.objects.filter(group=group).unattached().attachable()
    if "all" not in sent:
        return files.filter(pk__in=_uuids(sent.getlist("fileId")))
    until = moment_of(sent.get("until", "")) if "until" in sent else timezone.now()
    return files.none() if until is None else files.filter(requested_at__lte=until)


def _uuids(texts: Iterable[str]) -> list[uuid.UUID]:
    """The file IDs among the texts; what is none names no file."""
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _discard(request: HttpRequest, chosen: FileQuerySet) -> None:
    ids = list(chosen.values_list("pk", flat=True))
    number = discard_files(user=member(request), file_ids=ids)
    text = f"{number:,} {'upload is' if number == 1 else 'uploads are'} discarded."
    asked = len(ids) if "all" in request.POST else len(request.POST.getlist("fileId"))
    if number < asked:
        text += " The others were discarded already, belong to an entry by now, or are just being put together."
    messages.success(request, text)
