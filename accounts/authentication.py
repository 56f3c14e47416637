"""Who calls the API: a bearer token, or the session of a page."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.errors import TokenInvalidError
from accounts.models import User
from accounts.services import user_of_token


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        """The account of the token, or None where there is no bearer token; raises `TokenInvalidError`."""
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not token.strip():
            raise TokenInvalidError("The header “Authorization: Bearer” has no token behind it.")
        return user_of_token(token.strip()), token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says in `WWW-Authenticate`."""
        return "Bearer"


class PageSessionAuthentication(SessionAuthentication):
    """The session of a page, with its form token (CSRF)."""


def caller(request: Request) -> User:
    """The account behind a request that `IsAuthenticated` has let through."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
