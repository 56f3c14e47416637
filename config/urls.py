"""Every address: pages at the root, the API under /api."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path

from common.problems import problem_response
from config.health import healthz, readyz
from config.help import help_page


def api_not_found(request: HttpRequest) -> HttpResponse:
    """An address under /api that does not exist."""
    return problem_response(request, 404, "The API has nothing at this address; addresses do not end in a slash.")


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("help", help_page, name="help-index"),
    path("help/<slug:page>", help_page, name="help"),
    path("admin/", admin.site.urls),
    path(
        "api/",
        include(
            [
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
