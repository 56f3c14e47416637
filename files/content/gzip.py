"""The gzip check: the whole file unpacks, and nothing else is in it (RFC 1952)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from files.content import gunzip
from files.content.base import DEFAULT_LIMITS, JSON, ContentCheck, Limits


class GzipCheck(ContentCheck):
    """Any number of members, empty ones among them, each with the right checksum and length, and no more.

    Trailing zeros, which the gzip program ignores, are refused too. On success `data` holds `members` and
    `unpackedSize` (bytes).
    """

    name: ClassVar[str] = "gzip"
    version: ClassVar[int] = 1
    problems: ClassVar[Mapping[str, str]] = {f"gzip_{key}": text for key, text in gunzip.PROBLEMS.items()}

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        self._gunzip = gunzip.Gunzip(size, limits)

    def _feed(self, chunk: bytes) -> None:
        # The checks on the way are wanted, not the data.
        for _ in self._gunzip.feed(chunk):
            pass

    def _finish(self) -> dict[str, JSON]:
        self._gunzip.finish()
        return {"members": self._gunzip.members, "unpackedSize": self._gunzip.unpacked}
