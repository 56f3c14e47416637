"""The BAM check: all blocks, the header, and every alignment record (SAM specification, version 1, section 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import ClassVar, Final

from files.content import bgzf
from files.content.base import JSON, CheckFailedError, Limits
from files.content.binary import BinaryCheck, Source, Waiting
from files.content.gunzip import GZIP_MAGIC
from files.content.kinds import LONGEST_MARK, looks_like

MAGIC: Final = b"BAM\1"

# Of a record: its size without this number, reference, length of the name, CIGAR operations, bases, the mate's
# reference; position, mapping quality, bin, flags and the mate's position are passed over, as is the template length.
_RECORD: Final = struct.Struct("<ii4xB3xH2xii8x")
_RECORD_FIXED: Final = 32

_WRITE_AGAIN: Final = "write it again with samtools or another program for BAM."


class BamCheck(BinaryCheck):
    """A BAM file whose blocks, header and records are whole, by the rules of `bgzf` and `AlignmentReader`.

    A header without any records passes. On success `data` holds `references`, `records`, `blocks` and
    `unpackedSize` (bytes).
    """

    name: ClassVar[str] = "bam"
    version: ClassVar[int] = 1
    problems: ClassVar[Mapping[str, str]] = {
        "bam_empty": "The file has no bytes.",
        "bam_not_bam": "Neither packed as BAM files are, or not BAM once it is unpacked. Offset: 0.",
        **{f"bam_{key}": text for key, text in bgzf.PROBLEMS.items()},
        "bam_header_invalid": "The header does not fit the data. Offset: the block where that is seen.",
        "bam_record_invalid": "The sizes in a record do not fit each other. Offset: the block where that is seen.",
        "bam_record_truncated": "The data end within a record. Offset: the end of the file.",
    }

    def _read(self) -> Waiting[dict[str, JSON]]:
        start = yield from self.source.peek(LONGEST_MARK)
        if not start:
            detail = "The file is empty: upload the original, and look whether there was room on the disk."
            raise CheckFailedError("empty", detail, offset=0)
        if not start.startswith(GZIP_MAGIC[: len(start)]):
            raise CheckFailedError(
                "not_bam", f"The file is not in BAM format. {looks_like(start)}Upload a BAM file.", offset=0
            )
        blocks = bgzf.BlockReader(self.source, self.size, self.limits)
        alignments = AlignmentReader(self.limits)
        while (data := (yield from blocks.read())) is not None:
            alignments.feed(data, blocks.start)
        alignments.finish(self.source.position)
        return {
            "references": alignments.references,
            "records": alignments.records,
            "blocks": blocks.blocks,
            "unpackedSize": blocks.unpacked,
        }


class AlignmentReader:
    """Reads the unpacked data of a BAM file: header, list of references, records up to the last byte.

    Of a record the sizes are looked at, and whether the header has its references; what samtools would refuse for
    those is refused here. Names, bases, qualities and tags are not: the checksums of the blocks show that they are
    as they were written. Memory stays within a block, but for the name of a reference, which may have
    `Limits.title` bytes.
    """

    def __init__(self, limits: Limits) -> None:
        self.references = 0
        self.records = 0
        self._limits = limits
        self._source = Source()
        self._offset = 0
        self._reading = self._read()

    def feed(self, data: bytes, offset: int) -> None:
        """Read the next data, which stand in the block at `offset` of the file; raises `CheckFailedError`."""
        self._offset = offset
        self._source.add(data)
        next(self._reading)

    def finish(self, offset: int) -> None:
        """Check that the data may end here, at `offset` in the file."""
        self._offset = offset
        self._source.ended = True
        next(self._reading, None)

    def _read(self) -> Waiting[None]:
        yield from self._read_header()
        while (yield from self._read_records()):
            pass

    def _read_header(self) -> Waiting[None]:
        start = yield from self._source.peek(LONGEST_MARK)
        if not start.startswith(MAGIC):
            what = looks_like(start) if start else "It holds nothing. "
            detail = f"The file is packed as BAM files are, but holds something else. {what}Upload a BAM file."
            raise CheckFailedError("not_bam", detail, offset=0)
        yield from self._header_part(len(MAGIC))
        text_length = yield from self._number()
        if not (yield from self._source.pass_over(text_length)):
            raise self._header_invalid(f"tells {text_length:,} bytes of text, more than there are")
        self.references = yield from self._number()
        for index in range(self.references):
            yield from self._read_reference(index)

    def _read_reference(self, index: int) -> Waiting[None]:
        length = yield from self._number()
        if not 1 <= length <= self._limits.title:
            raise self._header_invalid(f"tells {length:,} bytes for the name of reference {index + 1:,}")
        part = yield from self._header_part(length + 4)
        if part[length - 1] != 0:
            raise self._header_invalid(f"has no end to the name of reference {index + 1:,}")

    def _header_part(self, number: int) -> Waiting[bytes]:
        part = yield from self._source.take(number)
        if len(part) < number:
            raise self._header_invalid("goes on behind the end of the data")
        return part

    def _number(self) -> Waiting[int]:
        part = yield from self._header_part(4)
        return int.from_bytes(part, "little")

    def _read_records(self) -> Waiting[bool]:
        """Pass over the records that begin in what is there; False once there are no more."""
        data = yield from self._source.peek(_RECORD.size, all_there_are=True)
        if not data:
            return False
        # What is too short for a record only comes up at the end.
        if len(data) < _RECORD.size or not (yield from self._source.pass_over(self._records_end(data))):
            raise self._truncated()
        return True

    def _records_end(self, data: bytes) -> int:
        """Where the records in `data` end, which for the last one may be behind the end of `data`."""
        at = 0
        last = len(data) - _RECORD.size
        unpack = _RECORD.unpack_from
        references = self.references
        while at <= last:
            size, reference, name, operations, bases, mate = unpack(data, at)
            if not (
                size >= _RECORD_FIXED + name + 4 * operations + (bases + 1) // 2 + bases
                and name
                and bases >= 0
                and -1 <= reference < references
                and -1 <= mate < references
            ):
                raise self._record_invalid(data[at : at + _RECORD.size])
            self.records += 1
            at += 4 + size
        return at

    def _record_invalid(self, record: bytes) -> CheckFailedError:
        if record.startswith(MAGIC):
            what = "is the start of a second BAM file: join BAM files with samtools cat or samtools merge"
        else:
            size, reference, _, _, _, mate = _RECORD.unpack(record)
            wrong = [number for number in (reference, mate) if not -1 <= number < self.references]
            found = (
                f"is on reference number {wrong[0]:,}, of which the header has {self.references:,}"
                if wrong
                else f"tells a size of {size:,} bytes, which its name, bases and qualities do not fit"
            )
            what = f"{found}: {_WRITE_AGAIN[:-1]}"
        detail = f"What stands for record {self.records + 1:,}, in the block at byte {self._offset:,}, {what}."
        return CheckFailedError("record_invalid", detail, offset=self._offset)

    def _truncated(self) -> CheckFailedError:
        detail = (
            f"The data end within record {self.records + 1:,} although the file has its end: the program that wrote "
            f"it was cut short; {_WRITE_AGAIN}"
        )
        return CheckFailedError("record_truncated", detail, offset=self._offset)

    def _header_invalid(self, what: str) -> CheckFailedError:
        detail = f"The header of the BAM file {what}, as seen in the block at byte {self._offset:,}: {_WRITE_AGAIN}"
        return CheckFailedError("header_invalid", detail, offset=self._offset)
