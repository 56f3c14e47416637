"""A look at a file before it is sent: what the verifier would refuse, as far as a few bytes tell it for certain.

The verifier reads all of every file; here the beginning and the end of large files are read, and small ones to their
last byte. Codes and words are the verifier's. What cannot be told for certain is no fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from satchel.prechecks import blocks, fastq, gunzip
from satchel.prechecks.fastq import FirstRead
from satchel.prechecks.faults import Fault
from satchel.prechecks.kinds import LONGEST_MARK, looks_like, packer_of

__all__ = ["Fault", "FirstRead", "Look", "look_at"]

HEAD_BYTES = 256 << 10
"""So much of the beginning is read, and files up to this size are read to their end."""
TEXT_BYTES = 4 << 20
"""So much text is looked at, however well it was packed."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a file has shown: what is wrong with it, if anything, and of FASTQ what the first reads say."""

    fault: Fault | None = None
    first_read: FirstRead | None = None


def look_at(path: Path, check: str) -> Look:
    """Look at a file as the content check of this name would; a name that is not known here asks nothing.

    Reads 512 KiB at most. Raises `OSError` for a file that cannot be read.
    """
    if check not in {"gzip", "fastq", "fasta", "bam", "cram"}:
        return Look()
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES)
        size = file.seek(0, 2)
        file.seek(max(0, size - blocks.TAIL_BYTES))
        tail = file.read(blocks.TAIL_BYTES)
    ends = _Ends(start, tail, size)
    if check == "bam":
        return Look(_named(check, _bam_fault(ends)))
    if check == "cram":
        return Look(_named(check, _cram_fault(ends)))
    if check == "gzip":
        return Look(_named(check, _gzip_fault(ends)))
    return _look_at_text(check, ends)


@dataclass(frozen=True, slots=True)
class _Ends:
    """The first and the last bytes of a file, which are the same where it is small, and its size in bytes."""

    start: bytes
    tail: bytes
    size: int

    @property
    def is_whole(self) -> bool:
        return len(self.start) == self.size


def _named(check: str, fault: Fault | None) -> Fault | None:
    return fault and fault.under(check)


def _bam_fault(ends: _Ends) -> Fault | None:
    if not ends.size:
        return _empty("upload the original, and look whether there was room on the disk.")
    if not ends.start.startswith(gunzip.MAGIC[: ends.size]):
        detail = f"The file is not in BAM format. {looks_like(ends.start)}Upload a BAM file."
        return Fault("not_bam", detail, offset=0)
    if blocks.are_no_blocks(ends.start):
        detail = (
            "The file is packed with gzip, but not in blocks (BGZF) as BAM files are: if a BAM file was packed once "
            "more, unpack it; if not, write it with samtools or another program for BAM."
        )
        return Fault("not_bgzf", detail, offset=0)
    unpacked = gunzip.unpack(ends.start, whole=False, most=LONGEST_MARK)
    if unpacked.fault is None and unpacked.text and not unpacked.text.startswith(b"BAM\1"):
        detail = (
            f"The file is packed as BAM files are, but holds something else. {looks_like(unpacked.text)}Upload a BAM "
            "file."
        )
        return Fault("not_bam", detail, offset=0)
    return blocks.bam_fault(ends.tail, ends.size)


def _cram_fault(ends: _Ends) -> Fault | None:
    if not ends.size:
        return _empty("upload the original, and look whether there was room on the disk.")
    if not ends.start.startswith(b"CRAM"[: ends.size]):
        return Fault(
            "not_cram", f"The file is not in CRAM format. {looks_like(ends.start)}Upload a CRAM file.", offset=0
        )
    return blocks.cram_fault(ends.start, ends.tail, ends.size)


def _gzip_fault(ends: _Ends) -> Fault | None:
    if not ends.size:
        return _empty("pack the original file and upload that.")
    if not ends.start.startswith(gunzip.MAGIC[: ends.size]):
        return Fault("not_gzip", "The file is not in gzip format: pack it with gzip and upload that.", offset=0)
    return gunzip.unpack(ends.start, whole=ends.is_whole, most=TEXT_BYTES).fault or _end_fault(ends)


def _look_at_text(check: str, ends: _Ends) -> Look:
    """A text format, plain or gzipped; of what is wrong with text and packing, the first is told."""
    is_packed = bool(ends.start) and ends.start.startswith(gunzip.MAGIC[: ends.size])
    unpacked = gunzip.Unpacked(ends.start, whole=ends.is_whole)
    if is_packed:
        unpacked = gunzip.unpack(ends.start, whole=ends.is_whole, most=TEXT_BYTES)
    if program := packer_of(unpacked.text):
        packed_otherwise = Fault("compression_unsupported", _packed_detail(program, is_packed=is_packed), offset=0)
        return Look(packed_otherwise.under(check))
    whole = unpacked.whole and unpacked.fault is None
    fault_of = fastq.fault_of if check == "fastq" else _fasta_fault
    if fault := fault_of(unpacked.text, whole=whole):
        return Look(fault.under(check))
    packing = unpacked.fault or (_end_fault(ends) if is_packed else None)
    if packing is not None:
        return Look(packing.under("gzip").under(check))
    return Look(first_read=fastq.first_read_of(unpacked.text) if check == "fastq" else None)


def _end_fault(ends: _Ends) -> Fault | None:
    """What the end of a gzip file shows where it has blocks; others tell of their end only after all of the rest."""
    if ends.is_whole or not blocks.are_blocks(ends.start):
        return None
    return blocks.packed_text_fault(ends.tail, ends.size)


def _empty(what: str) -> Fault:
    return Fault("empty", f"The file is empty: {what}", offset=0)


def _packed_detail(program: str, *, is_packed: bool) -> str:
    if is_packed:
        return f"The file is packed with gzip and, within that, with {program}: pack it once, with gzip."
    if program == "gzip":
        # Its third byte names another method of compression than the one that gzip has.
        return "The file begins as gzip files do, but does not go on so: pack the original again and upload that."
    return f"The file is packed with {program}: upload it plain, or packed once with gzip."


def _fasta_fault(text: bytes, *, whole: bool) -> Fault | None:
    """Whether the text begins as FASTA does; the rest is the verifier's."""
    first = re.search(rb"[^\n]", text.removesuffix(b"\r").replace(b"\r\n", b"\n"))
    if first is None:
        return Fault("empty", "The file has no sequences: upload the one that has.") if whole else None
    if first[0] == b">":
        return None
    is_visible = 0x21 <= first[0][0] <= 0x7E
    shown = f"“{first[0].decode()}”" if is_visible else f"the byte 0x{first[0].hex()}"
    seen = "@, as FASTQ does" if first[0] == b"@" else shown
    line = first.start() + 1
    detail = f"Line {line:,} begins with {seen}; a FASTA record begins with > and its name."
    return Fault("header", detail, line=line)
