"""The text of a file that may be gzipped: unpacked once, for all the checks that read it."""

from __future__ import annotations

from collections.abc import Iterator

from files.content.base import CheckFailedError, Limits
from files.content.gunzip import GZIP_MAGIC, Gunzip


class Unpacker:
    """Turns the chunks of a file as stored into pieces of its text, whether it is gzipped or plain.

    What is wrong with the gzip data is kept in `failure` and ends the text there; each check says itself what it
    makes of that. `gunzip` is None for a plain file, and as long as it is not known.
    """

    def __init__(self, size: int | None, limits: Limits) -> None:
        self.gunzip: Gunzip | None = None
        self.failure: CheckFailedError | None = None
        self.received = 0
        self._size = size
        self._limits = limits
        self._start: bytes | None = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The text of the next bytes, in pieces; the iterator must be read to its end before the next call."""
        self.received += len(chunk)
        if self._start is not None:
            chunk = self._start + chunk
            self._start = chunk if len(chunk) < len(GZIP_MAGIC) else None
            if self._start is not None:
                return
            if chunk.startswith(GZIP_MAGIC):
                self.gunzip = Gunzip(self._size, self._limits)
        yield from self._plain(chunk) if self.gunzip is None else self._unpacked(self.gunzip, chunk)

    def finish(self) -> Iterator[bytes]:
        """The last pieces, once the whole file was fed; a file that may not end there has a `failure` then."""
        start, self._start = self._start, None
        if start and GZIP_MAGIC.startswith(start):
            self.gunzip = Gunzip(self._size, self._limits)
            yield from self._unpacked(self.gunzip, start)
        elif start:
            yield start
        if self.gunzip is not None and self.failure is None:
            try:
                self.gunzip.finish()
            except CheckFailedError as failure:
                self.failure = failure

    def _plain(self, chunk: bytes) -> Iterator[bytes]:
        """The chunk in pieces, so that the lists of lines made of it stay small."""
        step = self._limits.block
        return (chunk[start : start + step] for start in range(0, len(chunk), step))

    def _unpacked(self, gunzip: Gunzip, chunk: bytes) -> Iterator[bytes]:
        if self.failure is not None:
            return
        try:
            yield from gunzip.feed(chunk)
        except CheckFailedError as failure:
            self.failure = failure
