"""The home page."""

from __future__ import annotations

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from files.models import FileCategory
from submissions.models import Group, MetadataField, Organism
from submissions.views.common import member, visible_submissions

LATEST_SUBMISSIONS = 5


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
        context["latest_submissions"] = list(visible_submissions(member(request))[:LATEST_SUBMISSIONS])
    return render(request, "submissions/home.html", context)
