"""The FASTQ check: every record of a plain or gzipped file, whatever the file is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from files.content import fastq_records, gunzip
from files.content.base import DEFAULT_LIMITS, JSON, CheckFailedError, ContentCheck, Limits

# How files packed in other ways begin; after unpacking gzip, also how one packed twice does.
_COMPRESSIONS: Final[Mapping[bytes, str]] = {
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
_LONGEST_MAGIC: Final = max(map(len, _COMPRESSIONS))


class FastqCheck(ContentCheck):
    """FASTQ by the rules of `fastq_records`, plain or gzipped by the rules of `gunzip`.

    Faults of the gzip layer have codes that begin with `fastq_gzip_` and an offset in the file as stored;
    faults of the text have a line. Of several the first one is told: a damaged gzip file whose damage unpacks
    to wrong letters is reported for the letters.

    On success `data` holds `reads`, `bases` and `namesDigest` (`RecordScanner.names_digest`).
    """

    name: ClassVar[str] = "fastq"
    version: ClassVar[int] = 1
    problems: ClassVar[Mapping[str, str]] = {
        **{f"fastq_{key}": text for key, text in fastq_records.PROBLEMS.items()},
        **{
            f"fastq_gzip_{key}": text
            for key, text in gunzip.PROBLEMS.items()
            # A file is taken for gzip only once it has bytes, and those of a gzip header.
            if key not in ("empty", "not_gzip")
        },
        "fastq_compression_unsupported": "Packed with another program than gzip, or twice. Offset: 0.",
    }

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        self._scanner = fastq_records.RecordScanner(limits)
        self._gunzip: gunzip.Gunzip | None = None
        # The first bytes of the file and of the text, held until something can be told from them.
        self._file_start: bytes | None = b""
        self._text_start: bytes | None = b""
        self._held_return = False

    def _feed(self, chunk: bytes) -> None:
        if self._file_start is None:
            self._unpack(chunk)
        else:
            self._file_start += chunk
            if len(self._file_start) >= len(gunzip.GZIP_MAGIC):
                self._begin_file(self._file_start)

    def _finish(self) -> dict[str, JSON]:
        if self._file_start is not None:
            self._begin_file(self._file_start)
        if self._text_start is not None:
            self._begin_text(self._text_start)
        if self._gunzip is not None:
            self._finish_gunzip(self._gunzip)
        self._scanner.finish()
        return {
            "reads": self._scanner.reads,
            "bases": self._scanner.bases,
            "namesDigest": self._scanner.names_digest,
        }

    def _begin_file(self, start: bytes) -> None:
        self._file_start = None
        if start.startswith(gunzip.GZIP_MAGIC):
            self._gunzip = gunzip.Gunzip(self.size, self.limits)
        self._unpack(start)

    def _unpack(self, chunk: bytes) -> None:
        for text in self._plain(chunk) if self._gunzip is None else self._gunzipped(self._gunzip, chunk):
            if self._text_start is None:
                self._scan(text)
            else:
                self._text_start += text
                if len(self._text_start) >= _LONGEST_MAGIC:
                    self._begin_text(self._text_start)

    def _plain(self, chunk: bytes) -> Iterator[bytes]:
        """The chunk in pieces, so that the lists of lines made of it stay small."""
        step = self.limits.block
        return (chunk[start : start + step] for start in range(0, len(chunk), step))

    def _gunzipped(self, unpacker: gunzip.Gunzip, chunk: bytes) -> Iterator[bytes]:
        try:
            yield from unpacker.feed(chunk)
        except CheckFailedError as failure:
            self._scanner.flush()
            raise _of_gzip(failure) from failure

    def _finish_gunzip(self, unpacker: gunzip.Gunzip) -> None:
        try:
            unpacker.finish()
        except CheckFailedError as failure:
            self._scanner.flush()
            raise _of_gzip(failure) from failure

    def _begin_text(self, start: bytes) -> None:
        self._text_start = None
        for magic, program in _COMPRESSIONS.items():
            if start.startswith(magic):
                found = "is packed with" if self._gunzip is None else "is packed with gzip and, within that, with"
                detail = f"The file {found} {program}: upload it plain, or packed once with gzip."
                raise CheckFailedError("compression_unsupported", detail, offset=0)
        self._scan(start)

    def _scan(self, text: bytes) -> None:
        """Pass the text on with LF for CRLF, also where a piece ends between the two."""
        if self._held_return:
            text = b"\r" + text
        self._held_return = text.endswith(b"\r")
        if self._held_return:
            text = text[:-1]
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        self._scanner.feed(text)


def _of_gzip(failure: CheckFailedError) -> CheckFailedError:
    return CheckFailedError(f"gzip_{failure.problem}", failure.detail, offset=failure.offset)
