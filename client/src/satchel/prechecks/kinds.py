"""What a file is by its first bytes, in the words of the server: its table of marks once more, which a test compares.

The client is installed without the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# The first that fits is told, so that a mark stands before a shorter one that begins it.
_KINDS: Final[Mapping[bytes, str]] = {
    b"CRAM": "a CRAM file",
    b"BAM\1": "a BAM file that was unpacked",
    b"BCF\2": "a BCF file",
    b"BAI\1": "the index of a BAM file",
    b"CSI\1": "an index",
    b"TBI\1": "an index",
    b"##fileformat=VCF": "a VCF file",
    b"@HD\t": "a SAM file",
    b"@SQ\t": "a SAM file",
    b"@RG\t": "a SAM file",
    b"@PG\t": "a SAM file",
    b"@CO\t": "a SAM file",
    b"@": "a FASTQ file",
    b">": "a FASTA file",
    b"NCBI.sra": "an SRA file",
    b"\x89HDF": "an HDF5 file, as FAST5 is",
    b"\x8bPOD": "a POD5 file",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\0": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"PK\x03\x04": "a zip file",
    b"<": "a web page",
}

LONGEST_MARK: Final = max(map(len, _KINDS))
"""How many bytes `looks_like` makes use of."""

_PACKERS: Final[Mapping[bytes, str]] = {
    b"\x1f\x8b": "gzip",
    b"\x1f\x9d": "compress",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
}


def looks_like(start: bytes) -> str:
    """A sentence with a space behind it, “It looks like a SAM file. ”, or nothing if there is no telling."""
    return next((f"It looks like {kind}. " for mark, kind in _KINDS.items() if start.startswith(mark)), "")


def packer_of(start: bytes) -> str | None:
    """The program that packs files beginning so."""
    return next((program for magic, program in _PACKERS.items() if start.startswith(magic)), None)
