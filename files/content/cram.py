"""The CRAM check: every container and block, from the file definition to the end (CRAM specification, 2.1 to 3.1).

Section numbers below are those of the specification of version 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from isal import isal_zlib

from files.content.base import DEFAULT_LIMITS, JSON, CheckFailedError, Limits
from files.content.binary import BinaryCheck, Source, Waiting
from files.content.kinds import LONGEST_MARK, looks_like

MAGIC: Final = b"CRAM"

END_CONTAINERS: Final[Mapping[int, bytes]] = {
    2: bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    3: bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
}
"""The container that marks the end of a file, by major version (section 9)."""

# For each version the highest number of a compression method (section 8).
_METHODS: Final[Mapping[tuple[int, int], int]] = {(2, 1): 2, (3, 0): 4, (3, 1): 8}
_RAW: Final = 0

# Content types of blocks (section 8.1); 3 is reserved.
_FILE_HEADER, _COMPRESSION_HEADER, _SLICE_HEADER, _EXTERNAL_DATA, _CORE_DATA = 0, 1, 2, 4, 5
_CONTENT_TYPES: Final = {_FILE_HEADER, _COMPRESSION_HEADER, _SLICE_HEADER, _EXTERNAL_DATA, _CORE_DATA}

# A container holds the places of its slices, of which programs write one or a few.
_MAX_SLICES: Final = 10_000

_AGAIN: Final = "compare it with the original and upload that, or write the file again."


@dataclass(frozen=True, slots=True)
class _Container:
    """What the header of a container tells; places and lengths in bytes.

    The first one has the header of the file. `data_start` is where the blocks begin. `slices` are the places, counted
    from there, where slices should begin, and from which those that were found are taken away.
    """

    is_first: bool
    start: int
    data_start: int
    length: int
    records: int
    blocks: int
    slices: set[int]

    @property
    def end(self) -> int:
        """Where the next container begins."""
        return self.data_start + self.length


class _Header:
    """Reads the numbers of one header (section 2.3) and keeps their checksum; `start` is its offset."""

    def __init__(self, source: Source) -> None:
        self.start = source.position
        self.crc = 0
        self._source = source

    def some(self, number: int) -> Waiting[bytes]:
        """The next bytes of the header."""
        data = yield from self._source.take(number)
        if len(data) < number:
            raise _truncated(self._source)
        self.crc = isal_zlib.crc32(data, self.crc)
        return data

    def int32(self) -> Waiting[int]:
        """A number in four bytes."""
        data = yield from self.some(4)
        return int.from_bytes(data, "little", signed=True)

    def itf8(self) -> Waiting[int]:
        """A number of 32 bits in one to five bytes: ones at the start of the first tell how many follow it."""
        (first,) = yield from self.some(1)
        if first >= 0xF0:
            data = yield from self.some(4)
            bits = (first & 0x0F) << 28 | int.from_bytes(data[:3], "big") << 4 | data[3] & 0x0F
            return bits - (bits >> 31 << 32)
        following = (first >= 0x80) + (first >= 0xC0) + (first >= 0xE0)
        data = yield from self.some(following)
        return (first & 0x7F >> following) << 8 * following | int.from_bytes(data, "big")

    def pass_ltf8(self) -> Waiting[None]:
        """Pass over a number of 64 bits in one to nine bytes, written in the same way."""
        (first,) = yield from self.some(1)
        yield from self.some(8 - (first ^ 0xFF).bit_length())


class CramCheck(BinaryCheck):
    """A CRAM file of version 2.1, 3.0 or 3.1 whose containers and blocks are whole and end as they should.

    From version 3.0 on, the checksums of containers and blocks are compared; in 2.1 there are none, and only sizes
    and kinds can be looked at. What is in the blocks is not unpacked, so that no reference sequence is needed. A
    header without any records passes. On success `data` holds `formatVersion`, `containers` (those of the header and
    the end not among them), `blocks` (in those containers) and `records`.
    """

    name: ClassVar[str] = "cram"
    version: ClassVar[int] = 1
    problems: ClassVar[Mapping[str, str]] = {
        "cram_empty": "The file has no bytes.",
        "cram_not_cram": "The file does not begin with CRAM. Offset: 0.",
        "cram_version_unsupported": "Another version than 2.1, 3.0 and 3.1. Offset: that of the version.",
        "cram_truncated": "The file ends within a container. Offset: the end of the file.",
        "cram_container_invalid": "A container breaks the format. Offset: its start.",
        "cram_block_invalid": "A block breaks the format. Offset: its start.",
        "cram_crc_mismatch": "A container header or a block differs from its checksum. Offset: that checksum.",
        "cram_eof_missing": "The last container is not the one that marks the end. Offset: the end of the file.",
        "cram_trailing_bytes": "Bytes follow the container that marks the end. Offset: the first.",
    }

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        self._version = (0, 0)

    def _read(self) -> Waiting[dict[str, JSON]]:
        yield from self._read_definition()
        yield from self._read_container(is_first=True)
        containers = blocks = records = 0
        while not (yield from self._read_end()):
            container = yield from self._read_container()
            containers += 1
            blocks += container.blocks
            records += container.records
        major, minor = self._version
        return {"formatVersion": f"{major}.{minor}", "containers": containers, "blocks": blocks, "records": records}

    @property
    def _has_checksums(self) -> bool:
        return self._version >= (3, 0)

    def _read_definition(self) -> Waiting[None]:
        """The first 26 bytes: magic, version, and an ID that may be anything (section 6)."""
        start = yield from self.source.peek(LONGEST_MARK)
        if not start:
            detail = "The file is empty: upload the original, and look whether there was room on the disk."
            raise CheckFailedError("empty", detail, offset=0)
        if not start.startswith(MAGIC[: len(start)]):
            detail = f"The file is not in CRAM format. {looks_like(start)}Upload a CRAM file."
            raise CheckFailedError("not_cram", detail, offset=0)
        definition = yield from self.source.take(26)
        if len(definition) < 26:
            raise _truncated(self.source)
        self._version = definition[4], definition[5]
        if self._version not in _METHODS:
            raise self._unsupported()

    def _read_end(self) -> Waiting[bool]:
        """Whether the end container stands here, with nothing behind it; False if there is another container."""
        marker = END_CONTAINERS[self._version[0]]
        start = yield from self.source.peek(len(marker))
        if not start:
            raise self._end_missing()
        if start != marker:
            return False
        yield from self.source.take(len(marker))
        following = yield from self.source.peek(LONGEST_MARK)
        if following:
            raise self._trailing(following)
        return True

    def _read_container(self, *, is_first: bool = False) -> Waiting[_Container]:
        """One container with all its blocks (section 7).

        Of the first one the length is not held against the blocks: there may be room behind them, for a longer
        header to be written in place, and samtools writes a length 2 bytes too small in version 2.1.
        """
        container = yield from self._read_container_header(is_first=is_first)
        kinds = {0: _FILE_HEADER if is_first else _COMPRESSION_HEADER}
        for index in range(container.blocks):
            yield from self._read_block(container, kinds.get(index))
        if container.slices and not is_first:
            raise _container_invalid(container.start, "has no slice where it says that one begins")
        left = container.end - self.source.position
        if left > 0 and not is_first:
            raise _container_invalid(container.start, f"has {left:,} bytes behind its last block")
        if not (yield from self.source.pass_over(max(left, 0))):
            raise _truncated(self.source)
        return container

    def _read_container_header(self, *, is_first: bool) -> Waiting[_Container]:
        start = self.source.position
        if not (yield from self.source.peek(1)):
            raise self._end_missing()
        header = _Header(self.source)
        length = yield from header.int32()
        # The reference, where on it the records begin, and how far they reach.
        for _ in range(3):
            yield from header.itf8()
        records = yield from header.itf8()
        # The number of the first record, in version 2 with 32 bits, and the number of bases.
        if self._version[0] == 2:
            yield from header.itf8()
        else:
            yield from header.pass_ltf8()
        yield from header.pass_ltf8()
        blocks = yield from header.itf8()
        slices = yield from self._read_slices(header)
        yield from self._check_crc(header.crc, f"the header of the container that begins at byte {start:,}")
        if records < 0 or not 0 < blocks <= length:
            what = f"tells {blocks:,} blocks in {length:,} bytes, and {records:,} records, which cannot be"
            raise _container_invalid(start, what)
        return _Container(is_first, start, self.source.position, length, records, blocks, slices)

    def _read_slices(self, header: _Header) -> Waiting[set[int]]:
        number = yield from header.itf8()
        if not 0 <= number <= _MAX_SLICES:
            raise _container_invalid(header.start, f"tells {number:,} slices, which cannot be")
        slices = set()
        for _ in range(number):
            slices.add((yield from header.itf8()))
        return slices

    def _read_block(self, container: _Container, kind: int | None) -> Waiting[None]:
        """One block with its checksum (section 8), of the content type `kind` if that is given."""
        header = _Header(self.source)
        method, content_type = yield from header.some(2)
        yield from header.itf8()
        size = yield from header.itf8()
        raw_size = yield from header.itf8()
        if method > _METHODS[self._version] or content_type not in _CONTENT_TYPES:
            raise _block_invalid(header.start, f"has method {method} and content type {content_type}, unknown ones")
        if kind is not None and content_type != kind:
            raise _block_invalid(header.start, f"has content type {content_type} where there has to be {kind}")
        if min(size, raw_size) < 0 or (method == _RAW and size != raw_size):
            raise _block_invalid(header.start, f"tells {size:,} bytes, and {raw_size:,} unpacked, which cannot be")
        if self.source.position + size + 4 * self._has_checksums > container.end and not container.is_first:
            raise _block_invalid(header.start, "goes on behind the end of its container")
        if content_type == _SLICE_HEADER:
            container.slices.discard(header.start - container.data_start)
        yield from self._check_block_data(header, size)

    def _check_block_data(self, header: _Header, size: int) -> Waiting[None]:
        crc = header.crc

        def add(piece: memoryview) -> None:
            nonlocal crc
            crc = isal_zlib.crc32(piece, crc)

        if not (yield from self.source.pass_over(size, add if self._has_checksums else None)):
            raise _truncated(self.source)
        yield from self._check_crc(crc, f"the block that begins at byte {header.start:,}")

    def _check_crc(self, crc: int, of_what: str) -> Waiting[None]:
        """Compare with the checksum that stands here, if this version has any."""
        if not self._has_checksums:
            return
        offset = self.source.position
        stored = yield from self.source.take(4)
        if len(stored) < 4:
            raise _truncated(self.source)
        if int.from_bytes(stored, "little") != crc:
            detail = f"The file is damaged: {of_what} differs from its checksum; {_AGAIN}"
            raise CheckFailedError("crc_mismatch", detail, offset=offset)

    def _unsupported(self) -> CheckFailedError:
        major, minor = self._version
        detail = (
            f"The file is of CRAM version {major}.{minor}: upload version 2.1, 3.0 or 3.1, as samtools view writes "
            "with --output-fmt cram,version=3.0."
        )
        return CheckFailedError("version_unsupported", detail, offset=len(MAGIC))

    def _end_missing(self) -> CheckFailedError:
        end = self.source.position
        detail = (
            f"The file ends after {end:,} bytes without the container that marks the end: it is cut short, or the "
            "program that wrote it was. Compare its size with the original's, or write it again."
        )
        return CheckFailedError("eof_missing", detail, offset=end)

    def _trailing(self, following: bytes) -> CheckFailedError:
        end = self.source.position
        second = following.startswith(MAGIC)
        what, advice = ("a second CRAM file follows", "join CRAM files with samtools cat or samtools merge.")
        if not second:
            what, advice = "other bytes follow", _AGAIN
        return CheckFailedError("trailing_bytes", f"The file ends at byte {end:,}, but {what}: {advice}", offset=end)


def _truncated(source: Source) -> CheckFailedError:
    end = source.position
    detail = (
        f"The file is cut short: it ends after {end:,} bytes, within a container. Compare its size with the original's "
        "and upload the whole file."
    )
    return CheckFailedError("truncated", detail, offset=end)


def _container_invalid(start: int, what: str) -> CheckFailedError:
    detail = f"The file is damaged: the container that begins at byte {start:,} {what}; {_AGAIN}"
    return CheckFailedError("container_invalid", detail, offset=start)


def _block_invalid(start: int, what: str) -> CheckFailedError:
    detail = f"The file is damaged: the block that begins at byte {start:,} {what}; {_AGAIN}"
    return CheckFailedError("block_invalid", detail, offset=start)
