"""Parses FASTA and matches its sequences with the rows of the metadata table.

What is a sequence here: the one-letter codes of IUPAC for nucleotides, in either case (Nomenclature Committee
of the International Union of Biochemistry, 1984), and `-` for a gap. Lines end in LF or CRLF and may have any
length, blank lines are passed over, and nothing is wrapped or rewritten.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from common.errors import DomainError, ErrorList, Location
from submissions.compression import open_unpacked
from submissions.errors import IdsUnmatchedError, MetadataInvalidError, SequenceInvalidError, quoted
from submissions.tables import FIELD as TABLE_FIELD
from submissions.tables import MAX_ID_CHARACTERS, MAX_PROBLEMS, MAX_SEQUENCES, Row

FIELD = "sequenceFile"
LETTERS = b"ACGTURYSWKMBDHVNacgturyswkmbdhvn-"
NO_LETTER = re.compile(rb"[^" + re.escape(LETTERS) + rb"\n]")
ID_BYTES = 4 * MAX_ID_CHARACTERS + 8
"""As much of a header as tells whether its ID is too long; a header may have a megabyte."""
FIRST_WORD = re.compile(rb"[^ \t\n\r\f\v]{0,%d}" % ID_BYTES)
WHITE_SPACE = re.compile(r"\s")
UTF8_MARK = b"\xef\xbb\xbf"
HEADER_START = ord(">")

DEFAULT_CHUNK_BYTES = 1 << 20
MAX_IDS_BYTES = 64 << 20
"""What the IDs of one file may have together, as all of them are held: 64 bytes each where there are a million."""


class Requirement(StrEnum):
    """Whether an organism wants sequences: the values of `Organism.Sequences`."""

    REQUIRED = "REQUIRED"
    OPTIONAL = "OPTIONAL"
    FORBIDDEN = "FORBIDDEN"


@dataclass(frozen=True, slots=True)
class SequenceRecord:
    """One sequence: its ID, its length in letters, gaps included, and the line of its header, from 1."""

    fasta_id: str
    length: int
    line: int


@dataclass(frozen=True, slots=True)
class Fasta:
    """What could be read of a FASTA file, each ID once.

    `complete` is false when sequences may stand in the file that are not here; what is not in `records` must
    then not be called missing.
    """

    records: list[SequenceRecord]
    complete: bool


def parse_fasta(
    stream: BinaryIO,
    *,
    errors: ErrorList,
    limit: int,
    max_records: int = MAX_SEQUENCES,
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
) -> Fasta:
    """Read FASTA, plain or packed, and add every problem in it to `errors`, of each sequence the first.

    `limit` is in unpacked bytes; `chunk_bytes` is what is read at a time, and header lines are shorter.
    Raises nothing for what a submitter can get wrong. Holds the records, whose IDs have `MAX_IDS_BYTES` at most, and
    two chunks of the text, whatever the length of lines and sequences. Reading ends where `errors` has `MAX_PROBLEMS`.
    """
    reader = _FastaReader(errors, max_records, chunk_bytes)
    try:
        unpacked = open_unpacked(stream, limit=limit, field=FIELD, too_large=SequenceInvalidError)
        for piece in _pieces(unpacked, chunk_bytes):
            reader.take(piece)
        reader.finish()
    except DomainError as error:
        errors.add(error)
        reader.complete = False
    return Fasta(list(reader.records.values()), reader.complete)


def _at(line: int | None = None) -> Location:
    return Location(field=FIELD, line=line)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A header line, or sequence lines that follow one another; a very long line comes in several pieces."""

    is_header: bool
    text: bytes


def _pieces(unpacked: BinaryIO, chunk_bytes: int) -> Iterator[_Piece]:
    """The file cut before and after each header line, with all line ends as LF."""
    in_line = False
    for block in _blocks(unpacked, chunk_bytes):
        start = 0
        while start < len(block):
            is_header = block[start] == HEADER_START and not (in_line and start == 0)
            end = block.find(b"\n" if is_header else b"\n>", start) + 1 or len(block)
            yield _Piece(is_header, block[start:end])
            start = end
        in_line = not block.endswith(b"\n")


