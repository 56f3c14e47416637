"""The home page."""

from __future__ import annotations

from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from files.models import FileCategory
from submissions.models import Group, MetadataField, Organism, SequenceEntry
from submissions.views.common import counted_page, member, recent_unattached, visible_submissions

LATEST_SUBMISSIONS = 5


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """The organisms and what each takes; for members also what waits for them, and their latest submissions."""
    organisms = Organism.objects.order_by("name").prefetch_related(
        Prefetch("file_categories", FileCategory.objects.order_by("order", "name")),
        Prefetch("metadata_fields", MetadataField.objects.order_by("order", "name")),
    )
    context: dict[str, object] = {"organisms": organisms}
    if request.user.is_authenticated:
        context |= _of_member(member(request))
    return render(request, "submissions/home.html", context)


def _of_member(user: User) -> dict[str, object]:
    latest = counted_page(visible_submissions(user), "1", LATEST_SUBMISSIONS)
    verifying = SequenceEntry.objects.of_members(user).filter(status=SequenceEntry.Status.VERIFYING)
    return {
        "has_groups": Group.objects.visible_to(user).exists(),
        "latest_submissions": latest.object_list,
        "has_more_submissions": latest.has_next(),
        "number_verifying": verifying.aggregate(number=Count("submission", distinct=True))["number"],
        "unattached": _unattached(user),
    }


def _unattached(user: User) -> list[Group]:
    """The user's groups that have uploads which belong to no entry, each with their `number_unattached`."""
    numbers = dict(recent_unattached(user).order_by().values_list("group").annotate(number=Count("pk")))
    groups = list(Group.objects.filter(pk__in=numbers).order_by("name"))
    for group in groups:
        group.number_unattached = numbers[group.pk]  # type: ignore[attr-defined]  # for the template
    return groups
