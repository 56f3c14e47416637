"""The BAM check: files that samtools' library has written, and every way to break them."""

from __future__ import annotations

import gzip
import struct
import tempfile
import tracemalloc
import zlib
from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.content import CheckOutcome, Limits
from files.content.bam import BamCheck
from files.content.bgzf import END_BLOCK
from tests.content_checks import fed

HEADER = pysam.AlignmentHeader.from_dict(
    {"HD": {"VN": "1.6"}, "SQ": [{"SN": "segment1", "LN": 2000}, {"SN": "segment2", "LN": 900}]}
)


def check(data: bytes, cuts: tuple[int, ...] = (), limits: Limits | None = None) -> CheckOutcome:
    """The outcome for this file, fed in chunks that end at `cuts`."""
    return fed(BamCheck(len(data), limits or Limits()), data, cuts)


def block(data: bytes, *, extra: bytes = b"", level: int = 6) -> bytes:
    """One BGZF block with these data, written by the specification; `extra` are subfields before the one needed."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    length = len(extra) + 6
    size = 12 + length + len(packed) + 8
    header = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<H", length) + extra + b"BC\2\0"
    return header + struct.pack("<H", size - 1) + packed + struct.pack("<II", zlib.crc32(data), len(data))


def header(names: tuple[bytes, ...] = (b"segment1\0",), text: bytes = b"@HD\tVN:1.6\n") -> bytes:
    """The unpacked header of a BAM file."""
    references = b"".join(struct.pack("<I", len(name)) + name + struct.pack("<I", 2000) for name in names)
    return b"BAM\1" + struct.pack("<I", len(text)) + text + struct.pack("<I", len(names)) + references


def record(bases: int = 5, *, more: int = 0, reference: int = 0, mate: int = -1, name: bytes = b"read1\0") -> bytes:
    """An unpacked record without CIGAR; `more` is added to the size that it tells."""
    rest = name + bytes((max(bases, 0) + 1) // 2) + b"\x1e" * max(bases, 0)
    fixed = struct.pack("<iiBBHHHiiii", reference, 10, len(name), 60, 4680, 0, 0, bases, mate, -1, 0)
    return struct.pack("<i", len(fixed + rest) + more) + fixed + rest


def packed(*parts: bytes) -> bytes:
    """A file with a block for each of these parts, and the one for the end."""
    return b"".join(map(block, parts)) + END_BLOCK


def changed(data: bytes, position: int, bit: int = 1) -> bytes:
    """The data with one bit of one byte turned; negative positions count from the end."""
    damaged = bytearray(data)
    damaged[position] ^= bit
    return bytes(damaged)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A BAM file of many blocks, as samtools' library writes it."""
    return written_by_pysam(tmp_path_factory.mktemp("bam") / "reads.bam", mode="wb", reads=3000)


