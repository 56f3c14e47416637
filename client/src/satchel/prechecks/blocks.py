"""The ends of files packed in blocks: BGZF, as bgzip and BAM have it, and CRAM."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from satchel.prechecks.faults import Fault
from satchel.prechecks.gunzip import truncated

TAIL_BYTES = 256 << 10
"""Some whole blocks, of which each has at most 64 KiB."""

_MAGIC = b"\x1f\x8b\x08\x04"
_FIXED_HEADER = 12
_TRAILER = 8
_END_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_CRAM_ENDS = {
    2: bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    3: bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
}


@dataclass(frozen=True, slots=True)
class _End:
    """How the last bytes of a file end: within a block, or behind a whole one."""

    within_block: bool


def are_blocks(start: bytes) -> bool:
    """Whether a file that begins so is packed in blocks."""
    return start.startswith(_MAGIC) and _block_size(start) is not None


def are_no_blocks(start: bytes) -> bool:
    """Whether a gzip file that begins so is certainly not packed in blocks; its header may end behind what is here."""
    if not start.startswith(_MAGIC[: len(start)]):
        return True
    header_is_here = len(start) >= _FIXED_HEADER + int.from_bytes(start[10:12], "little")
    return header_is_here and len(start) >= _FIXED_HEADER and _block_size(start) is None


def packed_text_fault(tail: bytes, size: int) -> Fault | None:
    """What is wrong with the end of a text of `size` bytes that bgzip has packed, whose last bytes are `tail`."""
    end = _end_of(tail)
    return truncated(size) if end is not None and end.within_block else None


def bam_fault(tail: bytes, size: int) -> Fault | None:
    """What is wrong with the end of a BAM file: it has to be the block that marks it."""
    if tail.endswith(_END_BLOCK):
        return None
    end = _end_of(tail)
    if end is None:
        return None
    if end.within_block:
        detail = (
            f"The file is cut short: it ends after {size:,} bytes, within a block. Compare its size with the "
            "original's and upload the whole file."
        )
        return Fault("truncated", detail, offset=size)
    return _no_end("block", size)


def cram_fault(start: bytes, tail: bytes, size: int) -> Fault | None:
    """What is wrong with the end of a CRAM file: it has to be the container that marks it.

    Where that stands further ahead, something follows it, and the verifier will say what.
    """
    marker = _CRAM_ENDS.get(start[4]) if len(start) > 4 else None
    if marker is None or marker in tail:
        return None
    return _no_end("container", size)


def _no_end(what: str, size: int) -> Fault:
    detail = (
        f"The file ends after {size:,} bytes without the {what} that marks the end: it is cut short, or the program "
        "that wrote it was. Compare its size with the original's, or write it again."
    )
    return Fault("eof_missing", detail, offset=size)


def _end_of(tail: bytes) -> _End | None:
    """How the file ends, by the blocks that the tail has; None where there is no telling."""
    for at in _possible_starts(tail):
        size = _block_size(tail[at:])
        if size is not None and _is_whole_block(tail[at : at + size]):
            return _follow(tail, at + size)
    return None


def _possible_starts(tail: bytes) -> Iterator[int]:
    at = tail.find(_MAGIC)
    while at >= 0:
        yield at
        at = tail.find(_MAGIC, at + 1)


def _follow(tail: bytes, at: int) -> _End | None:
    """Go from block to block to the end."""
    while at < len(tail):
        rest = tail[at:]
        size = _block_size(rest)
        if size is None:
            # A header that goes on behind the end is one, too; anything else is for the verifier.
            begun = rest.startswith(_MAGIC[: len(rest)]) and len(rest) < len(_END_BLOCK)
            return _End(within_block=True) if begun else None
        if size > len(rest):
            return _End(within_block=True)
        at += size
    return _End(within_block=False)


def _block_size(start: bytes) -> int | None:
    """The size in bytes that a block tells, whose first bytes these are; None where they tell none."""
    if not start.startswith(_MAGIC) or len(start) < _FIXED_HEADER:
        return None
    extra = start[_FIXED_HEADER : _FIXED_HEADER + int.from_bytes(start[10:12], "little")]
    at = 0
    while at + 4 <= len(extra):
        length = int.from_bytes(extra[at + 2 : at + 4], "little")
        if extra[at : at + 2] == b"BC" and length == 2 and at + 6 <= len(extra):
            return int.from_bytes(extra[at + 4 : at + 6], "little") + 1
        at += 4 + length
    return None


def _is_whole_block(block: bytes) -> bool:
    """Whether these bytes unpack to what their checksum says: no part of another block that only looks so."""
    data_start = _FIXED_HEADER + int.from_bytes(block[10:12], "little")
    if len(block) < data_start + _TRAILER:
        return False
    try:
        data = zlib.decompress(block[data_start:-_TRAILER], -zlib.MAX_WBITS)
    except zlib.error:
        return False
    return zlib.crc32(data) == int.from_bytes(block[-8:-4], "little")
