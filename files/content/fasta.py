"""The FASTA check: every record of a plain or gzipped file, whatever the file is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from files.content import fasta_records
from files.content.base import DEFAULT_LIMITS, JSON, Limits
from files.content.text import TextCheck, packing_problems


class FastaCheck(TextCheck):
    """FASTA by the rules of `fasta_records`, plain or gzipped by the rules of `gunzip`.

    On success `data` holds `records` and `letters`, gaps and stops among the letters.
    """

    name: ClassVar[str] = "fasta"
    version: ClassVar[int] = 1
    problems: ClassVar[Mapping[str, str]] = {
        **{f"fasta_{key}": text for key, text in fasta_records.PROBLEMS.items()},
        **packing_problems("fasta"),
    }

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        self._scanner = fasta_records.RecordScanner(limits)

    def _scan(self, text: bytes) -> None:
        self._scanner.feed(text)

    def _flush(self) -> None:
        self._scanner.flush()

    def _end_text(self) -> dict[str, JSON]:
        self._scanner.finish()
        return {"records": self._scanner.records, "letters": self._scanner.letters}
