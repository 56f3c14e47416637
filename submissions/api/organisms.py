"""`/api/organisms`: what can be submitted to, and what each organism asks for."""

from __future__ import annotations

from django.db.models import Prefetch
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.schema import described
from files.models import FileCategory
from submissions.api.schema import organisms as schema
from submissions.api.serializers import organism_body
from submissions.models import MetadataField, Organism


class OrganismListView(APIView):
    """All organisms, for anyone, as on the home page."""

    permission_classes = (AllowAny,)

    @described(schema.LIST_ORGANISMS)
    def get(self, request: Request) -> Response:
        """`{"items","nextCursor"}` by name, all on one page: administrators set up each by hand."""
        organisms = Organism.objects.order_by("name", "pk").prefetch_related(
            Prefetch("file_categories", FileCategory.objects.order_by("order", "name")),
            Prefetch("metadata_fields", MetadataField.objects.order_by("order", "name")),
        )
        return Response({"items": [organism_body(organism) for organism in organisms], "nextCursor": None})
