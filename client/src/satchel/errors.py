"""What can go wrong, in words for the one who waits for it. Only these are raised on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STRANGE = "request_failed"
"""The code of answers that are not our API's."""


@dataclass(frozen=True)
class Problem:
    """Why something was not done: a stable `code` and a sentence.

    `status` is the HTTP status, 0 where nothing was answered or no server was asked. `where` has what the server says
    about the place: `field`, `pointer`, `line`, `submissionId`, `category`, `fileId`, `name`, as they apply.
    """

    code: str
    detail: str
    status: int = 0
    where: Mapping[str, Any] = field(default_factory=dict)


class SatchelError(Exception):
    """Anything that this package raises on purpose; `problem` says what."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class ApiError(SatchelError):
    """The server's refusal, by RFC 9457.

    `errors` has everything that is wrong with the request, the first thousand of `error_count`; it is empty where
    `problem` says it all. `results` is what the two complete calls did all the same. `retry_after` is in seconds, and
    None where the server did not say.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        errors: Sequence[Problem] = (),
        error_count: int = 0,
        results: Sequence[Mapping[str, Any]] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(problem)
        self.errors = tuple(errors)
        self.error_count = error_count
        self.results = tuple(results)
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def code(self) -> str:
        """What the answer as a whole is called."""
        return self.problem.code

    @property
    def is_not_found(self) -> bool:
        """Whether our API says that there is no such thing; a 404 of somebody else says nothing about it."""
        return self.status == 404 and self.code != STRANGE


class RefusedError(SatchelError):
    """Not all of what was asked for was done, and again makes no difference before something is mended.

    `problems` has everything that stands in the way, and is empty where the summary says it all; `document` is what was
    done all the same, for the JSON.
    """

    def __init__(
        self,
        summary: str,
        problems: Sequence[Problem],
        code: str = "refused",
        document: Mapping[str, Any] | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(Problem(code, summary, where=where or {}))
        self.problems = tuple(problems)
        self.document = document or {}


class UnreachableError(SatchelError):
    """The server, or the object store, could not be reached, or did not answer as one, for all the patience."""


class FileProblemError(SatchelError):
    """A local file that is not there, cannot be read, or changed while it was being sent."""
