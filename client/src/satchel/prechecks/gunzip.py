"""Unpacks the beginning of a gzip file (RFC 1952) and says, where something is wrong with it, what and where.

Headers and trailers are read here and only the DEFLATE data goes to zlib, which would report a wrong checksum and a
wrong length as one error and not say where a member began.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from satchel.prechecks.faults import Fault

MAGIC = b"\x1f\x8b\x08"

_SLICE = 32 << 10
_FIXED_HEADER = 10
_HEADER_CRC, _EXTRA, _NAME, _COMMENT, _RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0
_AGAIN = "pack the original file again and upload that."


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The text that came out, what ended it before its time, and whether all of the text is here."""

    text: bytes
    fault: Fault | None = None
    whole: bool = False


class _FoundError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def unpack(data: bytes, *, whole: bool, most: int) -> Unpacked:
    """Unpack the first bytes of a file, or all of them if they are the `whole` file; at most some `most` bytes."""
    members = _Members(data, whole=whole, most=most)
    fault = None
    try:
        members.read()
    except _FoundError as found:
        fault = found.fault
    return Unpacked(bytes(members.text), fault, whole=whole and not members.stopped)


class _Members:
    """Reads member after member; `stopped` once there is as much text as was asked for."""

    def __init__(self, data: bytes, *, whole: bool, most: int) -> None:
        self.text = bytearray()
        self.stopped = False
        self._data = data
        self._whole = whole
        self._most = most
        self._start = 0

    def read(self) -> None:
        at = 0
        while at < len(self._data) and not self.stopped:
            self._start = at
            if (data_start := self._header_end()) is None:
                return self._ended()
            if (trailer := self._inflate(data_start)) is None:
                return None if self.stopped else self._ended()
            at = trailer + 8
        return None

    def _ended(self) -> None:
        """The data end within a member."""
        if not self._whole:
            return
        size = len(self._data)
        raise _FoundError(truncated(size))

    def _header_end(self) -> int | None:
        """Where the member's compressed data begin; None if the header goes on behind what is here."""
        data, start = self._data, self._start
        if not data[start : start + 3].startswith(MAGIC[: len(data) - start]):
            what = "zero bytes" if data[start] == 0 else "bytes that are no gzip data"
            detail = f"The gzip data end at byte {start:,}, but {what} follow: {_AGAIN}"
            raise _FoundError(Fault("trailing_bytes", detail, offset=start))
        if len(data) < start + _FIXED_HEADER:
            return None
        flags = data[start + 3]
        if flags & _RESERVED:
            raise self._invalid("has a header with unknown flags")
        end = start + _FIXED_HEADER
        if flags & _EXTRA:
            end += 2 + int.from_bytes(data[end : end + 2], "little")
        for flag in (_NAME, _COMMENT):
            if flags & flag:
                zero = data.find(b"\0", end)
                if zero < 0:
                    return None
                end = zero + 1
        if flags & _HEADER_CRC:
            end += 2
            stored = int.from_bytes(data[end - 2 : end], "little")
            if len(data) >= end and stored != zlib.crc32(data[start : end - 2]) & 0xFFFF:
                raise self._invalid("has a header that differs from its own checksum")
        return end if len(data) >= end else None

    def _inflate(self, at: int) -> int | None:
        """Unpack one member; where its trailer begins, or None if that is not here, or not wanted any more."""
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        begun = len(self.text)
        while not inflater.eof:
            piece = self._data[at : at + _SLICE]
            if not piece:
                return None
            at += len(piece)
            try:
                while piece and not inflater.eof and not self.stopped:
                    self.text += inflater.decompress(piece, self._most)
                    piece = inflater.unconsumed_tail
                    self.stopped = len(self.text) >= self._most
            except zlib.error as error:
                raise self._invalid("has damaged compressed data") from error
            if self.stopped:
                return None
        at -= len(inflater.unused_data)
        return self._compare(at, memoryview(self.text)[begun:])

    def _compare(self, at: int, member: memoryview) -> int | None:
        """Hold the member against its checksum and its length."""
        with member:
            checksum, length = zlib.crc32(member), len(member)
        trailer = self._data[at : at + 8]
        if len(trailer) < 8:
            return None
        if int.from_bytes(trailer[:4], "little") != checksum:
            detail = f"The gzip file is damaged: the data before byte {at:,} differ from their checksum; {_AGAIN}"
            raise _FoundError(Fault("crc_mismatch", detail, offset=at))
        if int.from_bytes(trailer[4:], "little") != length:
            detail = f"The gzip file is damaged: the length stored at byte {at + 4:,} is wrong; {_AGAIN}"
            raise _FoundError(Fault("length_mismatch", detail, offset=at + 4))
        return at

    def _invalid(self, what: str) -> _FoundError:
        detail = f"The gzip file is damaged: the member that begins at byte {self._start:,} {what}; {_AGAIN}"
        return _FoundError(Fault("invalid_data", detail, offset=self._start))


def truncated(size: int) -> Fault:
    """What is said of a gzip file of `size` bytes that ends within a member."""
    detail = (
        f"The gzip file is cut short: it ends after {size:,} bytes, before its compressed data do. Compare its size "
        "with the original's and upload the whole file."
    )
    return Fault("truncated", detail, offset=size)
