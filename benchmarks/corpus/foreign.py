"""Files that are something else than they are called."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import tarfile
import zlib
from collections.abc import Mapping
from typing import Final

from benchmarks.corpus import packing

HTML: Final = (
    b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head>\n"
    b"<body><h1>Forbidden</h1><p>Your session has expired, log in again.</p></body></html>\n"
)
S3_ERROR: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code>'
    b"<Message>Request has expired</Message></Error>"
)
LFS_POINTER: Final = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
MANIFEST: Final = (
    b"d41d8cd98f00b204e9800998ecf8427e  reads_R1.fastq.gz\n9e107d9d372bb6826bd81d3542a419d6  reads_R2.fastq.gz\n"
)
TABLE: Final = b"id\tcountry\tdate\nsample1\tUganda\t2024-05-17\n"
GENBANK: Final = (
    b"LOCUS       NC_002549   18959 bp    cRNA    linear   VRL 13-AUG-2018\nDEFINITION  Zaire ebolavirus.\n"
)
SAM: Final = (
    b"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:30000\n"
    b"r1\t0\tchr1\t100\t60\t8M\t*\t0\t0\tACGTACGT\tFFFFFFFF\nr2\t4\t*\t0\t0\t*\t*\t0\t0\tGGCCTTAA\tFFFFFFFF\n"
)
SAM_WITHOUT_HEADER: Final = SAM.split(b"\n", 2)[2]
VCF: Final = b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t100\t.\tA\tC\t50\tPASS\t.\n"
GFF: Final = b"##gff-version 3\nchr1\tsatchel\tgene\t100\t900\t.\t+\t.\tID=gene1\n"
PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PNG: Final = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU"
    b"\0\0\0\nIDATx\x9cc`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82"
)
JPEG: Final = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9"
SIGNAL: Final = b"\x89HDF\r\n\x1a\n" + bytes(88)
"""What a sequencer of nanopores measures, before it is made into letters: HDF5."""


def tar(text: bytes, name: str) -> bytes:
    """A tar archive with one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return stream.getvalue()


def documents() -> Mapping[str, bytes]:
    """Files of other kinds, none of them packed, none of them text that looks like FASTQ or FASTA."""
    return {
        "an HTML page that says 403": HTML,
        "the error document of an object store": S3_ERROR,
        "a pointer of Git LFS": LFS_POINTER,
        "a list of checksums": MANIFEST,
        "a metadata table": TABLE,
        "GenBank": GENBANK,
        "VCF": VCF,
        "GFF": GFF,
        "JSON": json.dumps({"message": "Not Found", "status": 404}).encode(),
        "PDF": PDF,
        "PNG": PNG,
        "JPEG": JPEG,
        "raw signal in HDF5": SIGNAL,
    }


def compressions(text: bytes, name: str) -> Mapping[str, bytes]:
    """The text, packed with anything but gzip."""
    return {
        "bzip2": bz2.compress(text),
        "xz": lzma.compress(text),
        "Zstandard": packing.zstandard(text),
        "LZ4": packing.lz4(text),
        "zip": packing.zipped(text, name),
        "7z, empty": packing.EMPTY_7Z,
        "compress": packing.compress(text[:200]),
    }


def zlib_stream(text: bytes) -> bytes:
    """Packed as gzip packs, in another envelope (RFC 1950)."""
    return zlib.compress(text)
