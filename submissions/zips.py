"""Unpacks ZIP archives (APPNOTE 6.3) of one file, and tells which archives may be opened at all."""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from typing import BinaryIO

from submissions.errors import quoted
from submissions.packing import BrokenError, damaged, too_short

ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_END = re.compile(rb"(?=PK\x05\x06.{8}(.{4}))", re.DOTALL)
"""The end of an archive (4.3.16) up to the size of the list of its members, wherever one may take it to be."""
ZIP64_END = re.compile(rb"(?=PK\x06\x06.{36}(.{8}))", re.DOTALL)
"""The same of an archive that has room for large numbers (4.3.14); `zip` writes it when it is given a pipe."""
ZIP_END_BYTES = 22
IN_ZIP64_END = 0xFFFF_FFFF
ZIP_TAIL_BYTES = ZIP_END_BYTES + 65_535 + 20 + 56
MAX_MEMBER_LIST_BYTES = 1 << 20
"""zipfile holds all members that are listed, at ten times the size; who packs one file lists few."""
UNREADABLE_ZIP = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(ValueError, OverflowError),
)
"""What zipfile raises for archives that are damaged or of a kind that it does not know."""
ENCRYPTED = 0x1
WORKBOOK = "xl/workbook.xml"
HIDDEN = ("Thumbs.db", "desktop.ini")
ZIP = "ZIP archive"


class ZipUnpacker:
    """The one file of an archive; raises `BrokenError` for an archive that is not of one file."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._member, self._file = _opened_member(stream)
        except UNREADABLE_ZIP as error:
            raise damaged(ZIP, error) from error
        self._left = self._member.file_size

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes of the file, none at its end; raises `BrokenError`."""
        try:
            data = self._file.read(size)
        except UNREADABLE_ZIP as error:
            raise damaged(ZIP, error) from error
        self._left -= len(data)
        if not data and self._left:
            raise damaged(ZIP, "another length than it says")
        return data


def _opened_member(stream: BinaryIO) -> tuple[zipfile.ZipInfo, zipfile.ZipExtFile]:
    size = stream.seek(0, os.SEEK_END)
    _check_end(stream)
    archive = zipfile.ZipFile(stream)
    stream.seek(size - ZIP_END_BYTES - len(archive.comment))
    places = [member.header_offset for member in archive.infolist()] or [0]
    if stream.read(4) != ZIP_START[1] or min(places) != 0 or max(places) >= size:
        raise BrokenError("The ZIP archive has something before or behind it. Pack it and send it again.")
    member = _only_file(archive)
    if member.flag_bits & ENCRYPTED:
        raise BrokenError("The ZIP archive has a password. Pack it without one.")
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise BrokenError("The ZIP archive is packed in another way than the usual one, “deflate”. Pack it anew.")
    return member, archive.open(member)  # type: ignore[return-value]  # it is one, being opened to be read


def _check_end(stream: BinaryIO) -> None:
    """Refuse an archive without an end, and one with a list of members that would take much memory to read."""
    tail = read_tail(stream)
    end = tail.rfind(ZIP_START[1])
    if end < 0 or end + ZIP_END_BYTES > len(tail):
        raise too_short(ZIP)
    if lists_too_many(tail):
        raise BrokenError("The ZIP archive has too many members. Pack one file alone.")


def read_tail(stream: BinaryIO) -> bytes:
    """As much of the end of an archive as can tell how long the list of its members is."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - ZIP_TAIL_BYTES))
    return stream.read()


def lists_too_many(tail: bytes) -> bool:
    """Whether the list of the members has more than `MAX_MEMBER_LIST_BYTES`, wherever one may take it to end."""
    found = [*ZIP_END.finditer(tail), *ZIP64_END.finditer(tail)]
    lengths = [int.from_bytes(length[1], "little") for length in found]
    return any(length > MAX_MEMBER_LIST_BYTES for length in lengths if length != IN_ZIP64_END)


def _only_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one member that is a file; what systems add unasked does not count."""
    files = [member for member in archive.infolist() if _is_document(member)]
    if len(files) == 1:
        return files[0]
    if WORKBOOK in archive.NameToInfo:
        raise BrokenError("This is an Excel workbook. Save it as plain text.")
    if not files:
        raise BrokenError("The ZIP archive holds no file.")
    named = ", ".join(quoted(member.filename) for member in files[:3]) + (", …" if len(files) > 3 else "")
    raise BrokenError(f"The ZIP archive holds {len(files):,} files ({named}). Pack one file alone.")


def _is_document(member: zipfile.ZipInfo) -> bool:
    *folders, name = member.filename.split("/")
    hidden = "__MACOSX" in folders[:1] or name.startswith(".") or name in HIDDEN
    # A folder's name ends in a slash; one that is empty, `is_dir` cannot ask.
    return bool(name) and not hidden and not stat.S_ISLNK(member.external_attr >> 16)
