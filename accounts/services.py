"""Logging in, and the bearer tokens that stand for it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import jwt
import redis
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache as shared_cache
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.errors import LogInUnavailableError, TokenInvalidError, TooManyAttemptsError, WrongCredentialsError
from accounts.models import User

ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and its life in seconds."""

    access: str
    expires_in: int


def log_in(*, username: str, password: str, address: str) -> User:
    """The active account with this username and password.

    Raises `WrongCredentialsError`; `TooManyAttemptsError` after `LOGIN_FAILURES_ALLOWED` failures for this
    username from this address within `LOGIN_FAILURES_WINDOW`, which ends by itself, as success ends it; and
    `LogInUnavailableError` while failures cannot be counted.
    """
    try:
        return _log_in(username, password, _failure_counter(username, address))
    except redis.RedisError as error:
        # Without the counter anyone could try any number of passwords.
        raise LogInUnavailableError("Nobody can log in right now; try again in a moment.", retry_after=10) from error


def _log_in(username: str, password: str, counter: str) -> User:
    window = int(settings.LOGIN_FAILURES_WINDOW.total_seconds())
    if shared_cache.get(counter, 0) >= settings.LOGIN_FAILURES_ALLOWED:
        raise TooManyAttemptsError("Too many attempts failed; wait some minutes and try again.", retry_after=window)
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        if not shared_cache.add(counter, 1, timeout=window):
            shared_cache.incr(counter)
        raise WrongCredentialsError("No account has this username and password; look at upper and lower case.")
    shared_cache.delete(counter)
    return user


def _failure_counter(username: str, address: str) -> str:
    return "login-failures-" + hashlib.sha256(f"{address}\n{username}".encode()).hexdigest()


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


def user_of_token(token: str) -> User:
    """The active account that a token stands for; raises `TokenInvalidError`."""
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
