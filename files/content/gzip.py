"""The gzip check: the whole file unpacks, and nothing else is in it (RFC 1952)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from files.content import gunzip
from files.content.base import JSON, CheckFailedError
from files.content.text import UnpackedCheck


class GzipCheck(UnpackedCheck):
    """Any number of members, empty ones among them, each with the right checksum and length, and no more.

    Trailing zeros, which the gzip program ignores, are refused too. On success `data` holds `members` and
    `unpackedSize` (bytes).
    """

    name: ClassVar[str] = "gzip"
    version: ClassVar[int] = 1
    problems: ClassVar[Mapping[str, str]] = {f"gzip_{key}": text for key, text in gunzip.PROBLEMS.items()}

    def _take(self, piece: bytes) -> None:
        """Nothing is asked of the data; that they unpack is."""
        if self.unpacker.gunzip is None:
            raise _not_gzip()

    def _end(self) -> dict[str, JSON]:
        unpacker = self.unpacker
        if unpacker.failure is not None:
            raise unpacker.failure
        if not unpacker.received:
            raise CheckFailedError("empty", "The file is empty: pack the original file and upload that.", offset=0)
        if unpacker.gunzip is None:
            raise _not_gzip()
        return {"members": unpacker.gunzip.members, "unpackedSize": unpacker.gunzip.unpacked}


def _not_gzip() -> CheckFailedError:
    return CheckFailedError("not_gzip", "The file is not in gzip format: pack it with gzip and upload that.", offset=0)
