"""What all kinds of packing have in common: how they are read, and what is said of those that cannot be."""

from __future__ import annotations

from typing import Protocol


class BrokenError(Exception):
    """What is packed cannot be unpacked; `sentence` is for the submitter."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Unpacker(Protocol):
    """Hands out what is unpacked, piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` unpacked bytes, none at the end; raises `BrokenError`."""


def too_short(what: str) -> BrokenError:
    """Something that is cut off, or goes on behind its end."""
    return BrokenError(f"The {what} ends too early, or has something behind its end. Pack it and send it again.")


def damaged(what: str, why: object) -> BrokenError:
    """Something that is not what whoever packed it has written."""
    return BrokenError(f"The {what} is damaged ({why}). Pack it and send it again.")
