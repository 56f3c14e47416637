"""The blocks of BGZF, the gzip that BAM files are packed with (SAM specification, version 1, section 4.1).

Every block is a gzip member of at most 64 KiB, packed as well as unpacked, that tells its own size in the extra
subfield `BC`. The last block of a file is an empty one of 28 given bytes. The specification lets the same block stand
elsewhere too, where files were joined byte by byte, so only the last block is asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from isal import isal_zlib

from files.content.base import CheckFailedError, Limits
from files.content.binary import Source, Waiting

PROBLEMS: Final[Mapping[str, str]] = {
    "not_bgzf": "A gzip file, but not one in blocks (BGZF). Offset: 0.",
    "truncated": "The file ends within a block. Offset: the end of the file.",
    "block_invalid": "A block breaks the format, or its compressed data do. Offset: the start of the block.",
    "crc_mismatch": "Unpacked data differ from the checksum stored with them. Offset: that checksum.",
    "length_mismatch": "Unpacked data are not as long as the length stored with them. Offset: that length.",
    "eof_missing": "The last block is not the one that marks the end. Offset: the end of the file.",
    "trailing_bytes": "Bytes that are no block follow the one that marks the end. Offset: the first.",
    "bomb": "The file unpacks to far more than sequencing data do. Offset: the start of the block.",
}

END_BLOCK: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The block that marks the end of a file (section 4.1.2)."""

# Magic, compression method and the flag of an extra field, which is the only one that the specification sets.
_MAGIC: Final = b"\x1f\x8b\x08\x04"
_FIXED_HEADER: Final = 12
_TRAILER: Final = 8
_MAX_UNPACKED: Final = 64 << 10

_AGAIN: Final = "compare it with the original and upload that, or write the file again."


class BlockReader:
    """Unpacks a BGZF file block by block, with every size and checksum compared.

    `blocks` and `unpacked` count what was read, in blocks and in bytes; `start` is the offset of the block read
    last. `size` is the file's size in bytes if known; without it the ratio is taken over the bytes read so far.
    """

    def __init__(self, source: Source, size: int | None, limits: Limits) -> None:
        self.blocks = 0
        self.unpacked = 0
        self.start = 0
        self._source = source
        self._size = size
        self._limits = limits
        self._at_end = False

    def read(self) -> Waiting[bytes | None]:
        """The data of the next block, at most 64 KiB, or None once the file has rightly ended.

        Raises `CheckFailedError` with one of `PROBLEMS`.
        """
        self.start = self._source.position
        fixed = yield from self._source.peek(_FIXED_HEADER)
        if not fixed:
            self._check_end()
            return None
        if not fixed.startswith(_MAGIC[: len(fixed)]):
            raise self._no_block()
        data_start = _FIXED_HEADER + int.from_bytes(fixed[10:12], "little")
        header = yield from self._source.peek(data_start)
        if len(header) < max(data_start, _FIXED_HEADER):
            raise self._truncated(len(header))
        block = yield from self._read_block(header)
        data = self._unpack(block, data_start)
        self._at_end = block == END_BLOCK
        self.blocks += 1
        self.unpacked += len(data)
        self._check_ratio()
        return data

    def _read_block(self, header: bytes) -> Waiting[bytes]:
        """The whole block, by the size that its header tells."""
        size = _block_size(header[_FIXED_HEADER:])
        if size is None:
            raise self._no_block()
        if size < len(header) + _TRAILER:
            raise self._invalid(f"tells a size of {size:,} bytes, which is too small")
        block = yield from self._source.take(size)
        if len(block) < size:
            raise self._truncated(0)
        return block

    def _unpack(self, block: bytes, data_start: int) -> bytes:
        inflater = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
        try:
            # One byte more than may be, so that too much is seen without unpacking all of it.
            data: bytes = inflater.decompress(block[data_start:-_TRAILER], _MAX_UNPACKED + 1)
        except isal_zlib.IsalError as error:  # type: ignore[misc]  # its stub declares an instance
            raise self._invalid("has damaged compressed data") from error
        if len(data) > _MAX_UNPACKED:
            raise self._invalid(f"unpacks to more than {_MAX_UNPACKED:,} bytes")
        if not inflater.eof or inflater.unused_data:
            raise self._invalid("has compressed data of another size than it tells")
        offset = self.start + len(block) - _TRAILER
        if int.from_bytes(block[-8:-4], "little") != isal_zlib.crc32(data):
            detail = f"The file is damaged: the data before byte {offset:,} differ from their checksum; {_AGAIN}"
            raise CheckFailedError("crc_mismatch", detail, offset=offset)
        if int.from_bytes(block[-4:], "little") != len(data):
            detail = f"The file is damaged: the length stored at byte {offset + 4:,} is wrong; {_AGAIN}"
            raise CheckFailedError("length_mismatch", detail, offset=offset + 4)
        return data

    def _check_ratio(self) -> None:
        packed = self._source.position if self._size is None else self._size
        if self.unpacked > max(self._limits.free_output, self._limits.ratio * packed):
            detail = (
                f"The file unpacks to more than {self._limits.ratio} times its size and more than "
                f"{self._limits.free_output:,} bytes, which sequencing data do not: see what is in it."
            )
            raise CheckFailedError("bomb", detail, offset=self.start)

    def _check_end(self) -> None:
        if not self._at_end:
            detail = (
                f"The file ends after {self.start:,} bytes without the block that marks the end: it is cut short, or "
                "the program that wrote it was. Compare its size with the original's, or write it again."
            )
            raise CheckFailedError("eof_missing", detail, offset=self.start)

    def _truncated(self, left: int) -> CheckFailedError:
        """The file ends here, but for `left` bytes that were looked at and not taken."""
        end = self._source.position + left
        detail = (
            f"The file is cut short: it ends after {end:,} bytes, within a block. Compare its size with the "
            "original's and upload the whole file."
        )
        return CheckFailedError("truncated", detail, offset=end)

    def _no_block(self) -> CheckFailedError:
        if not self.blocks:
            detail = (
                "The file is packed with gzip, but not in blocks (BGZF) as BAM files are: if a BAM file was packed "
                "once more, unpack it; if not, write it with samtools or another program for BAM."
            )
            return CheckFailedError("not_bgzf", detail, offset=0)
        if self._at_end:
            detail = f"The file ends at byte {self.start:,}, but other bytes follow: {_AGAIN}"
            return CheckFailedError("trailing_bytes", detail, offset=self.start)
        return self._invalid("does not begin as blocks do")

    def _invalid(self, what: str) -> CheckFailedError:
        detail = f"The file is damaged: the block that begins at byte {self.start:,} {what}; {_AGAIN}"
        return CheckFailedError("block_invalid", detail, offset=self.start)


def _block_size(extra: bytes) -> int | None:
    """The size in bytes that a block tells in its extra field, or None if that does not tell it."""
    at = 0
    while at + 4 <= len(extra):
        length = int.from_bytes(extra[at + 2 : at + 4], "little")
        if extra[at : at + 2] == b"BC" and length == 2 and at + 6 <= len(extra):
            return int.from_bytes(extra[at + 4 : at + 6], "little") + 1
        at += 4 + length
    return None
