"""Alignments of reads to a reference, written with htslib, by way of pysam, as BAM and as CRAM."""

from __future__ import annotations

import gzip
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pysam

from benchmarks.corpus.reads import Read

REFERENCES = {"NC_002549.1": 18_959, "plasmid": 5_000}


def header(references: dict[str, int]) -> pysam.AlignmentHeader:
    """A header as mappers write it."""
    return pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "unsorted"},
            "SQ": [{"SN": name, "LN": length} for name, length in references.items()],
            "RG": [{"ID": "run7", "SM": "swab"}],
        }
    )


def written(reads: Sequence[Read], mode: str, *, mapped: bool = True, options: Sequence[str] = ()) -> bytes:
    """The reads as BAM (mode `wb`) or CRAM (`wc`), with options of htslib such as `version=3.1`."""
    references = REFERENCES if mapped else {}
    head = header(references)
    draw = random.Random("places")
    with tempfile.TemporaryDirectory(prefix="satchel-corpus-") as folder:
        path = Path(folder) / "alignments"
        with pysam.AlignmentFile(str(path), mode, header=head, format_options=options) as file:
            for read in reads:
                file.write(_segment(read, head, draw, mapped=mapped))
        return path.read_bytes()


def _segment(read: Read, head: pysam.AlignmentHeader, draw: random.Random, *, mapped: bool) -> pysam.AlignedSegment:
    segment = pysam.AlignedSegment(head)
    segment.query_name = read.name.decode()
    segment.query_sequence = read.letters.decode()
    segment.query_qualities = pysam.qualitystring_to_array(read.qualities.decode())
    segment.set_tag("RG", "run7")
    segment.flag = 0 if mapped else 4
    if mapped:
        segment.reference_id = draw.randrange(len(REFERENCES))
        segment.reference_start = draw.randrange(4_000)
        segment.mapping_quality = 60
        segment.cigarstring = f"{len(read.letters)}M"
    return segment


def bam(reads: Sequence[Read], *, mapped: bool = True) -> bytes:
    """A BAM file."""
    return written(reads, "wb", mapped=mapped)


def bam_data(reads: Sequence[Read], *, mapped: bool = True) -> bytes:
    """What is packed in a BAM file."""
    return gzip.decompress(bam(reads, mapped=mapped))


def cram(reads: Sequence[Read], version: str, *, mapped: bool = True, options: Sequence[str] = ()) -> bytes:
    """A CRAM file that needs no reference from elsewhere."""
    return written(reads, "wc", mapped=mapped, options=[f"version={version}", "no_ref=1", *options])
