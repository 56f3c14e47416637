"""Gzipped FASTQ, in one member, in many, and in BGZF."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Final

from benchmarks.corpus import damage, foreign, packing
from benchmarks.corpus.case import Case, Category, Flips, Maker
from benchmarks.corpus.fastq_files import SEQUENCERS
from benchmarks.corpus.packing import Header, bgzf, bgzf_block, bgzf_blocks, member
from benchmarks.corpus.reads import (
    PLUS_SAYS_NAME,
    Read,
    changed,
    fastq,
    illumina,
    long_read,
    nanopore,
    old_illumina,
)

MAKE: Final = Maker("FASTQ.gz", Category.FASTQ, "reads.fastq.gz", "fastq_")
PACKING: Final = ("gzip_invalid_data", "gzip_crc_mismatch", "gzip_truncated")
LETTERS: Final = (
    "blank_line",
    "header",
    "name_missing",
    "sequence_letters",
    "separator",
    "name_differs",
    "quality_letters",
    "quality_length",
)
"""What wrong text can show before its wrong checksum is reached: of several faults the first is told."""
FULL: Final = Header(name=b"reads.fastq", comment=b"lane 2", extra=b"XX\x04\0abcd", checksum=True)
MEBIBYTE: Final = 1 << 20
GIGABYTE: Final = 1_000_000_000


def cases() -> Iterator[Case]:
    """All of them."""
    return chain(
        _good(), _good_members(), _huge(), _cut(), _cut_bgzf(), _flipped(), _wrong_fields(), _text(), _foreign()
    )


def _good() -> Iterator[Case]:
    text = fastq(illumina())
    for sequencer, make in SEQUENCERS.items():
        yield MAKE.good(f"{sequencer} reads", member(fastq(make(seed="packed"))))
    yield MAKE.good("not compressed, only stored", member(text, level=0))
    yield MAKE.good("fixed codes only", member(text, strategy=zlib.Z_FIXED))
    yield MAKE.good("best compression", member(text, level=9))
    yield MAKE.good("flushed every 4,096 bytes", packing.flushed(text, 4096))
    yield MAKE.good("header with a name", member(text, Header(name=b"reads.fastq")))
    yield MAKE.good("header with every field", member(text, FULL))
    yield MAKE.good("header with an extra field of 60,000 bytes", member(text, Header(extra=b"x" * 60_000)))
    yield MAKE.good("CRLF", member(fastq(illumina(), end=b"\r\n")))
    yield MAKE.good("no last line end", member(fastq(illumina(), last_end=False)))
    yield MAKE.good("name repeated after +", member(fastq(nanopore(), plus=PLUS_SAYS_NAME)))
    yield MAKE.good("a read of 4 megabases", member(fastq([long_read(4_000_000)]), level=1))
    yield MAKE.good("a name that does not say gzip", member(text), file_name="reads.fastq")
    letters = Read(b"r", b"A" * 150, b"F" * 150).record()
    yield MAKE.good("60 MB of one read", packing.repeated([(letters * 3000, 65)]))
    yield MAKE.good("a read of 100 megabases of one letter", _line_of(100_000_000))


def _line_of(letters: int) -> bytes:
    """One read of one letter, packed."""
    blocks, rest = divmod(letters, MEBIBYTE)
    line = ((b"A" * MEBIBYTE, blocks), (b"A" * rest, 1))
    qualities = ((b"F" * MEBIBYTE, blocks), (b"F" * rest, 1))
    return packing.repeated([(b"@long\n", 1), *line, (b"\n+\n", 1), *qualities, (b"\n", 1)])


def _good_members() -> Iterator[Case]:
    reads = illumina()
    text, half = fastq(reads), len(fastq(reads[:100]))
    first, second, empty = member(text[:half]), member(text[half:]), member(b"")
    yield MAKE.good("two members, between records", first + second)
    yield MAKE.good("two members, within a record", member(text[: half + 100]) + member(text[half + 100 :]))
    yield MAKE.good("two members, CRLF cut in two", _between_cr_and_lf(reads))
    yield MAKE.good("an empty member first", empty + first + second)
    yield MAKE.good("an empty member between two", first + empty + second)
    yield MAKE.good("an empty member last", first + second + empty)
    yield MAKE.good("members of 40 bytes", packing.members(text[:half], 40))
    yield MAKE.good("BGZF", bgzf(text))
    yield MAKE.good("BGZF of small blocks", bgzf(text, 500))
    yield MAKE.good("BGZF of long reads", bgzf(fastq(nanopore(30))))
    yield MAKE.good("BGZF without its last, empty block", b"".join(bgzf_blocks(text)))
    yield MAKE.good("two BGZF files, one behind the other", bgzf(text[:half]) + bgzf(text[half:]))


def _between_cr_and_lf(reads: list[Read]) -> bytes:
    text = fastq(reads, end=b"\r\n")
    place = text.index(b"\n", 5_000)
    return member(text[:place]) + member(text[place:])


def _huge() -> Iterator[Case]:
    """Small to send, gigabytes to read."""
    line = (b"A" * MEBIBYTE, GIGABYTE // MEBIBYTE + 1)
    yield MAKE.bad("a sequence of 1 GB", packing.repeated([(b"@long\n", 1), line, (b"\n+\n", 1)]), "line_too_long")
    yield MAKE.bad("a title of 1 GB", packing.repeated([(b"@", 1), line]), "line_too_long")
    spaces = (b" " * MEBIBYTE, GIGABYTE // MEBIBYTE + 1)
    yield MAKE.bad("a line of 1 GB behind a +", packing.repeated([(b"@r\nA\n+", 1), spaces]), "line_too_long")
    records = Read(b"r", b"A" * 2000, b"F" * 2000).record() * 250
    yield MAKE.bad("1.2 GB of one read", packing.repeated([(records, 1200)]), "gzip_bomb")
    yield MAKE.bad("1.2 GB of one read in many members", member(records, level=9) * 1200, "gzip_bomb")
    yield MAKE.bad("1.2 GB of zeros", packing.repeated([(bytes(MEBIBYTE), 1150)]), "header")


def _cut() -> Iterator[Case]:
    reads = old_illumina(seed="packed and cut")
    text = fastq(reads)
    whole = member(text, FULL)
    header = len(FULL.bytes())
    places = {
        "after 1 byte": 1,
        "after 2 bytes": 2,
        "after the magic bytes": 3,
        "behind the fixed header": 10,
        "within the extra field": 15,
        "within the name": 24,
        "within the comment": header - 6,
        "within the header's checksum": header - 1,
        "behind the header": header,
        "in the first byte of the data": header + 1,
        "at a quarter of the data": len(whole) // 4,
        "at half of the data": len(whole) // 2,
        "at nine tenths of the data": len(whole) * 9 // 10,
        "before the last byte of the data": len(whole) - 9,
        **{f"before the last {left} bytes": len(whole) - left for left in (8, 7, 5, 4, 3, 1)},
    }
    for place, end in places.items():
        yield MAKE.bad(f"cut {place}", whole[:end], "gzip_truncated")
    half = len(fastq(reads[:100]))
    first, second = member(text[:half]), member(text[half:])
    yield MAKE.bad("second member cut in its header", first + second[:6], "gzip_truncated")
    yield MAKE.bad("second member cut in its data", first + second[:900], "gzip_truncated")
    yield MAKE.bad("second member cut in its checksum", first + second[:-6], "gzip_truncated")
    yield MAKE.altered("cut between two members and two records", first + second, first)
    inside = member(text[: half + 30])
    yield MAKE.bad("cut between two members, within a record", inside, "truncated")
    for place, end in damage.cuts_in_record(reads[-1]).items():
        cut = text[: len(fastq(reads[:-1])) + end]
        yield MAKE.bad(f"text cut {place} before it was packed", member(cut), "truncated")


def _cut_bgzf() -> Iterator[Case]:
    text = fastq(illumina(seed="bgzf"))
    blocks = bgzf_blocks(text, 4096)
    for number in (1, 5, len(blocks) - 1):
        yield MAKE.bad(f"BGZF cut behind block {number}", b"".join(blocks[:number]), "truncated")
        yield MAKE.bad(
            f"BGZF cut 1 byte into block {number + 1}",
            b"".join(blocks[: number + 1])[: -len(blocks[number]) + 1],
            "gzip_truncated",
        )
        yield MAKE.bad(
            f"BGZF cut 1 byte before the end of block {number}", b"".join(blocks[:number])[:-1], "gzip_truncated"
        )
    yield MAKE.bad("BGZF cut within its last, empty block", bgzf(text, 4096)[:-3], "gzip_truncated")
    yield MAKE.altered("BGZF that has lost its last, empty block", bgzf(text, 4096), b"".join(blocks))
    yield MAKE.bad("BGZF with a block missing", b"".join([*blocks[:3], *blocks[4:]]) + packing.BGZF_END, *LETTERS)
    yield MAKE.bad("BGZF with two blocks exchanged", b"".join([blocks[1], blocks[0], *blocks[2:]]), *LETTERS)
    records = [bgzf_block(read.record()) for read in illumina(50)]
    yield MAKE.altered(
        "BGZF of one record a block, one missing", b"".join(records), b"".join(records[:20] + records[21:])
    )


def _flipped() -> Iterator[Case]:
    text = fastq(illumina(seed="packed and flipped"))
    whole = member(text)
    yield from MAKE.flips("data", whole, Flips(16, 10, len(whole) - 8, "fastq.gz data"), *PACKING, *LETTERS)
    blocks = bgzf(text, 4096)
    block = len(bgzf_block(text[:4096]))
    yield from MAKE.flips("first block of BGZF", blocks, Flips(6, 18, block - 8, "fastq bgzf data"), *PACKING, *LETTERS)
    stored = member(text, level=0)
    yield from MAKE.flips(
        "stored data", stored, Flips(6, 100, len(stored) - 8, "stored"), "gzip_crc_mismatch", *LETTERS
    )
    for index in range(4):
        place = len(whole) - 8 + index
        yield MAKE.bad(f"checksum: a bit of byte {index} flipped", damage.flipped(whole, place, 7), "gzip_crc_mismatch")
        yield MAKE.bad(
            f"length: a bit of byte {index} flipped", damage.flipped(whole, place + 4, 7), "gzip_length_mismatch"
        )
    for index in range(3):
        code = "header" if index < 2 else "compression_unsupported"  # the third byte names the method
        yield MAKE.bad(f"magic bytes: a bit of byte {index} flipped", damage.flipped(whole, index, 6), code)
    for name, offset in (("time", 5), ("extra flags", 8), ("system", 9)):
        yield MAKE.altered(f"{name} (byte {offset}): a bit flipped", whole, damage.flipped(whole, offset, 0))
    hole = damage.overwritten(whole, len(whole) // 2, bytes(512))
    yield MAKE.bad("512 zeros in the middle of the data", hole, *PACKING, *LETTERS)
    yield MAKE.bad("sent in text mode", damage.as_text_mode(whole), *PACKING, *LETTERS)
    yield MAKE.bad("read as UTF-8 and written again", damage.as_utf8(whole), "header")


def _wrong_fields() -> Iterator[Case]:
    text = fastq(illumina(50))
    packed = packing.PLAIN.bytes() + packing.deflated(text)
    whole = member(text)
    yield MAKE.bad("wrong checksum", packed + packing.trailer(text, crc=0xFFFFFFFF), "gzip_crc_mismatch")
    yield MAKE.bad("wrong length", packed + packing.trailer(text, length=0x100), "gzip_length_mismatch")
    yield MAKE.bad(
        "second member with a wrong checksum", whole + packed + packing.trailer(text, crc=2), "gzip_crc_mismatch"
    )
    yield MAKE.bad(
        "second member with a wrong length", whole + packed + packing.trailer(text, length=2), "gzip_length_mismatch"
    )
    yield MAKE.bad(
        "checksum of its own wrong in the header",
        Header(checksum=True).bytes()[:-2] + b"\1\2" + packed[10:],
        "gzip_invalid_data",
    )
    yield MAKE.bad("reserved flag set", member(text, Header(flags=0x40)), "gzip_invalid_data")
    for name, more in (
        ("a line end", b"\n"),
        ("one zero", b"\0"),
        ("10 KB of zeros", bytes(10_240)),
        ("text", b"end of file"),
        ("unpacked FASTQ", text),
    ):
        yield MAKE.bad(f"followed by {name}", whole + more, "gzip_trailing_bytes")
    yield MAKE.bad("followed by the start of a header", whole + packing.PLAIN.bytes()[:5], "gzip_truncated")


def _text() -> Iterator[Case]:
    """Well packed, but what is packed is wrong."""
    reads = illumina()
    text = fastq(reads)
    short = changed(reads, 150, qualities=b"FFF")
    yield MAKE.bad("one quality line too short", member(fastq(short)), "quality_length")
    yield MAKE.bad("one quality line too short, in BGZF", bgzf(fastq(short), 4096), "quality_length")
    yield MAKE.bad(
        "a letter that is no IUPAC code",
        member(fastq(changed(reads, 9, letters=b"ACGTO", qualities=b"FFFFF"))),
        "sequence_letters",
    )
    yield MAKE.bad("+ missing", member(text.replace(b"\n+\n", b"\n\n", 150)), "separator")
    yield MAKE.bad("a blank line at the end", member(text + b"\n"), "blank_line")
    yield MAKE.bad("wrapped lines", member(b"@r\nACGT\nACGT\n+\nFFFF\nFFFF\n" * 50), "separator")
    yield MAKE.bad("UTF-16", member(text.decode().encode("utf-16")), "header")
    yield MAKE.bad(
        "NUL in a sequence of the second member", member(text) + member(b"@r\nAC\0T\n+\nFFFF\n"), "sequence_letters"
    )


def _foreign() -> Iterator[Case]:
    reads = illumina(50)
    text = fastq(reads)
    yield MAKE.bad("nothing packed", member(b""), "empty")
    yield MAKE.bad("three members with nothing in them", member(b"") * 3, "empty")
    yield MAKE.bad("BGZF with nothing in it", packing.BGZF_END, "empty")
    yield MAKE.bad("a line end packed", member(b"\n"), "blank_line")
    yield MAKE.bad("packed twice with gzip", member(member(text)), "compression_unsupported")
    yield MAKE.bad("BGZF packed with gzip", member(bgzf(text)), "compression_unsupported")
    for program, data in foreign.compressions(text, "reads.fastq").items():
        yield MAKE.bad(f"packed with {program} under the name of gzip", data, "compression_unsupported")
        yield MAKE.bad(f"packed with {program} and then with gzip", member(data), "compression_unsupported")
    fasta = b"".join(b">%s\n%s\n" % (read.title, read.letters) for read in reads)
    yield MAKE.bad("FASTA", member(fasta), "header")
    yield MAKE.bad("SAM", member(foreign.SAM), "sequence_letters")
    yield MAKE.bad("a tar archive", member(foreign.tar(text, "reads.fastq")), "header")
    for name in ("an HTML page that says 403", "a metadata table", "raw signal in HDF5"):
        yield MAKE.bad(name, member(foreign.documents()[name]), "header")
    yield MAKE.bad("an HTML page, not packed", foreign.HTML, "header")
    yield MAKE.bad("no bytes at all", b"", "empty")
    yield MAKE.bad("a bare zlib stream", foreign.zlib_stream(text), "header")
