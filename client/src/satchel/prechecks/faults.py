"""What a look at a file says of it, with the codes and in the words of the server's checks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the server would refuse a file: `code` is the one that it would give, `detail` a sentence.

    `line` counts from 1 in the unpacked text, `offset` in bytes from 0 in the file.
    """

    code: str
    detail: str
    line: int | None = None
    offset: int | None = None

    def under(self, check: str) -> Fault:
        """The same with the name of the check before the code."""
        return Fault(f"{check}_{self.code}", self.detail, self.line, self.offset)
