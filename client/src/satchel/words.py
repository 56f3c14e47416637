"""Sizes, times, counts and names as people read them; the same words as on Satchel's pages."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ("kB", "MB", "GB", "TB")


def size_words(size: float) -> str:
    """Bytes in decimal units with three digits: `16_430_000` is “16.4 MB”."""
    if size < 1000:
        return f"{size:.0f} {'byte' if size == 1 else 'bytes'}"
    value, unit = size / 1000, 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{1 if value < 99.95 else 0}f} {_UNITS[unit]}"


def many(count: int, one: str, several: str = "") -> str:
    """`many(2, "file")` is “2 files”; `several` for nouns that need more than an s."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Up to three names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def duration_words(seconds: float) -> str:
    """Seconds as a rough time."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} seconds"
    minutes = round(seconds / 60)
    return f"about {many(minutes, 'minute')}" if minutes < 60 else f"about {minutes // 60} h {minutes % 60} min"


def quoted(text: str) -> str:
    """A name as it stands in a sentence: in quotation marks, cut at 60 characters.

    What cannot be seen is written as an escape: a name with a control character must not command the terminal.
    """
    cut = text if len(text) <= 60 else f"{text[:59]}…"
    return f"“{visible(cut)}”"


def visible(text: str) -> str:
    """The text with an escape in the place of each character that cannot be seen, line ends among them."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
