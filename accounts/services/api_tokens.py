"""Personal API tokens: made on the account page, shown once, stored as their sha256.

A token is `satchel_` and 43 letters of base64url (RFC 4648) for 256 random bits: too many to guess, so that a plain
hash keeps it as safe as a slow one would, and a scanner for leaked secrets knows it by its prefix.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import TokenInvalidError, TokenNameTakenError, TooManyTokensError
from accounts.models import ApiToken, User

PREFIX = "satchel_"
RANDOM_BYTES = 32
LAST_USE_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: a script that calls a hundred times a second writes once a minute."""


def make_token(*, user: User, name: str, lifetime: timedelta) -> tuple[ApiToken, str]:
    """A new token that ends after `lifetime`, and its text, which nobody can show again.

    Raises `TokenNameTakenError`, also where the token of that name has ended, and `TooManyTokensError` beyond
    `API_TOKENS_PER_USER_MAX` that are in use.
    """
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    now = timezone.now()
    try:
        with transaction.atomic():
            # Two forms at once are counted one after the other.
            User.objects.select_for_update(no_key=True).get(pk=user.pk)
            if user.api_tokens.usable().count() >= settings.API_TOKENS_PER_USER_MAX:
                raise TooManyTokensError(
                    f"You have {settings.API_TOKENS_PER_USER_MAX} tokens already; revoke one that is not needed."
                )
            token = ApiToken.objects.create(user=user, name=name, token_sha256=_sha256(text), expires_at=now + lifetime)
    except IntegrityError as error:
        message = (
            f"You have or had a token named “{name}”. Choose another name, so that the list tells them apart. "
            "If you have just made it and reloaded the page, it cannot be shown again: revoke it and make another."
        )
        raise TokenNameTakenError(message) from error
    return token, text


def revoke_token(token: ApiToken) -> bool:
    """Take the token back at once and for good; whether it was this call that did. Safe to repeat."""
    revoked = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
    return bool(revoked)


def user_of_api_token(text: str) -> User:
    """The active account that a personal API token stands for; notes its use. One query, seldom two.

    Raises `TokenInvalidError` where it is unknown, has expired, was revoked, or the account is closed.
    """
    token = ApiToken.objects.select_related("user").filter(token_sha256=_sha256(text)).first()
    if token is None:
        raise TokenInvalidError("This is no token of this service. Look whether it was copied as a whole.")
    advice = "Make another on your account page, at /account."
    if token.revoked_at is not None:
        raise TokenInvalidError(f"This personal API token was revoked. {advice}")
    if token.expires_at <= timezone.now():
        raise TokenInvalidError(f"This personal API token expired on {token.expires_at:%Y-%m-%d}. {advice}")
    if not token.user.is_active:
        raise TokenInvalidError("The account of this token is closed.")
    _note_use(token)
    return token.user


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    long_ago = now - LAST_USE_EVERY
    if token.last_used_at is None or token.last_used_at <= long_ago:
        # Of several calls at once, one writes.
        unwritten = Q(last_used_at__isnull=True) | Q(last_used_at__lte=long_ago)
        ApiToken.objects.filter(unwritten, pk=token.pk).update(last_used_at=now)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
