"""Django's registration of the admin with our site."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class SatchelAdminConfig(AdminConfig):
    """Django's admin app, its site being ours."""

    default_site = "config.admin.SatchelAdminSite"
