"""Keeping a long piece of work to a rate."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Time as work sees it, in seconds; a test passes it by itself."""

    def monotonic(self) -> float:
        """Seconds since some moment, never going back."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


class SystemClock:
    """The machine's own."""

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


@dataclass(slots=True)
class Pace:
    """At most so many bytes a second, by waiting behind each piece; 0 for no limit.

    Time that went by unused is not saved up: after a pause the rate is no higher than before.
    """

    bytes_per_second: int
    clock: Clock
    _paid_until: float = 0.0

    def seconds_for(self, size: int) -> float:
        """How long `size` bytes take at this rate, if nothing else is slower."""
        return size / self.bytes_per_second if self.bytes_per_second else 0.0

    def take(self, size: int) -> None:
        """Wait until `size` more bytes are allowed to have been read."""
        now = self.clock.monotonic()
        self._paid_until = max(self._paid_until, now) + self.seconds_for(size)
        if self._paid_until > now:
            self.clock.sleep(self._paid_until - now)
