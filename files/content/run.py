"""Several content checks over one file: its bytes go by once and are unpacked once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from files.content.base import DEFAULT_LIMITS, CheckOutcome, ContentCheck, Limits
from files.content.text import UnpackedCheck
from files.content.unpacking import Unpacker


class CheckRun:
    """The checks of one file. `feed` every chunk in order, then `finish` once for the outcomes.

    `size` is the file's size in bytes where it is known. Unpacked text goes to the checks by way of `relay`, which
    may hand it to another thread as long as the order is kept and all is done before `finish` returns to it.
    """

    def __init__(
        self, checks: Sequence[type[ContentCheck]], size: int | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        made = [check(size, limits) for check in checks]
        self._checks = made
        self._of_bytes = [check for check in made if not isinstance(check, UnpackedCheck)]
        self._of_text = [check for check in made if isinstance(check, UnpackedCheck)]
        self._unpacker = Unpacker(size, limits)
        for check in self._of_text:
            check.share(self._unpacker)

    @property
    def unpacks(self) -> bool:
        """Whether any check reads what is in the file after unpacking."""
        return bool(self._of_text)

    def feed(self, chunk: bytes, relay: Callable[[bytes], object] | None = None) -> None:
        """Check the next bytes of the file; nothing more is unpacked once every check has failed."""
        for check in self._of_bytes:
            check.feed(chunk)
        if all(check.failed for check in self._of_text):
            return
        for piece in self._unpacker.feed(chunk):
            (relay or self.take)(piece)

    def take(self, piece: bytes) -> None:
        """Check the next piece of unpacked text."""
        for check in self._of_text:
            check.take(piece)

    def finish(self) -> list[CheckOutcome]:
        """The outcomes, in the order of the checks, once the whole file was fed and every piece taken."""
        for piece in self._unpacker.finish():
            self.take(piece)
        return [check.finish() for check in self._checks]
