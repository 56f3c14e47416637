"""Feeding files to content checks, and what the checks of gzipped text have in common."""

from __future__ import annotations

import gzip
from itertools import pairwise

from files.content import CheckOutcome, ContentCheck


def fed(check: ContentCheck, data: bytes, cuts: tuple[int, ...] = ()) -> CheckOutcome:
    """The outcome for this file, fed in chunks that end at `cuts`, which are taken modulo its length."""
    for start, end in pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
        check.feed(data[start:end])
    return check.finish()


def gzip_faults(record: bytes) -> dict[str, tuple[bytes, str, int]]:
    """Ways to damage a gzip file of such records: for each the file, the code without “…_gzip_”, the offset."""
    many, one = gzip.compress(record * 1000), gzip.compress(record)
    return {
        "cut short": (many[:-20], "truncated", len(many) - 20),
        "cut within the header": (one[:9], "truncated", 9),
        "wrong checksum": (one[:-8] + bytes(8), "crc_mismatch", len(one) - 8),
        "wrong length": (one[:-4] + bytes(4), "length_mismatch", len(one) - 4),
        "zeros behind": (one + bytes(9), "trailing_bytes", len(one)),
        "no compressed data": (one[:10] + b"\xff" * 30, "invalid_data", 0),
    }
