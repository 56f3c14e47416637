"""The presigned URLs of one upload, and for how long they are good."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from satchel.errors import Problem
from satchel.transfer.puts import UrlExpiredError


class Urls:
    """The URLs by part number; `generation` tells how often they were made."""

    def __init__(self) -> None:
        self.generation = 0
        self._urls: dict[int, str] = {}
        self._expires_at = float("inf")

    def take(self, urls: Mapping[int, str]) -> None:
        """Take URLs that were just made."""
        self.generation += 1
        self._urls.update(urls)
        self._expires_at = time.monotonic() + min(map(_lifetime_of, urls.values()), default=float("inf"))

    def of(self, number: int) -> str:
        """The URL of a part. Raises `UrlExpiredError`, also where there is none."""
        if time.monotonic() >= self._expires_at or number not in self._urls:
            raise UrlExpiredError(
                Problem("upload_refused", "The time to send this file was over before its turn came.")
            )
        return self._urls[number]


def _lifetime_of(url: str) -> float:
    """Seconds from the signing on, as the URL itself says: the clocks of server and client need not agree."""
    found = re.search(r"[?&]X-Amz-Expires=(\d+)", url)
    return float(found[1]) if found else float("inf")
