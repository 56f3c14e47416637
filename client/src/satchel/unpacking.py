"""Reads table and sequences line by line, whichever way they are packed; the kind is seen by content, as on the server.

These are the files of whoever runs the command, so nothing is bounded here; the server's own reading is.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO

import zstandard

from satchel.errors import Problem
from satchel.words import listed, quoted

_GZIP = b"\x1f\x8b"
_XZ = b"\xfd7zXZ\0"
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
"""A frame, or one to be skipped, which parallel packers write first (RFC 8878, 3.1)."""
_BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)", re.DOTALL)
"""With the begin of a block, or of the end: a text, too, may happen to begin with `BZh`."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_HEAD_BYTES = 10
_PIECE_BYTES = 1 << 17
_NO_DOCUMENTS = ("Thumbs.db", "desktop.ini")

UNREADABLE = (
    *(EOFError, ValueError, OverflowError, RuntimeError, struct.error),  # RuntimeError: a password, or an unknown kind
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, zstandard.ZstdError),
)
"""What unpacking raises for a document that is cut short, damaged, locked, or packed in a way that is not known."""


class BrokenError(Exception):
    """A document is not what it says to be; `problem` tells it."""

    def __init__(self, code: str, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(code, detail, where={} if line is None else {"line": line})


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a document, with their ends. Raises `BrokenError`, and `OSError` where it cannot be read."""
    with path.open("rb") as file:
        try:
            yield from _unpacked(file)
        except UNREADABLE as error:
            raise _broken(path, error) from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise _broken(path, error) from error  # gzip and bz2 have no other error for what is damaged


def _broken(path: Path, error: Exception) -> BrokenError:
    reason = str(error).rstrip(".") or type(error).__name__
    text = f"{quoted(path.name)} cannot be unpacked ({reason}). Pack it anew, without a password, or submit it plain."
    return BrokenError("compression_invalid", text)


def _unpacked(file: BufferedReader) -> Iterator[bytes]:
    head = file.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    if head.startswith(_GZIP):
        return iter(gzip.open(file))
    if head.startswith(_XZ):
        return iter(lzma.open(file))
    if _BZIP2.match(head):
        return iter(bz2.open(file))
    if _ZSTD.match(head):
        return _lines_in(_zstandard_pieces(file))
    return iter(_only_member(file) if head.startswith(_ZIP) else file)


def _zstandard_pieces(file: IO[bytes]) -> Iterator[bytes]:
    """What is in the frames, one behind the other. Raises `EOFError`: `zstandard` takes a cut for an end."""
    decompressor = zstandard.ZstdDecompressor()
    frame = decompressor.decompressobj()
    while packed := frame.unused_data or file.read(_PIECE_BYTES):
        if frame.eof:
            frame = decompressor.decompressobj()
        yield frame.decompress(packed)
    if not frame.eof:
        raise EOFError("it ends too early")


def _lines_in(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest


def _only_member(file: IO[bytes]) -> IO[bytes]:
    """The one file of a zip archive; what systems add unasked does not count."""
    archive = zipfile.ZipFile(file)
    names = [member.filename for member in archive.infolist() if _is_document(member)]
    if len(names) != 1:
        raise ValueError(f"the archive holds {len(names):,} files: {listed(names)}" if names else "it holds no file")
    return archive.open(names[0])


def _is_document(member: zipfile.ZipInfo) -> bool:
    *folders, name = member.filename.split("/")
    is_hidden = "__MACOSX" in folders[:1] or name.startswith(".") or name in _NO_DOCUMENTS
    return not (member.is_dir() or is_hidden)
