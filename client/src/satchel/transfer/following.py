"""The sha256 of a large file, taken in file order while its parts are being sent in any."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable

from satchel.transfer.parts import bounds_of
from satchel.transfer.reading import Snapshot


class Follower:
    """A thread that reads a part once somebody else has begun to: from memory then, and not once more from the disk.

    `on_digest` is told the sha256 at the end, `on_error` what was raised instead. hashlib and reading leave the
    interpreter to the other threads.
    """

    def __init__(
        self,
        source: Snapshot,
        part_size: int,
        on_digest: Callable[[str], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        self._source = source
        self._part_size = part_size
        self._on_digest = on_digest
        self._on_error = on_error
        self._begun: set[int] = set()
        self._is_over = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="satchel-follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def may_read(self, numbers: Iterable[int]) -> None:
        """These parts are being read, or need no sending."""
        with self._news:
            self._begun.update(numbers)
            self._news.notify()

    def stop(self) -> None:
        """Nobody needs the sha256 any more."""
        with self._news:
            self._is_over = True
            self._news.notify()

    def _run(self) -> None:
        try:
            digest = self._followed()
        except BaseException as error:
            self._on_error(error)
        else:
            if digest:
                self._on_digest(digest)

    def _followed(self) -> str:
        """The sha256, or nothing once it is over."""
        digest = hashlib.sha256()
        size, start, number = self._source.file.size, 0, 1
        while start < size:
            if not self._waited_for(number):
                return ""
            start, end = bounds_of(number, self._part_size, size)
            for _ in self._source.chunks(start, end, digest):
                if self._is_over:
                    return ""
            start, number = end, number + 1
        return digest.hexdigest()

    def _waited_for(self, number: int) -> bool:
        with self._news:
            self._news.wait_for(lambda: self._is_over or number in self._begun)
            return not self._is_over
