"""What Django's checks say of our settings about logging in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def check_oidc(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[Error]:
    """Refuse settings with which tokens of an OIDC issuer would not be told apart, or not be safe."""
    found = []
    if bool(settings.OIDC_ISSUER) != bool(settings.OIDC_AUDIENCE):
        hint = "Without an audience, tokens that the issuer made for other services would be taken here."
        found.append(Error("OIDC_ISSUER and OIDC_AUDIENCE go together.", hint=hint, id="accounts.E001"))
    if settings.OIDC_ISSUER and settings.OIDC_ISSUER == settings.JWT_ISSUER:
        hint = "Set JWT_ISSUER to a name of this service."
        found.append(Error("JWT_ISSUER must differ from OIDC_ISSUER.", hint=hint, id="accounts.E002"))
    for name in ("OIDC_ISSUER", "OIDC_JWKS_URL"):
        url = getattr(settings, name)
        if url and not _is_safe(url):
            hint = "Whoever sits on the line to the issuer could send keys of their own, and be anybody."
            found.append(Error(f"{name} must be an address of HTTPS.", hint=hint, id="accounts.E003"))
    return found


def _is_safe(url: str) -> bool:
    """Whether nobody can change what comes from there on its way: HTTPS, or the same machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
