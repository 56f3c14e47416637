from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tracemalloc
import zipfile
import zlib
from collections import deque
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import event, given
from hypothesis import strategies as st

from submissions.compression import BYTES_A_STREAM, FREE_STREAMS, open_unpacked
from submissions.errors import CompressionInvalidError, MetadataInvalidError

MIB = 1 << 20
TABLE = b"id\tcountry\n" + b"s1\tSudan\n" * 1000
PACKED = gzip.compress(TABLE)


def unpack(data: bytes, limit: int = MIB) -> bytes:
    stream = io.BytesIO(data)
    return open_unpacked(stream, limit=limit, field="metadataFile", too_large=MetadataInvalidError).read()


class OneByteAtATime(io.BytesIO):
    """A stream that hands out less than it is asked for, as pipes do."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(1, size if size is not None else 1))


@pytest.mark.parametrize("content", [b"", b"i", b"id\tcountry\ns1\tSudan\n", b"BZh9\tcountry\n"])
def test_a_plain_file_comes_out_as_it_is(content: bytes) -> None:
    assert unpack(content) == content


def test_a_stream_that_gives_single_bytes_is_still_recognised() -> None:
    stream = OneByteAtATime(PACKED)

    unpacked = open_unpacked(stream, limit=MIB, field="metadataFile", too_large=MetadataInvalidError)

    assert unpacked.read() == gzip.decompress(PACKED)


def test_the_stream_stays_open_when_its_reader_is_gone() -> None:
    stream = io.BytesIO(PACKED)

    open_unpacked(stream, limit=MIB, field="metadataFile", too_large=MetadataInvalidError).close()

    assert not stream.closed


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "Zstandard": zstd,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "ZIP": lambda content: zipped(("metadata.tsv", content)),
    "stored ZIP": lambda content: zipped(("metadata.tsv", content), method=zipfile.ZIP_STORED),
}
IN_STREAMS = ["gzip", "Zstandard", "xz", "bzip2"]
SKIPPABLE = bytes.fromhex("5a2a4d18") + (4).to_bytes(4, "little") + b"note"
kinds = pytest.mark.parametrize("kind", PACKERS)


@kinds
@given(content=st.binary(max_size=400), cut=st.integers(min_value=0, max_value=400))
def test_what_was_packed_comes_out_as_it_went_in(kind: str, content: bytes, cut: int) -> None:
    pack = PACKERS[kind]

    assert unpack(pack(content)) == content
    if kind in IN_STREAMS:
        assert unpack(pack(content[:cut]) + pack(b"") + pack(content[cut:])) == content


@kinds
@given(damage=st.data())
def test_damage_anywhere_is_refused_or_changes_nothing(kind: str, damage: st.DataObject) -> None:
    packed = PACKERS[kind](TABLE)
    place = damage.draw(st.integers(0, len(packed) - 1))
    other = damage.draw(st.integers(1, 255))
    broken = packed[:place] + bytes([packed[place] ^ other]) + packed[place + 1 :]

    try:
        assert unpack(broken) in {TABLE, broken}  # without its first bytes it is a plain file
    except CompressionInvalidError:
        event("refused")


@kinds
@given(place=st.integers(min_value=10, max_value=10_000))
def test_what_was_cut_off_is_refused(kind: str, place: int) -> None:
    packed = PACKERS[kind](TABLE)

    with pytest.raises(CompressionInvalidError, match="too early"):
        unpack(packed[: 10 + place % (len(packed) - 10)])


@kinds
@pytest.mark.parametrize("more", [b"\n", b"id\tcountry\n" * 20])
def test_what_has_something_behind_its_end_is_refused(kind: str, more: bytes) -> None:
    with pytest.raises(CompressionInvalidError, match=r"behind|damaged"):
        unpack(PACKERS[kind](TABLE) + more)


@kinds
def test_what_unpacks_to_more_than_the_limit_is_refused(kind: str) -> None:
    pack = PACKERS[kind]

    assert len(unpack(pack(b"A" * 1000), limit=1000)) == 1000
    with pytest.raises(CompressionInvalidError, match="more than 1,000 bytes"):
        unpack(pack(b"A" * 1001), limit=1000)


def bomb_of(kind: str) -> bytes:
    """24 MiB of one letter in pieces, as no packer here takes them as they come."""
    piece = b"A" * (MIB - 1) + b"\n"
    return PACKERS[kind](piece) * 24 if kind in IN_STREAMS else PACKERS[kind](piece * 24)


@pytest.mark.parametrize("kind", [kind for kind in PACKERS if kind != "stored ZIP"])
def test_a_bomb_is_refused_without_being_held_in_memory(kind: str) -> None:
    bomb = bomb_of(kind)
    unpacked = open_unpacked(io.BytesIO(bomb), limit=16 * MIB, field="f", too_large=MetadataInvalidError)

    tracemalloc.start()
    with pytest.raises(CompressionInvalidError, match="more than"):
        deque(unpacked, maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 14 * MIB


def test_a_frame_of_zstandard_with_a_ratio_of_thousands_takes_constant_memory() -> None:
    bomb = zstd(bytes(256 * MIB))
    unpacked = open_unpacked(io.BytesIO(bomb), limit=512 * MIB, field="f", too_large=MetadataInvalidError)

    tracemalloc.start()
    held = sum(len(piece) for piece in iter(lambda: unpacked.read1(MIB), b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert held == 256 * MIB
    assert peak < 48 * MIB


def window_of(log: int) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=log)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(b"id\n") + packer.flush()


@pytest.mark.parametrize(
    ("greedy", "modest"),
    [
        (window_of(27), window_of(26)),
        (
            lzma.compress(b"id\n", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 128 * MIB}]),
            lzma.compress(b"id\n", preset=9),
        ),
    ],
    ids=["Zstandard", "xz"],
)
def test_what_takes_much_memory_to_unpack_is_refused(greedy: bytes, modest: bytes) -> None:
    assert unpack(modest) == b"id\n"
    with pytest.raises(CompressionInvalidError, match=r"MiB of memory\. Pack it with the usual"):
        unpack(greedy)


def test_frames_that_are_to_be_skipped_are() -> None:
    assert unpack(SKIPPABLE + zstd(TABLE) + SKIPPABLE) == TABLE


def test_xz_streams_may_have_zeros_behind_them_in_fours() -> None:
    packed = lzma.compress(b"id\n")

    assert unpack(packed + bytes(8) + packed + bytes(4)) == b"id\nid\n"
    for wrong in (packed + bytes(6) + packed, packed + bytes(3)):
        with pytest.raises(CompressionInvalidError, match="zeros"):
            unpack(wrong)


# --- pieces that hold next to nothing ----------------------------------------------------------------


def blocks_of_xz(number: int) -> bytes:
    """The begin of one stream, of blocks that are empty, with the largest dictionaries by turns: slow to unpack."""

    def block(dictionary: int) -> bytes:
        header = bytes([2, 0, 0x21, 1, dictionary, 0, 0, 0])
        return header + zlib.crc32(header).to_bytes(4, "little") + bytes(4)

    flags = bytes(2)
    begin = b"\xfd7zXZ\x00" + flags + zlib.crc32(flags).to_bytes(4, "little")
    return begin + (block(28) + block(26)) * (number // 2)


@pytest.mark.parametrize("kind", IN_STREAMS)
def test_streams_beyond_what_they_hold_are_refused_in_words(kind: str) -> None:
    full, empty = PACKERS[kind](b"id\n" * 8_000), PACKERS[kind](b"")
    warranted = FREE_STREAMS - 1 + 24_000 // BYTES_A_STREAM

    assert unpack(full + empty * warranted) == b"id\n" * 8_000
    with pytest.raises(CompressionInvalidError, match=f"The {kind} file is made of pieces that hold next to nothing"):
        unpack(full + empty * (warranted + 1))


@pytest.mark.parametrize(
    "hollow",
    [blocks_of_xz(100_000), PACKED + bytes(2 * MIB), zstd(TABLE) + SKIPPABLE[:4] + (2 * MIB).to_bytes(4, "little")],
    ids=["empty blocks", "zeros", "a frame to be skipped"],
)
def test_what_is_packed_may_not_be_much_longer_than_what_it_holds(hollow: bytes) -> None:
    with pytest.raises(CompressionInvalidError, match="next to nothing"):
        unpack(hollow + bytes(2 * MIB))


@pytest.mark.parametrize("kind", IN_STREAMS)
def test_small_streams_that_hold_something_are_as_many_as_they_like(kind: str) -> None:
    """A member for each 64 KiB and an empty one at the end, as `bgzip` packs FASTA; or one for each of many files."""
    pack = PACKERS[kind]
    noise = random.Random(4).randbytes(1 << 16)

    assert unpack(pack(noise) * 40 + pack(b""), limit=8 * MIB) == noise * 40
    assert unpack(pack(noise * 40), limit=8 * MIB) == noise * 40
    assert unpack(pack(b"s1\tSudan\n") * 5_000) == b"s1\tSudan\n" * 5_000


# --- ZIP archives ------------------------------------------------------------------------------------


def test_what_systems_add_to_an_archive_does_not_count() -> None:
    added = [
        ("folder/", b""),
        ("__MACOSX/folder/._metadata.tsv", b"x"),
        ("folder/.DS_Store", b"x"),
        ("Thumbs.db", b"x"),
    ]

    assert unpack(zipped(*added, ("folder/metadata.tsv", b"id\n"))) == b"id\n"


def test_an_archive_with_room_for_large_numbers_is_read() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, archive.open("-", "w", force_zip64=True) as member:
        member.write(TABLE)
    plain = packed.getvalue()
    end = plain[-22:]
    size, place = end[12:16] + bytes(4), end[16:20] + bytes(4)
    versions, disks, counts = b"\x2d\x00" * 2, bytes(8), (1).to_bytes(8, "little") * 2
    large = b"PK\x06\x06" + (44).to_bytes(8, "little") + versions + disks + counts + size + place
    locator = b"PK\x06\x07" + bytes(4) + (len(plain) - 22).to_bytes(8, "little") + (1).to_bytes(4, "little")

    assert unpack(plain[:-22] + large + locator + end) == TABLE


def flagged(packed: bytes, *, flags: int = 0, method: int = 0) -> bytes:
    """An archive of one member, its list changed."""
    at = packed.rindex(b"PK\x01\x02")
    middle = bytes([packed[at + 8] | flags, packed[at + 9], packed[at + 10] | method])
    return packed[: at + 8] + middle + packed[at + 11 :]


def linked() -> bytes:
    link = zipfile.ZipInfo("metadata.tsv")
    link.external_attr = 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(link, b"/etc/passwd")
    return packed.getvalue()


ONE = zipped(("metadata.tsv", TABLE))


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (zipped(), "holds no file"),
        (zipped(("folder/", b""), ("__MACOSX/._a", b"x")), "holds no file"),
        (linked(), "holds no file"),
        (
            zipped(*((f"table{n}.tsv", b"id\n") for n in range(4))),
            "4 files (“table0.tsv”, “table1.tsv”, “table2.tsv”, …)",
        ),
        (zipped(("xl/workbook.xml", b"x"), ("xl/sheet1.xml", b"x")), "Excel workbook"),
        (flagged(ONE, flags=1), "password"),
        (flagged(ONE, method=zipfile.ZIP_LZMA), "deflate"),
        (zipped(("~", b"x")).replace(b"~", b"\0"), "holds no file"),  # an empty name, for zipfile
        (ONE + ONE, "before or behind it"),
        (zipped(*((f"__MACOSX/{'x' * 200}{n}", b"") for n in range(5_000)), ("a", b"")), "too many members"),
        (ONE[:-10] + (1 << 24).to_bytes(4, "little") + ONE[-6:], "too many members"),
    ],
)
def test_an_archive_that_is_not_of_one_file_is_refused_in_words(packed: bytes, words: str) -> None:
    with pytest.raises(CompressionInvalidError) as refused:
        unpack(packed)

    assert words in refused.value.detail
    assert refused.value.location.field == "metadataFile"


# --- gzip --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [2, 5, 14, len(PACKED) - 9, len(PACKED) - 8, len(PACKED) - 1])
def test_a_truncated_gzip_is_refused(kept: int) -> None:
    with pytest.raises(CompressionInvalidError, match="too early"):
        unpack(PACKED[:kept])


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data + b"more text than a gzip header has bytes",
        lambda data: data[:-8] + b"\0\0\0\0" + data[-4:],
        lambda data: data[:-4] + b"\0\0\0\0",
        lambda data: data[:2] + b"\x07" + data[3:],
        lambda data: data[:12] + b"\xff" * 4 + data[16:],
    ],
    ids=["trailing bytes", "checksum", "length", "method", "deflate"],
)
def test_a_damaged_gzip_is_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CompressionInvalidError, match="damaged") as refused:
        unpack(damage(PACKED))

    assert refused.value.location.field == "metadataFile"


def test_a_gzip_may_have_zeros_behind_its_members() -> None:
    assert unpack(PACKED + bytes(7) + PACKED + bytes(512)) == TABLE * 2


def test_a_gzip_with_a_line_end_behind_it_is_refused() -> None:
    with pytest.raises(CompressionInvalidError, match="behind its end"):
        unpack(PACKED + b"\n")


def test_a_file_may_have_as_many_bytes_as_the_limit() -> None:
    assert len(unpack(b"A" * 1000, limit=1000)) == 1000


def test_a_plain_file_over_the_limit_is_no_matter_of_compression() -> None:
    with pytest.raises(MetadataInvalidError, match="more than 1,000 bytes"):
        unpack(b"A" * 1001, limit=1000)


def test_a_stream_that_cannot_be_read_is_a_fault_and_no_finding() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError("disk gone")
            return super().read(size)

    with pytest.raises(OSError, match="disk gone"):
        open_unpacked(Broken(PACKED), limit=MIB, field="f", too_large=MetadataInvalidError).read()
