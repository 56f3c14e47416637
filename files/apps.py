"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """The `files` app."""

    name = "files"
