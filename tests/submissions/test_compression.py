from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
import zlib
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.compression import open_unpacked
from submissions.errors import CompressionInvalidError, MetadataInvalidError

MIB = 1 << 20
PACKED = gzip.compress(b"id\tcountry\n" + b"s1\tSudan\n" * 1000)


def unpack(data: bytes, limit: int = MIB) -> bytes:
    stream = io.BytesIO(data)
    return open_unpacked(stream, limit=limit, field="metadataFile", too_large=MetadataInvalidError).read()


class OneByteAtATime(io.BytesIO):
    """A stream that hands out less than it is asked for, as pipes do."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(1, size if size is not None else 1))


@given(st.binary(max_size=400), st.integers(min_value=0, max_value=400))
def test_what_was_gzipped_in_one_or_two_members_comes_out_as_it_went_in(content: bytes, cut: int) -> None:
    assert unpack(gzip.compress(content)) == content
    assert unpack(gzip.compress(content[:cut]) + gzip.compress(content[cut:])) == content


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


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("metadata.tsv", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("packed", "named"),
    [
        (bz2.compress(b"id\n"), "bzip2"),
        (bz2.compress(b""), "bzip2"),
        (lzma.compress(b"id\n"), "xz"),
        (bytes.fromhex("28b52ffd0403190000") + b"id\n", "Zstandard"),
        (zipped(b"id\n"), "Excel"),
        (b"PK\x05\x06" + b"\0" * 18, "empty zip"),
    ],
)
def test_another_compression_is_named_and_refused(packed: bytes, named: str) -> None:
    with pytest.raises(CompressionInvalidError, match=named) as refused:
        unpack(packed)

    assert "gzip" in refused.value.detail
    assert refused.value.location.field == "metadataFile"


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


def test_a_gzip_with_a_line_end_behind_it_is_refused() -> None:
    with pytest.raises(CompressionInvalidError, match="behind its end"):
        unpack(PACKED + b"\n")


def test_a_file_may_have_as_many_bytes_as_the_limit() -> None:
    assert len(unpack(b"A" * 1000, limit=1000)) == 1000
    assert len(unpack(gzip.compress(b"A" * 1000), limit=1000)) == 1000


def test_a_gzip_that_unpacks_to_more_than_the_limit_is_refused() -> None:
    with pytest.raises(CompressionInvalidError, match="more than 1,000 bytes"):
        unpack(gzip.compress(b"A" * 1001), limit=1000)


def test_a_plain_file_over_the_limit_is_no_matter_of_compression() -> None:
    with pytest.raises(MetadataInvalidError, match="more than 1,000 bytes"):
        unpack(b"A" * 1001, limit=1000)


def test_a_bomb_is_refused_without_being_held_in_memory() -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(b"A" * (MIB - 1) + b"\n") for _ in range(64)) + packer.flush()
    unpacked = open_unpacked(io.BytesIO(bomb), limit=32 * MIB, field="f", too_large=MetadataInvalidError)

    tracemalloc.start()
    with pytest.raises(CompressionInvalidError):
        deque(unpacked, maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 4 * MIB


def test_a_stream_that_cannot_be_read_is_a_fault_and_no_finding() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise OSError("disk gone")
            return super().read(size)

    with pytest.raises(OSError, match="disk gone"):
        open_unpacked(Broken(PACKED), limit=MIB, field="f", too_large=MetadataInvalidError).read()
