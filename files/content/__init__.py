"""Content checks: what a file category may ask of the bytes of its files, one module a format."""

from __future__ import annotations

from files.content.base import CheckOutcome, ContentCheck, Limits
from files.content.fastq import FastqCheck
from files.content.gzip import GzipCheck

__all__ = ["CHECKS", "CheckOutcome", "ContentCheck", "Limits", "check_for"]

CHECKS: dict[str, type[ContentCheck]] = {
    GzipCheck.name: GzipCheck,
    FastqCheck.name: FastqCheck,
}


def check_for(name: str) -> type[ContentCheck]:
    """The check of that name, to be made anew for each file; raises `KeyError` for a name not in `CHECKS`."""
    return CHECKS[name]
