"""Which worker reads a file: a lease on its row, kept by a heartbeat, and every result recorded under it.

A worker that falls silent loses its lease after `VERIFICATION_LEASE`; when it wakes up, whatever it wants to
record finds another token in the row and is refused. That is compare-and-set, so no lock outlives a process.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from files.models import File

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=10)


class LeaseLostError(Exception):
    """Another worker has the file now; nothing of what this one found may be recorded."""


@dataclass(slots=True)
class Lease:
    """The right to read `file` and to record what was found, until the heartbeat stops."""

    file: File
    token: uuid.UUID
    _lost: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Says every `VERIFICATION_HEARTBEAT` that this worker is alive, from a thread of its own.

        A copy of gigabytes inside the store, or a read that is waiting to be repeated, takes longer than a
        lease and gives no occasion to say it in between.
        """
        done = threading.Event()
        thread = threading.Thread(target=self._beat, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def check(self) -> None:
        """Raise `LeaseLostError` if the heartbeat found another's token; costs nothing, for every chunk."""
        if self._lost.is_set():
            raise LeaseLostError

    def _beat(self, done: threading.Event) -> None:
        try:
            while not done.wait(settings.VERIFICATION_HEARTBEAT.total_seconds()):
                try:
                    held = self._held().update(lease_expires_at=timezone.now() + settings.VERIFICATION_LEASE)
                except DatabaseError as error:
                    log.warning("heartbeat_failed", file_id=str(self.file.pk), exc_info=error)
                    connection.close()
                    continue
                if not held:
                    self._lost.set()
                    return
        finally:
            connection.close()

    def record(self, **fields: object) -> None:
        """Write fields of the file, in the row and in place; raises `LeaseLostError` if it is not ours."""
        if not self._held().update(**fields):
            raise LeaseLostError
        for name, value in fields.items():
            setattr(self.file, name, value)

    def end(self, **fields: object) -> None:
        """Write the last fields and give the file back; raises `LeaseLostError` if it is not ours."""
        self.record(lease_token=None, lease_expires_at=None, **fields)

    def end_with_fault(self) -> None:
        """Give the file back to be read again after a pause that doubles with each fault.

        Where the lease is lost already, the worker that has it decides.
        """
        pause = min(FIRST_PAUSE * 2 ** min(self.file.fault_count, 20), LONGEST_PAUSE)
        self._held().update(
            lease_token=None,
            lease_expires_at=None,
            fault_count=F("fault_count") + 1,
            retry_at=timezone.now() + pause,
        )

    def _held(self) -> QuerySet[File]:
        return File.objects.filter(pk=self.file.pk, lease_token=self.token)


def claim(file_id: uuid.UUID) -> Lease | None:
    """The lease on a file that has to be read, or None where there is nothing to do or another has it.

    Moves UPLOADED to VERIFYING. Of any number of simultaneous claims one succeeds.
    """
    now = timezone.now()
    token = uuid.uuid4()
    claimed = (
        File.objects.awaiting_work()
        .free_at(now)
        .filter(pk=file_id)
        .update(
            status=Case(When(status=File.Status.UPLOADED, then=Value(File.Status.VERIFYING)), default=F("status")),
            lease_token=token,
            lease_expires_at=now + settings.VERIFICATION_LEASE,
            retry_at=None,
        )
    )
    if not claimed:
        return None
    return Lease(File.objects.select_related("claimed_category").get(pk=file_id), token)
