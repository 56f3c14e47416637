"""Unpacking of gzip in bounded steps, with every rule of RFC 1952 checked.

Headers and trailers are read here and only the DEFLATE data goes to the library: it reports a wrong checksum
and a wrong length as one error and does not say where a member began.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Final, TypeAlias

from isal import igzip_lib, isal_zlib

from files.content.base import CheckFailedError, Limits

# The two bytes of the format and its only compression method, DEFLATE (RFC 1952, 2.3.1).
GZIP_MAGIC: Final = b"\x1f\x8b\x08"

PROBLEMS: Final[Mapping[str, str]] = {
    "empty": "The file has no bytes.",
    "not_gzip": "The file does not begin with a gzip header. Offset: 0.",
    "truncated": "The file ends within a member. Offset: the end of the file.",
    "crc_mismatch": "Unpacked data differ from the checksum stored with them. Offset: that checksum.",
    "length_mismatch": "Unpacked data are not as long as the length stored with them. Offset: that length.",
    "trailing_bytes": "Bytes that are no member, or zeros, follow the last member. Offset: the first.",
    "invalid_data": "A header or the compressed data break the format. Offset: the start of the member.",
    "bomb": "The file unpacks to far more than sequencing data do. Offset: the start of the member.",
}

# As much as possible in one call of the library, which lets go of the interpreter's lock meanwhile. Where members are
# small (bgzip's have 64 KiB), slices are small too: the library copies what follows a member for each member.
_LARGEST_SLICE = 1 << 20
_SMALLEST_SLICE = 32 << 10
_PIECE = 2 << 20
_FIXED_HEADER = 10
# An extra field has at most 64 KiB; names and comments have no limit in the format, so they get one here.
_MAX_HEADER = 256 << 10
_FLAG_HEADER_CRC, _FLAG_EXTRA, _FLAG_NAME, _FLAG_COMMENT, _FLAGS_RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0

_AGAIN = "pack the original file again and upload that."

# Unpacked pieces come out, the bytes behind the end of the data are returned.
_Inflating: TypeAlias = Generator[bytes, None, bytes]


class Gunzip:
    """Unpacks a gzip file chunk by chunk into pieces of at most 2 MiB, whatever the ratio.

    `size` is the file's size in bytes if known; without it the ratio is taken over the bytes fed so far. Both
    methods raise `CheckFailedError` with one of `PROBLEMS`.
    """

    def __init__(self, size: int | None, limits: Limits) -> None:
        self.members = 0
        self.unpacked = 0
        self._size = size
        self._limits = limits
        self._received = 0
        self._member_start = 0
        self._inflater: igzip_lib.IgzipDecompressor | None = None
        # The bytes of a header or trailer that is not complete yet.
        self._partial = b""
        self._trailer_next = False
        self._crc = 0
        self._length = 0
        self._slice = _SMALLEST_SLICE

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack the next bytes; the iterator must be read to its end before the next call."""
        start = 0
        while start < len(chunk):
            data = chunk[start : start + self._slice]
            start += len(data)
            self._received += len(data)
            members = self.members
            while data:
                if self._inflater is not None:
                    data = yield from self._inflate(self._inflater, data)
                elif self._trailer_next:
                    data = self._read_trailer(self._partial + data)
                else:
                    data = self._read_header(self._partial + data)
            longer, shorter = min(2 * self._slice, _LARGEST_SLICE), max(self._slice // 2, _SMALLEST_SLICE)
            self._slice = longer if self.members == members else shorter

    def finish(self) -> None:
        """Check that the file may end here: after a whole member."""
        if not self._received:
            raise CheckFailedError("empty", f"The file is empty: {_AGAIN}", offset=0)
        if self._inflater is not None or self._trailer_next or self._partial:
            detail = (
                f"The gzip file is cut short: it ends after {self._received:,} bytes, before its compressed "
                "data do. Compare its size with the original's and upload the whole file."
            )
            raise CheckFailedError("truncated", detail, offset=self._received)

    def _read_header(self, data: bytes) -> bytes:
        """Begin a member once its header is whole; returns the bytes behind it."""
        self._member_start = self._received - len(data)
        if not data.startswith(GZIP_MAGIC[: len(data)]):
            raise self._no_member(data)
        end = self._header_end(data)
        if end is None:
            if len(data) > _MAX_HEADER:
                raise self._invalid(f"has a header of over {_MAX_HEADER:,} bytes")
            self._partial = data
            return b""
        self._partial = b""
        self._inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        self._crc = 0
        self._length = 0
        return data[end:]

    def _header_end(self, data: bytes) -> int | None:
        """Where the member's header ends, or None if it goes on behind `data` (RFC 1952, 2.3)."""
        if len(data) < _FIXED_HEADER:
            return None
        flags = data[3]
        if flags & _FLAGS_RESERVED:
            raise self._invalid("has a header with unknown flags")
        end = _FIXED_HEADER
        if flags & _FLAG_EXTRA:
            end += 2 + int.from_bytes(data[end : end + 2], "little")
        for flag in (_FLAG_NAME, _FLAG_COMMENT):
            if flags & flag:
                zero = data.find(b"\0", end)
                if zero < 0:
                    return None
                end = zero + 1
        if flags & _FLAG_HEADER_CRC:
            end += 2
            stored = int.from_bytes(data[end - 2 : end], "little")
            if len(data) >= end and stored != isal_zlib.crc32(data[: end - 2]) & 0xFFFF:
                raise self._invalid("has a header that differs from its own checksum")
        return end if len(data) >= end else None

    def _inflate(self, inflater: igzip_lib.IgzipDecompressor, data: bytes) -> _Inflating:
        while True:
            try:
                piece = inflater.decompress(data, _PIECE)
            except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub declares an instance
                raise self._invalid("has damaged compressed data") from error
            self._crc = isal_zlib.crc32(piece, self._crc)
            self._length += len(piece)
            self.unpacked += len(piece)
            self._check_ratio()
            if piece:
                yield piece
            if inflater.eof:
                self._inflater = None
                self._trailer_next = True
                return inflater.unused_data
            if inflater.needs_input:
                return b""
            data = b""

    def _check_ratio(self) -> None:
        packed = self._received if self._size is None else self._size
        if self.unpacked > max(self._limits.free_output, self._limits.ratio * packed):
            detail = (
                f"The gzip file unpacks to more than {self._limits.ratio} times its size and more than "
                f"{self._limits.free_output:,} bytes, which sequencing data do not: upload it unpacked."
            )
            raise CheckFailedError("bomb", detail, offset=self._member_start)

    def _read_trailer(self, data: bytes) -> bytes:
        """Compare the member with its checksum and length; returns the bytes behind them."""
        if len(data) < 8:
            self._partial = data
            return b""
        offset = self._received - len(data)
        if int.from_bytes(data[:4], "little") != self._crc:
            detail = f"The gzip file is damaged: the data before byte {offset:,} differ from their checksum; "
            raise CheckFailedError("crc_mismatch", detail + _AGAIN, offset=offset)
        if int.from_bytes(data[4:8], "little") != self._length & 0xFFFFFFFF:
            detail = f"The gzip file is damaged: the length stored at byte {offset + 4:,} is wrong; "
            raise CheckFailedError("length_mismatch", detail + _AGAIN, offset=offset + 4)
        self.members += 1
        self._trailer_next = False
        self._partial = b""
        return data[8:]

    def _no_member(self, data: bytes) -> CheckFailedError:
        if not self.members:
            return CheckFailedError(
                "not_gzip", "The file is not in gzip format: pack it with gzip and upload that.", offset=0
            )
        what = "zero bytes" if data.startswith(b"\0") else "bytes that are no gzip data"
        detail = f"The gzip data end at byte {self._member_start:,}, but {what} follow: {_AGAIN}"
        return CheckFailedError("trailing_bytes", detail, offset=self._member_start)

    def _invalid(self, what: str) -> CheckFailedError:
        detail = f"The gzip file is damaged: the member that begins at byte {self._member_start:,} {what}; "
        return CheckFailedError("invalid_data", detail + _AGAIN, offset=self._member_start)
