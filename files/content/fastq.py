"""The FASTQ check: every record of a plain or gzipped file, whatever the file is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from files.content import fastq_records
from files.content.base import DEFAULT_LIMITS, JSON, Limits
from files.content.text import TextCheck, packing_problems


class FastqCheck(TextCheck):
    """FASTQ by the rules of `fastq_records`, plain or gzipped by the rules of `gunzip`.

    On success `data` holds `reads`, `bases`, `namesDigest` (`RecordScanner.names_digest`) and `mate`
    (`RecordScanner.mate`).
    """

    name: ClassVar[str] = "fastq"
    version: ClassVar[int] = 2
    problems: ClassVar[Mapping[str, str]] = {
        **{f"fastq_{key}": text for key, text in fastq_records.PROBLEMS.items()},
        **packing_problems("fastq"),
    }

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        self._scanner = fastq_records.RecordScanner(limits)

    def _scan(self, text: bytes) -> None:
        self._scanner.feed(text)

    def _flush(self) -> None:
        self._scanner.flush()

    def _end_text(self) -> dict[str, JSON]:
        self._scanner.finish()
        return {
            "reads": self._scanner.reads,
            "bases": self._scanner.bases,
            "namesDigest": self._scanner.names_digest,
            "mate": self._scanner.mate,
        }
