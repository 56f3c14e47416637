"""Content checks: what a file category may ask of the bytes of its files, one module a format."""

from __future__ import annotations

from collections.abc import Iterable

from files.content.bam import BamCheck
from files.content.base import CheckOutcome, ContentCheck, Limits
from files.content.cram import CramCheck
from files.content.fasta import FastaCheck
from files.content.fastq import FastqCheck
from files.content.gzip import GzipCheck
from files.content.run import CheckRun

__all__ = ["CHECKS", "CheckOutcome", "CheckRun", "ContentCheck", "Limits", "check_for", "run_of"]

# Keep these in the order in which the choices of the model are.
CHECKS: dict[str, type[ContentCheck]] = {
    check.name: check for check in (GzipCheck, FastqCheck, BamCheck, CramCheck, FastaCheck)
}


def check_for(name: str) -> type[ContentCheck]:
    """The check of that name, to be made anew for each file; raises `KeyError` for a name not in `CHECKS`."""
    return CHECKS[name]


def run_of(names: Iterable[str], size: int | None = None) -> CheckRun:
    """The checks of these names over one file of `size` bytes; raises `KeyError` for a name not in `CHECKS`."""
    return CheckRun([check_for(name) for name in names], size)
