"""CRAM: definition, containers, blocks, and the container that marks the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from benchmarks.corpus import alignments, damage, foreign
from benchmarks.corpus.case import Case, Category, Maker
from benchmarks.corpus.packing import bgzf, member
from benchmarks.corpus.reads import fastq, illumina, nanopore

MAKE: Final = Maker("CRAM", Category.CRAM, "mapped.cram", "cram_")
DAMAGED: Final = ("crc_mismatch", "container_invalid", "block_invalid", "truncated")
DEFINITION: Final = 26
END: Final = 38
"""Bytes of the container that marks the end, from version 3 on."""


def cases() -> Iterator[Case]:
    """All of them."""
    whole = alignments.cram(illumina(), "3.0", options=["seqs_per_slice=40"])
    return chain(_good(), _cut(whole), _flipped(whole), _containers_moved(whole), _old(), _foreign(whole))


def _good() -> Iterator[Case]:
    reads = illumina()
    for version in ("2.1", "3.0", "3.1"):
        yield MAKE.good(f"version {version}", alignments.cram(reads, version))
    yield MAKE.good("version 3.1, several containers", alignments.cram(reads, "3.1", options=["seqs_per_slice=20"]))
    yield MAKE.good(
        "several slices a container",
        alignments.cram(reads, "3.0", options=["seqs_per_slice=20", "slices_per_container=4"]),
    )
    yield MAKE.good("unmapped long reads", alignments.cram(nanopore(), "3.0", mapped=False))
    yield MAKE.good("a header and no reads", alignments.cram([], "3.0"))
    yield MAKE.good(
        "packed with bzip2 and LZMA inside", alignments.cram(reads, "3.0", options=["use_bzip2=1", "use_lzma=1"])
    )


def containers(data: bytes) -> list[int]:
    """Where the containers of a file of version 3 begin, that of the header first."""
    starts, at = [], DEFINITION
    while at < len(data):
        starts.append(at)
        length = int.from_bytes(data[at : at + 4], "little")
        at = _header_end(data, at + 4) + length
    return starts


def _header_end(data: bytes, at: int) -> int:
    """Where the blocks begin, of a container whose numbers begin at `at` (CRAM specification 3, section 7)."""
    for _ in range(4):
        at += _width(data[at], 5)
    for _ in range(2):
        at += _width(data[at], 9)
    at += _width(data[at], 5)
    slices = data[at]
    assert slices < 0x80, "the corpus writes few slices"
    at += 1
    for _ in range(slices):
        at += _width(data[at], 5)
    return at + 4


def _width(first: int, most: int) -> int:
    """Bytes of a number, by the ones that lead its first byte (section 2.3)."""
    return min(most, 9 - (first ^ 0xFF).bit_length())


def _cut(whole: bytes) -> Iterator[Case]:
    starts = containers(whole)
    for place, end in (
        ("after 2 bytes", 2),
        ("after the magic bytes", 4),
        ("within the definition", 20),
        ("within the first container's header", DEFINITION + 6),
        ("within the header of the file", starts[1] - 200),
        ("1 byte before the second container", starts[1] - 1),
        ("within a container's header", starts[2] + 5),
        ("at half", len(whole) // 2),
        ("within the last block", starts[-1] - 20),
        ("in the last checksum", starts[-1] - 2),
        ("in the end's container", len(whole) - 20),
        ("before the last byte", len(whole) - 1),
    ):
        yield MAKE.bad(f"cut {place}", whole[:end], "truncated")
    yield MAKE.bad("cut behind the definition", whole[:DEFINITION], "eof_missing", "truncated")
    for number in (1, 2, len(starts) - 1):
        yield MAKE.bad(f"cut behind container {number}", whole[: starts[number]], "eof_missing")


def _flipped(whole: bytes) -> Iterator[Case]:
    starts = containers(whole)
    for words, data in damage.flips(whole, 20, start=DEFINITION, end=len(whole) - END, seed="cram"):
        yield MAKE.bad(words, data, *DAMAGED)
    for index in range(4):
        yield MAKE.bad(f"magic bytes: a bit of byte {index} flipped", damage.flipped(whole, index, 0), "not_cram")
    yield MAKE.bad("version: a bit flipped", damage.flipped(whole, 4, 2), "version_unsupported")
    yield MAKE.bad("lesser version: a bit flipped", damage.flipped(whole, 5, 2), "version_unsupported")
    yield MAKE.altered("ID in the definition: a bit flipped", whole, damage.flipped(whole, 10, 2))
    for index in (0, 3):
        data = damage.flipped(whole, starts[1] + index, 1)
        yield MAKE.bad(f"length of a container: a bit of byte {index} flipped", data, *DAMAGED)
    for offset in (0, 3):
        data = damage.flipped(whole, starts[2] - 4 + offset, 6)
        yield MAKE.bad(f"last checksum of a container: a bit of byte {offset} flipped", data, "crc_mismatch")
    for back in (END, 30, 20, 4):
        data = damage.flipped(whole, len(whole) - back, 0)
        yield MAKE.bad(f"end's container: a bit of byte {END - back} flipped", data, *DAMAGED, "eof_missing")
    hole = damage.overwritten(whole, starts[3] + 100, bytes(300))
    yield MAKE.bad("300 zeros within a container", hole, *DAMAGED)
    yield MAKE.bad("sent in text mode", damage.as_text_mode(whole), *DAMAGED, "version_unsupported")
    yield MAKE.bad("read as UTF-8 and written again", damage.as_utf8(whole), *DAMAGED)
    yield MAKE.bad("the eighth bit dropped", damage.as_seven_bits(whole), *DAMAGED)
    yield MAKE.bad("20 bytes missing", whole[: starts[2] + 200] + whole[starts[2] + 220 :], *DAMAGED)


def _containers_moved(whole: bytes) -> Iterator[Case]:
    starts = containers(whole)
    end = whole[starts[-1] :]
    for name, more in (
        ("a line end", b"\n"),
        ("zeros", bytes(100)),
        ("an HTML page", foreign.HTML),
        ("a second CRAM file", whole),
        ("the end's container once more", end),
    ):
        yield MAKE.bad(f"followed by {name}", whole + more, "trailing_bytes")
    yield MAKE.bad("without the end's container", whole[: starts[-1]], "eof_missing")
    yield MAKE.bad("the end's container within", whole[: starts[3]] + end + whole[starts[3] :], "trailing_bytes")
    yield MAKE.bad("zeros between two containers", whole[: starts[3]] + bytes(64) + whole[starts[3] :], *DAMAGED)
    yield MAKE.bad(
        "the header's container missing", whole[:DEFINITION] + whole[starts[1] :], "container_invalid", "block_invalid"
    )
    yield MAKE.bad("only definition and end", whole[:DEFINITION] + end, "container_invalid", "block_invalid")
    yield MAKE.altered("a container missing", whole, whole[: starts[2]] + whole[starts[3] :])


def _old() -> Iterator[Case]:
    """Version 2.1 has no checksums: what is not seen by its sizes can only be told by a claim."""
    old = alignments.cram(illumina(), "2.1")
    yield MAKE.bad("version 2.1 cut at half", old[: len(old) // 2], "truncated")
    yield MAKE.bad("version 2.1 without the end's container", old[:-30], "eof_missing")
    yield MAKE.bad("version 2.1, zeros behind it", old + bytes(10), "trailing_bytes")
    yield MAKE.bad("version 2.1, 20 bytes missing", old[:-500] + old[-480:], *DAMAGED)
    yield MAKE.altered("version 2.1, a bit of its data flipped", old, damage.flipped(old, len(old) - 200, 3))
    yield MAKE.bad("version 3.0 that says 2.1", b"CRAM\2\1" + alignments.cram(illumina(), "3.0")[6:], *DAMAGED)
    yield MAKE.bad("a version that there is not", b"CRAM\7\0" + old[6:], "version_unsupported")


def _foreign(whole: bytes) -> Iterator[Case]:
    reads = illumina(50)
    text = fastq(reads)
    bam = alignments.bam(reads)
    for name, data in (
        ("BAM", bam),
        ("SAM", foreign.SAM),
        ("FASTQ", text),
        ("FASTQ, gzipped", member(text)),
        ("FASTA", b">r\nACGT\n"),
        ("packed once more with gzip", member(whole)),
        ("packed once more in blocks", bgzf(whole)),
        ("its index, gzipped", member(b"0\t100\t500\t26\t10\t900\n")),
        ("a tar archive", foreign.tar(whole, "mapped.cram")),
        ("a space before it", b" " + whole),
        *[(f"packed with {program}", data) for program, data in foreign.compressions(text, "mapped.cram").items()],
        *[(name, foreign.documents()[name]) for name in ("an HTML page that says 403", "a pointer of Git LFS", "PDF")],
    ):
        yield MAKE.bad(name, data, "not_cram")
    yield MAKE.bad("no bytes at all", b"", "empty")
    yield Maker("CRAM", Category.FASTQ, "mapped.fastq", "fastq_").bad("handed in as FASTQ", whole, "header")
    yield Maker("CRAM", Category.BAM, "mapped.bam", "bam_").bad("handed in as BAM", whole, "not_bam")
