"""Tokens of an OIDC issuer, and the accounts that stand for its subjects."""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Any

import jwt
from django.conf import settings
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.errors import TokenInvalidError
from accounts.models import OidcSubject, User
from accounts.services.issuer_keys import keys_of

ALGORITHM = "RS256"
LEEWAY = 30
"""Seconds by which the clocks of issuer and service may differ."""
SUBJECT_MAX = 255
"""Characters of a subject (OpenID Connect Core 1.0, section 2)."""
USERNAME_MAX = 150
ATTEMPTS = 3


def is_of_issuer(token: str) -> bool:
    """Whether an OIDC issuer is set, and the token says that it comes from there.

    Says which check a token has to pass, and nothing else: nobody has looked at its signature yet.
    """
    if not (settings.OIDC_ISSUER and settings.OIDC_AUDIENCE):
        return False
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return bool(claims.get("iss") == settings.OIDC_ISSUER)


def user_of_oidc_token(token: str) -> User:
    """The active account that stands for the token's issuer and subject, made at its first use.

    Checks signature (RS256), `iss`, `aud`, `exp` and `nbf` (RFC 7519). An account is found by issuer and subject alone,
    never by name or mail, and is never an admin's. Raises `TokenInvalidError`; `IssuerUnavailableError` where the
    issuer's keys are needed and it does not answer. One query, and the account's making the first time.
    """
    claims = _checked_claims(token)
    subject = _subject_of(claims)
    user = _known(subject) or _new(subject, claims.get("preferred_username"))
    if not user.is_active:
        raise TokenInvalidError("The account of this token is closed.")
    if user.is_staff or user.is_superuser:
        text = "The account of this token is an administrator's; such an account is not used through OIDC."
        raise TokenInvalidError(text)
    return user


def _checked_claims(token: str) -> dict[str, Any]:
    issuer, audience = settings.OIDC_ISSUER, settings.OIDC_AUDIENCE
    advice = f"Get a new one from {issuer}."
    try:
        kid = jwt.get_unverified_header(token).get("kid", "")
        key = keys_of(issuer, settings.OIDC_JWKS_URL).find(kid)
        if key is None:
            raise TokenInvalidError(f"The token is signed with a key that its issuer does not have. {advice}")
        return jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=issuer,
            audience=audience,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenInvalidError(f"The token has expired. {advice}") from error
    except jwt.ImmatureSignatureError as error:
        raise TokenInvalidError("The token is not valid yet; look at the clocks.") from error
    except (jwt.InvalidAudienceError, jwt.MissingRequiredClaimError) as error:
        text = f"The token needs “exp”, “sub”, and “{audience}” as its audience (“aud”). {advice}"
        raise TokenInvalidError(text) from error
    except jwt.InvalidTokenError as error:
        raise TokenInvalidError(f"This is no valid token of its issuer. {advice}") from error


def _subject_of(claims: dict[str, Any]) -> str:
    subject = str(claims["sub"])
    if not subject or len(subject) > SUBJECT_MAX or not subject.isprintable():
        text = f"The token's subject (“sub”) must have 1 to {SUBJECT_MAX} characters that can be printed."
        raise TokenInvalidError(text)
    return subject


def _known(subject: str) -> User | None:
    known = OidcSubject.objects.select_related("user").filter(issuer=settings.OIDC_ISSUER, subject=subject).first()
    return known.user if known else None


def _new(subject: str, preferred: object) -> User:
    """The account of a new subject, without a password; of two calls at once one makes it, and both get it."""
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                user = User.objects.create_user(username=_username(preferred))
                OidcSubject.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=subject)
        except IntegrityError:
            # Another call was faster, with this subject or with the same name for another one.
            if (made := _known(subject)) is not None:
                return made
            if attempt == ATTEMPTS - 1:
                raise
        else:
            break
    return user


def _username(preferred: object) -> str:
    """The preferred name where it is a username that nobody has in any case of letters; otherwise one like it."""
    wanted = unicodedata.normalize("NFKC", preferred) if isinstance(preferred, str) else ""
    if _is_username(wanted) and not User.objects.filter(username__iexact=wanted).exists():
        return wanted
    suffix = "-" + secrets.token_hex(4)
    like = re.sub(r"[^\w.@+-]+", "-", wanted).strip("-")[: USERNAME_MAX - len(suffix)]
    return (like or "user") + suffix


def _is_username(text: str) -> bool:
    try:
        UnicodeUsernameValidator()(text)
    except ValidationError:
        return False
    return len(text) <= USERNAME_MAX
