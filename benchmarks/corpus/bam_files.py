"""BAM: blocks, header, records, and the block that marks the end."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import chain
from typing import Final

from benchmarks.corpus import alignments, damage, foreign
from benchmarks.corpus.case import Case, Category, Flips, Maker
from benchmarks.corpus.packing import BGZF_BLOCK, BGZF_END, Header, bgzf, bgzf_block, bgzf_blocks, member
from benchmarks.corpus.reads import Read, fastq, illumina, long_read, nanopore, pacbio

MAKE: Final = Maker("BAM", Category.BAM, "mapped.bam", "bam_")
DAMAGED: Final = ("block_invalid", "crc_mismatch")
FIXED: Final = 18
"""Bytes of a block before its data."""
SMALL: Final = 2000


def cases() -> Iterator[Case]:
    """All of them."""
    data = alignments.bam_data(illumina())
    return chain(_good(data), _cut(data), _flipped(data), _wrong_blocks(data), _wrong_data(data), _foreign(data))


def _good(data: bytes) -> Iterator[Case]:
    reads = illumina()
    blocks = bgzf_blocks(data, SMALL)
    yield MAKE.good("mapped reads", alignments.bam(reads))
    yield MAKE.good("unmapped long reads, no references", alignments.bam(nanopore(), mapped=False))
    yield MAKE.good("HiFi reads", alignments.bam(pacbio(4)))
    yield MAKE.good("a header and no reads", alignments.bam([]))
    yield MAKE.good("a read of 1 megabase", alignments.bam([long_read(1_000_000)], mapped=False))
    yield MAKE.good("a read without letters", alignments.bam([Read(b"r", b"", b""), *reads]))
    yield MAKE.good("small blocks, records across them", bgzf(data, SMALL))
    yield MAKE.good("one byte a block, at first", b"".join(bgzf_blocks(data[:200], 1)) + bgzf(data[200:]))
    yield MAKE.good("the end's block in the middle too", b"".join([*blocks[:3], BGZF_END, *blocks[3:], BGZF_END]))
    yield MAKE.good("the end's block twice", b"".join(blocks) + BGZF_END * 2)
    yield MAKE.good("blocks that tell more than their size", b"".join(map(_with_another_field, blocks)) + BGZF_END)
    yield MAKE.good("a name that does not say BAM", bgzf(data), file_name="alignments")


def _with_another_field(block: bytes) -> bytes:
    """The block with another extra subfield before its own."""
    extra = struct.pack("<2sH4s", b"XX", 4, b"abcd") + struct.pack("<2sHH", b"BC", 2, len(block) + 8 - 1)
    return Header(extra=extra).bytes() + block[FIXED:]


def _cut(data: bytes) -> Iterator[Case]:
    blocks = bgzf_blocks(data, SMALL)
    whole = b"".join(blocks) + BGZF_END
    first = len(blocks[0])
    for place, end in (
        ("after 2 bytes", 2),
        ("after the magic bytes", 4),
        ("within the first block's header", 15),
        ("behind the first block's header", FIXED),
        ("within the first block's data", first // 2),
        ("within the first block's checksum", first - 6),
        ("1 byte before the end of the first block", first - 1),
        ("1 byte into the second block", first + 1),
        ("at half", len(whole) // 2),
        ("within the end's block", len(whole) - 10),
        ("before the last byte", len(whole) - 1),
    ):
        yield MAKE.bad(f"cut {place}", whole[:end], "truncated")
    for number in (1, 2, len(blocks) // 2, len(blocks) - 1):
        yield MAKE.bad(f"cut behind block {number}", b"".join(blocks[:number]), "eof_missing")
    yield MAKE.bad("without the end's block", b"".join(blocks), "eof_missing")
    yield MAKE.bad("without the end's block, as written by htslib", alignments.bam(illumina(3))[:-28], "eof_missing")
    yield MAKE.bad("end's block in the middle only", b"".join([*blocks[:3], BGZF_END, *blocks[3:]]), "eof_missing")
    records = _starts(data)
    for place, end in (
        ("in the size of a record", records[20] + 2),
        ("in the fixed part of a record", records[20] + 20),
        ("in the name of a record", records[20] + 40),
        ("in the last record", len(data) - 1),
    ):
        yield MAKE.bad(f"data cut {place}, well packed", bgzf(data[:end]), "record_truncated")
    for place, end in (("in the length of the text", 6), ("in the text", 30), ("in the references", records[0] - 5)):
        yield MAKE.bad(f"header cut {place}, well packed", bgzf(data[:end]), "header_invalid")
    yield MAKE.altered("data cut between two records, well packed", bgzf(data), bgzf(data[: records[20]]))


def _starts(data: bytes) -> list[int]:
    """Where the records begin."""
    at = 8 + int.from_bytes(data[4:8], "little")
    references = int.from_bytes(data[at : at + 4], "little")
    at += 4
    for _ in range(references):
        at += 8 + int.from_bytes(data[at : at + 4], "little")
    starts = []
    while at < len(data):
        starts.append(at)
        at += 4 + int.from_bytes(data[at : at + 4], "little")
    return starts


def _flipped(data: bytes) -> Iterator[Case]:
    blocks = bgzf_blocks(data, SMALL)
    whole = b"".join(blocks) + BGZF_END
    first = len(blocks[0])
    yield from MAKE.flips("data of the first block", whole, Flips(12, FIXED, first - 8, "bam data"), *DAMAGED)
    for index in (0, 3):
        checksum, length = (damage.flipped(whole, first - back + index, 2) for back in (8, 4))
        yield MAKE.bad(f"checksum: a bit of byte {index} flipped", checksum, "crc_mismatch")
        yield MAKE.bad(f"length: a bit of byte {index} flipped", length, "length_mismatch")
    for index in range(3):
        yield MAKE.bad(f"magic bytes: a bit of byte {index} flipped", damage.flipped(whole, index, 1), "not_bam")
    yield MAKE.bad("flags: the extra field's bit flipped", damage.flipped(whole, 3, 2), "not_bgzf")
    yield MAKE.bad("mark of the size: a bit flipped", damage.flipped(whole, 12, 0), "not_bgzf")
    yield MAKE.bad(
        "mark of the second block's size: a bit flipped", damage.flipped(whole, first + 12, 0), "block_invalid"
    )
    yield MAKE.bad("size: its lowest bit flipped", damage.flipped(whole, 16, 0), "block_invalid")
    yield MAKE.bad("size: its highest bit flipped", damage.flipped(whole, 17, 7), "block_invalid", "truncated")
    yield MAKE.altered("time: a bit flipped", whole, damage.flipped(whole, 4, 0))
    end = len(whole) - 28
    yield MAKE.bad("end's block: a bit of its time flipped", damage.flipped(whole, end + 5, 0), "eof_missing")
    yield MAKE.bad("end's block: a bit of its data flipped", damage.flipped(whole, end + FIXED, 0), *DAMAGED)
    yield MAKE.bad("end's block: a bit of its length flipped", damage.flipped(whole, end + 24, 0), "length_mismatch")
    hole = damage.overwritten(whole, len(whole) // 2, bytes(600))
    yield MAKE.bad("600 zeros in the middle", hole, *DAMAGED, "truncated", "length_mismatch")
    yield MAKE.bad("sent in text mode", damage.as_text_mode(whole), *DAMAGED, "truncated", "not_bgzf")
    yield MAKE.bad("read as UTF-8 and written again", damage.as_utf8(whole), "not_bam")
    yield MAKE.bad("the eighth bit dropped", damage.as_seven_bits(whole), "not_bam")


def _wrong_blocks(data: bytes) -> Iterator[Case]:
    blocks = bgzf_blocks(data, SMALL)
    whole = b"".join(blocks) + BGZF_END
    for name, more in (
        ("a line end", b"\n"),
        ("zeros", bytes(100)),
        ("text", b"-- end --"),
        ("a gzip member that is no block", member(b"more")),
        ("an HTML page", foreign.HTML),
    ):
        yield MAKE.bad(f"followed by {name}", whole + more, "trailing_bytes")
    yield MAKE.bad(
        "followed by a block with data",
        whole + bgzf_block(b"more"),
        "record_invalid",
        "record_truncated",
        "eof_missing",
    )
    yield MAKE.bad(
        "zeros between two blocks", b"".join([*blocks[:3], bytes(50), *blocks[3:], BGZF_END]), "block_invalid"
    )
    yield MAKE.bad(
        "a member that is no block between two",
        b"".join([*blocks[:3], member(b""), *blocks[3:], BGZF_END]),
        "block_invalid",
    )
    yield MAKE.bad(
        "a block is missing", b"".join([*blocks[:5], *blocks[6:], BGZF_END]), "record_invalid", "record_truncated"
    )
    yield MAKE.bad(
        "a block stands twice", b"".join([*blocks[:5], *blocks[4:], BGZF_END]), "record_invalid", "record_truncated"
    )
    yield MAKE.bad(
        "two blocks exchanged",
        b"".join([*blocks[:4], blocks[5], blocks[4], *blocks[6:], BGZF_END]),
        "record_invalid",
        "record_truncated",
    )
    yield MAKE.bad("two BAM files, one behind the other", bgzf(data) * 2, "record_invalid")
    yield from _wrong_sizes(blocks)


def _wrong_sizes(blocks: list[bytes]) -> Iterator[Case]:
    large = bgzf_block(b"A" * 100_000)
    yield MAKE.bad("a block of 100,000 bytes", b"".join(blocks) + large + BGZF_END, "block_invalid")
    wrong = bytearray(blocks[2])
    wrong[16:18] = struct.pack("<H", len(wrong) + 40)
    yield MAKE.bad(
        "a block that tells 41 bytes too many",
        b"".join([*blocks[:2], bytes(wrong), *blocks[3:], BGZF_END]),
        "block_invalid",
    )
    text = struct.pack("<4si", b"BAM\1", 1_300_000_000)
    letters = bgzf_block(b"A" * BGZF_BLOCK)
    yield MAKE.bad("a header of 1.3 GB", bgzf_block(text) + letters * 19_000 + BGZF_END, "bomb")


def _wrong_data(data: bytes) -> Iterator[Case]:
    """Well packed, but what is packed is wrong."""
    records = _starts(data)
    at = records[20]

    def put(offset: int, form: str, value: int) -> bytes:
        return bgzf(damage.overwritten(data, offset, struct.pack(form, value)))

    yield MAKE.bad("another version of the format", bgzf(b"BAM\2" + data[4:]), "not_bam")
    yield MAKE.bad("text longer than the data", put(4, "<I", 100_000_000), "header_invalid")
    yield MAKE.bad(
        "a million references", put(8 + int.from_bytes(data[4:8], "little"), "<I", 1_000_000), "header_invalid"
    )
    yield MAKE.bad(
        "no references, but reads on them", put(8 + int.from_bytes(data[4:8], "little"), "<I", 0), "record_invalid"
    )
    yield MAKE.bad("a record's size too small", put(at, "<i", 10), "record_invalid")
    yield MAKE.bad("a record's size below zero", put(at, "<i", -1), "record_invalid")
    yield MAKE.bad("a record's size longer than the file", put(at, "<i", 50_000_000), "record_truncated")
    yield MAKE.bad("a reference that the header does not have", put(at + 4, "<i", 7), "record_invalid")
    yield MAKE.bad("a mate on a reference that the header does not have", put(at + 24, "<i", 7), "record_invalid")
    yield MAKE.bad("a name without bytes", put(at + 12, "<B", 0), "record_invalid")
    yield MAKE.bad("more bases than fit", put(at + 20, "<i", 1_000_000), "record_invalid")
    yield MAKE.bad("more CIGAR operations than fit", put(at + 16, "<H", 60_000), "record_invalid")
    yield MAKE.bad(
        "10 bytes missing within", bgzf(data[: at + 50] + data[at + 60 :]), "record_invalid", "record_truncated"
    )
    yield MAKE.bad("zeros behind the last record", bgzf(data + bytes(100)), "record_invalid")


def _foreign(data: bytes) -> Iterator[Case]:
    whole, text = bgzf(data), fastq(illumina(50))
    yield MAKE.bad("no bytes at all", b"", "empty")
    yield MAKE.bad("only the end's block", BGZF_END, "not_bam")
    yield MAKE.bad("not packed", data, "not_bam")
    yield MAKE.bad("packed with gzip, without blocks", member(data), "not_bgzf")
    yield MAKE.bad("packed once more with gzip", member(whole), "not_bgzf")
    yield MAKE.bad("packed once more in blocks", bgzf(whole), "not_bam")
    yield MAKE.bad("SAM", foreign.SAM, "not_bam")
    yield MAKE.bad("SAM, gzipped", member(foreign.SAM), "not_bgzf")
    yield MAKE.bad("SAM in BGZF", bgzf(foreign.SAM), "not_bam")
    yield MAKE.bad("VCF in BGZF", bgzf(foreign.VCF), "not_bam")
    yield MAKE.bad("CRAM", alignments.cram(illumina(20), "3.0"), "not_bam")
    yield MAKE.bad("FASTQ", text, "not_bam")
    yield MAKE.bad("FASTQ, gzipped", member(text), "not_bgzf")
    yield MAKE.bad("FASTQ in BGZF", bgzf(text), "not_bam")
    yield MAKE.bad("the index of a BAM file", b"BAI\1" + struct.pack("<iii", 1, 0, 0), "not_bam")
    for program, packed in foreign.compressions(text, "mapped.bam").items():
        yield MAKE.bad(f"packed with {program}", packed, "not_bam")
    for name in ("an HTML page that says 403", "a pointer of Git LFS", "raw signal in HDF5"):
        yield MAKE.bad(name, foreign.documents()[name], "not_bam")
    fastq_case = Maker("BAM", Category.FASTQ, "mapped.fastq.gz", "fastq_")
    yield fastq_case.bad("handed in as FASTQ", whole, "header")
    yield fastq_case.bad("handed in as FASTQ, not packed", data, "header")