def _blocks(unpacked: BinaryIO, chunk_bytes: int) -> Iterator[bytes]:
    """Whole lines, as many as a chunk holds; of a line that is longer than a chunk, its parts."""
    rest = unpacked.read(len(UTF8_MARK)).removeprefix(UTF8_MARK)
    while chunk := unpacked.read(chunk_bytes):
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if not end and len(rest) > chunk_bytes:
            # The last byte waits for the next chunk: it may be the CR of a CRLF.
            end = len(rest) - 1
        if end:
            yield rest[:end].replace(b"\r\n", b"\n")
            rest = rest[end:]
    if rest:
        yield rest.replace(b"\r\n", b"\n")


def _first_word(header: bytes) -> str:
    """The ID of a header line, or its begin if it is too long; raises `UnicodeDecodeError`."""
    match = FIRST_WORD.match(header, 1)
    word = match[0] if match else b""
    # Where the word goes on, its last character may be cut.
    text, _ = codecs.utf_8_decode(word, "strict", len(word) < ID_BYTES)
    return WHITE_SPACE.split(text, maxsplit=1)[0]


class _FastaReader:
    """Takes the pieces of a FASTA file one by one and keeps its records and their problems."""

    def __init__(self, errors: ErrorList, max_records: int, header_limit: int) -> None:
        self.errors = errors
        self.max_records = max_records
        self.header_limit = header_limit
        self.records: dict[str, SequenceRecord] = {}
        self.complete = True
        self._headers = 0
        self._ids_bytes = 0
        self._line = 1
        self._fasta_id: str | None = None
        self._header_line = 0
        self._length = 0
        self._faulty = False

    def take(self, piece: _Piece) -> None:
        """One piece, in the order of the file; raises where reading has to end."""
        if piece.is_header:
            self._end_record()
            self._begin_record(piece.text)
        else:
            self._take_letters(piece.text)
        self._line += piece.text.count(b"\n")

    def finish(self) -> None:
        """After the last piece: a FASTA file has at least one header."""
        self._end_record()
        if not self._headers:
            self.complete = False
            if not self._faulty:
                raise SequenceInvalidError("The sequence file is empty.", _at())

    def _note(self, sentence: str, line: int) -> None:
        self.errors.add(SequenceInvalidError(sentence, _at(line)))

    def _begin_record(self, header: bytes) -> None:
        self._headers += 1
        if self.errors.count >= MAX_PROBLEMS:
            sentence = f"There are {MAX_PROBLEMS:,} problems and more; from line {self._line} on nothing was read."
            raise SequenceInvalidError(sentence, _at(self._line))
        if self._headers > self.max_records:
            sentence = f"There are more than {self.max_records:,} sequences. Submit them in several pieces."
            raise SequenceInvalidError(sentence, _at(self._line))
        if len(header) >= self.header_limit:
            sentence = f"The header in line {self._line} has {self.header_limit:,} bytes or more."
            raise SequenceInvalidError(sentence, _at(self._line))
        self._header_line, self._length, self._faulty = self._line, 0, False
        self._fasta_id = self._parse_id(header)

    def _parse_id(self, header: bytes) -> str | None:
        line = self._line
        try:
            fasta_id = _first_word(header)
        except UnicodeDecodeError:
            self._note(f"The ID of the sequence in line {line} is not UTF-8. Save the file as UTF-8.", line)
            return None
        if not fasta_id:
            self._note(f"The sequence in line {line} has no ID directly behind the “>”.", line)
            return None
        if len(fasta_id) > MAX_ID_CHARACTERS:
            self._note(f"The ID of the sequence in line {line} has more than {MAX_ID_CHARACTERS} characters.", line)
            return None
        self._count(fasta_id)
        if b"\r" in header:
            # The file of an old Mac is one long header; “has no letters” would not name the cause.
            self._faulty = True
            sentence = f"Line {line} has a carriage return without a line feed. Save with line ends LF or CRLF."
            self._note(sentence, line)
        return fasta_id

    def _count(self, fasta_id: str) -> None:
        self._ids_bytes += len(fasta_id.encode())
        if self._ids_bytes > MAX_IDS_BYTES:
            sentence = f"The sequence IDs up to line {self._line} have more than {MAX_IDS_BYTES:,} bytes in all."
            raise SequenceInvalidError(f"{sentence} Submit them in several pieces.", _at(self._line))

    def _take_letters(self, text: bytes) -> None:
        self._length += len(text) - text.count(b"\n")
        if self._faulty or not text.translate(None, LETTERS + b"\n" if self._headers else b"\n"):
            return
        self._faulty = True
        if not self._headers:
            line = self._line + len(text) - len(text.lstrip(b"\n"))
            self._note(f"Line {line} stands before the first header. A sequence begins with “>” and its ID.", line)
        elif found := NO_LETTER.search(text):
            line = self._line + text.count(b"\n", 0, found.start())
            letter = quoted(found[0].decode()) if found[0].isascii() else f"The byte 0x{found[0].hex()}"
            self._note(f"{letter} in line {line} is no IUPAC letter for a nucleotide and no gap (-).", line)

    def _end_record(self) -> None:
        """Keep the record that ends here, if it has an ID of its own; note what it lacks."""
        line, fasta_id = self._header_line, self._fasta_id
        if self._headers and not self._length and not self._faulty:
            self._note(f"The sequence in line {line} has no letters.", line)
        if fasta_id is None:
            return
        if first := self.records.get(fasta_id):
            self._note(f"The sequence ID {quoted(fasta_id)} stands in line {first.line} and in line {line}.", line)
        else:
            self.records[fasta_id] = SequenceRecord(fasta_id, self._length, line)


