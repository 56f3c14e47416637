"""Logging in with a username and a password."""

from __future__ import annotations

import hashlib

import redis
from django.conf import settings
from django.contrib.auth import authenticate

from accounts.errors import LogInUnavailableError, TooManyAttemptsError, WrongCredentialsError
from accounts.models import User
from common import counters


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
    if counters.counted(counter) >= settings.LOGIN_FAILURES_ALLOWED:
        raise TooManyAttemptsError("Too many attempts failed; wait some minutes and try again.", retry_after=window)
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        counters.count(counter, lasts=window)
        raise WrongCredentialsError("No account has this username and password; look at upper and lower case.")
    counters.forget(counter)
    return user


def _failure_counter(username: str, address: str) -> str:
    return "login-failures-" + hashlib.sha256(f"{address}\n{username}".encode()).hexdigest()
