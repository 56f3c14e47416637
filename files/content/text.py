"""What the checks of text formats have in common: the text is read, gzipped or plain, whatever the file is called."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, final

from files.content import gunzip
from files.content.base import DEFAULT_LIMITS, JSON, CheckFailedError, ContentCheck, Limits
from files.content.unpacking import Unpacker

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


def packing_problems(name: str) -> dict[str, str]:
    """The codes of a text check of that name for what is wrong with the packing, each with its sentence."""
    return {
        **{
            f"{name}_gzip_{key}": text
            for key, text in gunzip.PROBLEMS.items()
            # A file is taken for gzip only once it has bytes, and those of a gzip header.
            if key not in ("empty", "not_gzip")
        },
        f"{name}_compression_unsupported": "Packed with another program than gzip, or twice. Offset: 0.",
    }


class UnpackedCheck(ContentCheck):
    """A check that reads what is in the file after unpacking.

    Fed chunks as any check, it unpacks them itself. Where several such checks read one file, they share an
    `unpacker` that another feeds, and `take` its pieces.
    """

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        self.unpacker = Unpacker(size, limits)
        self._shared = False

    @final
    def share(self, unpacker: Unpacker) -> None:
        """Take pieces from now on that come out of this unpacker; who feeds it also finishes it, before us."""
        self.unpacker = unpacker
        self._shared = True

    @final
    def take(self, piece: bytes) -> None:
        """Check the next piece that came out of the shared unpacker."""
        self._keeping_failure(self._take, piece)

    @final
    def _feed(self, chunk: bytes) -> None:
        for piece in self.unpacker.feed(chunk):
            self._take(piece)

    @final
    def _finish(self) -> dict[str, JSON]:
        if not self._shared:
            for piece in self.unpacker.finish():
                self._take(piece)
        return self._end()

    @abstractmethod
    def _take(self, piece: bytes) -> None:
        """Check the next piece of what was unpacked; raises `CheckFailedError` at the first problem."""

    @abstractmethod
    def _end(self) -> dict[str, JSON]:
        """Check that the file may end here, and tell what was learnt; raises `CheckFailedError`."""


class TextCheck(UnpackedCheck):
    """A check of a text format: other packings are refused by name, and CRLF is read as LF.

    Faults of the gzip layer have codes that begin with `<name>_gzip_` and an offset in the file as stored; faults
    of the text have a line. Of several the first one is told: a damaged gzip file whose damage unpacks to wrong
    letters is reported for the letters.
    """

    def __init__(self, size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(size, limits)
        # The first bytes of the text, held until something can be told from them.
        self._start: bytes | None = b""
        self._held_return = False

    @final
    def _take(self, piece: bytes) -> None:
        if self._start is None:
            self._take_text(piece)
            return
        self._start += piece
        if len(self._start) >= _LONGEST_MAGIC:
            self._begin(self._start)

    @final
    def _end(self) -> dict[str, JSON]:
        if self._start is not None:
            self._begin(self._start)
        failure = self.unpacker.failure
        if failure is not None:
            self._flush()
            raise CheckFailedError(f"gzip_{failure.problem}", failure.detail, offset=failure.offset) from failure
        return self._end_text()

    def _begin(self, start: bytes) -> None:
        self._start = None
        for magic, program in _COMPRESSIONS.items():
            if start.startswith(magic):
                raise CheckFailedError("compression_unsupported", self._packed_detail(program), offset=0)
        self._take_text(start)

    def _packed_detail(self, program: str) -> str:
        if self.unpacker.gunzip is not None:
            return f"The file is packed with gzip and, within that, with {program}: pack it once, with gzip."
        if program == "gzip":
            # Its third byte names another method of compression than the one that gzip has.
            return "The file begins as gzip files do, but does not go on so: pack the original again and upload that."
        return f"The file is packed with {program}: upload it plain, or packed once with gzip."

    def _take_text(self, text: bytes) -> None:
        """Pass the text on with LF for CRLF, also where a piece ends between the two."""
        if self._held_return:
            text = b"\r" + text
        self._held_return = text.endswith(b"\r")
        if self._held_return:
            text = text[:-1]
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        for start in range(0, len(text), self.limits.block):
            self._scan(text[start : start + self.limits.block])

    @abstractmethod
    def _scan(self, text: bytes) -> None:
        """Check the next text, whose lines end in LF; raises `CheckFailedError` at the first problem."""

    @abstractmethod
    def _flush(self) -> None:
        """Check all text taken so far, as far as can be said without what is missing behind it."""

    @abstractmethod
    def _end_text(self) -> dict[str, JSON]:
        """Check that the text may end here, and tell what was learnt; raises `CheckFailedError`."""
