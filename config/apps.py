"""Django's own apps, as we set them up."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class SatchelAdminConfig(AdminConfig):
    """Django's admin app, its site being ours."""

    default_site = "config.admin.SatchelAdminSite"


class SatchelStaticFilesConfig(StaticFilesConfig):
    """Django's static files, without what the packages that we use bring along and no page of ours loads."""

    # Of drf-spectacular's sidecar, page and style sheet of Swagger UI stay: the rest takes seconds to be compressed.
    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "redoc",
        "swagger-ui-standalone-preset.*",
        "swagger-ui-bundle.js.map",
        "oauth2-redirect.*",
    ]
