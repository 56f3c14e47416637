"""Work on a stream in threads of its own: each lane does one thing with every piece, in order.

What is worth a lane lets go of the interpreter's lock: hashing and unpacking do (Python documentation, "hashlib":
for more than 2,047 bytes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Lane:
    """A thread that is handed pieces and does `work` with each, at most `depth` pieces behind.

    Use it as a context manager. What `work` raises is raised by a later `feed` or by `drain`, and the pieces behind
    it are not worked on.
    """

    def __init__(self, work: Callable[[bytes], object], *, depth: int = 4) -> None:
        self._work = work
        self._depth = depth
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[Future[object]] = deque()
        self._broken = False

    def feed(self, piece: bytes) -> None:
        """Hand over the next piece; waits while the lane is `depth` pieces behind."""
        if len(self._pending) >= self._depth:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(self._do, piece))

    def drain(self) -> None:
        """Wait until everything that was handed over is done."""
        while self._pending:
            self._pending.popleft().result()

    def _do(self, piece: bytes) -> None:
        if self._broken:
            return
        try:
            self._work(piece)
        except BaseException:
            self._broken = True
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._broken = True
        self._pool.shutdown(cancel_futures=kind is not None)
