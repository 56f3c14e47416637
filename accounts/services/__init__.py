"""Logging in, and the bearer tokens that stand for it."""

from __future__ import annotations

from accounts.models import User
from accounts.services.access_tokens import AccessToken, issue_token, user_of_access_token
from accounts.services.api_tokens import PREFIX, make_token, revoke_token, user_of_api_token
from accounts.services.logging_in import log_in

__all__ = ["AccessToken", "issue_token", "log_in", "make_token", "revoke_token", "user_of_token"]


def user_of_token(token: str) -> User:
    """The active account that a bearer token of either kind stands for; raises `TokenInvalidError`."""
    return user_of_api_token(token) if token.startswith(PREFIX) else user_of_access_token(token)
