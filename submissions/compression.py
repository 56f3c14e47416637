"""Unpacks what is submitted, as it is read and never further than a limit.

Plain files and the five kinds of packing are told apart by content, never by name: gzip (RFC 1952), Zstandard
(RFC 8878), xz (The .xz File Format 1.2), bzip2, each also of several pieces one behind the other, and ZIP archives
(APPNOTE 6.3) of one file.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

import zstandard
from isal import igzip_lib

from common.errors import DomainError, Location
from submissions.errors import CompressionInvalidError
from submissions.packing import BrokenError, Unpacker, damaged, too_short
from submissions.zips import ZIP_START, ZipUnpacker

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    Source = io.BufferedReader["_Rejoined"]

GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\x00"
ZSTD_START = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
"""A frame, or one to be skipped, which parallel packers write first (RFC 8878, 3.1)."""
BZIP2_START = re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)", re.DOTALL)
"""With the begin of a block, or of the end: a text, too, may happen to begin with `BZh`."""

HEAD_BYTES = 10
BUFFER_BYTES = 1 << 17
PIECE_BYTES = 1 << 15
"""How much packed data is unpacked at a time: what is behind the end of a stream is copied for the next one."""
ZSTD_PIECE_BYTES = 512
"""Zstandard unpacks at once what it is given: 16 MiB of these at most, as 4 bytes can hold a block of 128 KiB."""

MIB = 1 << 20
XZ_MEMORY_MAX = 80 * MIB
"""Enough for `xz -9`, which takes 65 MiB to unpack."""
ZSTD_WINDOW_MAX = 64 * MIB
"""Enough for `zstd -19`, whose window has 8 MiB, and `zstd --ultra -21`."""

FREE_STREAMS = 10_000
BYTES_A_STREAM = 4096
"""Unpacked bytes that warrant one stream more; `bgzip` makes one for each 64 KiB, and an empty one at the end."""
FREE_PACKED_BYTES = MIB
"""How much longer what is packed may be than what has come out of it; a block of bzip2 has 900 kB."""


def open_unpacked(stream: BinaryIO, *, limit: int, field: str, too_large: type[DomainError]) -> io.BufferedReader:
    """A reader of what `stream` holds once unpacked; `stream` is read as needed and stays open.

    `limit` is in unpacked bytes, `field` the form part that errors name. `stream` is at its begin; of a ZIP archive it
    must be able to seek. Raises `CompressionInvalidError`, here or on a later read, for what is truncated, damaged,
    has something behind its end, takes too much memory, is made of pieces that hold next to nothing or unpacks to more
    than `limit`; `too_large` for a plain file over the limit. Memory is constant, whatever the ratio.
    """
    head = _read_head(stream)
    source = io.BufferedReader(_Rejoined(head, stream), BUFFER_BYTES)
    try:
        unpacker = _unpacker_for(head, source, stream)
    except BrokenError as error:
        raise CompressionInvalidError(error.sentence, Location(field=field)) from error
    too_large = too_large if unpacker is None else CompressionInvalidError
    return io.BufferedReader(_Bounded(unpacker or source, limit, field, too_large), BUFFER_BYTES)


def _read_head(stream: BinaryIO) -> bytes:
    """The first bytes, also of a stream that hands them out one by one."""
    head = b""
    while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
        head += more
    return head


def _unpacker_for(head: bytes, source: Source, stream: BinaryIO) -> Unpacker | None:
    """What unpacks a file that begins with `head`; None for a plain one."""
    if head.startswith(GZIP_MAGIC):
        return _StreamsUnpacker(source, GZIP)
    if head.startswith(XZ_MAGIC):
        return _StreamsUnpacker(source, XZ)
    if ZSTD_START.match(head):
        return _StreamsUnpacker(source, _zstandard())
    if BZIP2_START.match(head):
        return _StreamsUnpacker(source, BZIP2)
    return ZipUnpacker(stream) if head.startswith(ZIP_START) else None


class _Rejoined(io.RawIOBase):
    """The head that was looked at, and then the rest of the stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if self._head:
            data, self._head = self._head[: len(view)], self._head[len(view) :]
        else:
            data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)


class _Bounded(io.RawIOBase):
    """Hands out unpacked bytes up to a limit, and turns what a packing can have wrong into our own errors."""

    def __init__(self, source: Unpacker, limit: int, field: str, too_large: type[DomainError]) -> None:
        super().__init__()
        self._source = source
        self._limit = limit
        self._left = limit
        self._field = field
        self._too_large = too_large

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = self._source.read(len(view))
        except BrokenError as error:
            raise CompressionInvalidError(error.sentence, Location(field=self._field)) from error
        self._left -= len(data)
        if self._left < 0:
            sentence = f"The file holds more than {self._limit:,} bytes of text. Submit it in several pieces."
            raise self._too_large(sentence, Location(field=self._field))
        view[: len(data)] = data
        return len(data)


