"""One case of the corpus: the files of one entry, and what should become of it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from benchmarks.corpus import damage

STORE_REFUSES: Final = "SignatureDoesNotMatch"
"""What the object store says to a file of another size than its URL was signed for."""


class Category(StrEnum):
    """The file categories of the corpus's organism; what each asks for is in `organism.py`."""

    GZIP = "packed"
    FASTQ = "reads"
    PAIRS = "readPairs"
    BAM = "alignments"
    CRAM = "compactAlignments"
    FASTA = "assemblies"
    ANY = "anything"
    RULED = "ruled"


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it is sent: its name in the file mapping and its bytes.

    `claims` are sent with the request for an upload and `late_claims` with the call that completes it, in the API's
    own words; `listed` has checksums for the checksum file of the submission.
    """

    name: str
    content: bytes
    claims: Mapping[str, str | int] = field(default_factory=dict)
    late_claims: Mapping[str, str | int] = field(default_factory=dict)
    listed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """An entry with files in one category. `expected` has the codes of which any is right; none for a good one."""

    kind: str
    name: str
    category: Category
    files: Sequence[SentFile]
    expected: frozenset[str] = frozenset()

    @property
    def good(self) -> bool:
        """Whether it should be accepted."""
        return not self.expected

    def fits(self, found: Collection[str]) -> bool:
        """Whether these codes, none for an accepted entry, are as expected."""
        return set(found) <= self.expected and bool(found) == bool(self.expected)


@dataclass(frozen=True, slots=True)
class Flips:
    """Where bits are flipped: so many, from `start` to before `end`, other ones for each seed."""

    number: int
    start: int
    end: int
    seed: str


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the cases of one kind that have one file in one category; `prefix` stands before each code."""

    kind: str
    category: Category
    file_name: str
    prefix: str = ""

    def good(self, name: str, content: bytes, *, file_name: str = "") -> Case:
        """A file that is as it should be."""
        return Case(self.kind, name, self.category, [SentFile(file_name or self.file_name, content)])

    def bad(self, name: str, content: bytes, *codes: str, file_name: str = "") -> Case:
        """A file that must be refused, with one of the codes."""
        expected = frozenset(self.prefix + code for code in codes)
        return Case(self.kind, name, self.category, [SentFile(file_name or self.file_name, content)], expected)

    def altered(self, name: str, original: bytes, arrived: bytes) -> Case:
        """A file that changed on its way into another legal one: nothing but the claim can tell."""
        claims = {"sha256": hashlib.sha256(original).hexdigest()}
        files = [SentFile(self.file_name, arrived, claims)]
        return Case(self.kind, name, self.category, files, frozenset({"sha256_mismatch"}))

    def flips(self, words: str, data: bytes, places: Flips, *codes: str) -> Iterator[Case]:
        """Files of gzip data with one bit flipped each; where that changes nothing in them, only a claim can tell."""
        text = gzip.decompress(data)
        for where, flipped in damage.flips(data, places.number, start=places.start, end=places.end, seed=places.seed):
            alike = damage.unpacks_alike(flipped, text)
            name = f"{words}: {where}"
            yield self.altered(name, data, flipped) if alike else self.bad(name, flipped, *codes)
