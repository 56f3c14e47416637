"""Parses the metadata table: tab-separated UTF-8 with one header line, one sequence entry a line.

How a table is read, where customs differ:
- A cell may be quoted as Excel and R write it: the whole cell in `"`, with `"` within written twice. A
  quotation mark inside a cell that does not begin with one stands for itself. A quoted cell ends on its line:
  were it to go on, one forgotten quotation mark would swallow rows without a word.
- Lines end in LF or CRLF. Lines with nothing but spaces and tabs are passed over, wherever they are:
  spreadsheets export rows that once held something.
- A row may be shorter than the header, since editors trim tabs at the end: the cells missing are empty. It
  may not be longer, since something would be lost.
- An Excel workbook is read as the tab-separated text that its first sheet would be saved as (`spreadsheets.py`).
- Empty cells are not kept. Values of the organism's own fields lose the white space around them, all others
  are kept as sent.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import BinaryIO

from common.errors import DomainError, ErrorList, Location
from submissions.compression import open_unpacked
from submissions.errors import (
    AccessionDuplicateError,
    AccessionMissingError,
    IdDuplicateError,
    IdMissingError,
    IdWhitespaceError,
    MetadataInvalidError,
    quoted,
)
from submissions.field_rules import FieldRule, check_value
from submissions.spreadsheets import is_workbook, lines_of_workbook
from submissions.workbook_reader import MAX_CELLS

FIELD = "metadataFile"
ID_COLUMNS = ("id", "submissionId")
FASTA_IDS_COLUMN = "fastaIds"
ACCESSION_COLUMN = "accession"
FILES_PREFIX = "files."

MAX_LINE_BYTES = 131_072
"""More than any table needs, and what the csv module takes in one cell."""
MAX_ID_CHARACTERS = 255
DEFAULT_MAX_ROWS = 100_000
MAX_LINES = 1_048_576
"""As many as a sheet of Excel has rows; blank ones count, as nothing else would bound them."""
MAX_SEQUENCES = 1_000_000
"""As many as the rows of one table may name, and as are read of one FASTA file."""
MAX_PROBLEMS = 100_000
"""Behind so many, a table is not read on, nor is a FASTA: noting a problem takes far longer than sending one."""

NAMED_COLUMNS = 5
"""How many columns are named where that of the submission IDs is not among them."""
SEPARATORS = {",": "comma", ";": "semicolon"}

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; `line` counts from 1 in the unpacked file, or in the sheet.

    `fasta_ids` is None where the row names none, and its sequence then carries the submission ID itself.
    `file_columns` has the text of each `files.<category>` cell that is not empty, by category. `accession` is set
    where the table was read for them.
    """

    submission_id: str
    line: int
    metadata: dict[str, str] = field(default_factory=dict)
    fasta_ids: tuple[str, ...] | None = None
    file_columns: dict[str, str] = field(default_factory=dict)
    accession: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What could be read of a table: the rows that have a submission ID, each ID once.

    `file_categories` are those of the `files.<category>` columns, filled in or not. `complete` is false when
    rows may stand in the file that are not here; what is not in `rows` must then not be called missing.
    """

    rows: list[Row]
    file_categories: tuple[str, ...]
    complete: bool


def parse_table(
    stream: BinaryIO,
    *,
    fields: Sequence[FieldRule],
    errors: ErrorList,
    limit: int,
    max_rows: int = DEFAULT_MAX_ROWS,
    with_accessions: bool = False,
) -> Table:
    """Read a metadata table, plain, packed or an Excel workbook, and add every problem in it to `errors`.

    With `with_accessions`, each row must have an accession of its own in the column of that name, which otherwise is
    one like any other. `stream` can seek; `limit` is in unpacked bytes. Raises nothing for what a submitter can get
    wrong. Text is read line by line, and only the rows are held, of `MAX_CELLS` cells and `MAX_SEQUENCES` FASTA IDs at
    most; a workbook is copied to a temporary file. Reading ends where `errors` has `MAX_PROBLEMS`.
    """
    reader = _TableReader(fields, errors, max_rows, with_accessions=with_accessions)
    try:
        for line, text in _table_lines(stream, limit):
            reader.take(line, text)
        reader.finish()
    except DomainError as error:
        errors.add(error)
        reader.complete = False
    categories = reader.header.file_categories if reader.header else ()
    return Table(list(reader.rows.values()), categories, reader.complete)


def _at(line: int | None = None, submission_id: str | None = None) -> Location:
    return Location(field=FIELD, line=line, submission_id=submission_id)


def _table_lines(stream: BinaryIO, limit: int) -> Iterator[tuple[int, str]]:
    """Line numbers and lines of whatever kind of table the stream holds."""
    if is_workbook(stream):
        return lines_of_workbook(stream, limit=limit, field=FIELD)
    return _lines(open_unpacked(stream, limit=limit, field=FIELD, too_large=MetadataInvalidError))


def _lines(unpacked: BinaryIO) -> Iterator[tuple[int, str]]:
    """Line numbers and lines without their ends, but for lines with nothing but spaces and tabs."""
    line = 0
    while raw := unpacked.readline(MAX_LINE_BYTES + 1):
        line += 1
        if len(raw) > MAX_LINE_BYTES:
            raise MetadataInvalidError(f"Line {line} has more than {MAX_LINE_BYTES:,} bytes.", _at(line))
        if line > MAX_LINES:
            sentence = f"Line {line} is one too many: a table may have {MAX_LINES:,}, blank ones counted."
            raise MetadataInvalidError(sentence, _at(line))
        text = _decoded(raw, line).removesuffix("\n").removesuffix("\r")
        if text.strip(" \t"):
            yield line, text


def _decoded(raw: bytes, line: int) -> str:
    if line == 1 and raw.startswith(UTF16_MARKS):
        raise MetadataInvalidError("The table is UTF-16, as “Unicode text” is. Save it as UTF-8.", _at(line))
    try:
        return raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError as error:
        sentence = f"Line {line} is not UTF-8 (its byte {error.start + 1}). Save the table as UTF-8."
        raise MetadataInvalidError(sentence, _at(line)) from error


def _cells(line: int, text: str) -> list[str]:
    if '"' not in text:
        return text.split("\t")
    try:
        return next(csv.reader([text], dialect="excel-tab", strict=True))
    except csv.Error as error:
        sentence = (
            f"Line {line} has a quotation mark out of place. A cell that begins with a quotation mark ends "
            "with one, on the same line, and a quotation mark within it is written twice."
        )
        raise MetadataInvalidError(sentence, _at(line)) from error


@dataclass(frozen=True, slots=True)
class _Header:
    """The names of the columns, in order, and where the submission ID stands."""

    names: tuple[str, ...]
    id_index: int

    @property
    def file_categories(self) -> tuple[str, ...]:
        return tuple(name.removeprefix(FILES_PREFIX) for name in self.names if name.startswith(FILES_PREFIX))


def _parse_header(line: int, cells: list[str], fields: Sequence[FieldRule], errors: ErrorList) -> _Header:
    """Check the header line; raises where the column of the submission ID is not known, else only notes."""
    names = tuple(cell.strip() for cell in cells)
    for index, name in enumerate(names, start=1):
        if not name or name == FILES_PREFIX:
            errors.add(MetadataInvalidError(f"Column {index} has no name in line {line}.", _at(line)))
    for name, times in Counter(filter(None, names)).items():
        if times > 1:
            sentence = f"The column {quoted(name)} stands {times} times in line {line}."
            errors.add(MetadataInvalidError(sentence, _at(line)))
    for rule in fields:
        if rule.required and rule.name not in names:
            sentence = f"The column {quoted(rule.name)} ({rule.shown_name}) is required and not in the table."
            errors.add(MetadataInvalidError(sentence, _at(line)))
    found = [name for name in ID_COLUMNS if name in names]
    if not found:
        sentence = f"The table has no column “id” for the submission IDs. {_columns_words(names)}"
        raise MetadataInvalidError(sentence, _at(line))
    if len(found) > 1:
        raise MetadataInvalidError("The table has both “id” and “submissionId”; keep one of them.", _at(line))
    return _Header(names, names.index(found[0]))


def _columns_words(names: Sequence[str]) -> str:
    """Which columns there are instead, the first of them by name."""
    if len(names) == 1:
        return f"Its only column is {quoted(names[0])}."
    named, more = names[:NAMED_COLUMNS], len(names) - NAMED_COLUMNS
    rest = f" and {more:,} more" if more > 0 else ""
    return f"Its columns are {', '.join(map(quoted, named))}{rest}."


def _check_separator(line: int, text: str) -> None:
    """Raises where the header line is separated by something else: one column could only be that of the IDs."""
    if "\t" in text or not (found := Counter(character for character in text if character in SEPARATORS)):
        return
    [(separator, _)] = found.most_common(1)
    sentence = f"The table looks {SEPARATORS[separator]}-separated. Save it as tab-separated text or as .xlsx."
    raise MetadataInvalidError(sentence, _at(line))


class _TableReader:
    """Takes the lines of a table one by one and keeps its rows and their problems."""

    def __init__(self, fields: Sequence[FieldRule], errors: ErrorList, max_rows: int, *, with_accessions: bool) -> None:
        self.fields = fields
        self.errors = errors
        self.max_rows = max_rows
        self.header: _Header | None = None
        self.rows: dict[str, Row] = {}
        self.complete = True
        self._own: list[FieldRule] = []
        self._seen = 0
        self._cells = 0
        self._sequences = 0
        self._with_accessions = with_accessions
        self._accessions: dict[str, int] = {}

    def take(self, line: int, text: str) -> None:
        """One line that is not blank; raises where the rest of the table cannot be read."""
        if self.errors.count >= MAX_PROBLEMS:
            sentence = f"There are {MAX_PROBLEMS:,} problems and more; from line {line} on nothing was read."
            raise MetadataInvalidError(sentence, _at(line))
        text = self._without_control_characters(line, text)
        if self.header is None:
            _check_separator(line, text)
            self.header = _parse_header(line, self._counted(line, _cells(line, text)), self.fields, self.errors)
            self._own = [rule for rule in self.fields if rule.name in self.header.names]
            self._check_accession_column(line, self.header)
            return
        self._seen += 1
        if self._seen > self.max_rows:
            sentence = f"The table has more than {self.max_rows:,} rows. Submit it in several pieces."
            raise MetadataInvalidError(sentence, _at(line))
        try:
            cells = _cells(line, text)
        except MetadataInvalidError as error:
            self.errors.add(error)
            self.complete = False
        else:
            self._take_row(self.header, line, self._counted(line, cells))

    def _counted(self, line: int, cells: list[str]) -> list[str]:
        """The cells of a line; raises where the table has more than it may, the empty ones counted too."""
        self._cells += len(cells)
        if self._cells > MAX_CELLS:
            sentence = f"The table has more than {MAX_CELLS:,} cells up to line {line}. Submit it in several pieces."
            raise MetadataInvalidError(sentence, _at(line))
        return cells

    def finish(self) -> None:
        """After the last line: a table has a header and at least one row."""
        if self.header is None:
            raise MetadataInvalidError("The metadata table is empty.", _at())
        if not self._seen:
            raise MetadataInvalidError("The metadata table has a header and no rows.", _at())

    def _without_control_characters(self, line: int, text: str) -> str:
        if not (found := CONTROL.search(text)):
            return text
        what = f"the control character U+{ord(found[0]):04X}"
        if found[0] == "\r":
            what = "a carriage return (U+000D) without a line feed; save the table with line ends LF or CRLF"
        sentence = f"Line {line} contains, as its character {found.start() + 1}, {what}."
        self.errors.add(MetadataInvalidError(sentence, _at(line)))
        return CONTROL.sub("", text)

    def _take_row(self, header: _Header, line: int, cells: list[str]) -> None:
        if len(cells) > len(header.names):
            sentence = f"Line {line} has {len(cells)} cells, but the header has {len(header.names)} columns."
            self.errors.add(MetadataInvalidError(sentence, _at(line)))
        filled = {name: cell for name, cell in zip(header.names, cells, strict=False) if cell}
        submission_id = self._submission_id(line, filled.pop(header.names[header.id_index], ""))
        accession = self._accession(line, submission_id, filled) if self._with_accessions else None
        self._check_values(line, submission_id, filled)
        fasta_ids = self._fasta_ids(line, filled)
        if submission_id:
            self.rows[submission_id] = _row(submission_id, line, filled, fasta_ids, accession)

    def _fasta_ids(self, line: int, filled: dict[str, str]) -> tuple[str, ...] | None:
        """The FASTA IDs of a row, taken out of its cells; raises where the table names more than it may."""
        fasta_ids = tuple(filled.pop(FASTA_IDS_COLUMN, "").split()) or None
        self._sequences += len(fasta_ids or ())
        if self._sequences > MAX_SEQUENCES:
            sentence = f"The rows up to line {line} name more than {MAX_SEQUENCES:,} FASTA IDs. Submit less at once."
            raise MetadataInvalidError(sentence, _at(line))
        return fasta_ids

    def _submission_id(self, line: int, cell: str) -> str | None:
        """The submission ID of a row, without the white space around it; None if there is none to be kept."""
        submission_id = cell.strip()
        where = _at(line, submission_id or None)
        if not submission_id:
            self.errors.add(IdMissingError(f"Line {line} has no submission ID.", where))
            return None
        if cell.split() != [cell]:
            sentence = f"The submission ID {quoted(cell)} in line {line} contains white space, which it may not."
            self.errors.add(IdWhitespaceError(sentence, where))
        if len(submission_id) > MAX_ID_CHARACTERS:
            sentence = f"The submission ID in line {line} has more than {MAX_ID_CHARACTERS} characters."
            self.errors.add(MetadataInvalidError(sentence, _at(line)))
            return None
        if first := self.rows.get(submission_id):
            sentence = f"The submission ID {quoted(submission_id)} stands in line {first.line} and in line {line}."
            self.errors.add(IdDuplicateError(sentence, where))
            return None
        return submission_id

    def _check_accession_column(self, line: int, header: _Header) -> None:
        """Once for all rows, that the table has no accessions where it should."""
        if self._with_accessions and ACCESSION_COLUMN not in header.names:
            sentence = "The table has no column “accession”, which says what each row revises."
            self.errors.add(AccessionMissingError(sentence, _at(line)))
            self._with_accessions = False

    def _accession(self, line: int, submission_id: str | None, filled: dict[str, str]) -> str | None:
        """The accession of a row, taken out of its cells; None if there is none to be kept."""
        accession = filled.pop(ACCESSION_COLUMN, "").strip()
        where = _at(line, submission_id)
        if not accession:
            self.errors.add(AccessionMissingError(f"Line {line} has no accession.", where))
            return None
        if first := self._accessions.get(accession):
            sentence = f"The accession {quoted(accession)} stands in line {first} and in line {line}."
            self.errors.add(AccessionDuplicateError(sentence, where))
            return None
        self._accessions[accession] = line
        return accession

    def _check_values(self, line: int, submission_id: str | None, filled: dict[str, str]) -> None:
        """Check the values of the organism's own fields, and take off the white space around them."""
        for rule in self._own:
            value = filled.pop(rule.name, "").strip()
            if problem := check_value(rule, value):
                sentence = f"Line {line}, column {quoted(rule.name)}: {problem}"
                self.errors.add(MetadataInvalidError(sentence, _at(line, submission_id)))
            if value:
                filled[rule.name] = value


def _row(
    submission_id: str,
    line: int,
    filled: dict[str, str],
    fasta_ids: tuple[str, ...] | None,
    accession: str | None,
) -> Row:
    file_columns = {
        name.removeprefix(FILES_PREFIX): filled.pop(name) for name in tuple(filled) if name.startswith(FILES_PREFIX)
    }
    return Row(submission_id, line, filled, fasta_ids, file_columns, accession)


def one_row_table(cells: Mapping[str, str]) -> bytes:
    """A table of one row that `parse_table` reads back cell by cell, from values by column.

    The values hold no control characters but tabs.
    """
    text = StringIO()
    csv.writer(text, dialect="excel-tab", lineterminator="\n").writerows([cells.keys(), cells.values()])
    return text.getvalue().encode()


def template_table(names: Sequence[str]) -> bytes:
    """A table without rows: the header that a submitter fills in, the submission ID first, then these columns."""
    return ("\t".join([ID_COLUMNS[0], *names]) + "\n").encode()