# --- gzip, Zstandard, xz, bzip2 ----------------------------------------------------------------------


class _Decompressor(Protocol):
    """One stream, as `bz2`, `lzma` and `igzip_lib` unpack it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _ZstdFrame:
    """One frame of Zstandard; it hands out all that `data` hold, whatever the length asked for."""

    needs_input = True

    def __init__(self, frame: zstandard.ZstdDecompressionObj) -> None:
        self._frame = frame

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data

    def decompress(self, data: bytes, _max_length: int) -> bytes:
        return self._frame.decompress(data)


@dataclass(frozen=True, slots=True)
class _Packing:
    """A kind of packing, of streams one behind the other; with `padding`, so many zeros at a time may be between."""

    name: str
    new_stream: Callable[[], _Decompressor]
    memory: int = 0
    piece: int = PIECE_BYTES
    padding: int | None = None


GZIP = _Packing("gzip file", lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP), padding=1)
BZIP2 = _Packing("bzip2 file", bz2.BZ2Decompressor)
XZ = _Packing(
    "xz file", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_MAX), XZ_MEMORY_MAX, padding=4
)


def _zstandard() -> _Packing:
    shared = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX)

    def new_stream() -> _ZstdFrame:
        return _ZstdFrame(shared.decompressobj())

    return _Packing("Zstandard file", new_stream, ZSTD_WINDOW_MAX, ZSTD_PIECE_BYTES)


UNREADABLE_STREAM = (OSError, ValueError, lzma.LZMAError, zstandard.ZstdError, igzip_lib.IsalError)
"""What they raise for damage; bz2 has no error of its own. Nothing is read while they work."""


class _StreamsUnpacker:
    def __init__(self, source: Source, packing: _Packing) -> None:
        self._source = source
        self._packing = packing
        self._stream = packing.new_stream()
        self._ready = memoryview(b"")
        self._streams = 1
        self._packed = self._held = 0

    def read(self, size: int, /) -> bytes:
        while not self._ready:
            packed = self._next_piece()
            if packed is None:
                return b""
            self._ready = memoryview(self._unpacked(packed, size))
            self._held += len(self._ready)
        data, self._ready = self._ready[:size], self._ready[size:]
        return bytes(data)

    def _next_piece(self) -> bytes | None:
        """Packed bytes for the stream, which is a new one where the last has ended; None at the end of all."""
        if not self._stream.eof:
            if not self._stream.needs_input:
                return b""
            if piece := self._read_packed():
                return piece
            raise too_short(self._packing.name)
        piece = self._behind_padding(self._stream.unused_data)
        if not piece:
            return None
        self._stream = self._packing.new_stream()
        self._streams += 1
        self._check_warranted()
        return piece

    def _read_packed(self) -> bytes:
        piece = self._source.read(self._packing.piece)
        self._packed += len(piece)
        self._check_warranted()
        return piece

    def _check_warranted(self) -> None:
        """Refuse what would take much time and yield little: empty streams, and empty blocks within one."""
        many = self._streams > FREE_STREAMS + self._held // BYTES_A_STREAM
        if many or self._packed > FREE_PACKED_BYTES + self._held:
            sentence = f"The {self._packing.name} is made of pieces that hold next to nothing. Pack it anew as one."
            raise BrokenError(sentence)

    def _behind_padding(self, piece: bytes) -> bytes:
        """The begin of the next stream, `piece` being what is known of it; empty at the end of all."""
        zeros = 0
        while piece := piece or self._read_packed():
            if self._packing.padding is None:
                return piece
            rest = piece.lstrip(b"\0")
            zeros += len(piece) - len(rest)
            piece = rest
            if rest:
                break
        if zeros and zeros % (self._packing.padding or 1):
            raise damaged(self._packing.name, "zeros between its streams or behind them")
        return piece

    def _unpacked(self, packed: bytes, size: int) -> bytes:
        name = self._packing.name
        try:
            return self._stream.decompress(packed, size)
        except UNREADABLE_STREAM as error:  # type: ignore[misc]  # igzip_lib's stub declares an instance
            if "memory" in str(error).lower():
                most = f"{self._packing.memory // MIB} MiB"
                sentence = f"Unpacking the {name} takes more than {most} of memory. Pack it with the usual settings."
                raise BrokenError(sentence) from error
            raise damaged(name, error) from error
