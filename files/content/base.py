"""What every content check has in common: it is fed the bytes of one file and ends in one outcome.

Nothing here knows models, storage or HTTP. A format is one module beside this one and one line in the
registry of the package.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias, final

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a check is willing to unpack, to read as one line and to hold; all but the ratio in bytes.

    Up to `free_output` bytes may be unpacked whatever the ratio, for one repeated letter is a legal file;
    beyond that the output may be at most `ratio` times the packed size (sequencing data reach some 30). Reads
    of whole chromosomes fit `line`; titles are held in memory, so `title` is smaller. Text is checked `block`
    by `block`: of the sizes tried the fastest, as the lines of a block still fit the processor's cache.
    """

    free_output: int = 1 << 30
    ratio: int = 200
    line: int = 512 << 20
    title: int = 1 << 20
    block: int = 256 << 10


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The result of one content check of one file.

    `code` and `detail` are empty when it passed; `detail` is a plain sentence with what was found and what
    the submitter can do. `line` counts from 1 in the unpacked text, `offset` in bytes from 0 in the file as
    stored. `data` holds what the check learnt about the file and is empty when it failed.
    """

    check: str
    version: int
    passed: bool
    code: str = ""
    detail: str = ""
    line: int | None = None
    offset: int | None = None
    data: dict[str, JSON] = field(default_factory=dict)


class CheckFailedError(Exception):
    """The first thing found wrong with a file; `problem` is the code without the check's name before it."""

    def __init__(self, problem: str, detail: str, *, line: int | None = None, offset: int | None = None) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.line = line
        self.offset = offset


class ContentCheck(ABC):
    """Checks one file as its bytes come by: `feed` every chunk in order, then `finish` once.

    `size` is the file's size in bytes where it is known before reading. The verdict does not depend on how
    the bytes were cut into chunks, and memory stays within a few MiB beside the chunk. `version` rises when a
    rule changes; `problems` tells in words when each code is given.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    problems: ClassVar[Mapping[str, str]]

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self.size = size
        self.limits = limits
        self._failure: CheckFailedError | None = None

    @property
    def failed(self) -> bool:
        """Whether something wrong was found already; further chunks are then ignored at no cost."""
        return self._failure is not None

    @final
    def feed(self, chunk: bytes) -> None:
        """Check the next bytes of the file; what is wrong with them is told by `finish`."""
        self._keeping_failure(self._feed, chunk)

    @final
    def _keeping_failure(self, step: Callable[[bytes], None], data: bytes) -> None:
        if self._failure is None:
            try:
                step(data)
            except CheckFailedError as failure:
                self._failure = failure

    @final
    def finish(self) -> CheckOutcome:
        """The verdict, once the whole file was fed. A file fed in part is judged as if it ended there."""
        if self._failure is None:
            try:
                return CheckOutcome(self.name, self.version, passed=True, data=self._finish())
            except CheckFailedError as failure:
                self._failure = failure
        return self._failed_outcome(self._failure)

    def _failed_outcome(self, failure: CheckFailedError) -> CheckOutcome:
        return CheckOutcome(
            check=self.name,
            version=self.version,
            passed=False,
            code=f"{self.name}_{failure.problem}",
            detail=failure.detail,
            line=failure.line,
            offset=failure.offset,
        )

    @abstractmethod
    def _feed(self, chunk: bytes) -> None:
        """Check the next bytes; raises `CheckFailedError` at the first problem."""

    @abstractmethod
    def _finish(self) -> dict[str, JSON]:
        """Check that the file may end here, and tell what was learnt; raises `CheckFailedError`."""
