"""What is said of a file that was refused."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why a file was refused: a stable code, a sentence for the submitter, and where in the file it is.

    `line` counts from 1 in the unpacked text, `offset` in bytes from 0 in the file as sent.
    """

    code: str
    detail: str
    line: int | None = None
    offset: int | None = None

    @property
    def place(self) -> str:
        """Line and byte in words, “Line 4. Byte 1,200.”, as far as the sentence does not have them already."""
        places = {"Line": self.line, "Byte": self.offset}
        words = [(unit, f"{number:,}") for unit, number in places.items() if number is not None]
        return " ".join(f"{unit} {number}." for unit, number in words if not self._tells(unit, number))

    def _tells(self, unit: str, number: str) -> bool:
        return bool(re.search(rf"\b{unit} {number}\b|(?<![\d,]){number} {unit}s\b", self.detail, re.IGNORECASE))
