"""Which worker reads a file: a lease on its row, kept by a heartbeat, and every result recorded under it.

A worker that falls silent loses its lease after `VERIFICATION_LEASE`; when it wakes up, whatever it wants to
record finds another token in the row and is refused. That is compare-and-set, so no lock outlives a process.

Many small files are held at once, by one token, one heartbeat and one statement for each step; each is lost, given back
or blamed for itself. Whoever changes several rows locks them in the order of their file IDs before.

Faults are counted, a silence among them, until something is recorded. After `VERIFICATION_FAULTS_MAX` in a row the
file is given up until an admin requeues it, so that no file can keep workers busy, or kill them, for ever.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction
from django.db.models import Case, DateTimeField, F, QuerySet, Value, When
from django.utils import timezone

from common.database import is_one_of, update_each
from files.models import File

log = structlog.get_logger(__name__)

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=10)
OUTAGE_PAUSE = timedelta(seconds=30)
FAULT_MAX_LENGTH = 2_000
SILENCE = "the worker fell silent"
GIVEN_BACK: dict[str, Any] = {"lease_token": None, "lease_expires_at": None, "fault_count": 0}
"""What is written with a result."""


class LeaseLostError(Exception):
    """Another worker has the file now; nothing of what this one found may be recorded."""


@dataclass(slots=True, eq=False)
class Lease:
    """The right to read `file` and to record what was found, until the heartbeat stops."""

    file: File
    token: uuid.UUID
    _lost: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise `LeaseLostError` if the heartbeat found another's token; costs nothing, for every chunk."""
        if self._lost.is_set():
            raise LeaseLostError

    def lose(self) -> None:
        """Have `check` raise from now on: another worker's token was found in the row."""
        self._lost.set()

    def record(self, **fields: object) -> None:
        """Write fields of the file, in the row and in place; raises `LeaseLostError` if it is not ours."""
        if not self._held().update(**fields):
            raise LeaseLostError
        for name, value in fields.items():
            setattr(self.file, name, value)

    def end(self, **fields: object) -> None:
        """Write the last fields and give the file back; raises `LeaseLostError` if it is not ours."""
        self.record(**GIVEN_BACK, **fields)

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


# --- several at once -----------------------------------------------------------------------------------


@contextmanager
def kept_alive(leases: Collection[Lease]) -> Iterator[None]:
    """Says every `VERIFICATION_HEARTBEAT` that this worker is alive, from a thread of its own.

    A copy of gigabytes inside the store, or a read that is waiting to be repeated, takes longer than a
    lease and gives no occasion to say it in between.
    """
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(tuple(leases), done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(leases: Sequence[Lease], done: threading.Event) -> None:
    try:
        while not done.wait(settings.VERIFICATION_HEARTBEAT.total_seconds()):
            try:
                held = _prolong(leases)
            except DatabaseTrouble as error:
                log.warning("heartbeat_failed", file_ids=[str(lease.file.pk) for lease in leases], exc_info=error)
                connection.close()
                continue
            for lease in leases:
                if lease.file.pk not in held:
                    lease.lose()
            if not held:
                return
    finally:
        connection.close()


def _prolong(leases: Collection[Lease]) -> Collection[uuid.UUID]:
    """The IDs of the files that are still held, which are so for another while."""
    with transaction.atomic():
        held = lock(leases)
        still = File.objects.filter(is_one_of("pk", held))
        still.update(lease_expires_at=timezone.now() + settings.VERIFICATION_LEASE)
    return held


def lock(leases: Collection[Lease], *fields: str) -> dict[uuid.UUID, dict[str, Any]]:
    """Lock the rows of those files that are still held until the transaction ends; their fields by file ID."""
    ids = [lease.file.pk for lease in leases]
    rows = File.objects.filter(is_one_of("pk", ids), lease_token__in={lease.token for lease in leases})
    return {row["pk"]: row for row in rows.select_for_update().order_by("pk").values("pk", *fields)}


def record_each(found: Mapping[Lease, Mapping[str, int | str]], **same: object) -> None:
    """Write fields of files, in their rows and in place: to each its own, of the same names, and to all the `same`.

    Call it in the transaction in which `lock` has found them. One query.
    """
    update_each(File, {lease.file.pk: values for lease, values in found.items()}, same)
    for lease, values in found.items():
        for name, value in {**values, **same}.items():
            setattr(lease.file, name, value)


# --- taking them ---------------------------------------------------------------------------------------


def claim(file_id: uuid.UUID) -> Lease | None:
    """The lease on a file that has to be read, or None where there is nothing to do or another has it."""
    leases = claim_many([file_id])
    return leases[0] if leases else None


def claim_many(file_ids: Collection[uuid.UUID]) -> list[Lease]:
    """The leases on those of the files that have to be read and that nobody has.

    Moves UPLOADED to VERIFYING. Of any number of simultaneous claims on a file one succeeds. Where the last worker
    fell silent, as one does that was killed for its use of memory, that is counted first, and may be once too often.
    """
    now, token = timezone.now(), uuid.uuid4()
    files = _take(file_ids, token, now)
    left = set(file_ids) - {file.pk for file in files}
    if left and _count_silence(left, now):
        files += _take(left, token, now)
    return [Lease(file, token) for file in files]


def _take(file_ids: Collection[uuid.UUID], token: uuid.UUID, now: datetime) -> list[File]:
    """Write the token into those rows that have none and are in need of it; the files as they are then."""
    free = File.objects.free_at(now).filter(is_one_of("pk", file_ids), lease_token__isnull=True)
    locked = free.select_related("claimed_category").select_for_update(of=("self",)).order_by("pk")
    until = now + settings.VERIFICATION_LEASE
    with transaction.atomic():
        files = list(locked.awaiting_verification())
        if len(files) < len(file_ids):
            files += locked.awaiting_checks()
        taken = File.objects.filter(is_one_of("pk", [file.pk for file in files]))
        if files:
            begun = Case(When(status=File.Status.UPLOADED, then=Value(File.Status.VERIFYING)), default=F("status"))
            taken.update(status=begun, lease_token=token, lease_expires_at=until, retry_at=None)
    for file in files:
        if file.status == File.Status.UPLOADED:
            file.status = File.Status.VERIFYING
        file.lease_token, file.lease_expires_at, file.retry_at = token, until, None
    return files


def _count_silence(file_ids: Collection[uuid.UUID], now: datetime) -> int:
    """Take their files from workers whose time is over, as a fault; of several that see it one counts it."""
    silent = File.objects.filter(is_one_of("pk", file_ids), lease_expires_at__lt=now)
    with transaction.atomic():
        counted = list(silent.select_for_update().order_by("pk").values_list("pk", flat=True))
        if counted:
            File.objects.filter(is_one_of("pk", counted)).update(
                lease_token=None, lease_expires_at=None, **_one_more_fault(SILENCE, now)
            )
    for file_id in counted:
        log.warning("worker_silent", file_id=str(file_id))
        _log_if_given_up(file_id)
    return len(counted)


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
