"""Access tokens: what `POST /api/auth/token` gives, signed and not stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.errors import TokenInvalidError
from accounts.models import User

ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and its life in seconds."""

    access: str
    expires_in: int


def issue_token(user: User) -> AccessToken:
    """A JWT (RFC 7519, RS256) that stands for the account for `JWT_LIFETIME`."""
    now = timezone.now()
    claims = {
        "iss": settings.JWT_ISSUER,
        "sub": str(user.pk),
        "iat": now,
        "exp": now + settings.JWT_LIFETIME,
    }
    access = jwt.encode(claims, _private_key(settings.JWT_PRIVATE_KEY), algorithm=ALGORITHM)
    return AccessToken(access, int(settings.JWT_LIFETIME.total_seconds()))


def user_of_access_token(token: str) -> User:
    """The active account that the JWT stands for; raises `TokenInvalidError`."""
    advice = "Get a new token from /api/auth/token."
    try:
        claims = jwt.decode(
            token,
            _private_key(settings.JWT_PRIVATE_KEY).public_key(),
            algorithms=[ALGORITHM],
            issuer=settings.JWT_ISSUER,
            options={"require": ["exp", "iss", "sub"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenInvalidError(f"The token has expired. {advice}") from error
    except jwt.InvalidTokenError as error:
        raise TokenInvalidError(f"This is no token of this service. {advice}") from error
    user = User.objects.filter(pk=claims["sub"], is_active=True).first()
    if user is None:
        raise TokenInvalidError("The account of this token is closed.")
    return user


@cache
def _private_key(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        message = "JWT_PRIVATE_KEY is no RSA key; make one with “openssl genrsa 2048”."
        raise ImproperlyConfigured(message)
    return key
