"""A look into the metadata table and the sequences before anything is sent: the IDs in them, and how they fit.

The server reads both with all of its rules when they are submitted; here is what has to be known to plan the files, and
what would be a pity to hear only after hours of uploading.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from satchel import workbooks
from satchel.errors import Problem
from satchel.unpacking import BrokenError, lines_of
from satchel.words import quoted

ID_COLUMNS = ("id", "submissionId")
FASTA_IDS = "fastaIds"
FILES = "files."


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


def read_table(path: Path) -> Table:
    """Read IDs and `files.` columns of text or a workbook; raises `OSError` for a file that cannot be read."""
    table = Table()
    try:
        lines = _numbered(path)
        header_line, cells = next(lines, (0, []))
        names = [name.strip() for name in cells]
        id_index = _id_index(names, header_line)
        table = Table(file_categories=tuple(name.removeprefix(FILES) for name in names if name.startswith(FILES)))
        _add_rows(table, names, id_index, lines)
    except BrokenError as error:
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
    except BrokenError as error:
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
        raise BrokenError("metadata_invalid", "The metadata table has a header and no rows.")


def _row(submission_id: str, line: int, cells: dict[str, str]) -> Row:
    files = {
        name.removeprefix(FILES): text.strip()
        for name, text in cells.items()
        if name.startswith(FILES) and text.strip()
    }
    return Row(submission_id, line, files, tuple(cells.get(FASTA_IDS, "").split()) or None)


def _id_index(names: Sequence[str], line: int) -> int:
    if not line:
        raise BrokenError("metadata_invalid", "The metadata table is empty.")
    found = [name for name in ID_COLUMNS if name in names]
    if not found:
        raise BrokenError("metadata_invalid", "The table has no column “id” for the submission IDs.", line)
    if len(found) > 1:
        raise BrokenError("metadata_invalid", "The table has both “id” and “submissionId”; keep one of them.", line)
    return names.index(found[0])


def _numbered(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of each line that is not blank, from 1, and its cells."""
    if workbooks.is_workbook(path):
        yield from workbooks.rows_of(path)
        return
    for line, raw in enumerate(lines_of(path), start=1):
        try:
            text = raw.decode("utf-8-sig" if line == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            sentence = f"Line {line} of {quoted(path.name)} is not UTF-8. Save the table as UTF-8."
            raise BrokenError("metadata_invalid", sentence, line) from error
        if text.strip(" \t"):
            yield line, _cells(text, line)


def _cells(text: str, line: int) -> list[str]:
    if '"' not in text:
        return text.split("\t")
    try:
        return next(csv.reader([text], dialect="excel-tab", strict=True))
    except csv.Error as error:
        sentence = f"Line {line} has a quotation mark out of place."
        raise BrokenError("metadata_invalid", sentence, line) from error


def _fasta_ids(path: Path) -> dict[str, int]:
    """The line of each sequence's header, by its ID."""
    found: dict[str, int] = {}
    for line, raw in enumerate(lines_of(path), start=1):
        if raw.startswith(b">"):
            found.setdefault(re.split(r"\s", raw[1:].decode(errors="replace"), maxsplit=1)[0], line)
    if not found:
        raise BrokenError("sequence_invalid", f"{quoted(path.name)} has no sequences: no line begins with >.")
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
