"""All cases of the corpus; a kind of file is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from benchmarks.corpus import (
    bam_files,
    claim_files,
    cram_files,
    fasta_files,
    fastq_files,
    fastq_gz_files,
    gzip_files,
    pair_files,
)
from benchmarks.corpus.case import Case

KINDS: Final[dict[str, Callable[[], Iterator[Case]]]] = {
    "gzip": gzip_files.cases,
    "fastq": fastq_files.cases,
    "fastq.gz": fastq_gz_files.cases,
    "bam": bam_files.cases,
    "cram": cram_files.cases,
    "fasta": fasta_files.cases,
    "pairs": pair_files.cases,
    "claims": claim_files.cases,
}


def cases(kinds: Iterable[str] = KINDS) -> Iterator[Case]:
    """The cases of these kinds, made as they are asked for: together they would take much memory."""
    for kind in kinds:
        yield from KINDS[kind]()
