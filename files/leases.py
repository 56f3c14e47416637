"""Which worker reads a file: a lease on its row, kept by a heartbeat, and every result recorded under it.

A worker that falls silent loses its lease after `VERIFICATION_LEASE`; when it wakes up, whatever it wants to
record finds another token in the row and is refused. That is compare-and-set, so no lock outlives a process.

Faults are counted, a silence among them, until something is recorded. After `VERIFICATION_FAULTS_MAX` in a row the
file is given up until an admin requeues it, so that no file can keep workers busy, or kill them, for ever.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.db.models import Case, DateTimeField, F, QuerySet, Value, When
from django.utils import timezone

from files.models import File

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=10)
OUTAGE_PAUSE = timedelta(seconds=30)
FAULT_MAX_LENGTH = 2_000
SILENCE = "the worker fell silent"


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
                except DatabaseTrouble as error:
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
        self.record(lease_token=None, lease_expires_at=None, fault_count=0, **fields)

    def give_back(self) -> None:
        """Let another worker have the file at once: this one was told to stop, which is nobody's fault."""
        self._held().update(lease_token=None, lease_expires_at=None)

    def end_with_fault(self, fault: BaseException) -> None:
        """Give the file back to be read again after a pause that doubles with each fault, or give it up.

        Where the lease is lost already, the worker that has it decides.
        """
        pause = min(FIRST_PAUSE * 2 ** min(self.file.fault_count, 20), LONGEST_PAUSE)
        now = timezone.now()
        held = self._held().update(
            lease_token=None, lease_expires_at=None, retry_at=now + pause, **_one_more_fault(_text_of(fault), now)
        )
        if held:
            _log_if_given_up(self.file.pk)

    def put_off(self, fault: BaseException) -> None:
        """Give the file back to be read again after a pause, without counting what is wrong with all files at once."""
        retry_at = timezone.now() + OUTAGE_PAUSE
        self._held().update(lease_token=None, lease_expires_at=None, retry_at=retry_at, last_fault=_text_of(fault))

    def _held(self) -> QuerySet[File]:
        return File.objects.filter(pk=self.file.pk, lease_token=self.token)


def claim(file_id: uuid.UUID) -> Lease | None:
    """The lease on a file that has to be read, or None where there is nothing to do or another has it.

    Moves UPLOADED to VERIFYING. Of any number of simultaneous claims one succeeds. Where the last worker fell
    silent, as one does that was killed for its use of memory, that is counted first, and may be once too often.
    """
    now = timezone.now()
    token = uuid.uuid4()
    _count_silence(file_id, now)
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
    # It may be deleted before it is looked at again.
    file = File.objects.select_related("claimed_category").filter(pk=file_id).first() if claimed else None
    return None if file is None else Lease(file, token)


def _count_silence(file_id: uuid.UUID, now: datetime) -> None:
    """Take the lease from a worker whose time is over, as a fault; of several that see it one counts it."""
    silent = File.objects.filter(pk=file_id, lease_expires_at__lt=now)
    if silent.update(lease_token=None, lease_expires_at=None, **_one_more_fault(SILENCE, now)):
        log.warning("worker_silent", file_id=str(file_id))
        _log_if_given_up(file_id)


def _one_more_fault(text: str, now: datetime) -> dict[str, object]:
    last_try = When(fault_count__gte=settings.VERIFICATION_FAULTS_MAX - 1, then=Value(now))
    return {
        "fault_count": F("fault_count") + 1,
        "last_fault": text,
        "verification_failed_at": Case(last_try, default=None, output_field=DateTimeField()),
    }


def _log_if_given_up(file_id: uuid.UUID) -> None:
    given_up = File.objects.filter(pk=file_id, verification_failed_at__isnull=False)
    for fault_count, last_fault in given_up.values_list("fault_count", "last_fault"):
        log.error("verification_given_up", file_id=str(file_id), faults=fault_count, last_fault=last_fault)


def _text_of(fault: BaseException) -> str:
    """What an admin needs to know of a fault: its kind, its notes, and what it came from."""
    parts = [repr(fault), *map(repr, getattr(fault, "__notes__", ()))]
    if fault.__cause__ is not None:
        parts.append(f"from {fault.__cause__!r}")
    return " ".join(parts)[:FAULT_MAX_LENGTH]
