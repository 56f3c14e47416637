"""Reads as a sequencer writes them, with a fixed seed: what the benchmarks verify."""

from __future__ import annotations

import random
from pathlib import Path

from isal import igzip_lib

LENGTH = 150
QUALITIES = b"FFFFFFFFFFFFFFFFFFFF:::,,#"
RECORDS = 20_000
"""Records in a block; blocks are repeated under other tile numbers to make a file of any size."""


def block(seed: int) -> bytes:
    """Some 7 MB of paired-end Illumina reads, read 1, from a genome of 30 kb, with Casava titles."""
    draw = random.Random(seed)
    genome = bytes(draw.choices(b"ACGT", k=30_000))
    records = []
    for _ in range(RECORDS):
        start = draw.randrange(len(genome) - LENGTH)
        place = b"%d:%d:%d" % (1101 + seed, draw.randrange(1_000, 30_000), draw.randrange(1_000, 60_000))
        qualities = bytes(draw.choices(QUALITIES, k=LENGTH))
        letters = genome[start : start + LENGTH]
        records.append(b"@A00123:45:HXXXXDSXX:1:%s 1:N:0:ACGTACGT+TTGCAAGT\n%s\n+\n%s\n" % (place, letters, qualities))
    return b"".join(records)


def write_fastq(path: Path, size: int, *, gzipped: bool) -> int:
    """A FASTQ file of at least `size` bytes as stored; returns its size. Gzipped, it has a member for each block."""
    blocks = [block(seed) for seed in range(4)]
    if gzipped:
        blocks = [igzip_lib.compress(text, 3, igzip_lib.COMP_GZIP) for text in blocks]
    written = 0
    with path.open("wb") as file:
        while written < size:
            for data in blocks:
                written += file.write(data)
    return written


def write_random(path: Path, size: int) -> None:
    """A file of `size` bytes in which there is nothing to pack, as in most binary formats."""
    draw = random.Random(7)
    with path.open("wb") as file:
        for _ in range(0, size, 1 << 20):
            file.write(draw.randbytes(1 << 20))
