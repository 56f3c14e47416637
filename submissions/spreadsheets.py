"""Reads metadata tables that are Excel workbooks (.xlsx: ECMA-376, Office Open XML) as lines of tab-separated text.

The first sheet that can be seen is the table. It is handed on as the tab-separated lines that it would be saved
as, so that one parser judges all tables; a line has the number of its row in the sheet. What the cells become:
- dates are written as ISO 8601 has them, with a time only where the cell has one;
- numbers as Excel shows them, in 15 digits at most, without `.0` behind whole ones;
- true and false as `TRUE` and `FALSE`;
- of a formula, its result as it was saved.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import IO, BinaryIO

import structlog

from common.errors import DomainError, Location
from submissions.errors import CompressionInvalidError, MetadataInvalidError
from submissions.workbook_reader import MAX_CELLS, NO_TABLE, TOO_FAR, TOO_MUCH, UNREADABLE
from submissions.zips import UNREADABLE_ZIP, WORKBOOK, ZIP_START, lists_too_many, read_tail

log = structlog.get_logger(__name__)

READER = Path(__file__).with_name("workbook_reader.py")
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CHUNK_BYTES = 1 << 20


def is_workbook(stream: BinaryIO) -> bool:
    """Whether the stream, which can seek, holds an Excel workbook; it is put back to where it was."""
    start = stream.tell()
    try:
        head = stream.read(len(OLE_MAGIC))
        if head == OLE_MAGIC:
            return True
        if not head.startswith(ZIP_START[0]) or lists_too_many(read_tail(stream)):
            return False
        stream.seek(start)
        with zipfile.ZipFile(stream) as archive:
            return WORKBOOK in archive.NameToInfo
    except UNREADABLE_ZIP:
        return False
    finally:
        stream.seek(start)


def lines_of_workbook(stream: BinaryIO, *, limit: int, field: str) -> Generator[tuple[int, str], None, None]:
    """The rows of the first visible sheet that are not empty, each with its number in the sheet.

    `limit` bounds the bytes of the workbook packed and unpacked, and those of its text; `field` is the form part that
    errors name. Raises `MetadataInvalidError` for a workbook that cannot be read, `CompressionInvalidError` for one
    that holds too much. It is copied to a temporary file, and read in a process of its own.
    """
    where = Location(field=field)
    head = stream.read(len(OLE_MAGIC))
    if head == OLE_MAGIC:
        raise MetadataInvalidError(
            "This is an Excel workbook of the old kind (.xls), or one with a password. "
            "Save it as .xlsx without a password, or as tab-separated text.",
            where,
        )
    with tempfile.TemporaryFile() as workbook:
        workbook.write(head)
        while chunk := stream.read(CHUNK_BYTES):
            workbook.write(chunk)
            if workbook.tell() > limit:
                raise _too_much(limit, where)
        try:
            _check_sizes(workbook, limit, where)
        except UNREADABLE_ZIP as error:
            raise _unreadable(where) from error
        # What the process inherits is the place of the descriptor; `seek` may move that of the buffer alone.
        os.lseek(workbook.fileno(), 0, os.SEEK_SET)
        yield from _read_apart(workbook, limit, where)


def _read_apart(workbook: IO[bytes], limit: int, where: Location) -> Generator[tuple[int, str], None, None]:
    command = [sys.executable, "-I", str(READER), str(limit)]
    with subprocess.Popen(command, stdin=workbook, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        assert reader.stdout is not None, "it is a pipe"  # noqa: S101
        try:
            for row in reader.stdout:
                line, text = json.loads(row)
                yield line, text
            reader.wait()
        finally:
            # One that has ended is left alone; one whose rows nobody wants any more is not.
            reader.kill()
    if reader.returncode:
        raise _error_of(reader.returncode, limit, where)


def _error_of(ended_with: int, limit: int, where: Location) -> DomainError:
    if ended_with == NO_TABLE:
        return MetadataInvalidError("The Excel workbook has no sheet with a table.", where)
    if ended_with == TOO_MUCH:
        return _too_much(limit, where)
    if ended_with == TOO_FAR:
        text = (
            f"A sheet of the Excel workbook has more than {MAX_CELLS:,} cells up to its last row and column. "
            "Delete the rows and columns behind the table, and save it anew."
        )
        return MetadataInvalidError(text, where)
    if ended_with != UNREADABLE:
        log.warning("workbook_reader_died", ended_with=ended_with)
    return _unreadable(where)


def _unreadable(where: Location) -> MetadataInvalidError:
    text = "The Excel workbook cannot be read. Save it anew, or save the table as tab-separated text."
    return MetadataInvalidError(text, where)


def _too_much(limit: int, where: Location) -> CompressionInvalidError:
    text = f"The Excel workbook holds more than {limit:,} bytes. Submit it in several pieces."
    return CompressionInvalidError(text, where)


# --- what may be opened ----------------------------------------------------------------------------


def _check_sizes(workbook: IO[bytes], limit: int, where: Location) -> None:
    """Refuse what unpacks to too much: by the declared sizes, which are then held against what is there."""
    with zipfile.ZipFile(workbook) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > limit:
            raise _too_much(limit, where)
        for member in members:
            # ECMA-376 Part 2, annex B, knows no other kinds; and what begins before the file, a file cannot seek.
            if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} or member.header_offset < 0:
                raise _unreadable(where)
            with archive.open(member) as file:
                # Read to its end: zipfile refuses a member that is longer than it declares, or damaged.
                while file.read(CHUNK_BYTES):
                    pass
