"""The gzip check, held against the standard library's gzip module."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.content import CheckOutcome, Limits
from files.content.gzip import GzipCheck
from tests.content_checks import fed

TEXT = b"@read1\nACGTACGTACGT\n+\nIIIIIIIIIIII\n" * 40
MEMBER = gzip.compress(TEXT, mtime=0)
EMPTY_MEMBER = gzip.compress(b"", mtime=0)


def check(data: bytes, cuts: tuple[int, ...] = (), limits: Limits | None = None) -> CheckOutcome:
    """The outcome for this file, fed in chunks that end at `cuts`."""
    return fed(GzipCheck(len(data), limits or Limits()), data, cuts)


def changed(data: bytes, position: int) -> bytes:
    """The data with one bit of one byte turned; negative positions count from the end."""
    damaged = bytearray(data)
    damaged[position] ^= 1
    return bytes(damaged)


def member_with_header(flags: int, fields: bytes) -> bytes:
    """The member with optional header fields in place of its plain header, with a header checksum if asked."""
    header = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + fields
    if flags & 0x02:
        header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    return header + MEMBER[10:]


ALL_FIELDS = member_with_header(0x1E, b"\x04\x00\x00\x00\x00\x00" + b"reads.fastq\0" + b"a comment\0")

# For each: the file, the code without "gzip_", the offset.
FAULTS = {
    "no bytes": (b"", "empty", 0),
    "text": (b"@read1\nACGT\n", "not_gzip", 0),
    "another compression method": (b"\x1f\x8b\x07" + MEMBER[3:], "not_gzip", 0),
    "ends in the magic": (MEMBER[:1], "truncated", 1),
    "ends in the header": (MEMBER[:7], "truncated", 7),
    "ends in the header's name": (ALL_FIELDS[:20], "truncated", 20),
    "ends in the data": (MEMBER[:-20], "truncated", len(MEMBER) - 20),
    "ends before the checksum": (MEMBER[:-8], "truncated", len(MEMBER) - 8),
    "ends in the length": (MEMBER[:-1], "truncated", len(MEMBER) - 1),
    "ends in the second member": (MEMBER + MEMBER[:30], "truncated", len(MEMBER) + 30),
    "ends in the second header": (MEMBER + MEMBER[:2], "truncated", len(MEMBER) + 2),
    "wrong checksum": (changed(MEMBER, -8), "crc_mismatch", len(MEMBER) - 8),
    "wrong checksum of the second": (MEMBER + changed(MEMBER, -5), "crc_mismatch", 2 * len(MEMBER) - 8),
    "wrong length": (changed(MEMBER, -1), "length_mismatch", len(MEMBER) - 4),
    "zero padding": (MEMBER + bytes(512), "trailing_bytes", len(MEMBER)),
    "text behind": (MEMBER + EMPTY_MEMBER + b"\n", "trailing_bytes", len(MEMBER + EMPTY_MEMBER)),
    "unknown flags": (MEMBER[:3] + b"\x80" + MEMBER[4:], "invalid_data", 0),
    "header differs from its checksum": (changed(ALL_FIELDS, 20), "invalid_data", 0),
    "endless name": (b"\x1f\x8b\x08\x08" + b"x" * 300_000, "invalid_data", 0),
    "reserved block type": (MEMBER + MEMBER[:10] + b"\xff" * 30, "invalid_data", len(MEMBER)),
}

SOUND = {
    "one member": (MEMBER, 1, len(TEXT)),
    "two members": (MEMBER + MEMBER, 2, 2 * len(TEXT)),
    "an empty member": (EMPTY_MEMBER, 1, 0),
    "empty members among others": (EMPTY_MEMBER + MEMBER + EMPTY_MEMBER, 3, len(TEXT)),
    "stored, not compressed": (gzip.compress(TEXT, 0), 1, len(TEXT)),
    "all optional header fields": (ALL_FIELDS, 1, len(TEXT)),
    "many small members": (gzip.compress(b"A") * 3000, 3000, 3000),
}


@pytest.mark.parametrize(("data", "problem", "offset"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_code_and_offset(data: bytes, problem: str, offset: int) -> None:
    outcome = check(data)
    assert (outcome.passed, outcome.code, outcome.offset) == (False, f"gzip_{problem}", offset)
    assert outcome.line is None
    assert outcome.data == {}
    assert outcome.detail.endswith(".")


@pytest.mark.parametrize(("data", "problem", "offset"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_alike_when_bytes_come_one_by_one(data: bytes, problem: str, offset: int) -> None:
    ends = range(min(len(data), 2000))
    assert check(data, tuple(ends)) == check(data)


@pytest.mark.parametrize(("data", "members", "size"), SOUND.values(), ids=SOUND)
def test_a_sound_file_passes_and_tells_its_members_and_unpacked_size(data: bytes, members: int, size: int) -> None:
    expected = CheckOutcome("gzip", 1, passed=True, data={"members": members, "unpackedSize": size})
    assert check(data) == expected
    assert check(data, tuple(range(0, len(data), 7))) == expected


def test_every_code_has_an_example() -> None:
    # What needs a file of its own size has its own test below.
    assert {f"gzip_{problem}" for _, problem, _ in FAULTS.values()} | {"gzip_bomb"} == set(GzipCheck.problems)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.lists(st.integers(0, 9999)).map(tuple))
def test_whatever_was_packed_passes_in_whatever_chunks(contents: list[bytes], cuts: tuple[int, ...]) -> None:
    outcome = check(b"".join(map(gzip.compress, contents)), cuts)
    assert outcome.passed
    assert outcome.data == {"members": len(contents), "unpackedSize": sum(map(len, contents))}


def accepted_by_gzip_module(data: bytes) -> bool:
    try:
        gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    return True


@settings(deadline=None)
@given(st.data(), st.binary(max_size=300), st.integers(0, 9), st.lists(st.integers(0, 9999)).map(tuple))
def test_a_damaged_file_is_refused_when_the_gzip_module_refuses_it(
    data: st.DataObject, content: bytes, level: int, cuts: tuple[int, ...]
) -> None:
    damaged = bytearray(gzip.compress(content, level) + MEMBER)
    # Not the flags: the module ignores unknown ones, which the format forbids.
    position = data.draw(st.integers(0, len(damaged) - 1).filter(lambda index: index != 3))
    damaged[position] ^= data.draw(st.integers(1, 255))
    outcome = check(bytes(damaged), cuts)
    assert outcome.passed == accepted_by_gzip_module(bytes(damaged))
    assert outcome.passed or outcome.code in GzipCheck.problems


@settings(deadline=None)
@given(st.integers(0, 2 * len(MEMBER) - 1))
def test_a_file_cut_anywhere_is_refused_unless_a_member_ends_there(length: int) -> None:
    outcome = check((MEMBER + MEMBER)[:length])
    if length == len(MEMBER):
        assert outcome.passed
    else:
        assert (outcome.code, outcome.offset) == ("gzip_truncated" if length else "gzip_empty", length)


def test_one_repeated_letter_may_unpack_to_a_gibibyte_but_not_to_more() -> None:
    member = gzip.compress(b"A" * (64 << 20), 9)
    outcome = check(member * 16)
    assert outcome.passed
    assert outcome.data["unpackedSize"] == 1 << 30
    outcome = check(member * 17)
    assert (outcome.code, outcome.offset) == ("gzip_bomb", 16 * len(member))


def test_beyond_the_free_output_the_ratio_of_the_whole_file_decides() -> None:
    limits = Limits(free_output=1000, ratio=20)
    letters = gzip.compress(b"A" * 4000)
    assert check(letters, limits=limits).code == "gzip_bomb"
    assert check(letters + gzip.compress(bytes(range(256))), (len(letters),), limits).passed


def test_without_a_known_size_the_ratio_is_taken_over_what_was_read() -> None:
    gzip_check = GzipCheck(None, Limits(free_output=1000, ratio=20))
    gzip_check.feed(gzip.compress(b"A" * 4000))
    assert gzip_check.finish().code == "gzip_bomb"


def test_memory_stays_small_whatever_the_ratio() -> None:
    data = gzip.compress(bytes(64 << 20), 9)
    gzip_check = GzipCheck(len(data))
    tracemalloc.start()
    try:
        gzip_check.feed(data)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert gzip_check.finish().passed


def test_after_a_fault_further_bytes_are_ignored() -> None:
    gzip_check = GzipCheck()
    gzip_check.feed(b"@read1\n")
    assert gzip_check.failed
    gzip_check.feed(MEMBER)
    assert gzip_check.finish().code == "gzip_not_gzip"


def test_finishing_twice_gives_the_same_verdict() -> None:
    gzip_check = GzipCheck()
    gzip_check.feed(MEMBER[:-1])
    assert gzip_check.finish() == gzip_check.finish()


def test_a_member_written_with_a_file_name_passes() -> None:
    buffer = io.BytesIO()
    with gzip.GzipFile("reads.fastq", "wb", fileobj=buffer) as file:
        file.write(TEXT)
    assert check(buffer.getvalue()).passed
