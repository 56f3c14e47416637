"""Ways of packing a file, written by hand where the standard library does not let a field be set, or set wrong.

gzip after RFC 1952, BGZF after the SAM specification (4.1), zstd after RFC 8878, LZ4 after its frame format 1.6.1.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BGZF_BLOCK: Final = 0xFF00
BGZF_END: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a gzip member; `flags` are further ones than those of the fields that are there."""

    name: bytes | None = None
    comment: bytes | None = None
    extra: bytes | None = None
    checksum: bool = False
    flags: int = 0
    time: int = 0
    method: int = 8

    def bytes(self) -> bytes:
        """The header as it is written."""
        flags = self.flags | self.checksum << 1 | (self.extra is not None) << 2
        flags |= (self.name is not None) << 3 | (self.comment is not None) << 4
        head = struct.pack("<4BI2B", 0x1F, 0x8B, self.method, flags, self.time, 0, 255)
        if self.extra is not None:
            head += struct.pack("<H", len(self.extra)) + self.extra
        for text in (self.name, self.comment):
            head += b"" if text is None else text + b"\0"
        return head + (struct.pack("<H", zlib.crc32(head) & 0xFFFF) if self.checksum else b"")


PLAIN: Final = Header()


def deflated(text: bytes, level: int = 6, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """Bare deflate data (RFC 1951)."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return packer.compress(text) + packer.flush()


def trailer(text: bytes, *, crc: int = 0, length: int = 0) -> bytes:
    """The end of a member; with bits of checksum and length turned over where these are given."""
    return struct.pack("<II", zlib.crc32(text) ^ crc, (len(text) & 0xFFFFFFFF) ^ length)


def member(text: bytes, header: Header = PLAIN, *, level: int = 6, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """One gzip member."""
    return header.bytes() + deflated(text, level, strategy) + trailer(text)


def members(text: bytes, size: int) -> bytes:
    """The text as gzip members of so many bytes each."""
    return b"".join(member(text[start : start + size]) for start in range(0, len(text), size))


def flushed(text: bytes, size: int) -> bytes:
    """One member whose data were packed piece by piece, as programs with several threads do."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = [
        packer.compress(text[start : start + size]) + packer.flush(zlib.Z_SYNC_FLUSH)
        for start in range(0, len(text), size)
    ]
    return PLAIN.bytes() + b"".join(body) + packer.flush() + trailer(text)


def repeated(pieces: Sequence[tuple[bytes, int]]) -> bytes:
    """One member of pieces that stand so many times each: gigabytes of text, packed without holding them."""
    body, crc, length = [], 0, 0
    for piece, times in pieces:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body.append((packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)) * times)
        length += len(piece) * times
        for _ in range(times):
            crc = zlib.crc32(piece, crc)
    return PLAIN.bytes() + b"".join(body) + deflated(b"") + struct.pack("<II", crc, length & 0xFFFFFFFF)


def bgzf_block(text: bytes) -> bytes:
    """One block of BGZF."""
    packed = deflated(text)
    size = 18 + len(packed) + 8
    return Header(extra=struct.pack("<2sHH", b"BC", 2, size - 1)).bytes() + packed + trailer(text)


def bgzf_blocks(text: bytes, size: int = BGZF_BLOCK) -> list[bytes]:
    """The blocks of BGZF, without the empty one at the end."""
    return [bgzf_block(text[start : start + size]) for start in range(0, len(text), size)]


def bgzf(text: bytes, size: int = BGZF_BLOCK) -> bytes:
    """The text as a whole BGZF file."""
    return b"".join(bgzf_blocks(text, size)) + BGZF_END


def zipped(text: bytes, name: str) -> bytes:
    """A zip archive with one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), text)
    return stream.getvalue()


def zstandard(text: bytes) -> bytes:
    """A Zstandard frame with one raw block of at most 128 KiB."""
    assert len(text) <= 128 << 10
    return struct.pack("<IBI", 0xFD2FB528, 0xA0, len(text)) + (len(text) << 3 | 1).to_bytes(3, "little") + text


def lz4(text: bytes) -> bytes:
    """An LZ4 frame with one raw block of at most 64 KiB."""
    assert len(text) <= 64 << 10
    return bytes.fromhex("04224d18604082") + struct.pack("<I", len(text) | 1 << 31) + text + bytes(4)


def compress(text: bytes) -> bytes:
    """The old compress program's format; short enough that its codes keep their first nine bits."""
    assert len(text) < 255
    codes = sum(letter << 9 * place for place, letter in enumerate(text))
    return b"\x1f\x9d\x90" + codes.to_bytes((9 * len(text) + 7) // 8, "little")


EMPTY_7Z: Final = bytes.fromhex("377abcaf271c00048d9bd50f0000000000000000000000000000000000000000")
