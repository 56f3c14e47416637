"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class SubmissionsConfig(AppConfig):
    """The `submissions` app."""

    name = "submissions"
