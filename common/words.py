"""Sizes as people read them."""

from __future__ import annotations

UNITS = ("kB", "MB", "GB", "TB")


def size_words(size: int) -> str:
    """Bytes in decimal units with three digits, as the upload box writes them: `16_430_000` is “16.4 MB”."""
    if size < 1000:
        return f"{size} {'byte' if size == 1 else 'bytes'}"
    value, unit = size / 1000, 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{1 if value < 99.95 else 0}f} {UNITS[unit]}"
