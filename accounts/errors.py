"""What can be wrong with who is asking; without HTTP."""

from __future__ import annotations

from common.errors import DomainError, RetryLaterError


class WrongCredentialsError(DomainError):
    """No active account has this username and password."""

    code = "credentials_wrong"
    title = "Username or password is wrong"


class TooManyAttemptsError(RetryLaterError):
    """Too many failed attempts to log in, for this name from this address."""

    code = "too_many_attempts"
    title = "Too many attempts to log in"


class TokenInvalidError(DomainError):
    """A bearer token that is none of ours, has expired, was revoked, or belongs to a closed account."""

    code = "token_invalid"
    title = "The token is not valid"


class LogInUnavailableError(RetryLaterError):
    """Failed attempts cannot be counted right now, so nobody is let in."""

    code = "log_in_unavailable"
    title = "Logging in does not work right now"


class IssuerUnavailableError(RetryLaterError):
    """The OIDC issuer of a token does not answer, and without its keys the token cannot be checked."""

    code = "issuer_unavailable"
    title = "The token cannot be checked right now"


class TokenNameTakenError(DomainError):
    """The person has, or had, a personal API token of that name."""

    code = "token_name_taken"
    title = "A token of that name exists"


class TooManyTokensError(DomainError):
    """The person has as many personal API tokens in use as one may have."""

    code = "too_many_tokens"
    title = "Too many personal API tokens"
