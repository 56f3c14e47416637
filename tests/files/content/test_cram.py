"""The CRAM check: files that samtools' library has written in each version, and every way to break them."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.content import CheckOutcome
from files.content.binary import Source
from files.content.cram import END_CONTAINERS, CramCheck, _Header
from tests.content_checks import fed

HEADER = pysam.AlignmentHeader.from_dict(
    {"HD": {"VN": "1.6"}, "SQ": [{"SN": "segment1", "LN": 2000}, {"SN": "segment2", "LN": 900}]}
)
VERSIONS = ("2.1", "3.0", "3.1")


def check(data: bytes, cuts: tuple[int, ...] = ()) -> CheckOutcome:
    """The outcome for this file, fed in chunks that end at `cuts`."""
    return fed(CramCheck(len(data)), data, cuts)


def changed(data: bytes, position: int, bit: int = 1) -> bytes:
    """The data with one bit of one byte turned; negative positions count from the end."""
    damaged = bytearray(data)
    damaged[position] ^= bit
    return bytes(damaged)


def itf8(number: int) -> bytes:
    """A number as the specification writes those of 32 bits (section 2.3), written with comparisons."""
    number &= 0xFFFFFFFF
    if number < 1 << 7:
        return bytes([number])
    if number < 1 << 14:
        return (0x8000 | number).to_bytes(2, "big")
    if number < 1 << 21:
        return (0xC00000 | number).to_bytes(3, "big")
    if number < 1 << 28:
        return (0xE0000000 | number).to_bytes(4, "big")
    return bytes([0xF0 | number >> 28]) + (number >> 4 & 0xFFFFFF).to_bytes(3, "big") + bytes([number & 0x0F])


@dataclass(frozen=True)
class Maker:
    """Writes the parts of a CRAM file of one version by the specification."""

    version: tuple[int, int] = (3, 0)

    def definition(self) -> bytes:
        return b"CRAM" + bytes(self.version) + b"a name".ljust(20, b"\0")

    def with_crc(self, data: bytes) -> bytes:
        return data + struct.pack("<I", zlib.crc32(data)) if self.version[0] == 3 else data

    def block(self, kind: int, data: bytes, *, method: int = 0, raw: int | None = None, content_id: int = 0) -> bytes:
        sizes = itf8(len(data)) + itf8(len(data) if raw is None else raw)
        return self.with_crc(bytes([method, kind]) + itf8(content_id) + sizes + data)

    def container(
        self,
        *blocks: bytes,
        records: int = 0,
        number: int | None = None,
        landmarks: tuple[int, ...] = (),
        longer: int = 0,
        counter: int = 1,
    ) -> bytes:
        length = sum(map(len, blocks)) + longer
        bases = 100 * max(records, 0)
        number = len(blocks) if number is None else number
        numbers = [0, 1, 100, records, counter, bases, number, len(landmarks)]
        header = struct.pack("<i", length) + b"".join(map(itf8, [*numbers, *landmarks]))
        return self.with_crc(header) + b"".join(blocks)

    def header(self, *, room: int = 0) -> bytes:
        return self.container(self.block(0, b"\x0c\0\0\0@HD\tVN:1.6\n\0"), longer=room) + bytes(room)

    def slices(self, number: int = 1, data: bytes = b"\5data") -> tuple[list[bytes], tuple[int, ...]]:
        """The blocks of a container with so many slices, and where those begin."""
        blocks = [self.block(1, b"compression header")]
        starts = []
        for _ in range(number):
            starts.append(sum(map(len, blocks)))
            blocks += [self.block(2, b"slice header"), self.block(5, b""), self.block(4, data, content_id=7)]
        return blocks, tuple(starts)

    def records(self, number: int = 1) -> bytes:
        """A container with one slice of so many records."""
        blocks, landmarks = self.slices()
        return self.container(*blocks, records=number, landmarks=landmarks)

    @property
    def end(self) -> bytes:
        return END_CONTAINERS[self.version[0]]

    def file(self, *containers: bytes) -> bytes:
        return self.definition() + self.header() + b"".join(containers) + self.end


V2, V3, V31 = Maker((2, 1)), Maker((3, 0)), Maker((3, 1))
GOOD = V3.file(V3.records(), V3.records(300))
GOOD_2 = V2.file(V2.records(), V2.records(300))
END, END_2 = len(GOOD), len(GOOD_2)

# Where the second container begins, and its first block.
START = len(V3.definition() + V3.header())
BLOCK = START + len(V3.records()) - sum(map(len, V3.slices()[0]))
BLOCK_END = BLOCK + len(V3.slices()[0][0])

ONE = V3.block(1, b"x")


def of_blocks(*blocks: bytes, maker: Maker = V3) -> tuple[bytes, int]:
    """A file whose second container has these blocks, and where the last of them begins."""
    container = maker.container(*blocks)
    before = len(maker.definition() + maker.header()) + len(container) - len(blocks[-1])
    return maker.file(container), before


def invalid_block(*blocks: bytes, maker: Maker = V3) -> tuple[bytes, str, int]:
    """A file whose last block has the fault."""
    data, start = of_blocks(*blocks, maker=maker)
    return data, "block_invalid", start


def invalid_container(container: bytes) -> tuple[bytes, str, int]:
    """A file whose second container has the fault."""
    return V3.file(container), "container_invalid", START


# For each: the file, the code without "cram_", the offset.
FAULTS = {
    "no bytes": (b"", "empty", 0),
    "BAM": (b"\x1f\x8b\x08\x04" + bytes(40), "not_cram", 0),
    "a short text": (b"CRAB", "not_cram", 0),
    "version 1.0": (b"CRAM\1\0" + GOOD[6:], "version_unsupported", 4),
    "version 2.0": (b"CRAM\2\0" + GOOD_2[6:], "version_unsupported", 4),
    "version 4.0": (b"CRAM\4\0" + GOOD[6:], "version_unsupported", 4),
    "ends in the magic": (GOOD[:3], "truncated", 3),
    "ends in the definition": (GOOD[:25], "truncated", 25),
    "ends in the first header": (GOOD[:30], "truncated", 30),
    "ends in the checksum of a header": (GOOD[: BLOCK - 2], "truncated", BLOCK - 2),
    "ends in the header of a block": (GOOD[: BLOCK + 3], "truncated", BLOCK + 3),
    "ends in a block": (GOOD[: BLOCK + 12], "truncated", BLOCK + 12),
    "ends in the checksum of a block": (GOOD[: BLOCK_END - 1], "truncated", BLOCK_END - 1),
    "ends in the room behind the header": (
        (V3.definition() + V3.header(room=90))[:-1],
        "truncated",
        len(V3.definition() + V3.header(room=90)) - 1,
    ),
    "ends in the end container": (GOOD[:-1], "truncated", END - 1),
    "ends in the end container of 2.1": (GOOD_2[:-1], "truncated", END_2 - 1),
    "only the definition": (GOOD[:26], "eof_missing", 26),
    "ends after the header": (GOOD[:START], "eof_missing", START),
    "ends between containers": (GOOD[:-38], "eof_missing", END - 38),
    "ends between containers of 2.1": (GOOD_2[:-30], "eof_missing", END_2 - 30),
    "a second file": (GOOD + GOOD, "trailing_bytes", END),
    "a line end behind": (GOOD + b"\n", "trailing_bytes", END),
    "a second end": (GOOD + V3.end, "trailing_bytes", END),
    "zeros behind 2.1": (GOOD_2 + bytes(9), "trailing_bytes", END_2),
    "no header": (V3.definition() + V3.records() + V3.end, "block_invalid", 26 + BLOCK - START),
    "only the end": (V3.definition() + V3.end, "block_invalid", 26 + 23),
    "no blocks": invalid_container(V3.container()),
    "more blocks than bytes": invalid_container(V3.container(ONE, number=99)),
    "fewer than no blocks": invalid_container(V3.container(ONE, number=-1)),
    "fewer than no records": invalid_container(V3.container(ONE, records=-1)),
    "a negative length": invalid_container(V3.container(ONE, longer=-99)),
    "fewer blocks than there are": invalid_container(V3.container(ONE, ONE, number=1)),
    "fewer than no slices": invalid_container(V3.with_crc(struct.pack("<i", 9) + b"\0\0\0\0\0\0\1" + itf8(-1))),
    "too many slices": invalid_container(V3.container(ONE, landmarks=(1,) * 10_001)),
    "no slice at its place": invalid_container(V3.container(ONE, landmarks=(3,))),
    "an unknown method": invalid_block(V3.block(1, b"x", method=5)),
    "an unknown method in 2.1": invalid_block(V2.block(1, b"x", method=3), maker=V2),
    "an unknown method in 3.1": invalid_block(V31.block(1, b"x", method=9), maker=V31),
    "a reserved content type": invalid_block(ONE, V3.block(3, b"x")),
    "no compression header": invalid_block(V3.block(4, b"x")),
    "a raw block of another size": invalid_block(ONE, V3.block(4, b"x", raw=2)),
    "a negative size": invalid_block(ONE, V3.block(4, b"x", method=1, raw=-2)),
    "a block behind its container": (
        V3.file(V3.container(ONE, longer=-1)),
        "block_invalid",
        of_blocks(ONE)[1],
    ),
    "wrong checksum of a header": (changed(GOOD, BLOCK - 1), "crc_mismatch", BLOCK - 4),
    "a header that was changed": (changed(GOOD, START + 6), "crc_mismatch", BLOCK - 4),
    "wrong checksum of a block": (changed(GOOD, BLOCK_END - 1), "crc_mismatch", BLOCK_END - 4),
    "a block that was changed": (changed(GOOD, BLOCK + 10), "crc_mismatch", BLOCK_END - 4),
}

TWO_SLICES, PLACES = V3.slices(2)
WITH_ROOM = V3.definition() + V3.header(room=500) + V3.records(5) + V3.end
LONGER_IN_2 = V2.container(V2.block(0, bytes(300)), longer=-2)
LARGE_NUMBERS = V3.container(*V3.slices()[0], records=1_300_000, landmarks=V3.slices()[1])

# For each: the file, its version, and its numbers of containers, blocks and records.
SOUND = {
    "two containers": (GOOD, "3.0", 2, 8, 301),
    "two containers in 2.1": (GOOD_2, "2.1", 2, 8, 301),
    "two containers in 3.1": (V31.file(V31.records(), V31.records()), "3.1", 2, 8, 2),
    "a header and no records": (V3.file(), "3.0", 0, 0, 0),
    "two slices": (V3.file(V3.container(*TWO_SLICES, records=9, landmarks=PLACES)), "3.0", 1, 7, 9),
    "room behind the header": (WITH_ROOM, "3.0", 1, 4, 5),
    "a header longer than its container": (V2.definition() + LONGER_IN_2 + V2.records() + V2.end, "2.1", 1, 4, 1),
    "two blocks in the first container": (
        V3.definition() + V3.container(V3.block(0, b"x"), V3.block(0, bytes(9)), landmarks=(0, 9)) + V3.end,
        "3.0",
        0,
        0,
        0,
    ),
    "a number of the first record beyond 31 bits in 2.1": (
        V2.file(V2.container(V2.block(1, b"x"), counter=-5)),
        "2.1",
        1,
        1,
        0,
    ),
    "a large block": (V3.file(V3.container(ONE, V3.block(4, bytes(3 << 20)))), "3.0", 1, 2, 0),
    "an empty block": (V3.file(V3.container(ONE, V3.block(5, b""))), "3.0", 1, 2, 0),
    "numbers of three and four bytes": (V3.file(LARGE_NUMBERS), "3.0", 1, 4, 1_300_000),
    "a negative content ID": (V3.file(V3.container(ONE, V3.block(4, b"x", content_id=-1))), "3.0", 1, 2, 0),
    "each method": (V31.file(V31.container(ONE, *[V31.block(4, b"x", method=m) for m in range(9)])), "3.1", 1, 10, 0),
}


@pytest.mark.parametrize(("data", "problem", "offset"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_code_and_offset(data: bytes, problem: str, offset: int) -> None:
    outcome = check(data)
    assert (outcome.passed, outcome.code, outcome.offset) == (False, f"cram_{problem}", offset), outcome.detail
    assert outcome.line is None
    assert outcome.data == {}
    assert outcome.detail.endswith(".")
    assert check(data, tuple(range(len(data)))) == outcome


@pytest.mark.parametrize(("data", "version", "containers", "blocks", "records"), SOUND.values(), ids=SOUND)
def test_a_sound_file_passes_and_tells_what_is_in_it(
    data: bytes, version: str, containers: int, blocks: int, records: int
) -> None:
    outcome = check(data)
    assert (outcome.passed, outcome.detail) == (True, "")
    assert outcome.data == {"formatVersion": version, "containers": containers, "blocks": blocks, "records": records}
    assert check(data, tuple(range(0, len(data), 1 + len(data) // 3000))) == outcome


def test_every_code_has_an_example() -> None:
    assert {f"cram_{problem}" for _, problem, _ in FAULTS.values()} == set(CramCheck.problems)


def test_another_format_is_refused_by_its_name() -> None:
    assert "It looks like a SAM file. Upload a CRAM file." in check(b"@HD\tVN:1.6\n").detail
    assert "It looks like a gzip file. Upload" in check(b"\x1f\x8b\x08\x04" + bytes(30)).detail
    assert "not in CRAM format. Upload" in check(bytes(30)).detail


def test_a_detail_says_where_and_what_and_what_to_do() -> None:
    assert check(changed(GOOD, BLOCK + 10)).detail == (
        f"The file is damaged: the block that begins at byte {BLOCK} differs from its checksum; compare it with the "
        "original and upload that, or write the file again."
    )
    assert "a second CRAM file follows: join CRAM files with samtools cat or" in check(GOOD + GOOD).detail
    assert "tells 10,001 slices, which cannot be" in check(FAULTS["too many slices"][0]).detail
    assert "of CRAM version 4.0: upload version 2.1, 3.0 or 3.1," in check(b"CRAM\4\0" + bytes(30)).detail


def written_by_pysam(path: Path, *, version: str, reads: int) -> bytes:
    options = [f"version={version}", "no_ref=1", "seqs_per_slice=300"]
    with pysam.AlignmentFile(str(path), "wc", header=HEADER, format_options=options) as file:
        for number in range(reads):
            read = pysam.AlignedSegment(HEADER)
            read.query_name = f"read{number}"
            read.query_sequence = "ACGTTGCANG"[number % 7 :] * 15
            read.query_qualities_str = "I" * len(read.query_sequence)
            read.reference_id = number * 2 // reads
            read.reference_start = number % (reads // 2 + 1)
            read.cigarstring = f"{len(read.query_sequence)}M"
            file.write(read)
    return path.read_bytes()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """A CRAM file of a version, with several containers, as samtools' library writes it."""
    folder = tmp_path_factory.mktemp("cram")
    files = {version: written_by_pysam(folder / version, version=version, reads=1500) for version in VERSIONS}
    return files.__getitem__


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("reads", [0, 1, 1500])
def test_what_pysam_writes_passes(tmp_path: Path, version: str, reads: int) -> None:
    outcome = check(written_by_pysam(tmp_path / "reads.cram", version=version, reads=reads))
    assert outcome.passed, outcome.detail
    assert (outcome.data["formatVersion"], outcome.data["records"]) == (version, reads)


