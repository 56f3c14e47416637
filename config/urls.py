"""Every address: pages at the root, the API under /api."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path, register_converter
from django.views.decorators.csrf import csrf_exempt

from common.converters import TextConverter
from common.problems import problem_response
from config.api_docs import ApiDocsView, SchemaView
from config.health import healthz, readyz
from config.help import help_page


@csrf_exempt  # else what lacks a form token would hear of that, rather than of the address
def api_not_found(request: HttpRequest) -> HttpResponse:
    """An address under /api that does not exist."""
    return problem_response(request, 404, "The API has nothing at this address; addresses do not end in a slash.")


handler400 = "common.error_pages.bad_request"
handler403 = "common.error_pages.permission_denied"
handler404 = "common.error_pages.not_found"
handler500 = "common.error_pages.server_error"

# Before the addresses of the apps are included, which use it.
register_converter(TextConverter, "text")

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("help", help_page, name="help-index"),
    path("help/<slug:page>", help_page, name="help"),
    path("admin/", admin.site.urls),
    path("api", api_not_found),
    path(
        "api/",
        include(
            [
                path("schema", SchemaView.as_view(), name="api-schema"),
                path("docs", ApiDocsView.as_view(), name="api-docs"),
                path("", include("accounts.api.urls")),
                path("", include("files.api.urls")),
                path("", include("submissions.api.urls")),
                re_path("", api_not_found),
            ]
        ),
    ),
    path("", include("accounts.urls")),
    path("", include("submissions.urls")),
]
