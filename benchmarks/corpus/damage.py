"""What happens to files on their way."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator, Mapping

from benchmarks.corpus.reads import Read


def flipped(data: bytes, offset: int, bit: int) -> bytes:
    """One bit is another."""
    return data[:offset] + bytes([data[offset] ^ (1 << bit)]) + data[offset + 1 :]


def overwritten(data: bytes, offset: int, new: bytes) -> bytes:
    """Bytes are others, and as many."""
    return data[:offset] + new + data[offset + len(new) :]


def inserted(data: bytes, offset: int, new: bytes) -> bytes:
    """Bytes have come in between."""
    return data[:offset] + new + data[offset:]


def flips(data: bytes, number: int, *, start: int, end: int, seed: str) -> Iterator[tuple[str, bytes]]:
    """`number` copies, each with one bit flipped between the offsets, and the words that name it."""
    draw = random.Random(f"flips {seed}")
    for offset in sorted(draw.sample(range(start, end), number)):
        bit = draw.randrange(8)
        yield f"bit {bit} of byte {offset:,} flipped", flipped(data, offset, bit)


def unpacks_alike(data: bytes, text: bytes) -> bool:
    """Whether gzip data are still those of the text: some bits of deflate data mean nothing."""
    try:
        return gzip.decompress(data) == text
    except (OSError, EOFError, zlib.error):
        return False


def cuts_in_record(read: Read) -> Mapping[str, int]:
    """Where a record can break off within, as bytes from its start."""
    title = 1 + len(read.title)
    letters = title + 1 + len(read.letters)
    plus = letters + 2
    return {
        "behind the @": 1,
        "within the title": title // 2,
        "at the end of the title": title,
        "behind the title": title + 1,
        "within the sequence": (title + letters) // 2,
        "at the end of the sequence": letters,
        "behind the sequence": letters + 1,
        "behind the +": plus,
        "behind the line of the +": plus + 1,
        "within the qualities": plus + 1 + len(read.qualities) // 2,
        "before the last quality": plus + len(read.qualities),
    }


def as_text_mode(data: bytes) -> bytes:
    """Sent by FTP in ASCII mode: each LF became CR LF."""
    return data.replace(b"\n", b"\r\n")


def as_utf8(data: bytes) -> bytes:
    """Read as UTF-8 text and written again: what is none became U+FFFD."""
    return data.decode("utf-8", "replace").encode()


def as_seven_bits(data: bytes) -> bytes:
    """Sent over something that drops the eighth bit."""
    return bytes(value & 0x7F for value in data)
