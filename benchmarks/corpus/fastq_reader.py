"""FASTQ read line by line: the plainest reader that there can be, to say what a flipped bit makes of a file."""

from __future__ import annotations

from typing import Final

LETTERS: Final = frozenset(b"ACGTURYSWKMBDHVNacgturyswkmbdhvn.-")
QUALITIES: Final = frozenset(range(ord("!"), ord("~") + 1))


def first_fault(text: bytes) -> str:
    """The code of the first thing wrong, without the check's name before it; empty for a legal file."""
    lines = text.replace(b"\r\n", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for start in range(0, len(lines), 4):
        fault = _fault(lines[start : start + 4])
        if fault:
            return fault
    return "" if lines else "empty"


def _fault(record: list[bytes]) -> str:
    """What is wrong with a record, which at the end of the file may lack lines."""
    title, *rest = record
    if not title.startswith(b"@"):
        return "header" if title else "blank_line"
    if title[1:2] in {b"", b" ", b"\t"}:
        return "name_missing"
    if rest and not set(rest[0]) <= LETTERS:
        return "sequence_letters"
    if len(rest) > 1 and (fault := _fault_of_plus(title, rest[1])):
        return fault
    if len(rest) < 3:
        return "truncated"
    if not set(rest[2]) <= QUALITIES:
        return "quality_letters"
    return "" if len(rest[2]) == len(rest[0]) else "quality_length"


def _fault_of_plus(title: bytes, line: bytes) -> str:
    if not line.startswith(b"+"):
        return "separator"
    return "" if line[1:] in {b"", title[1:], title[1:].split()[0]} else "name_differs"
