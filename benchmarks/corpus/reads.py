"""Reads as the sequencers of several makers write them, and FASTQ made of them; the same at every run."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

BINNED: Final = b"FFFFFFFFFFFFFFFFFFFF:::,,#"
PLUS_SAYS_NAME, PLUS_SAYS_TITLE = "name", "title"


@dataclass(frozen=True, slots=True)
class Read:
    """A read: its title without the mark, its letters, its qualities."""

    title: bytes
    letters: bytes
    qualities: bytes

    @property
    def name(self) -> bytes:
        """The first word of the title."""
        return self.title.replace(b"\t", b" ").partition(b" ")[0]

    def record(self, end: bytes = b"\n") -> bytes:
        """The four lines of FASTQ."""
        return end.join([b"@" + self.title, self.letters, b"+", self.qualities, b""])


def fastq(reads: Iterable[Read], *, end: bytes = b"\n", plus: str = "", last_end: bool = True) -> bytes:
    """FASTQ text; `plus` says what is repeated after the `+`."""
    lines = []
    for read in reads:
        repeated = {PLUS_SAYS_NAME: read.name, PLUS_SAYS_TITLE: read.title}.get(plus, b"")
        lines += [b"@" + read.title, read.letters, b"+" + repeated, read.qualities]
    return end.join(lines) + (end if last_end else b"")


def genome(draw: random.Random, length: int = 30_000) -> bytes:
    """Letters of a virus that nobody has."""
    return bytes(draw.choices(b"ACGT", k=length))


def _pieces(draw: random.Random, number: int, shortest: int, longest: int) -> list[bytes]:
    """Parts of a genome with a no-call here and there."""
    whole = genome(draw, longest * 3)
    pieces = []
    for _ in range(number):
        length = draw.randint(shortest, longest)
        start = draw.randrange(len(whole) - length)
        letters = bytearray(whole[start : start + length])
        if draw.random() < 0.1:
            letters[draw.randrange(length)] = ord("N")
        pieces.append(bytes(letters))
    return pieces


def illumina(number: int = 200, *, mate: int = 1, seed: str = "") -> list[Read]:
    """Paired reads with the titles of Casava 1.8 and later; both mates of a seed have the same names."""
    places = random.Random(f"illumina {seed}")
    draw = random.Random(f"illumina {seed} {mate}")
    reads = []
    for letters in _pieces(draw, number, 140, 151):
        place = b"1:%d:%d:%d" % (places.randint(1101, 2678), places.randint(1000, 32000), places.randint(1000, 37000))
        title = b"A00123:45:HXXXXDSXX:%s %d:N:0:ACGTACGT+TTGCAAGT" % (place, mate)
        reads.append(Read(title, letters, bytes(draw.choices(BINNED, k=len(letters)))))
    return reads


def old_illumina(number: int = 200, *, mate: int = 1, seed: str = "") -> list[Read]:
    """Paired reads with the older titles that end in /1 and /2."""
    places = random.Random(f"old {seed}")
    draw = random.Random(f"old {seed} {mate}")
    reads = []
    for letters in _pieces(draw, number, 72, 76):
        place = b"6:%d:%d:%d" % (places.randint(1, 120), places.randint(1, 1999), places.randint(1, 1999))
        qualities = bytes(draw.choices(range(ord("#"), ord("K")), k=len(letters)))
        reads.append(Read(b"HWUSI-EAS100R:%s#0/%d" % (place, mate), letters, qualities))
    return reads


def nanopore(number: int = 12, *, longest: int = 9_000, seed: str = "") -> list[Read]:
    """Long reads of every quality, their titles full of `key=value`."""
    draw = random.Random(f"nanopore {seed}")
    run = b"%040x" % draw.getrandbits(160)
    reads = []
    for index, letters in enumerate(_pieces(draw, number, min(300, longest), longest)):
        name = str(uuid.UUID(int=draw.getrandbits(128), version=4)).encode()
        said = b"runid=%s sampleid=swab-7 read=%d ch=%d start_time=2024-05-17T09:%02d:41Z model=sup@v4.3"
        title = name + b" " + said % (run, 100 + index, draw.randint(1, 512), draw.randrange(60))
        reads.append(Read(title, letters, bytes(draw.choices(range(ord("!"), ord("S")), k=len(letters)))))
    return reads


def pacbio(number: int = 8, *, seed: str = "") -> list[Read]:
    """HiFi reads, with qualities up to the last one that there is."""
    draw = random.Random(f"pacbio {seed}")
    reads = []
    for letters in _pieces(draw, number, 4_000, 9_000):
        title = b"m64011_190830_220126/%d/ccs" % draw.randint(1, 180_000_000)
        qualities = bytes(draw.choices(b"~~~~~~~~~~~~~~}{zyxwtqnkhR5", k=len(letters)))
        reads.append(Read(title, letters, qualities))
    return reads


def archived(number: int = 200, *, seed: str = "") -> list[Read]:
    """Reads as the sequence archives hand them out: numbered, the length in the title."""
    draw = random.Random(f"archived {seed}")
    return [
        Read(
            b"SRR001666.%d 071112_SLXA-EAS1_s_7:5:1:%d:%d length=%d"
            % (index, draw.randint(1, 999), draw.randint(1, 999), len(letters)),
            letters,
            bytes(draw.choices(range(ord("%"), ord("I")), k=len(letters))),
        )
        for index, letters in enumerate(_pieces(draw, number, 36, 72), start=1)
    ]


def changed(reads: Sequence[Read], index: int, **parts: bytes) -> list[Read]:
    """The reads, one of them with other parts."""
    made = list(reads)
    made[index] = replace(made[index], **parts)
    return made


def long_read(letters: int, *, lower: bool = False, seed: str = "") -> Read:
    """A read of any length."""
    draw = random.Random(f"long {seed} {letters}")
    text = draw.randbytes(letters // 4).translate(bytes(b"ACGT"[value % 4] for value in range(256))) * 4
    return Read(b"chromosome-scale runid=7", text.lower() if lower else text, b"5" * len(text))
