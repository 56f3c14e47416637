"""PUTs to the object store, each repeated while it fails for reasons that pass."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from satchel.errors import Problem, SatchelError, UnreachableError
from satchel.patience import Patience, is_passing
from satchel.transfer.connections import Answer, Connection

BUSY = frozenset({"RequestTimeout", "SlowDown"})  # S3's words for what passes, which come as 400, too


class UrlRefusedError(SatchelError):
    """The object store refuses the URL: it has expired, as far as the answer tells."""


class UrlExpiredError(UrlRefusedError):
    """The URL has expired, which is known without sending anything to it."""


class UploadGoneError(UrlRefusedError):
    """What was being sent to is no more; unless somebody else has completed it, the file has to go somewhere new."""


@dataclass(frozen=True)
class Body:
    """What a PUT sends: its length, and its bytes anew for each attempt."""

    length: int
    chunks: Callable[[], Iterable[memoryview]]


@dataclass(frozen=True)
class Watch:
    """Who follows a PUT: told the bytes that went out, that they count for nothing, and that a pause comes."""

    on_sent: Callable[[int], None]
    on_lost: Callable[[], None]
    on_retry: Callable[[Problem, float], None]


def put(connection: Connection, url: Callable[[], str], body: Body, *, watch: Watch, patience: Patience) -> str:
    """Send it, as often as it takes, each time to what `url` gives then; its ETag.

    Raises `UrlRefusedError`, `UploadGoneError`, `UnreachableError`, `SatchelError` for what the store refuses for
    good, and what `url` and reading the bytes raise.
    """
    attempt = 0
    while True:
        retry_after = None
        try:
            answer = connection.put(url(), body.length, body.chunks(), watch.on_sent)
        except (OSError, http.client.HTTPException) as error:
            failure: SatchelError = UnreachableError(_lost(error))
        else:
            if answer.status == 200:
                return answer.etag
            failure, retry_after = _failure_of(answer), answer.retry_after
        watch.on_lost()
        if not isinstance(failure, UnreachableError) or not patience.allows(attempt, retry_after):
            raise failure
        pause = patience.pause_before(attempt, retry_after)
        watch.on_retry(failure.problem, pause)
        patience.sleep(pause)
        attempt += 1


def _lost(error: Exception) -> Problem:
    reason = str(error) or type(error).__name__
    return Problem("store_unreachable", f"The connection to the object store failed: {reason}")


def _failure_of(answer: Answer) -> SatchelError:
    """What the store's answer means; its own words are XML for programmers."""
    status = answer.status
    said = f"{status} {answer.code}".strip()
    if is_passing(status) or answer.code in BUSY:
        return UnreachableError(Problem("store_unreachable", f"The object store is busy ({said}).", status))
    problem = Problem("upload_refused", f"The object store did not take the file ({said}).", status)
    if status == 403:
        return UrlRefusedError(problem)
    if status == 404:
        return UploadGoneError(problem)
    return SatchelError(problem)
