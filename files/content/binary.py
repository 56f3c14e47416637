"""What the checks of binary formats have in common: they read a file from its start to its end as if it were all there.

Chunks come when they come, so a reader is a generator that pauses while what it asks for has not come yet. Thus
the code reads like the specification of its format, and no verdict can depend on how the file was cut.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator
from typing import Final, TypeAlias, TypeVar, final

from files.content.base import DEFAULT_LIMITS, JSON, ContentCheck, Limits

_T = TypeVar("_T")

Waiting: TypeAlias = Generator[None, None, _T]
"""Pauses as long as bytes are missing, then returns what was asked for; to be used with `yield from`."""

# Chunks are copied into the buffer by pieces of this size, so that it stays small.
_PIECE: Final = 256 << 10


class Source:
    """Bytes that come in pieces, for a reader that takes as many as it needs.

    `position` is how many bytes were taken, `ended` whether no more will come. What is asked for is held in
    memory, except by `pass_over`.
    """

    def __init__(self) -> None:
        self.position = 0
        self.ended = False
        self._buffer = bytearray()
        self._taken = 0

    @property
    def available(self) -> int:
        """How many bytes have come and were not taken."""
        return len(self._buffer) - self._taken

    def add(self, piece: bytes) -> None:
        """The next bytes have come."""
        del self._buffer[: self._taken]
        self._taken = 0
        self._buffer += piece

    def peek(self, number: int, *, all_there_are: bool = False) -> Waiting[bytes]:
        """The next `number` bytes, left where they are; fewer only at the end, more if `all_there_are` are wanted."""
        while self.available < number and not self.ended:
            yield
        end = len(self._buffer) if all_there_are else self._taken + number
        return bytes(memoryview(self._buffer)[self._taken : end])

    def take(self, number: int) -> Waiting[bytes]:
        """The next `number` bytes; fewer only at the end."""
        data = yield from self.peek(number)
        self._move(len(data))
        return data

    def pass_over(self, number: int, look: Callable[[memoryview], object] | None = None) -> Waiting[bool]:
        """Take `number` bytes piece by piece without holding them; tells whether there were so many."""
        while number:
            if not self.available:
                if self.ended:
                    return False
                yield
            step = min(number, self.available)
            if look:
                with memoryview(self._buffer) as view, view[self._taken : self._taken + step] as piece:
                    look(piece)
            self._move(step)
            number -= step
        return True

    def _move(self, number: int) -> None:
        self._taken += number
        self.position += number


class BinaryCheck(ContentCheck):
    """A check that is written as a reader of `source`."""

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        self.source = Source()
        self._learnt: dict[str, JSON] = {}
        self._running = self._run()

    @final
    def _feed(self, chunk: bytes) -> None:
        for start in range(0, len(chunk), _PIECE):
            self.source.add(chunk[start : start + _PIECE])
            next(self._running)

    @final
    def _finish(self) -> dict[str, JSON]:
        self.source.ended = True
        next(self._running, None)
        return self._learnt

    def _run(self) -> Waiting[None]:
        self._learnt = yield from self._read()

    @abstractmethod
    def _read(self) -> Waiting[dict[str, JSON]]:
        """Read the whole file, past its last byte, and tell what was learnt; raises `CheckFailedError`."""
