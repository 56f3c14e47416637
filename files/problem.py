"""What is said of a file that was refused."""

from __future__ import annotations

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
