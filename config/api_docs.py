"""`/api/schema`, the OpenAPI document, and `/api/docs`, which shows it by Swagger UI out of our own static files."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.views.generic import TemplateView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from common.openapi import document_json
from common.schema import JSON, Answer, Body, Header, Operation, described

OPENAPI_JSON: Final = "application/vnd.oai.openapi+json"

GET_SCHEMA: Final = Operation(
    operation_id="getSchema",
    tag="About the API",
    summary="This document",
    description="What the API takes and answers, as OpenAPI 3.1.",
    answers={
        200: Answer(
            "The document.",
            [Body({"type": "object", "required": ["openapi", "paths"]}, media_types=(JSON, OPENAPI_JSON))],
            {"Vary": Header("Accept.", {"type": "string"})},
        )
    },
    no_log_in=True,
)


class SchemaView(APIView):
    """The OpenAPI document, for everyone."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @described(GET_SCHEMA)
    def get(self, request: Request) -> HttpResponse:
        """JSON; under the media type of OpenAPI for those who prefer that."""
        media_type = request.get_preferred_type([JSON, OPENAPI_JSON]) or JSON
        return HttpResponse(document_json(), content_type=media_type, headers={"Vary": "Accept"})


class ApiDocsView(TemplateView):
    """Swagger UI, started by a script of ours: the page that drf-spectacular has for it wants inline styles."""

    template_name = "help/api_docs.html"
    http_method_names = ["get", "head"]
    extra_context: Any = {"sidecar": "drf_spectacular_sidecar/swagger-ui-dist/"}
