"""What is said of a file, before, with and after sending it, and what the rules of a category say."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Final

from benchmarks.corpus import damage, foreign
from benchmarks.corpus.case import STORE_REFUSES, Case, Category, SentFile
from benchmarks.corpus.packing import bgzf, member
from benchmarks.corpus.reads import changed, fastq, illumina, old_illumina

Claims = Mapping[str, str | int]
NOTHING: Final[Claims] = {}
LARGEST: Final = 100_000
"""Bytes that a file of the ruled category may have."""


def cases() -> Iterator[Case]:
    """All of them."""
    return chain(_kept(), _wrong(), _changed_on_the_way(), _kept_rules(), _broken_rules())


def of(content: bytes) -> dict[str, str | int]:
    """All that can be claimed of these bytes."""
    return {
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
    }


def _claimed(name: str, file: SentFile, *codes: str, category: Category = Category.ANY) -> Case:
    return Case("claim", name, category, [file], frozenset(codes))


def _kept() -> Iterator[Case]:
    text = fastq(illumina())
    packed = gzip.compress(text, mtime=0)
    said, name = of(text), "reads.fastq"
    yield _claimed("size, sha256 and MD5 with the request", SentFile(name, text, said), category=Category.FASTQ)
    yield _claimed(
        "size, sha256 and MD5 with the complete call", SentFile(name, text, NOTHING, said), category=Category.FASTQ
    )
    yield _claimed("the same claims before and after", SentFile(name, text, said, said))
    upper = {"sha256": str(said["sha256"]).upper(), "md5": str(said["md5"]).upper()}
    yield _claimed("checksums in upper case", SentFile(name, text, upper))
    yield _claimed("size alone", SentFile(name, text, {"size": len(text)}))
    yield _claimed("no bytes, and size 0 claimed", SentFile("nothing.txt", b"", of(b"")))
    yield _claimed("sha256 in the checksum file", SentFile(name, text, listed=[str(said["sha256"])]))
    yield _claimed("MD5 in the checksum file", SentFile(name, text, listed=[str(said["md5"])]))
    yield _claimed(
        "sha256 and MD5 in the checksum file",
        SentFile("reads.fastq.gz", packed, listed=_sums(packed)),
        category=Category.FASTQ,
    )
    yield _claimed("a file that no check could read", SentFile("gel.png", foreign.PNG, of(foreign.PNG)))


def _sums(content: bytes) -> list[str]:
    said = of(content)
    return [str(said["sha256"]), str(said["md5"])]


def _wrong() -> Iterator[Case]:
    text, other = fastq(illumina()), fastq(old_illumina())
    said, lie = of(text), of(other)
    name = "reads.fastq"
    for what in ("sha256", "md5"):
        code = f"{what}_mismatch"
        yield _claimed(f"{what} of another file, with the request", SentFile(name, text, {what: lie[what]}), code)
        yield _claimed(
            f"{what} of another file, with the complete call", SentFile(name, text, NOTHING, {what: lie[what]}), code
        )
        yield _claimed(
            f"{what} of another file, in the checksum file", SentFile(name, text, listed=[str(lie[what])]), code
        )
        digest = str(said[what])
        off = digest[:-1] + ("0" if digest[-1] != "0" else "1")
        yield _claimed(f"{what} with another last digit", SentFile(name, text, {what: off}), code)
    right_size = {"size": said["size"], "sha256": lie["sha256"]}
    yield _claimed("the right size, another sha256", SentFile(name, text, right_size), "sha256_mismatch")
    yield _claimed("the right sha256, another MD5", SentFile(name, text, {**said, "md5": lie["md5"]}), "md5_mismatch")
    yield _claimed(
        "sha256 with the request, another MD5 in the checksum file",
        SentFile(name, text, said, listed=[str(lie["md5"])]),
        "md5_mismatch",
    )
    for words, size in (("one byte too many", len(text) + 1), ("one byte too few", len(text) - 1), ("nothing", 0)):
        yield _claimed(
            f"size with the complete call: {words}", SentFile(name, text, NOTHING, {"size": size}), "size_mismatch"
        )
        # The size is signed into the URL: the object store itself refuses another one.
        yield _claimed(f"size with the request: {words}", SentFile(name, text, {"size": size}), STORE_REFUSES)
    unpacked = {"sha256": said["sha256"]}
    yield _claimed(
        "sha256 of the file before it was packed", SentFile("reads.fastq.gz", member(text), unpacked), "sha256_mismatch"
    )
    yield _claimed(
        "another sha256 for damaged FASTQ: the claim is told",
        SentFile(name, text[:-9], {"sha256": said["sha256"]}),
        "sha256_mismatch",
        category=Category.FASTQ,
    )


def _changed_on_the_way() -> Iterator[Case]:
    """Legal before, legal after, and not the same."""
    reads = illumina()
    text = fastq(reads)
    half = len(fastq(reads[:100]))
    first, second = member(text[:half]), member(text[half:])
    changes = {
        "the last record lost": (text, fastq(reads[:-1])),
        "a record within lost": (text, fastq(reads[:50] + reads[51:])),
        "a record twice": (text, fastq([*reads, reads[-1]])),
        "two records exchanged": (text, fastq([reads[1], reads[0], *reads[2:]])),
        "another file's reads behind it": (text, text + fastq(old_illumina())),
        "LF became CRLF": (text, damage.as_text_mode(text)),
        "CRLF became LF": (damage.as_text_mode(text), text),
        "the last line end lost": (text, text[:-1]),
        "one read turned round": (text, fastq(changed(reads, 9, letters=reads[9].letters[::-1]))),
        "one quality changed": (text, damage.overwritten(text, text.index(b"FF:F"), b"FFFF")),
        "letters in lower case": (text, fastq([replace(read, letters=read.letters.lower()) for read in reads])),
        "packed on the way": (text, member(text)),
        "unpacked on the way": (member(text), text),
        "packed again": (member(text), member(text, level=1)),
        "the second member lost": (first + second, first),
        "the members exchanged": (first + second, second + first),
        "an empty member behind it": (first + second, first + second + member(b"")),
        "another file of the same kind": (text, fastq(old_illumina())),
        "BGZF became plain gzip": (bgzf(text), member(text)),
    }
    for name, (original, arrived) in changes.items():
        assert original != arrived, name
        file = SentFile("reads.fastq", arrived, {"sha256": str(of(original)["sha256"])})
        yield _claimed(name, file, "sha256_mismatch", category=Category.FASTQ)
    damaged = damage.flipped(foreign.PNG, 50, 3)
    yield _claimed(
        "a bit of a picture flipped", SentFile("gel.png", damaged, {"md5": of(foreign.PNG)["md5"]}), "md5_mismatch"
    )


def _ruled(name: str, file: SentFile, *codes: str) -> Case:
    return Case("rule", name, Category.RULED, [file], frozenset(codes))


def _kept_rules() -> Iterator[Case]:
    packed = member(fastq(illumina()))
    for name in ("reads.fastq.gz", "READS.FASTQ.GZ", "reads.fq.gz", "reads.bam.fq.gz", "Läufe 7.fastq.gz", ".fq.gz"):
        yield _ruled(f"named {name}", SentFile(name, packed))
    yield _ruled("as large as allowed", SentFile("reads.fastq.gz", bytes(LARGEST)))


def _broken_rules() -> Iterator[Case]:
    packed = member(fastq(illumina()))
    for name in (
        "reads.fastq",
        "reads.gz",
        "reads.fastq.gz.txt",
        "reads.fastq.bz2",
        "reads.fastq.zip",
        "fastq.gz",
        "reads.bam",
        "reads",
    ):
        yield _ruled(f"named {name}", SentFile(name, packed), "extension_not_allowed")
    for words, name in (
        ("a slash", "a/reads.fastq.gz"),
        ("a backslash", "a\\reads.fastq.gz"),
        ("a colon", "a:reads.fastq.gz"),
        ("a line end", "a\nreads.fastq.gz"),
        ("a space before it", " reads.fastq.gz"),
        ("its direction of writing turned", "\u202ereads.fastq.gz"),
        ("300 letters", "r" * 290 + ".fastq.gz"),
    ):
        yield _ruled(f"a name with {words}", SentFile(name, packed), "file_name_invalid")
    yield _ruled("one byte more than allowed", SentFile("reads.fastq.gz", bytes(LARGEST + 1)), "file_too_large")
    files = [SentFile(f"reads{number}.fastq.gz", packed) for number in range(3)]
    yield Case("rule", "three files where two are allowed", Category.RULED, files, frozenset({"too_many_files"}))
    for words, one, two in (
        ("twice", "reads.fq.gz", "reads.fq.gz"),
        ("in upper and lower case", "reads.fq.gz", "READS.fq.gz"),
        ("composed and in parts", "L\u00e4ufe.fq.gz", "La\u0308ufe.fq.gz"),
    ):
        same = [SentFile(one, packed), SentFile(two, packed)]
        yield Case("rule", f"one name {words}", Category.RULED, same, frozenset({"file_name_duplicate"}))
