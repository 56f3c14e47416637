"""The records of FASTA text, checked a block at a time and, where a block is not plainly right, line by line.

FASTA has no specification; these rules take what samtools faidx and Biopython both read, and refuse what one of them
does not, or reads as something else:

- A record is a line of `>` and a title whose first word is the name, and one or more lines of sequence, of any length.
- Letters are A to Z in either case, `-`, `.` and `*`: nucleotides and amino acids with all their ambiguity codes, gaps
  and stops. Which of the two it is, is not asked.
- Every record has a sequence. Names may be repeated, since only holding all of them could tell.
- Blank lines may stand before, between and behind records, but not between the lines of one record.
- The last line may lack its end.

Lines end in LF here; the check around this turns CRLF into LF.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Final

from files.content.base import CheckFailedError, Limits

PROBLEMS: Final[Mapping[str, str]] = {
    "empty": "There are no records in the file. Without a line.",
    "header": "The first record does not begin with >. Line: the one in its place.",
    "name_missing": "Nothing follows the >, or a space or tab does. Line: the title.",
    "sequence_missing": "A title has no sequence below it. Line: the title.",
    "sequence_letters": "The sequence has something other than letters, -, . and *. Line: the sequence.",
    "blank_line": "A blank line stands within a record. Line: the blank one.",
    "line_too_long": "A line is longer than any sequence or title is. Line: that one.",
}

LETTERS: Final = f"{string.ascii_letters}-.*".encode()


class RecordScanner:
    """Checks FASTA text fed in pieces of any size and counts what is in it.

    Whole lines are checked many at a time, by what the interpreter does in one call for all of them. The line-by-line
    scan is the definition of the rules; it runs where there is more to be said than yes, and over lines larger than a
    block, of which it keeps nothing but the length.

    `records` and `letters` count what was checked. `feed` and `finish` raise `CheckFailedError` with one of
    `PROBLEMS`.
    """

    def __init__(self, limits: Limits) -> None:
        self.records = 0
        self.letters = 0
        self._limits = limits
        # Text not looked at yet, gathered so that many small pieces cost no more than one large one.
        self._pending: list[bytes] = []
        self._pending_size = 0
        # Of the present line: its number, its length so far, and its text if it is a title.
        self._line = 1
        self._length = 0
        self._title = b""
        # Of the present record: the line of its title, its letters so far, the first blank line in or behind it.
        self._title_line = 0
        self._sequence = 0
        self._blank = 0

    def feed(self, text: bytes) -> None:
        """Check the next piece of text, now or with a later one."""
        self._pending.append(text)
        self._pending_size += len(text)
        if self._pending_size >= self._limits.block:
            self._check_pending()

    def flush(self) -> None:
        """Check all text fed so far, as far as that can be said without the text to come."""
        self._check_pending()
        self._scan(self._take_pending())

    def finish(self) -> None:
        """Check that the text may end here."""
        self.flush()
        if self._length:
            self._end_line()
        self._end_record()
        if not self.records:
            raise CheckFailedError("empty", "The file has no sequences: upload the one that has.")

    def _take_pending(self) -> bytes:
        text = b"".join(self._pending)
        self._pending = []
        self._pending_size = 0
        return text

    def _check_pending(self) -> None:
        text = self._take_pending()
        # The end of a line of which a part was scanned already.
        start = text.find(b"\n") + 1 if self._length else 0
        end = text.rfind(b"\n") + 1
        self._scan(text[:start])
        if start < end and not self._take_lines(text[start:end]):
            self._scan(text[start:end])
        rest = text[end:]
        if len(rest) > self._limits.block // 2:
            self._scan(rest)
        elif rest:
            self._pending.append(rest)
            self._pending_size = len(rest)

    # Whole lines, many at a time.

    def _take_lines(self, text: bytes) -> bool:
        """Count these whole lines if they are plainly right; False if the scan has to look."""
        if len(text) > min(self._limits.line, self._limits.title) or self._blank or _has_blank_lines(text):
            return False
        before, *records = _cut_at_titles(text)
        parts = [record.partition(b"\n") for record in records]
        sequences = [sequence for _, _, sequence in parts]
        lines = b"".join([before, *sequences])
        ends = lines.translate(None, LETTERS)
        good = (
            not ends.strip(b"\n")
            and self._may_begin(before, another=bool(records))
            and all(sequences[:-1])
            and _named([title for title, _, _ in parts])
        )
        if good:
            self._count(len(lines) - len(ends), len(ends), sequences)
        return good

    def _may_begin(self, before: bytes, *, another: bool) -> bool:
        """Whether the lines before the first title belong to a record, and `another` may begin behind them."""
        if not self.records:
            return not before
        return bool(before or self._sequence or not another)

    def _count(self, letters: int, sequence_lines: int, sequences: Sequence[bytes]) -> None:
        self._line += sequence_lines + len(sequences)
        self.records += len(sequences)
        self.letters += letters
        if sequences:
            ends = sequences[-1].count(b"\n")
            self._sequence = len(sequences[-1]) - ends
            self._title_line = self._line - ends - 1
        else:
            self._sequence += letters

    # The scan, line by line and piece by piece.

    def _scan(self, text: bytes) -> None:
        """Check text from where the last scan stopped."""
        start = 0
        while start < len(text):
            end = text.find(b"\n", start)
            if end < 0:
                self._scan_piece(text[start:])
                return
            self._scan_piece(text[start:end])
            self._end_line()
            start = end + 1

    def _scan_piece(self, piece: bytes) -> None:
        """Check a piece of the present line, without its end."""
        if not piece:
            return
        if not self._length:
            self._begin_line(piece)
        if self._title:
            self._scan_title(piece)
        else:
            self._scan_letters(piece)
        self._length += len(piece)

    def _begin_line(self, piece: bytes) -> None:
        if piece.startswith(b">"):
            self._end_record()
            self.records += 1
            self._title = b">"
            self._title_line = self._line
            self._sequence = 0
            self._blank = 0
        elif not self.records:
            raise self._header(piece[:1])
        elif self._blank:
            detail = "is blank, but the sequence goes on behind it; take blank lines out of the file"
            raise self._failure("blank_line", detail, self._blank)

    def _scan_title(self, piece: bytes) -> None:
        if self._length < 2:
            self._title = (self._title[: self._length] + piece)[:2]
        if self._length + len(piece) > self._limits.title:
            raise self._too_long(self._limits.title)

    def _scan_letters(self, piece: bytes) -> None:
        allowed = self._limits.line - self._length
        wrong = piece[:allowed].translate(None, LETTERS)[:1]
        if wrong:
            found = f"has {_shown(wrong)} at position {self._length + piece.index(wrong) + 1:,}"
            detail = f"{found}; sequences are written in letters, with - for gaps and * for stops"
            raise self._failure("sequence_letters", detail)
        if len(piece) > allowed:
            raise self._too_long(self._limits.line)
        self._sequence += len(piece)
        self.letters += len(piece)

    def _end_line(self) -> None:
        if self._title:
            if not _named([self._title[1:]]):
                raise self._failure("name_missing", "has no name behind the >; give every sequence its name")
            self._title = b""
        elif not self._length and self.records and not self._blank:
            self._blank = self._line
        self._line += 1
        self._length = 0

    def _end_record(self) -> None:
        if self.records and not self._sequence:
            detail = "has no sequence below it; take the title out, or put its sequence in"
            raise self._failure("sequence_missing", detail, self._title_line)

    # What is said of a fault.

    def _failure(self, problem: str, what: str, line: int | None = None) -> CheckFailedError:
        line = line or self._line
        return CheckFailedError(problem, f"Line {line:,}, in record {self.records:,}, {what}.", line=line)

    def _header(self, first: bytes) -> CheckFailedError:
        seen = "@, as FASTQ does" if first == b"@" else _shown(first)
        detail = f"Line {self._line:,} begins with {seen}; a FASTA record begins with > and its name."
        return CheckFailedError("header", detail, line=self._line)

    def _too_long(self, limit: int) -> CheckFailedError:
        return self._failure("line_too_long", f"has over {limit:,} bytes; see whether its line ends are right")


def _has_blank_lines(text: bytes) -> bool:
    return text.startswith(b"\n") or b"\n\n" in text


def _cut_at_titles(text: bytes) -> list[bytes]:
    """Whole lines: those before the first title, then for each record its title without the `>`, and its sequence."""
    pieces = text.split(b">")
    if all(piece.endswith(b"\n") for piece in pieces[1:]) and pieces[0][-1:] in (b"", b"\n"):
        return pieces
    # Some > is not at the start of a line, most likely within a title. This takes three times as long.
    before, *records = (b"\n" + text[:-1]).split(b"\n>")
    return [before[1:] + b"\n" if before else b"", *[record + b"\n" for record in records]]


def _named(titles: Sequence[bytes]) -> bool:
    """Whether all these titles, given without their `>`, begin with a name."""
    text = b"\n".join([b"", *titles, b""])
    return not titles or not (b"\n\n" in text or b"\n " in text or b"\n\t" in text)


def _shown(byte: bytes) -> str:
    return f"“{byte.decode()}”" if b"!" <= byte <= b"~" else f"the byte 0x{byte.hex()}"