def written_by_pysam(path: Path, *, mode: str, reads: int, length: int = 150) -> bytes:
    with pysam.AlignmentFile(str(path), mode, header=HEADER) as file:
        for number in range(reads):
            read = pysam.AlignedSegment(HEADER)
            read.query_name = f"read{number}"
            read.query_sequence = "ACGTTGCANG"[number % 7 :] * (length // 3)
            read.query_qualities_str = "I" * len(read.query_sequence)
            read.reference_id = number % 3 - 1
            read.is_unmapped = read.reference_id < 0
            if not read.is_unmapped:
                read.reference_start = number % 500
                read.cigarstring = f"{len(read.query_sequence)}M"
            read.set_tag("NM", number % 5)
            file.write(read)
    return path.read_bytes()


GOOD = packed(header(), record() + record(9))
FIRST = block(header())
LONG_TEXT = header(text=b"@CO\t" + b"x" * 150_000 + b"\n")
WRONG_SIZE = FIRST[:16] + struct.pack("<H", 20) + FIRST[18:]
TOO_SHORT = FIRST[:16] + struct.pack("<H", len(FIRST) - 5) + FIRST[18:]
TOO_LARGE = block(header() + bytes(70_000))
# What fills a block behind a record without bases.
FULL = (64 << 10) - len(record(0))
JOINED = FIRST[:-8] + b"\0" + FIRST[-8:]
JOINED = JOINED[:16] + struct.pack("<H", len(JOINED) - 1) + JOINED[18:]

# For each: the file, the code without "bam_", the offset.
FAULTS = {
    "no bytes": (b"", "empty", 0),
    "SAM": (b"@HD\tVN:1.6\n@SQ\tSN:c\tLN:9\n", "not_bam", 0),
    "a short text": (b"ACGT", "not_bam", 0),
    "BAM without its packing": (header() + record(), "not_bam", 0),
    "gzipped BAM data": (gzip.compress(header() + record()), "not_bgzf", 0),
    "gzip with another extra field": (FIRST[:12] + b"XY" + FIRST[14:] + END_BLOCK, "not_bgzf", 0),
    "FASTQ in blocks": (packed(b"@read1\nACGT\n+\nIIII\n"), "not_bam", 0),
    "only the end block": (END_BLOCK, "not_bam", 0),
    "ends in the magic": (GOOD[:2], "truncated", 2),
    "ends in the fixed header": (GOOD[:11], "truncated", 11),
    "ends in the extra field": (GOOD[:15], "truncated", 15),
    "ends in the data": (GOOD[:40], "truncated", 40),
    "ends in the second block": (GOOD[: len(FIRST) + 30], "truncated", len(FIRST) + 30),
    "ends in the end block": (GOOD[:-1], "truncated", len(GOOD) - 1),
    "ends between blocks": (GOOD[:-28], "eof_missing", len(GOOD) - 28),
    "ends after the header": (FIRST, "eof_missing", len(FIRST)),
    "another empty block at the end": (FIRST + changed(END_BLOCK, 4), "eof_missing", len(FIRST) + 28),
    "reserved block type": (FIRST[:18] + b"\xff" + FIRST[19:] + END_BLOCK, "block_invalid", 0),
    "a size too small for its header": (WRONG_SIZE + END_BLOCK, "block_invalid", 0),
    "a size too small for its data": (TOO_SHORT + END_BLOCK, "block_invalid", 0),
    "a size too large for its data": (JOINED + END_BLOCK, "block_invalid", 0),
    "more than 64 KiB in a block": (TOO_LARGE + END_BLOCK, "block_invalid", 0),
    "text between blocks": (FIRST + b"text" + END_BLOCK, "block_invalid", len(FIRST)),
    "a plain gzip member between blocks": (FIRST + gzip.compress(record()) + END_BLOCK, "block_invalid", len(FIRST)),
    "wrong checksum": (changed(FIRST, -8) + END_BLOCK, "crc_mismatch", len(FIRST) - 8),
    "wrong length": (changed(FIRST, -4) + END_BLOCK, "length_mismatch", len(FIRST) - 4),
    "text behind": (GOOD + b"\n", "trailing_bytes", len(GOOD)),
    "zeros behind": (GOOD + bytes(512), "trailing_bytes", len(GOOD)),
    "a gzip member behind": (GOOD + gzip.compress(b"x"), "trailing_bytes", len(GOOD)),
    "a header without its references": (packed(header()[:-30]), "header_invalid", len(packed(header()[:-30]))),
    "a header without its text": (packed(LONG_TEXT[:5000]), "header_invalid", len(packed(LONG_TEXT[:5000]))),
    "a header without its number": (packed(header()[:6]), "header_invalid", len(packed(header()[:6]))),
    "a name of no bytes": (packed(header((b"",))), "header_invalid", 0),
    "an endless name": (packed(header()[:-17] + b"\xff\xff\xff\xff"), "header_invalid", 0),
    "a name without its zero": (packed(header((b"c\0", b"segment"))), "header_invalid", 0),
    "a size too small for a record": (packed(header(), record(more=-1)), "record_invalid", len(FIRST)),
    "a negative size": (packed(header(), struct.pack("<i", -5) + record()[4:]), "record_invalid", len(FIRST)),
    "a record without a name": (packed(header(), record(name=b"")), "record_invalid", len(FIRST)),
    "fewer than no bases": (packed(header(), record(-1)), "record_invalid", len(FIRST)),
    "a reference that is not there": (packed(header(), record(reference=1)), "record_invalid", len(FIRST)),
    "a negative reference": (packed(header(), record(reference=-2)), "record_invalid", len(FIRST)),
    "a mate's reference that is not there": (packed(header(), record(mate=1)), "record_invalid", len(FIRST)),
    "a mate's negative reference": (packed(header(), record(mate=-2)), "record_invalid", len(FIRST)),
    "a second file": (GOOD + GOOD, "record_invalid", len(GOOD)),
    "the data end in a record": (
        packed(header(), record()[:-1]),
        "record_truncated",
        len(packed(header(), record()[:-1])),
    ),
    "the data end in a size": (
        packed(header() + record()[:3]),
        "record_truncated",
        len(packed(header() + record()[:3])),
    ),
}

# For each: the file, its number of references, records, blocks.
SOUND = {
    "two records": (GOOD, 1, 2, 3),
    "a header and no records": (packed(header()), 1, 0, 2),
    "no references": (packed(header((), b""), record(reference=-1)), 0, 1, 3),
    "a header over several blocks": (
        packed(LONG_TEXT[:60_000], LONG_TEXT[60_000:120_000], LONG_TEXT[120_000:]),
        1,
        0,
        4,
    ),
    "blocks of one byte": (
        packed(*[bytes([byte]) for byte in header() + record()]),
        1,
        1,
        len(header() + record()) + 1,
    ),
    "records over several blocks": (packed(header() + record(90)[:20], record(90)[20:50], record(90)[50:]), 1, 1, 4),
    "an end block in the middle": (packed(header()) + packed(record()), 1, 1, 4),
    "empty blocks": (packed(b"", header(), b"", b"", record()), 1, 1, 6),
    "another subfield first": (block(header(), extra=b"XY\3\0abc") + END_BLOCK, 1, 0, 2),
    "not compressed": (block(header() + record(), level=0) + END_BLOCK, 1, 1, 2),
    "a full block": (packed(header() + record(), record(0, more=FULL) + bytes(FULL)), 1, 2, 3),
    "both references": (packed(header((b"a\0", b"b\0")), record(reference=1, mate=0)), 2, 1, 3),
}


@pytest.mark.parametrize(("data", "problem", "offset"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_code_and_offset(data: bytes, problem: str, offset: int) -> None:
    outcome = check(data)
    assert (outcome.passed, outcome.code, outcome.offset) == (False, f"bam_{problem}", offset), outcome.detail
    assert outcome.line is None
    assert outcome.data == {}
    assert outcome.detail.endswith(".")
    assert check(data, tuple(range(min(len(data), 2000)))) == outcome


@pytest.mark.parametrize(("data", "references", "records", "blocks"), SOUND.values(), ids=SOUND)
def test_a_sound_file_passes_and_tells_what_is_in_it(data: bytes, references: int, records: int, blocks: int) -> None:
    outcome = check(data)
    assert (outcome.passed, outcome.detail) == (True, "")
    found = {"references": references, "records": records, "blocks": blocks, "unpackedSize": len(gzip.decompress(data))}
    assert outcome.data == found
    assert check(data, tuple(range(0, len(data), 7))) == outcome


def test_every_code_has_an_example() -> None:
    # What needs limits of its own has its own test below.
    assert {f"bam_{problem}" for _, problem, _ in FAULTS.values()} | {"bam_bomb"} == set(BamCheck.problems)


LOOKS = {
    "a SAM file": b"@SQ\tSN:c\tLN:9\n",
    "a FASTQ file": b"@read1\nACGT\n+\nIIII\n",
    "a CRAM file": b"CRAM\3\0" + bytes(40),
    "the index of a BAM file": b"BAI\1" + bytes(40),
    "a BAM file that was unpacked": header(),
}


@pytest.mark.parametrize(("what", "data"), LOOKS.items(), ids=LOOKS)
def test_another_format_is_refused_by_its_name(what: str, data: bytes) -> None:
    assert f"It looks like {what}. Upload a BAM file." in check(data).detail
    if what != "a BAM file that was unpacked":
        assert f"holds something else. It looks like {what}. Upload" in check(packed(data)).detail


def test_a_detail_says_where_and_what_and_what_to_do() -> None:
    outcome = check(packed(header(), record() + record(reference=7)))
    assert outcome.detail == (
        f"What stands for record 2, in the block at byte {len(FIRST)}, is on reference number 7, of which the header "
        "has 1: write it again with samtools or another program for BAM."
    )
    assert "join BAM files with samtools cat or samtools merge." in check(GOOD + GOOD).detail


@pytest.mark.parametrize("mode", ["wb", "wb0", "wbu"])
@pytest.mark.parametrize("reads", [0, 1, 700])
def test_what_pysam_writes_passes(tmp_path: Path, mode: str, reads: int) -> None:
    data = written_by_pysam(tmp_path / "reads.bam", mode=mode, reads=reads)
    outcome = check(data)
    assert outcome.passed, outcome.detail
    assert outcome.data["records"] == reads
    assert outcome.data["references"] == 2


def test_reads_longer_than_many_blocks_pass(tmp_path: Path) -> None:
    data = written_by_pysam(tmp_path / "long.bam", mode="wb", reads=3, length=900_000)
    assert check(data).data["records"] == 3


def test_what_samtools_joins_passes(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "reads.bam"
    path.write_bytes(written)
    pysam.cat("-o", str(tmp_path / "joined.bam"), str(path), str(path))
    assert check((tmp_path / "joined.bam").read_bytes()).data["records"] == 6000


@settings(deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(0, 1 << 20), max_size=20).map(tuple))
def test_chunks_do_not_matter(written: bytes, cuts: tuple[int, ...]) -> None:
    assert check(written, cuts).data["records"] == 3000
    damaged = changed(written, len(written) // 2)
    assert check(damaged, cuts) == check(damaged)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_one_bit_turned_anywhere_is_seen_unless_it_says_nothing(written: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(written) - 1))
    damaged = changed(written, position, 1 << data.draw(st.integers(0, 7)))
    start = max(at for at in block_starts(written) if at <= position)
    in_header, in_end_block = position - start < 18, start == len(written) - len(END_BLOCK)
    if in_header or in_end_block:
        # Time, flags of the compressor and operating system may be anything.
        says_nothing = 4 <= position - start < 10 and not in_end_block
    else:
        # The last byte of the compressed data has bits to spare, and the same data can be written in other ways.
        says_nothing = unpacked(damaged) == unpacked(written)
    assert check(damaged).passed == says_nothing


def unpacked(data: bytes) -> bytes | None:
    """What the gzip module makes of it; None if it cannot."""
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error):
        return None


def block_starts(data: bytes) -> list[int]:
    starts = [0]
    while starts[-1] < len(data):
        (size,) = struct.unpack_from("<H", data, starts[-1] + 16)
        starts.append(starts[-1] + size + 1)
    return starts[:-1]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_file_cut_anywhere_is_refused(written: bytes, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, len(written) - 1) | st.sampled_from(block_starts(written)[1:]))
    ends_between_blocks = length in block_starts(written)
    expected = "bam_eof_missing" if ends_between_blocks else "bam_truncated"
    assert (check(written[:length]).code, check(written[:length]).offset) == (expected, length)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([0, 4, 12, 16, 20, 24]), st.integers(0, 3), st.integers(0, 255))
