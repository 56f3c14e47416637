"""Trying again: for how long, and how not to do it in step with everybody else."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_PAUSE = 0.5  # seconds
LONGEST_PAUSE = 20.0  # seconds
LONGEST_RETRY_AFTER = 300.0  # seconds; who asks for more patience than this is reported instead


@dataclass(frozen=True)
class Patience:
    """How often something is tried, and what pauses: `sleep` takes seconds and may raise to give up."""

    attempts: int = 6
    sleep: Callable[[float], None] = time.sleep

    def pause_before(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds to wait before the attempt after `attempt` (from 0): exponential, with full jitter.

        https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        Never less than the server asks for.
        """
        pause = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 16)))  # noqa: S311 - no secret
        return max(pause, retry_after or 0.0)

    def allows(self, attempt: int, retry_after: float | None = None) -> bool:
        """Whether there is another attempt after `attempt` (from 0)."""
        return attempt + 1 < self.attempts and (retry_after or 0.0) <= LONGEST_RETRY_AFTER


def is_passing(status: int) -> bool:
    """Whether an answer of this status may be another one in a while."""
    return status in {408, 429} or status >= 500


def retry_after_of(value: str | None) -> float | None:
    """Seconds that `Retry-After` asks for, given as such or as a date (RFC 9110, 10.2.3); None without a usable one."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
