"""gzip files, whatever is in them."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Final

from benchmarks.corpus import damage, foreign, packing
from benchmarks.corpus.case import Case, Category, Flips, Maker
from benchmarks.corpus.packing import Header, member
from benchmarks.corpus.reads import fastq, illumina, nanopore

MAKE: Final = Maker("gzip", Category.GZIP, "assembly-graph.gfa.gz", "gzip_")
DAMAGED: Final = ("invalid_data", "crc_mismatch", "truncated")
"""What a flipped bit in deflate data can lead to: codes that do not exist, other data, an end that is not found."""
FULL: Final = Header(name=b"graph.gfa", comment=b"made on a Monday", extra=b"XX\x04\0abcd", checksum=True)
MEBIBYTE: Final = 1 << 20
FIXED_HEADER: Final = 10
FLAGS: Final = ("text", "header checksum", "extra", "name", "comment", "reserved", "reserved", "reserved")


def graph() -> bytes:
    """An assembly graph, as assemblers write it."""
    reads = nanopore(6, longest=4_000, seed="graph")
    segments = [
        b"S\tutg%d\t%s\tLN:i:%d" % (number, read.letters, len(read.letters)) for number, read in enumerate(reads)
    ]
    links = [b"L\tutg%d\t+\tutg%d\t-\t55M" % (number, number + 1) for number in range(len(reads) - 1)]
    return b"\n".join([b"H\tVN:Z:1.0", *segments, *links, b""])


def cases() -> Iterator[Case]:
    """All of them."""
    text = graph()
    return chain(
        _good(text), _good_members(text), _cut(text), _flipped(text), _wrong_fields(text), _more(text), _others(text)
    )


def _good(text: bytes) -> Iterator[Case]:
    yield MAKE.good("one member", member(text))
    yield MAKE.good("not compressed, only stored", member(text, level=0))
    yield MAKE.good("fastest compression", member(text, level=1))
    yield MAKE.good("best compression", member(text, level=9))
    yield MAKE.good("fixed codes only", member(text, strategy=zlib.Z_FIXED))
    yield MAKE.good("no back references", member(text, strategy=zlib.Z_HUFFMAN_ONLY))
    yield MAKE.good("flushed every 999 bytes", packing.flushed(text, 999))
    yield MAKE.good("header with a name", member(text, Header(name=b"graph.gfa")))
    yield MAKE.good(
        "header with a name in Latin 1", member(text, Header(name="Abstrich für Müller.gfa".encode("latin-1")))
    )
    yield MAKE.good("header with a comment", member(text, Header(comment=b"made on a Monday")))
    yield MAKE.good("header with an extra field", member(text, Header(extra=b"XX\x04\0abcd")))
    yield MAKE.good("header with an extra field of 65,535 bytes", member(text, Header(extra=b"x" * 65_535)))
    yield MAKE.good("header with an empty extra field", member(text, Header(extra=b"")))
    yield MAKE.good("header with a checksum of its own", member(text, Header(checksum=True)))
    yield MAKE.good("header with every field", member(text, FULL))
    yield MAKE.good("header with a time after 2038", member(text, Header(time=0xF0000000)))
    yield MAKE.good("header that says text", member(text, Header(flags=0x01)))
    yield MAKE.good("nothing packed", member(b""))
    yield MAKE.good("one byte packed", member(b"\n"))
    yield MAKE.good("200 MB of one letter", packing.repeated([(b"A" * MEBIBYTE, 200)]))
    yield MAKE.good("a gzip file packed again", member(member(text)))
    yield MAKE.good("a tar archive", member(foreign.tar(text, "graph.gfa")), file_name="graph.tar.gz")
    yield MAKE.good("a name that does not say gzip", member(text), file_name="graph")


def _good_members(text: bytes) -> Iterator[Case]:
    half = len(text) // 2
    first, second, empty = member(text[:half]), member(text[half:], FULL), member(b"")
    yield MAKE.good("two members", first + second)
    yield MAKE.good("an empty member between two", first + empty + second)
    yield MAKE.good("an empty member first", empty + first + second)
    yield MAKE.good("an empty member last", first + second + empty)
    yield MAKE.good("members of 50 bytes", packing.members(text[:20_000], 50))
    yield MAKE.good("BGZF", packing.bgzf(text))
    yield MAKE.good("BGZF without its last, empty block", b"".join(packing.bgzf_blocks(text)))
    yield MAKE.good("two BGZF files, one behind the other", packing.bgzf(text[:half]) + packing.bgzf(text[half:]))


def _cut(text: bytes) -> Iterator[Case]:
    whole = member(text, FULL)
    header = len(FULL.bytes())
    places = {
        "after 1 byte": 1,
        "after 2 bytes": 2,
        "after the magic bytes": 3,
        "within the time": 6,
        "behind the fixed header": FIXED_HEADER,
        "within the length of the extra field": FIXED_HEADER + 1,
        "within the extra field": FIXED_HEADER + 6,
        "within the name": FIXED_HEADER + 14,
        "within the comment": header - 8,
        "within the header's checksum": header - 1,
        "behind the header": header,
        "in the first byte of the data": header + 1,
        "at a quarter of the data": len(whole) // 4,
        "at half of the data": len(whole) // 2,
        "before the last byte of the data": len(whole) - 9,
        "behind the data": len(whole) - 8,
        **{f"before the last {left} bytes": len(whole) - left for left in (7, 5, 4, 3, 1)},
    }
    for place, end in places.items():
        yield MAKE.bad(f"cut {place}", whole[:end], "truncated")
    second = member(text[:1000])
    for left in (len(second) - 2, len(second) // 2, 8, 1):
        yield MAKE.bad(f"second member cut, {left} bytes missing", whole + second[:-left], "truncated")
    yield MAKE.altered("cut between two members", whole + second, whole)
    blocks = packing.bgzf_blocks(text, 4096)
    yield MAKE.bad("BGZF cut within a block", b"".join(blocks[:3]) + blocks[3][:100], "truncated")
    yield MAKE.altered("BGZF cut between two blocks", packing.bgzf(text, 4096), b"".join(blocks[:3]))


def _flipped(text: bytes) -> Iterator[Case]:
    whole = member(text)
    yield from MAKE.flips("data", whole, Flips(14, FIXED_HEADER, len(whole) - 8, "gzip data"), *DAMAGED)
    blocks = packing.bgzf(text, 4096)
    block = len(packing.bgzf_block(text[:4096]))
    yield from MAKE.flips("first block of BGZF", blocks, Flips(4, 18, block - 8, "bgzf data"), *DAMAGED)
    for index in range(4):
        place = len(whole) - 8 + index
        yield MAKE.bad(f"checksum: a bit of byte {index} flipped", damage.flipped(whole, place, index), "crc_mismatch")
        yield MAKE.bad(
            f"length: a bit of byte {index} flipped", damage.flipped(whole, place + 4, index), "length_mismatch"
        )
    for index in range(3):
        yield MAKE.bad(f"magic bytes: a bit of byte {index} flipped", damage.flipped(whole, index, 5), "not_gzip")
    for bit, field in enumerate(FLAGS):
        name, data = f"flags: bit {bit} ({field}) flipped", damage.flipped(whole, 3, bit)
        if field == "text":
            yield MAKE.altered(name, whole, data)
        else:
            yield MAKE.bad(name, data, *(("invalid_data",) if field in {"header checksum", "reserved"} else DAMAGED))
    for name, offset in (("time", 4), ("time", 7), ("extra flags", 8), ("system", 9)):
        yield MAKE.altered(f"{name} (byte {offset}): a bit flipped", whole, damage.flipped(whole, offset, 1))
    checked = member(text, FULL)
    yield MAKE.bad("name in a header with a checksum: a bit flipped", damage.flipped(checked, 22, 0), "invalid_data")


def _wrong_fields(text: bytes) -> Iterator[Case]:
    packed = packing.PLAIN.bytes() + packing.deflated(text)
    yield MAKE.bad(
        "checksum of something else", packed + struct.pack("<II", zlib.crc32(b"else"), len(text)), "crc_mismatch"
    )
    yield MAKE.bad("checksum of zeros", packed + struct.pack("<II", 0, len(text)), "crc_mismatch")
    backwards = struct.pack(">II", zlib.crc32(text), len(text))
    yield MAKE.bad("checksum in the wrong order of bytes", packed + backwards, "crc_mismatch")
    yield MAKE.bad(
        "checksum and length the wrong way round",
        packed + struct.pack("<II", len(text), zlib.crc32(text)),
        "crc_mismatch",
    )
    yield MAKE.bad(
        "length one too many", packed + struct.pack("<II", zlib.crc32(text), len(text) + 1), "length_mismatch"
    )
    yield MAKE.bad("length of zero", packed + struct.pack("<II", zlib.crc32(text), 0), "length_mismatch")
    second = packing.PLAIN.bytes() + packing.deflated(text)
    yield MAKE.bad(
        "second member with a wrong checksum", member(text) + second + packing.trailer(text, crc=1), "crc_mismatch"
    )
    yield MAKE.bad(
        "second member with a wrong length", member(text) + second + packing.trailer(text, length=8), "length_mismatch"
    )
    yield MAKE.bad(
        "header checksum of something else",
        Header(checksum=True).bytes()[:-2] + b"\0\0" + packed[10:] + packing.trailer(text),
        "invalid_data",
    )
    yield MAKE.bad("another method of compression", member(text, Header(method=7)), "not_gzip")
    yield MAKE.bad("reserved flag set", member(text, Header(flags=0x80)), "invalid_data")
    yield MAKE.bad("name of 300 KB that does not end", Header(name=b"n" * 300_000).bytes()[:-1], "invalid_data")
    yield MAKE.bad(
        "a block of a kind that deflate does not have", packing.PLAIN.bytes() + b"\x07" + bytes(40), "invalid_data"
    )


def _more(text: bytes) -> Iterator[Case]:
    whole = member(text)
    for name, more in (
        ("a line end", b"\n"),
        ("one zero", b"\0"),
        ("512 zeros", bytes(512)),
        ("64 KiB of zeros", bytes(64 << 10)),
        ("text", b"-- end of file --\n"),
        ("its own text, unpacked", text),
        ("an HTML page", foreign.HTML),
        ("a bzip2 file", foreign.compressions(text, "graph.gfa")["bzip2"]),
        ("random bytes", random.Random("more").randbytes(400)),
    ):
        yield MAKE.bad(f"followed by {name}", whole + more, "trailing_bytes")
    yield MAKE.bad("followed by the start of a header", whole + b"\x1f\x8b", "truncated")
    yield MAKE.bad("followed by another method's header", whole + b"\x1f\x8b\x07" + bytes(30), "trailing_bytes")
    yield MAKE.bad("zeros between two members", whole + bytes(100) + whole, "trailing_bytes")
    yield MAKE.bad("1.2 GB of one letter in one member", packing.repeated([(b"A" * MEBIBYTE, 1150)]), "bomb")
    yield MAKE.bad("1.2 GB of zeros in many members", member(bytes(MEBIBYTE)) * 1150, "bomb")


def _others(text: bytes) -> Iterator[Case]:
    whole = member(text)
    yield MAKE.bad("no bytes at all", b"", "empty")
    yield MAKE.bad("not packed", text, "not_gzip")
    for name, data in foreign.compressions(text, "graph.gfa").items():
        yield MAKE.bad(f"packed with {name}", data, "not_gzip")
    yield MAKE.bad("a bare zlib stream", foreign.zlib_stream(text), "not_gzip")
    yield MAKE.bad("bare deflate data", packing.deflated(text), "not_gzip")
    for name in ("an HTML page that says 403", "a pointer of Git LFS", "PNG"):
        yield MAKE.bad(name, foreign.documents()[name], "not_gzip")
    yield MAKE.bad("a space before it", b" " + whole, "not_gzip")
    yield MAKE.bad("only zeros, as many as it had bytes", bytes(len(whole)), "not_gzip")
    yield MAKE.bad("sent in text mode", damage.as_text_mode(whole), *DAMAGED)
    yield MAKE.bad("read as UTF-8 and written again", damage.as_utf8(whole), "not_gzip")
    yield MAKE.bad("the eighth bit dropped", damage.as_seven_bits(whole), "not_gzip")
    hole = damage.overwritten(whole, len(whole) // 2, bytes(512))
    yield MAKE.bad("512 zeros in the middle of the data", hole, *DAMAGED)
    yield MAKE.bad("512 bytes of the data missing", whole[:2000] + whole[2512:], *DAMAGED)
    yield MAKE.bad("512 bytes of the data twice", whole[:2512] + whole[2000:], *DAMAGED)
    yield MAKE.bad(
        "the end of another file behind the first half",
        whole[: len(whole) // 2] + member(fastq(illumina(300)))[-4000:],
        *DAMAGED,
    )