def match_sequences(
    rows: Iterable[Row],
    records: Sequence[SequenceRecord] | None,
    *,
    requirement: Requirement,
    errors: ErrorList,
) -> dict[str, tuple[SequenceRecord, ...]]:
    """Find the sequences of each row, by submission ID, in the order that its `fastaIds` name them.

    `records` is None when no sequences were sent. Adds to `errors` every row without its sequence, every
    sequence that no row names, and every sequence that two rows name. Call it with complete tables and FASTA
    only.
    """
    if requirement is Requirement.FORBIDDEN and records is not None:
        sentence = "This organism takes no sequences. Submit without a sequence file."
        errors.add(SequenceInvalidError(sentence, _at()))
        return {}
    if requirement is Requirement.REQUIRED and records is None:
        errors.add(SequenceInvalidError("This organism needs sequences. Submit a sequence file.", _at()))
        return {}
    matching = _Matching({record.fasta_id: record for record in records or ()}, requirement, errors)
    matched = {row.submission_id: matching.take(row) for row in rows}
    matching.finish()
    return matched


class _Matching:
    """Takes the rows one by one and remembers which of them named which sequence."""

    def __init__(self, records: dict[str, SequenceRecord], requirement: Requirement, errors: ErrorList) -> None:
        self.records = records
        self.requirement = requirement
        self.errors = errors
        self._named_in: dict[str, int] = {}

    def take(self, row: Row) -> tuple[SequenceRecord, ...]:
        """The sequences of one row."""
        needed = row.fasta_ids is not None or self.requirement is Requirement.REQUIRED
        found = []
        for fasta_id in row.fasta_ids or (row.submission_id,):
            if before := self._named_in.get(fasta_id):
                self._note_named_twice(fasta_id, before, row)
                continue
            self._named_in[fasta_id] = row.line
            if record := self.records.get(fasta_id):
                found.append(record)
            elif needed:
                sentence = f"The row in line {row.line} has no sequence: no FASTA ID is {quoted(fasta_id)}."
                self.errors.add(IdsUnmatchedError(sentence, _at_row(row)))
        return tuple(found)

    def finish(self) -> None:
        """After the last row: every sequence has been named."""
        for record in self.records.values():
            if record.fasta_id not in self._named_in:
                sentence = f"No row of the metadata table has the sequence ID {quoted(record.fasta_id)}."
                self.errors.add(IdsUnmatchedError(sentence, _at(record.line)))

    def _note_named_twice(self, fasta_id: str, before: int, row: Row) -> None:
        lines = f"line {before} and line {row.line}" if before != row.line else f"line {row.line}, twice"
        sentence = f"The sequence ID {quoted(fasta_id)} is named in {lines}; it may be named once."
        self.errors.add(MetadataInvalidError(sentence, _at_row(row)))


def _at_row(row: Row) -> Location:
    return Location(field=TABLE_FIELD, line=row.line, submission_id=row.submission_id)