def test_sizes_and_references_are_refused_when_samtools_refuses_them(field: int, byte: int, value: int) -> None:
    records = bytearray(record() + record(9) + record(0))
    records[field + byte] = value
    data = packed(header(), bytes(records))
    assert check(data).data.get("records") == records_read_by_pysam(data)


def records_read_by_pysam(data: bytes) -> int | None:
    """How many records there are; None if it cannot be read."""
    with tempfile.NamedTemporaryFile(suffix=".bam") as file:
        file.write(data)
        file.flush()
        pysam.set_verbosity(0)
        try:
            with pysam.AlignmentFile(file.name, check_sq=False) as reads:
                return sum(1 for _ in reads.fetch(until_eof=True))
        except OSError:
            return None


def test_what_unpacks_too_far_is_refused() -> None:
    limits = Limits(free_output=100_000, ratio=20)
    zeros = packed(header(), record(0, more=200_000), bytes(60_000), bytes(60_000), bytes(60_000), bytes(20_000))
    assert check(zeros).passed
    outcome = check(zeros, limits=limits)
    assert outcome.code == "bam_bomb"
    assert outcome.offset == len(packed(header(), record(0, more=200_000), bytes(60_000))) - len(END_BLOCK)


def test_without_a_known_size_the_ratio_is_taken_over_what_was_read() -> None:
    bam_check = BamCheck(None, Limits(free_output=1000, ratio=20))
    bam_check.feed(packed(header(), record(0, more=60_000), bytes(60_000)))
    assert bam_check.finish().code == "bam_bomb"


