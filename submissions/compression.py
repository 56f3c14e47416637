"""Unpacks what is submitted, as it is read and never further than a limit.

Plain and gzipped files (RFC 1952, several members too) are told apart by content, never by name. Other kinds
of compression are recognised so that the refusal can name them.
"""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, BinaryIO

from isal import igzip, igzip_lib

from common.errors import DomainError, Location
from submissions.errors import CompressionInvalidError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP_MAGIC = b"\x1f\x8b"
UNSUPPORTED_MAGIC = (
    (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard (.zst)"),
    (b"\xfd7zXZ\x00", "is compressed with xz (.xz)"),
    (b"BZh", "is compressed with bzip2 (.bz2)"),
    (b"PK\x03\x04", "is a zip archive (an Excel workbook, .xlsx, is one too)"),
    (b"PK\x05\x06", "is an empty zip archive"),
)
BZIP2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")
"""What follows `BZh` and a digit in bzip2, and not in a text that happens to begin with these letters."""

HEAD_BYTES = 10
BUFFER_BYTES = 1 << 17


def open_unpacked(stream: BinaryIO, *, limit: int, field: str, too_large: type[DomainError]) -> io.BufferedReader:
    """A reader of what `stream` holds once unpacked; `stream` is read as needed and stays open.

    `limit` is in unpacked bytes, `field` the form part that errors name. Raises `CompressionInvalidError`,
    here or on a later read, for an unsupported kind, a truncated or broken gzip and a gzip that unpacks to
    more than `limit`; `too_large` for a plain file over the limit. Memory is constant, whatever the ratio.
    """
    head = _read_head(stream)
    _refuse_unsupported(head, field)
    source = _Rejoined(head, stream)
    if head.startswith(GZIP_MAGIC):
        packed = igzip.IGzipFile(fileobj=io.BufferedReader(source, BUFFER_BYTES), mode="rb")  # type: ignore[no-untyped-call]
        return io.BufferedReader(_Bounded(packed, limit, field, CompressionInvalidError), BUFFER_BYTES)
    return io.BufferedReader(_Bounded(source, limit, field, too_large), BUFFER_BYTES)


def _read_head(stream: BinaryIO) -> bytes:
    """The first bytes, also of a stream that hands them out one by one."""
    head = b""
    while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
        head += more
    return head


def _refuse_unsupported(head: bytes, field: str) -> None:
    for magic, finding in UNSUPPORTED_MAGIC:
        if head.startswith(magic) and (magic != b"BZh" or head[4:].startswith(BZIP2_BLOCKS)):
            sentence = f"The file {finding}, which cannot be read here. Send it as plain text or packed with gzip."
            raise CompressionInvalidError(sentence, Location(field=field))


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
    """Hands out unpacked bytes up to a limit, and turns what a gzip can have wrong into our own errors."""

    def __init__(
        self, source: io.RawIOBase | gzip.GzipFile, limit: int, field: str, too_large: type[DomainError]
    ) -> None:
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
        data = self._read(len(view))
        self._left -= len(data)
        if self._left < 0:
            sentence = f"The file holds more than {self._limit:,} bytes of text. Submit it in several pieces."
            raise self._too_large(sentence, Location(field=self._field))
        view[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        # gzip.BadGzipFile is an OSError: any other OSError is a fault of ours and goes on up.
        try:
            return self._source.read(size) or b""
        except EOFError as error:
            sentence = "The gzip file ends too early, or has something behind its end. Pack it and send it again."
            raise CompressionInvalidError(sentence, Location(field=self._field)) from error
        except gzip.BadGzipFile as error:
            raise self._damaged(error) from error
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub declares an instance
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> CompressionInvalidError:
        sentence = f"The gzip file is damaged ({error}). Pack it and send it again."
        return CompressionInvalidError(sentence, Location(field=self._field))
