"""Errors of the domain: what went wrong in words and data, without HTTP.

`common/problems.py` alone knows which status and problem type each code has, and `docs/problems.md` has a
heading for each code; a test keeps the three together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

MOST_TOLD = 1_000
"""How many problems of one request are told at most; the others are counted."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the request an error is; only what applies is set.

    `pointer` is a JSON Pointer (RFC 6901) into the file mapping or the JSON body, `line` counts from 1 in the
    unpacked metadata table or FASTA, `field` names the form part or parameter.
    """

    pointer: str | None = None
    field: str | None = None
    submission_id: str | None = None
    category: str | None = None
    file_id: str | None = None
    name: str | None = None
    line: int | None = None


class DomainError(Exception):
    """One thing that is wrong, with a stable `code` and a sentence that says what to do about it."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, location: Location | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.location = location or Location()


@dataclass(slots=True)
class ErrorList:
    """Collects every problem of one request, so that all of them are told at once.

    Keeps the first `limit` and counts the rest, so that a table with a million bad rows stays small.
    """

    limit: int = MOST_TOLD
    errors: list[DomainError] = field(default_factory=list)
    count: int = 0

    def add(self, error: DomainError) -> None:
        """Note one more problem."""
        self.count += 1
        if len(self.errors) < self.limit:
            self.errors.append(error)

    def extend(self, errors: Iterable[DomainError]) -> None:
        """Note several more problems."""
        for error in errors:
            self.add(error)

    def __bool__(self) -> bool:
        return self.count > 0

    def raise_if_any(self) -> None:
        """Raise `ValidationFailedError` with all that was noted, if anything was."""
        if self:
            raise ValidationFailedError(self.errors, self.count)


class ValidationFailedError(Exception):
    """A well-formed request in which one or more things are wrong; carries the first `MOST_TOLD`, and their number.

    `results` holds what did succeed, for calls in which one bad item does not undo the others.
    """

    def __init__(
        self, errors: Sequence[DomainError], count: int | None = None, results: Sequence[object] | None = None
    ) -> None:
        self.count = len(errors) if count is None else count
        super().__init__(f"{self.count} problems")
        self.errors = list(errors[:MOST_TOLD])
        self.results = results


class ParameterMissingError(DomainError):
    """A parameter, form part or body that the call needs is not there."""

    code = "parameter_missing"
    title = "A parameter is missing"


class ParameterInvalidError(DomainError):
    """A parameter, form part or body cannot be read as what it should be, or is out of range."""

    code = "parameter_invalid"
    title = "A parameter cannot be read"


class RequestTooLargeError(DomainError):
    """A body, or a part of it, that is larger than it may be."""

    code = "request_too_large"
    title = "The body is larger than this address takes"


class RetryLaterError(DomainError):
    """Not now; the same call may succeed after `retry_after` seconds."""

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RateLimitedError(RetryLaterError):
    """The account, or the address, has made as many calls in this minute as one may."""

    code = "rate_limited"
    title = "Too many calls in a minute"
