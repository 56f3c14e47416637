"""Accepted files with their objects, ways to damage them, and a run of fixity with a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from files import fixity, storage
from files.models import File
from files.storage.client import client
from tests.factories import FileAttachmentFactory, FileFactory

MEBIBYTE = 1024 * 1024
PERIOD = timedelta(days=90)
LONG_AGO = PERIOD + timedelta(days=1)
BYTES = bytes(range(256)) * 8


@dataclass
class TestClock:
    """A clock that goes on only while somebody sleeps; `on_sleep` is called then."""

    __test__ = False
    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float, /) -> None:
        """Be later at once."""
        self.now += seconds
        self.slept.append(seconds)
        self.on_sleep()


def store(key: str, content: bytes) -> str:
    """Put an object where it is, whatever was there; its ETag."""
    put = client().put_object(Bucket=settings.S3_BUCKET, Key=key, Body=content)
    return put["ETag"].strip('"')


def accepted(content: bytes = BYTES, *, ago: timedelta = LONG_AGO, entry_status: str = "ACCEPTED", **more: Any) -> File:
    """A file with its object, verified a while ago, in an entry of that status."""
    more.setdefault("verified_at", timezone.now() - ago)
    file = FileFactory.create(status="VERIFIED", content=content, **more)
    File.objects.filter(pk=file.pk).update(etag=store(file.object_key, content))
    FileAttachmentFactory.create(file=file, entry__status=entry_status)
    return File.objects.get(pk=file.pk)


def run(clock: TestClock | None = None) -> dict[str, int] | None:
    """A run with a clock of its own; how many files ended how, by the names of the outcomes."""
    outcomes = fixity.run(clock or TestClock())
    return None if outcomes is None else {outcome.name: number for outcome, number in outcomes.items()}


def later(file: File) -> None:
    """Let the period pass for a file."""
    File.objects.filter(pk=file.pk).update(fixity_checked_at=timezone.now() - LONG_AGO)


def finding(file: File) -> tuple[str, bool]:
    """The code of what was found in a file, and whether it counts as read again just now."""
    file.refresh_from_db()
    read = file.fixity_checked_at
    return file.fixity_problem_code, read is not None and timezone.now() - read < timedelta(minutes=5)


def overwritten(file: File) -> None:
    """Damage: other bytes of the same length."""
    store(file.object_key, BYTES[::-1])


def truncated(file: File) -> None:
    """Damage: the last byte is missing."""
    store(file.object_key, BYTES[:-1])


def deleted(file: File) -> None:
    """Damage: there is no object."""
    storage.delete(file.object_key)
