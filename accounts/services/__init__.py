"""Logging in, and the bearer tokens that stand for it."""

from __future__ import annotations

from accounts.models import User
from accounts.services.access_tokens import AccessToken, issue_token, user_of_access_token
from accounts.services.api_tokens import PREFIX, make_token, revoke_token, user_of_api_token
from accounts.services.logging_in import log_in
from accounts.services.oidc import is_of_issuer, user_of_oidc_token

__all__ = ["AccessToken", "issue_token", "log_in", "make_token", "revoke_token", "user_of_token"]


def user_of_token(token: str) -> User:
    """The active account that a bearer token stands for, be it a personal one, an OIDC issuer's or our own.

    Raises `TokenInvalidError`, and `IssuerUnavailableError` where only the issuer could tell.
    """
    if token.startswith(PREFIX):
        return user_of_api_token(token)
    return user_of_oidc_token(token) if is_of_issuer(token) else user_of_access_token(token)
