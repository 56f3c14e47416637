"""The records at the beginning of FASTQ text, by the server's rules, and what they say of their pair.

A record is four lines: `@` and a title whose first word is the read's name, the sequence in IUPAC codes, `+` (alone, or
with the title or the name again), and as many qualities, `!` to `~`, as there are letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from satchel.prechecks.faults import Fault

_SEQUENCE = b"ACGTURYSWKMBDHVNacgturyswkmbdhvn.-"
_QUALITIES = bytes(range(ord("!"), ord("~") + 1))
_AFTER_NAME = re.compile(rb"[ \t].*", re.DOTALL)
_MATE_MARK = re.compile(rb"/[12]$")
_TITLES = 1000
"""So many titles tell which read of its pair a file has; the verifier looks at all of them."""


@dataclass(frozen=True, slots=True)
class FirstRead:
    """The name of a file's first read, without `/1` or `/2`, and the read of its pair that its titles say to be.

    `mate` is “1”, “2” or “mixed”, or None where not every title says it.
    """

    name: str
    mate: str | None


def lines_of(text: bytes) -> tuple[list[bytes], bytes]:
    """The whole lines of the text, CRLF read as LF, and what stands behind the last of them, without half a CRLF."""
    *lines, rest = text.removesuffix(b"\r").replace(b"\r\n", b"\n").split(b"\n")
    return lines, rest


def fault_of(text: bytes, *, whole: bool) -> Fault | None:
    """The first thing wrong with the text, of which only the beginning need be here unless it is `whole`."""
    lines, rest = lines_of(text)
    records = len(lines) // 4
    if not _are_good(lines[: records * 4]):
        return _first_fault(lines)
    last = _Record(records, lines[records * 4 :])
    fault = last.fault()
    if fault is None and rest:
        fault = last.fault_of_begun(rest)
    if fault is not None or not whole:
        return fault
    if last.lines or rest:
        return last.fault_of_end(rest)
    return None if records else Fault("empty", "The file has no reads: upload the one that has.")


def first_read_of(text: bytes) -> FirstRead | None:
    """What the titles at the beginning say; None without a title."""
    titles = lines_of(text)[0][0 : 4 * _TITLES : 4]
    if not titles:
        return None
    marks = [mate for title in titles for mate in _mates_of(title)]
    told = len(marks) == len(titles)
    mates = set(marks)
    mate = None if not told else "mixed" if len(mates) > 1 else marks[0].decode()
    return FirstRead(_MATE_MARK.sub(b"", _name(titles[0])[1:]).decode(errors="replace"), mate)


def _mates_of(title: bytes) -> list[bytes]:
    """Which read one title says to be, by `/1` or ` 1:N:0:…`; more than one where it says it twice."""
    unfiltered = re.findall(rb" ([12]):N:", title)
    filtered = [] if len(unfiltered) == 1 else re.findall(rb" ([12]):Y:", title)
    name = _name(title)
    slash = [name[-1:]] if _MATE_MARK.search(name) else []
    return [*slash, *unfiltered, *filtered]


def _name(title: bytes) -> bytes:
    """The first word of a title, with the mark before it."""
    return _AFTER_NAME.sub(b"", title)


def _separator_fits(title: bytes, separator: bytes) -> bool:
    return separator == b"+" or (separator.startswith(b"+") and separator[1:] in (title[1:], _name(title)[1:]))


def _are_good(lines: Sequence[bytes]) -> bool:
    """Whether these whole records are right, column by column, which costs little more than splitting the lines."""
    titles, sequences, separators, qualities = (lines[column::4] for column in range(4))
    return (
        all(title.startswith(b"@") and len(title) > 1 and title[1] not in b" \t" for title in titles)
        and not b"".join(sequences).translate(None, _SEQUENCE)
        and (separators.count(b"+") == len(separators) or all(map(_separator_fits, titles, separators)))
        and not b"".join(qualities).translate(None, _QUALITIES)
        and list(map(len, sequences)) == list(map(len, qualities))
    )


def _first_fault(lines: Sequence[bytes]) -> Fault | None:
    faults = (_Record(number, lines[4 * number : 4 * number + 4]).fault() for number in range(len(lines) // 4 + 1))
    return next(filter(None, faults), None)


class _Record:
    """One record, or as many of its `lines` as there are; `number` counts from 0."""

    def __init__(self, number: int, lines: Sequence[bytes]) -> None:
        self.number = number
        self.lines = lines

    def fault(self) -> Fault | None:
        """The first thing wrong with these lines, which all are whole."""
        looks = (self._look_at_title, self._look_at_sequence, self._look_at_separator, self._look_at_qualities)
        found = (look(line) for look, line in zip(looks, self.lines, strict=False))
        return next(filter(None, found), None)

    def fault_of_begun(self, rest: bytes) -> Fault | None:
        """The first thing wrong with the line behind them, of which the end is not here."""
        at = len(self.lines)
        if at == 0:
            return None if rest.startswith(b"@") else self._header()
        if at == 2:
            return None if rest.startswith(b"+") else self._no_separator()
        return self._letters(at, rest)

    def fault_of_end(self, rest: bytes) -> Fault | None:
        """What is wrong with the file ending here, behind `rest`; the last line of all may lack its end."""
        if len(self.lines) == 3 and len(rest) >= len(self.lines[1]):
            return self._look_at_qualities(rest)
        line = 4 * self.number + len(self.lines) + bool(rest)
        place = f"line {line:,}, within record {self.number + 1:,}"
        detail = f"The file ends at {place}: compare its size with the original's and upload the whole file."
        return Fault("truncated", detail, line=line)

    def _look_at_title(self, title: bytes) -> Fault | None:
        if not title:
            return self._fault(0, "blank_line", "is blank; take blank lines out of the file")
        if not title.startswith(b"@"):
            return self._header()
        if _name(title) == b"@":
            return self._fault(0, "name_missing", "has no name behind the @; give every read its name")
        return None

    def _look_at_sequence(self, sequence: bytes) -> Fault | None:
        return self._letters(1, sequence)

    def _look_at_separator(self, separator: bytes) -> Fault | None:
        if not separator.startswith(b"+"):
            return self._no_separator()
        if _separator_fits(self.lines[0], separator):
            return None
        what = "has another name behind the + than behind the @; repeat the name or leave the + alone"
        return self._fault(2, "name_differs", what)

    def _look_at_qualities(self, qualities: bytes) -> Fault | None:
        if fault := self._letters(3, qualities):
            return fault
        if len(qualities) == len(self.lines[1]):
            return None
        found = f"has {len(qualities):,} qualities for {len(self.lines[1]):,} letters of sequence"
        return self._fault(3, "quality_length", f"{found}; each letter needs one")

    def _letters(self, at: int, line: bytes) -> Fault | None:
        wrong = line.translate(None, _SEQUENCE if at == 1 else _QUALITIES)[:1]
        if not wrong:
            return None
        shown = f"“{wrong.decode()}”" if wrong in _QUALITIES else f"the byte 0x{wrong.hex()}"
        found = f"has {shown} at position {line.index(wrong) + 1:,}"
        if at == 1:
            what = f"{found}; sequences are written in IUPAC codes, as in ACGTN"
            return self._fault(at, "sequence_letters", what)
        return self._fault(at, "quality_letters", f"{found}; qualities are the characters from ! to ~")

    def _header(self) -> Fault:
        detail = "a FASTQ record is four lines, @name first"
        if self.number == 0:
            detail = "this is no FASTQ file, which may be right in another category"
        return self._fault(0, "header", f"does not begin with @; {detail}")

    def _no_separator(self) -> Fault:
        what = "does not begin with +; sequence and qualities must stand on one line each, with a + line between"
        return self._fault(2, "separator", what)

    def _fault(self, at: int, problem: str, what: str) -> Fault:
        line = 4 * self.number + at + 1
        return Fault(problem, f"Line {line:,}, in record {self.number + 1:,}, {what}.", line=line)
