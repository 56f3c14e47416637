"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from accounts.checks import check_oidc


class AccountsConfig(AppConfig):
    """The `accounts` app."""

    name = "accounts"

    def ready(self) -> None:
        """Have Django run our check of the settings with its own."""
        register(check_oidc, Tags.security)
