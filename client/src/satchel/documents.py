"""A look into the metadata table and the sequences before anything is sent: the IDs in them, and how they fit.

The server reads both with all of its rules when they are submitted; here is what has to be known to plan the files, and
what would be a pity to hear only after hours of uploading.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from satchel.errors import Problem
from satchel.words import quoted

ID_COLUMNS = ("id", "submissionId")
FASTA_IDS = "fastaIds"
FILES = "files."
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; `files` has the text of each `files.<category>` cell that is not empty, by category."""

    submission_id: str
    line: int
    files: dict[str, str] = field(default_factory=dict)
    fasta_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that have a submission ID, each ID once, and what is wrong with the table.

    `file_categories` are those of the `files.<category>` columns, filled in or not.
    """

    rows: list[Row] = field(default_factory=list)
    file_categories: tuple[str, ...] = ()
    problems: list[Problem] = field(default_factory=list)


class UnreadableHereError(Exception):
    """The server can read this kind of document, but not this client; the sentence names the kind."""


class _BrokenError(Exception):
    """The document is not what it says to be; `problem` tells it."""

    def __init__(self, code: str, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(code, detail, where={} if line is None else {"line": line})


def read_table(path: Path) -> Table:
    """Read IDs and `files.` columns; raises `UnreadableHereError`, and `OSError` for a file that cannot be read."""
    table = Table()
    try:
        lines = _numbered(path)
        header_line, cells = next(lines, (0, []))
        names = [name.strip() for name in cells]
        id_index = _id_index(names, header_line)
        table = Table(file_categories=tuple(name.removeprefix(FILES) for name in names if name.startswith(FILES)))
        _add_rows(table, names, id_index, lines)
    except _BrokenError as error:
        table.problems.append(error.problem)
    return table


def sequence_problems(table: Table, fasta: Path | None, requirement: str) -> list[Problem]:
    """Rows without their sequence and sequences without a row; nothing where a look at the IDs cannot tell.

    `requirement` is the organism's `sequences`. Raises `OSError` for a file that cannot be read.
    """
    wanted = requirement.upper()
    if fasta is None:
        text = "This organism needs sequences. Submit a sequence file."
        return [Problem("sequence_invalid", text)] if wanted == "REQUIRED" else []
    if wanted == "FORBIDDEN":
        return [Problem("sequence_invalid", "This organism takes no sequences. Submit without a sequence file.")]
    try:
        found = _fasta_ids(fasta)
    except UnreadableHereError:
        return []
    except _BrokenError as error:
        return [error.problem]
    return list(_unmatched(table, found, needs_all=wanted == "REQUIRED"))


def table_without_files(path: Path) -> bytes:
    """The table as plain text without its `files.` columns: what they name goes into the file mapping instead."""
    text = io.StringIO()
    writer = csv.writer(text, dialect="excel-tab", lineterminator="\n")
    dropped: set[int] | None = None
    written = 0
    for line, cells in _numbered(path):
        if dropped is None:
            dropped = {index for index, name in enumerate(cells) if name.strip().startswith(FILES)}
        text.write("\n" * (line - written - 1))  # what is told about a line has its number in the document
        writer.writerow([cell for index, cell in enumerate(cells) if index not in dropped])
        written = line
    return text.getvalue().encode()


def _add_rows(table: Table, names: Sequence[str], id_index: int, lines: Iterator[tuple[int, list[str]]]) -> None:
    seen: dict[str, int] = {}
    for line, cells in lines:
        submission_id = cells[id_index].strip() if id_index < len(cells) else ""
        if not submission_id:
            table.problems.append(Problem("id_missing", f"Line {line} has no submission ID.", where={"line": line}))
        elif submission_id in seen:
            text = f"The submission ID {quoted(submission_id)} stands in line {seen[submission_id]} and in line {line}."
            where = {"line": line, "submissionId": submission_id}
            table.problems.append(Problem("id_duplicate", text, where=where))
        else:
            seen[submission_id] = line
            table.rows.append(_row(submission_id, line, dict(zip(names, cells, strict=False))))
    if not table.rows and not table.problems:
        raise _BrokenError("metadata_invalid", "The metadata table has a header and no rows.")


def _row(submission_id: str, line: int, cells: dict[str, str]) -> Row:
    files = {
        name.removeprefix(FILES): text.strip()
        for name, text in cells.items()
        if name.startswith(FILES) and text.strip()
    }
    return Row(submission_id, line, files, tuple(cells.get(FASTA_IDS, "").split()) or None)


def _id_index(names: Sequence[str], line: int) -> int:
    if not line:
        raise _BrokenError("metadata_invalid", "The metadata table is empty.")
    found = [name for name in ID_COLUMNS if name in names]
    if not found:
        raise _BrokenError("metadata_invalid", "The table has no column “id” for the submission IDs.", line)
    if len(found) > 1:
        raise _BrokenError("metadata_invalid", "The table has both “id” and “submissionId”; keep one of them.", line)
    return names.index(found[0])


def _numbered(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of each line that is not blank, from 1, and its cells."""
    with _opened(path) as stream:
        try:
            for line, raw in enumerate(stream, start=1):
                text = raw.decode("utf-8-sig" if line == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
                if text.strip(" \t"):
                    yield line, _cells(text, line)
        except UnicodeDecodeError as error:
            text = "The table is not UTF-8. Save it as UTF-8."
            raise _BrokenError("metadata_invalid", text) from error
        except (EOFError, zipfile.BadZipFile, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise _BrokenError("compression_invalid", f"The table cannot be unpacked: {error}.") from error


def _cells(text: str, line: int) -> list[str]:
    if '"' not in text:
        return text.split("\t")
    try:
        return next(csv.reader([text], dialect="excel-tab", strict=True))
    except csv.Error as error:
        sentence = f"Line {line} has a quotation mark out of place."
        raise _BrokenError("metadata_invalid", sentence, line) from error


def _opened(path: Path) -> IO[bytes]:
    """The document, unpacked; its kind is seen by content."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path))
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.open(path)
    if start.startswith(b"BZh") and start[3:4].isdigit() and start[4:] in (b"1AY&", b"\x17rE8"):
        return bz2.open(path)
    if start.startswith(_ZSTD):
        raise UnreadableHereError("packed with Zstandard")
    if start.startswith(_ZIP):
        return _opened_zip(path)
    return path.open("rb")


def _opened_zip(path: Path) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise _BrokenError("compression_invalid", "The zip archive is damaged.") from error
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if "[Content_Types].xml" in names:
        raise UnreadableHereError("an Excel workbook")
    if len(names) != 1:
        raise UnreadableHereError("a zip archive with other than one file")
    return archive.open(names[0])


def _fasta_ids(path: Path) -> dict[str, int]:
    """The line of each sequence's header, by its ID."""
    found: dict[str, int] = {}
    with _opened(path) as stream:
        try:
            for line, raw in enumerate(stream, start=1):
                if raw.startswith(b">"):
                    found.setdefault(re.split(r"\s", raw[1:].decode(errors="replace"), maxsplit=1)[0], line)
        except (EOFError, zipfile.BadZipFile, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise _BrokenError("compression_invalid", f"The sequences cannot be unpacked: {error}.") from error
    if not found:
        raise _BrokenError("sequence_invalid", f"{quoted(path.name)} has no sequences: no line begins with >.")
    return found


def _unmatched(table: Table, found: dict[str, int], *, needs_all: bool) -> Iterator[Problem]:
    named: set[str] = set()
    for row in table.rows:
        for fasta_id in row.fasta_ids or (row.submission_id,):
            named.add(fasta_id)
            if fasta_id not in found and (needs_all or row.fasta_ids):
                text = f"The row in line {row.line} has no sequence: no FASTA ID is {quoted(fasta_id)}."
                where = {"line": row.line, "submissionId": row.submission_id}
                yield Problem("ids_unmatched", text, where=where)
    if table.problems:
        return  # a row that could not be read may be the one
    for fasta_id, line in found.items():
        if fasta_id not in named:
            text = f"No row of the metadata table has the sequence ID {quoted(fasta_id)}."
            yield Problem("ids_unmatched", text, where={"line": line})