def test_what_samtools_joins_passes(tmp_path: Path, written: Callable[[str], bytes]) -> None:
    path = tmp_path / "reads.cram"
    path.write_bytes(written("3.0"))
    pysam.cat("-o", str(tmp_path / "joined.cram"), str(path), str(path))
    assert check((tmp_path / "joined.cram").read_bytes()).data["records"] == 3000


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None, max_examples=20)
@given(cuts=st.lists(st.integers(0, 1 << 20), max_size=20).map(tuple))
def test_chunks_do_not_matter(written: Callable[[str], bytes], version: str, cuts: tuple[int, ...]) -> None:
    data = written(version)
    assert check(data, cuts).data["records"] == 1500
    assert check(data[:-50], cuts) == check(data[:-50])
    damaged = changed(data, len(data) // 2)
    assert check(damaged, cuts) == check(damaged)


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_file_cut_anywhere_is_refused(written: Callable[[str], bytes], version: str, data: st.DataObject) -> None:
    whole = written(version)
    length = data.draw(st.integers(1, len(whole) - 1))
    outcome = check(whole[:length])
    assert (outcome.code, outcome.offset) in [("cram_truncated", length), ("cram_eof_missing", length)]


@pytest.mark.parametrize("version", ["3.0", "3.1"])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_one_bit_turned_anywhere_is_seen_where_there_are_checksums(
    written: Callable[[str], bytes], version: str, data: st.DataObject
) -> None:
    whole = written(version)
    # The file ID, and the other of the versions: any value is right there.
    position = data.draw(st.integers(0, len(whole) - 1).filter(lambda at: at != 5 and not 6 <= at < 26))
    assert not check(changed(whole, position, 1 << data.draw(st.integers(0, 7)))).passed


@given(number=st.integers(0, 31).flatmap(lambda bits: st.integers(-(2**bits), 2**bits - 1)))
def test_numbers_of_every_length_are_read(number: int) -> None:
    source = Source()
    source.add(itf8(number) + b"behind")
    with pytest.raises(StopIteration) as end:
        next(_Header(source).itf8())
    assert (end.value.value, source.available) == (number, 6)


@pytest.mark.parametrize("following", range(9))
def test_a_number_of_64_bits_is_as_long_as_its_first_byte_says(following: int) -> None:
    source = Source()
    # As many ones as bytes follow, then a zero and other bits.
    source.add(bytes([(0xFF00 >> following & 0xFF) | 0x55 >> following >> 1 & 0xFF]) + bytes(following) + b"behind")
    with pytest.raises(StopIteration):
        next(_Header(source).pass_ltf8())
    assert source.available == 6


def test_large_blocks_pass_in_little_memory() -> None:
    data = V3.file(V3.container(ONE, V3.block(4, bytes(40 << 20))))
    cram_check = CramCheck()
    tracemalloc.start()
    try:
        for start in range(0, len(data), 1 << 20):
            cram_check.feed(data[start : start + (1 << 20)])
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert cram_check.finish().passed


def test_after_a_fault_further_bytes_are_ignored() -> None:
    cram_check = CramCheck()
    cram_check.feed(b"@HD\tVN:1.6\n@SQ\tSN:c\tLN:9\n")
    assert cram_check.failed
    cram_check.feed(GOOD)
    assert cram_check.finish().code == "cram_not_cram"


@pytest.mark.parametrize("data", [GOOD, GOOD[:-1]])
def test_finishing_twice_gives_the_same_verdict(data: bytes) -> None:
    cram_check = CramCheck()
    cram_check.feed(data)
    assert cram_check.finish() == cram_check.finish()
