"""The records of FASTQ text, checked a block at a time and, where a block has a fault, piece by piece.

The rules, after Cock et al. 2010 (doi:10.1093/nar/gkp1137) with the choices left open there made:

- A record is four lines: `@` and a title whose first word is the read's name, the sequence, `+`, the
  qualities. Sequences wrapped over several lines, which the paper allows and nearly no program writes, are
  refused.
- Sequence letters are the IUPAC codes of DNA and RNA in either case. The paper sets no limit and finds a gap
  sensible at times: `-` passes, and so does `.`, the no-call of early Illumina files.
- Behind `+` stands nothing, the title again, or the name again.
- Qualities are `!` to `~`, as many as there are letters. A read trimmed to nothing has two empty lines.
- No blank line stands between records or at the end. The last line may lack its end.

Lines end in LF here; the check around this turns CRLF into LF.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from files.content.base import CheckFailedError, Limits

PROBLEMS: Final[Mapping[str, str]] = {
    "empty": "There are no records in the file. Without a line.",
    "blank_line": "A blank line stands where a record should begin. Line: the blank one.",
    "header": "A record does not begin with @. Line: the one in its place.",
    "name_missing": "Nothing follows the @, or a space or tab does. Line: the title.",
    "sequence_letters": "The sequence has something other than IUPAC codes. Line: the sequence.",
    "separator": "The third line of a record does not begin with +. Line: the third.",
    "name_differs": "What follows the + is neither the title nor the name. Line: the third.",
    "quality_letters": "The qualities have something outside ! to ~. Line: the qualities.",
    "quality_length": "There are more or fewer qualities than letters. Line: the qualities.",
    "truncated": "The file ends within a record. Line: the last one begun.",
    "line_too_long": "A line is longer than any read or title is. Line: that one.",
}

SEQUENCE_LETTERS: Final = b"ACGTURYSWKMBDHVNacgturyswkmbdhvn.-"
QUALITY_LETTERS: Final = bytes(range(ord("!"), ord("~") + 1))

_AFTER_NAME = re.compile(rb"[ \t][^\n]*")


class _Step(Enum):
    """The line of a record that is being read."""

    TITLE = "title"
    SEQUENCE = "sequence"
    SEPARATOR = "separator"
    QUALITIES = "qualities"


class RecordScanner:
    """Checks FASTQ text fed in pieces of any size and counts what is in it.

    Whole records are checked column by column (all titles, all sequences, …), which costs little more than
    splitting the lines. The line-by-line scan is the definition of the rules; it runs where the columns have
    a fault, to say which, and over reads larger than a block, of which it keeps nothing but the length.

    `reads` and `bases` count what was checked; `names_digest` compares the two files of a pair. `feed` and
    `finish` raise `CheckFailedError` with one of `PROBLEMS`.
    """

    def __init__(self, limits: Limits) -> None:
        self.reads = 0
        self.bases = 0
        self._limits = limits
        self._digest = hashlib.sha256()
        self._mates = [0, 0]
        # Text not looked at yet, gathered so that many small pieces cost no more than one large one.
        self._pending: list[bytes] = []
        self._pending_size = 0
        # Where the line-by-line scan stands.
        self._step = _Step.TITLE
        self._line = 1
        self._text = b""
        self._length = 0
        self._title = b""
        self._sequence_length = 0

    @property
    def names_digest(self) -> str:
        """SHA-256 in hex over lines of `@` and name, so that the two files of a pair have the same.

        Only the first word of a title counts (`@r7 1:N:0:ACGT` is `@r7`), without a `/1` or `/2` at its end.
        """
        return self._digest.hexdigest()

    @property
    def mate(self) -> str | None:
        """Which read of its pair every title says to be, “1” or “2”, by `/1` or ` 1:N:0:…`.

        “mixed” where each says one, but not all the same; None where not all say one, or some say it twice. The latter
        form is that of Casava and bcl2fastq (Illumina, "bcl2fastq2 Conversion Software", FASTQ files).
        """
        first, second = self._mates
        if not self.reads or first + second != self.reads:
            return None
        return "mixed" if first and second else "1" if first else "2"

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
        if self._step is _Step.QUALITIES and self._length >= self._sequence_length:
            self._end_qualities()
        if not self._between_records:
            raise self._truncated()
        if not self.reads:
            raise CheckFailedError("empty", "The file has no reads: upload the one that has.")

    @property
    def _between_records(self) -> bool:
        return self._step is _Step.TITLE and not self._text

    def _take_pending(self) -> bytes:
        text = b"".join(self._pending)
        self._pending = []
        self._pending_size = 0
        return text

    def _check_pending(self) -> None:
        text = self._take_pending()
        start = 0 if self._between_records else self._scan(text, to_next_record=True)
        lines = text[start:].split(b"\n")
        whole = (len(lines) - 1) // 4 * 4
        if not self._take_records(lines[:whole]):
            self._scan(b"\n".join([*lines[:whole], b""]))
        rest = b"\n".join(lines[whole:])
        if len(rest) > self._limits.block // 2:
            self._scan(rest)
        elif rest:
            self._pending.append(rest)
            self._pending_size = len(rest)

    # A block of whole records, column by column.

    def _take_records(self, lines: Sequence[bytes]) -> bool:
        """Count these whole records if all of them are right; False if the scan has to look."""
        titles, sequences, separators, qualities = (lines[column::4] for column in range(4))
        text = b"\n".join([*titles, b""])
        names = _names(titles, text)
        joined = b"".join(sequences)
        good = (
            self._titles_good(titles, text, names)
            and len(joined) <= self._limits.line
            and not joined.translate(None, SEQUENCE_LETTERS)
            and _separators_good(titles, separators)
            and not b"".join(qualities).translate(None, QUALITY_LETTERS)
            and list(map(len, sequences)) == list(map(len, qualities))
        )
        if good and titles:
            self._count(len(titles), len(joined), text, names)
            self._line += len(lines)
        return good

    def _titles_good(self, titles: Sequence[bytes], text: bytes, names: bytes) -> bool:
        begin = names.startswith(b"@") + names.count(b"\n@")
        nameless = names.startswith(b"@\n") or b"\n@\n" in names
        return begin == len(titles) and not nameless and len(text) - len(titles) <= self._limits.title

    def _count(self, reads: int, bases: int, text: bytes, names: bytes) -> None:
        """Count reads whose titles are the lines of `text`, their first words those of `names`."""
        self.reads += reads
        self.bases += bases
        if b"/" in names:
            for mate, mark in enumerate((b"/1\n", b"/2\n")):
                self._mates[mate] += names.count(mark)
            # First one mate's mark into the other's, so that exactly one is taken off each name.
            names = names.replace(b"/2\n", b"/1\n").replace(b"/1\n", b"\n")
        self._digest.update(names)
        unfiltered = text.count(b" 1:N:"), text.count(b" 2:N:")
        # Reads that were filtered out are seldom in a file.
        filtered = (0, 0) if sum(unfiltered) == reads else (text.count(b" 1:Y:"), text.count(b" 2:Y:"))
        for mate in (0, 1):
            self._mates[mate] += unfiltered[mate] + filtered[mate]

    # The scan, line by line and piece by piece.

    def _scan(self, text: bytes, *, to_next_record: bool = False) -> int:
        """Check text from where the last scan stopped; returns how many of its bytes were looked at."""
        start = 0
        while start < len(text):
            end = text.find(b"\n", start)
            if end < 0:
                self._scan_piece(text[start:])
                return len(text)
            self._scan_piece(text[start:end])
            self._end_line()
            start = end + 1
            if to_next_record and self._between_records:
                break
        return start

    def _scan_piece(self, piece: bytes) -> None:
        """Check a piece of the present line, without its end."""
        match self._step:
            case _Step.TITLE:
                self._scan_text(piece, b"@")
            case _Step.SEQUENCE:
                self._scan_letters(piece, SEQUENCE_LETTERS)
            case _Step.SEPARATOR:
                self._scan_text(piece, b"+")
            case _Step.QUALITIES:
                self._scan_letters(piece, QUALITY_LETTERS)

    def _scan_text(self, piece: bytes, mark: bytes) -> None:
        self._text += piece
        if self._text and not self._text.startswith(mark):
            raise self._mark_missing()
        if len(self._text) > self._limits.title:
            raise self._too_long(self._limits.title)

    def _scan_letters(self, piece: bytes, letters: bytes) -> None:
        allowed = self._limits.line - self._length
        wrong = piece[:allowed].translate(None, letters)[:1]
        if wrong:
            raise self._letters(wrong, self._length + piece.index(wrong) + 1)
        if len(piece) > allowed:
            raise self._too_long(self._limits.line)
        self._length += len(piece)

    def _end_line(self) -> None:
        match self._step:
            case _Step.TITLE:
                self._end_title()
            case _Step.SEQUENCE:
                self._sequence_length = self._length
                self._next_line(_Step.SEPARATOR)
            case _Step.SEPARATOR:
                self._end_separator()
            case _Step.QUALITIES:
                self._end_qualities()

    def _next_line(self, step: _Step) -> None:
        self._step = step
        self._line += 1
        self._text = b""
        self._length = 0

    def _end_title(self) -> None:
        if not self._text:
            raise self._failure("blank_line", "is blank; take blank lines out of the file")
        if _name(self._text) == b"@":
            raise self._failure("name_missing", "has no name behind the @; give every read its name")
        self._title = self._text
        self._next_line(_Step.SEQUENCE)

    def _end_separator(self) -> None:
        if not self._text:
            raise self._mark_missing()
        if not _separator_fits(self._title, self._text):
            detail = "has another name behind the + than behind the @; repeat the name or leave the + alone"
            raise self._failure("name_differs", detail)
        self._next_line(_Step.QUALITIES)

    def _end_qualities(self) -> None:
        if self._length != self._sequence_length:
            found = f"has {self._length:,} qualities for {self._sequence_length:,} letters of sequence"
            raise self._failure("quality_length", f"{found}; each letter needs one")
        self._count(1, self._sequence_length, self._title + b"\n", _name(self._title) + b"\n")
        self._next_line(_Step.TITLE)

    # What is said of a fault.

    def _failure(self, problem: str, what: str) -> CheckFailedError:
        detail = f"Line {self._line:,}, in record {self.reads + 1:,}, {what}."
        return CheckFailedError(problem, detail, line=self._line)

    def _mark_missing(self) -> CheckFailedError:
        if self._step is _Step.TITLE:
            detail = "a FASTQ record is four lines, @name first"
            if self._line == 1:
                detail = "this is no FASTQ file, which may be right in another category"
            return self._failure("header", f"does not begin with @; {detail}")
        detail = "does not begin with +; sequence and qualities must stand on one line each, with a + line between"
        return self._failure("separator", detail)

    def _letters(self, wrong: bytes, position: int) -> CheckFailedError:
        shown = f"“{wrong.decode()}”" if wrong in QUALITY_LETTERS else f"the byte 0x{wrong.hex()}"
        found = f"has {shown} at position {position:,}"
        if self._step is _Step.SEQUENCE:
            return self._failure("sequence_letters", f"{found}; sequences are written in IUPAC codes, as in ACGTN")
        return self._failure("quality_letters", f"{found}; qualities are the characters from ! to ~")

    def _too_long(self, limit: int) -> CheckFailedError:
        return self._failure("line_too_long", f"has over {limit:,} bytes; see whether its line ends are right")

    def _truncated(self) -> CheckFailedError:
        begun = self._line if self._text or self._length else self._line - 1
        detail = (
            f"The file ends at line {begun:,}, within record {self.reads + 1:,}: compare its size with the "
            "original's and upload the whole file."
        )
        return CheckFailedError("truncated", detail, line=begun)


def _name(title: bytes) -> bytes:
    """The first word of a title, with the mark before it."""
    return _AFTER_NAME.sub(b"", title)


def _names(titles: Sequence[bytes], text: bytes) -> bytes:
    """The first words of the titles, with the marks before them, as lines; `text` has the whole titles as lines."""
    if b"\t" in text:
        return _AFTER_NAME.sub(b"", text)
    if b" " in text:
        return b"\n".join([*[title.partition(b" ")[0] for title in titles], b""])
    return text


def _separator_fits(title: bytes, separator: bytes) -> bool:
    return separator == b"+" or (separator.startswith(b"+") and separator[1:] in (title[1:], _name(title)[1:]))


def _separators_good(titles: Sequence[bytes], separators: Sequence[bytes]) -> bool:
    return separators.count(b"+") == len(separators) or all(map(_separator_fits, titles, separators))