def test_memory_stays_small_whatever_the_ratio() -> None:
    head = block(header() + record(0, more=1000 * 65_280))
    zeros = block(bytes(65_280)) * 1000
    bam_check = BamCheck()
    tracemalloc.start()
    try:
        bam_check.feed(head + zeros)
        bam_check.feed(END_BLOCK)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert bam_check.finish().data["unpackedSize"] == 1000 * 65_280 + len(header() + record(0))


def test_a_block_that_unpacks_too_far_does_so_only_a_little(written: bytes) -> None:
    bomb = block(bytes(40 << 20))
    assert len(bomb) < 64 << 10
    bam_check = BamCheck()
    tracemalloc.start()
    try:
        bam_check.feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    assert bam_check.finish().code == "bam_block_invalid"


def test_after_a_fault_further_bytes_are_ignored() -> None:
    bam_check = BamCheck()
    bam_check.feed(b"@read1\nACGT\n+\nIIII\n")
    assert bam_check.failed
    bam_check.feed(GOOD)
    assert bam_check.finish().code == "bam_not_bam"


@pytest.mark.parametrize("data", [GOOD, GOOD[:-1]])
def test_finishing_twice_gives_the_same_verdict(data: bytes) -> None:
    bam_check = BamCheck()
    bam_check.feed(data)
    assert bam_check.finish() == bam_check.finish()
