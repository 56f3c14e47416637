"""Fixity: reading accepted files again, so that damage in the object store is found while a backup can mend it.

One run at a time, else the rate would be that of several: a lock in the broker says which process runs
(`SET NX PX` with a token, https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/). It is renewed
while a file is read, however large, and expires `LOCK_LIFE` after its process died. Nothing that is recorded rests
on it: a row is changed by compare-and-set on the time of its last reading, so if the broker forgets the lock, a file
may be read twice and is recorded once. The lease of verification is left alone: an accepted file may be read for a
content check and for fixity at once.

What is found changes nothing that was accepted. It is recorded, logged and mailed, and it goes when a later
reading finds the file as it was.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import redis
import structlog
from django.conf import settings
from django.core.cache import cache
from django.core.mail import send_mail
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from redis.exceptions import RedisError

from common.database import let_go_of_connection
from files import storage
from files.errors import StorageUnavailableError
from files.models import File, FileAttachment
from files.pacing import Clock, Pace, SystemClock
from files.problem import FileProblem
from submissions.models import SequenceEntry

log = structlog.get_logger(__name__)

LOCK = "satchel:fixity-run"
LOCK_LIFE = timedelta(minutes=10)  # more than a store that refuses can keep a stream waiting
LOCK_RENEWAL = timedelta(minutes=1)
PAGE = 500
"""How many files one query brings."""
MOST_FAULTS = 3
"""So often a file may fail to be read, while the object store answers, before that is a finding."""
FAULT_PAUSE = timedelta(hours=1)
FAULTS_REMEMBERED = timedelta(days=7)
NAMED = 20
"""How many accessions of a file, and how many files, an alarm names."""
FAULTS = (StorageUnavailableError, storage.ObjectMissingError, storage.ObjectChangedError)

AfterChunk = Callable[[int], object]
"""What is called with the size of each piece that was read, in bytes; it may wait, or raise to end the reading."""


class Outcome(Enum):
    """How the reading of one file ended, in words for people."""

    INTACT = "intact"
    DAMAGED = "damaged"
    UNREAD = "could not be read now"
    OVERTAKEN = "read by another run meanwhile"


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was read again; a damaged one with what is wrong, whether that is news, and who has it."""

    file: File
    outcome: Outcome
    problem: FileProblem | None = None
    is_new: bool = False
    accessions: tuple[str, ...] = ()


class LockLostError(Exception):
    """Another run has the lock now."""


# --- which files --------------------------------------------------------------------------------------


def accepted_files() -> QuerySet[File]:
    """The files that an accepted entry has."""
    accepted = FileAttachment.objects.filter(file=OuterRef("pk"), entry__status=SequenceEntry.Status.ACCEPTED)
    return File.objects.filter(Exists(accepted), status=File.Status.VERIFIED, deleting_at__isnull=True)


def in_turn(files: QuerySet[File], *, read_before: datetime) -> Iterator[File]:
    """Those last read whole before a moment, the longest ago first, each once; a query for every `PAGE`."""
    files = files.annotate(last_read_at=Coalesce("fixity_checked_at", "verified_at")).filter(
        last_read_at__lt=read_before
    )
    after = Q()
    while page := list(files.filter(after).order_by("last_read_at", "pk")[:PAGE]):
        yield from page
        last_read_at = page[-1].fixity_checked_at or page[-1].verified_at
        after = Q(last_read_at__gt=last_read_at) | Q(last_read_at=last_read_at, pk__gt=page[-1].pk)


# --- one file -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stored:
    size: int
    sha256: str
    etag: str


def check(file: File, after_chunk: AfterChunk) -> Checked:
    """Read a file again, from its first byte to its last, record what was found and log what is news.

    A fault of the object store is no finding: the row is left as it was. A second run at once records nothing.
    """
    let_go_of_connection()
    try:
        stored = _stored_now(file, after_chunk)
    except FAULTS as fault:
        log.warning("fixity_fault", file_id=str(file.pk), fault=repr(fault))
        return Checked(file, Outcome.UNREAD)
    problem = _difference(file, stored)
    # What was restored from a backup may have come in other parts, and so have another ETag for the same bytes.
    etag = stored.etag if stored is not None and problem is None else file.etag
    return _record(file, problem, etag)


def _stored_now(file: File, after_chunk: AfterChunk) -> _Stored | None:
    """What there is of the file, under whatever ETag; None where there is no object."""
    try:
        return _read(file.object_key, file.etag, after_chunk)
    except storage.ObjectMissingError:
        return None
    except storage.ObjectChangedError:
        found = storage.head(file.object_key)
        return None if found is None else _read(file.object_key, found.etag, after_chunk)


def _read(key: str, etag: str, after_chunk: AfterChunk) -> _Stored:
    sha256, size = hashlib.sha256(), 0
    with storage.open_stream(key, etag=etag) as chunks:
        for chunk in chunks:
            sha256.update(chunk)
            size += len(chunk)
            after_chunk(len(chunk))
    return _Stored(size, sha256.hexdigest(), etag)


def _difference(file: File, stored: _Stored | None) -> FileProblem | None:
    if stored is None:
        return FileProblem("fixity_object_missing", "The object store has no object for this file any more.")
    if stored.size != file.size:
        text = f"The file was verified with {file.size:,} bytes; the object store now has {stored.size:,}."
        return FileProblem("fixity_size_mismatch", text)
    if stored.sha256 != file.sha256:
        text = f"The file was verified with the sha256 {file.sha256}; what is stored now has {stored.sha256}."
        return FileProblem("fixity_sha256_mismatch", text)
    return None


def _record(file: File, problem: FileProblem | None, etag: str) -> Checked:
    """Write what was found, unless the row has changed since it was loaded."""
    code, detail = (problem.code, problem.detail) if problem else ("", "")
    as_loaded = File.objects.filter(
        pk=file.pk,
        fixity_checked_at=file.fixity_checked_at,
        object_key=file.object_key,
        etag=file.etag,
        deleting_at=None,
    )
    if not as_loaded.update(
        fixity_checked_at=timezone.now(), fixity_problem_code=code, fixity_problem_detail=detail, etag=etag
    ):
        return Checked(file, Outcome.OVERTAKEN)
    if problem is not None:
        return _damaged(file, problem)
    if file.fixity_problem_code:
        log.info("fixity_restored", file_id=str(file.pk), was=file.fixity_problem_code)
    return Checked(file, Outcome.INTACT)


def _damaged(file: File, problem: FileProblem) -> Checked:
    """A finding, logged: as an alarm when it is news, as a warning when it was known."""
    is_new = (file.fixity_problem_code, file.fixity_problem_detail) != (problem.code, problem.detail)
    accepted = SequenceEntry.objects.filter(attachments__file=file, status=SequenceEntry.Status.ACCEPTED)
    entries = accepted.distinct().order_by("accession", "version")[:NAMED]
    checked = Checked(file, Outcome.DAMAGED, problem, is_new, tuple(str(entry) for entry in entries))
    event = {"file_id": str(file.pk), "code": problem.code, "detail": problem.detail}
    if is_new:
        log.error("fixity_alarm", **event, accessions=checked.accessions)
    else:
        log.warning("fixity_problem_remains", **event, accessions=checked.accessions)
    return checked


# --- the alarm ----------------------------------------------------------------------------------------


@contextmanager
def alarm() -> Iterator[Callable[[Checked], None]]:
    """Yields what to tell each result to; new findings are mailed at the end, together, however it ends.

    The log and the row have them already, so a process killed in between loses the mail alone.
    """
    findings: list[str] = []

    def note(checked: Checked) -> None:
        if checked.is_new and checked.problem is not None:
            accessions = ", ".join(checked.accessions)
            findings.append(f"{checked.file.pk}: {checked.problem.code}. {checked.problem.detail} In {accessions}.")

    try:
        yield note
    finally:
        if findings and settings.ALARM_EMAILS:
            _mail(findings)


def _mail(findings: list[str]) -> None:
    number = len(findings)
    lines = findings[:NAMED]
    if number > NAMED:
        lines.append(f"and {number - NAMED:,} more.")
    lines.append("The administration's list of files has a filter for them. /help/problems says what to do.")
    try:
        send_mail(
            subject="Satchel: an accepted file is damaged" if number == 1 else f"Satchel: {number:,} files are damaged",
            message="\n\n".join(lines),
            from_email=settings.SERVER_EMAIL,
            recipient_list=settings.ALARM_EMAILS,
        )
    except OSError:  # of SMTP too
        log.exception("fixity_alarm_not_mailed", findings=number)


# --- a run --------------------------------------------------------------------------------------------


def run(clock: Clock | None = None) -> Counter[Outcome] | None:
    """Read the files that are due, at the set rate, until this run's time is over; returns how they ended.

    None when it is turned off, or another process is at it. A file that would not end in time is left to the next
    run, but the first is read to its end: one larger than a run's share is read too. Safe to be killed and to
    be run again: what was not recorded is still due.
    """
    if not settings.FIXITY_EVERY:
        return None
    clock = clock or SystemClock()
    with _lock(clock) as keep:
        return None if keep is None else _run(clock, keep)


def _run(clock: Clock, keep_lock: Callable[[], None]) -> Counter[Outcome]:
    pace = Pace(settings.FIXITY_BYTES_PER_SECOND, clock)
    end = clock.monotonic() + settings.FIXITY_RUN_EVERY.total_seconds()
    outcomes: Counter[Outcome] = Counter()

    def after_chunk(size: int) -> None:
        keep_lock()
        pace.take(size)

    try:
        with alarm() as note:
            for file in _due():
                if outcomes and clock.monotonic() + pace.seconds_for(file.size or 0) > end:
                    break
                after_chunk(0)
                checked = _checked_or_counted(file, after_chunk)
                outcomes[checked.outcome] += 1
                note(checked)
    except LockLostError:
        log.info("fixity_lock_lost")
    except StorageUnavailableError as fault:
        log.warning("fixity_interrupted", exc_info=fault)
    if outcomes:
        log.info("fixity_run", **{outcome.name.lower(): number for outcome, number in outcomes.items()})
    return outcomes


def _due() -> Iterator[File]:
    """The files unread for a period, without those that rest after a fault."""
    now = timezone.now()
    for file in in_turn(accepted_files(), read_before=now - settings.FIXITY_EVERY):
        _, rests_until = _faults_of(file)
        if rests_until is None or rests_until <= now:
            yield file


def _checked_or_counted(file: File, after_chunk: AfterChunk) -> Checked:
    """Check a file; raises `StorageUnavailableError` if it is not the file but the store that does not answer."""
    checked = check(file, after_chunk)
    if checked.outcome is not Outcome.UNREAD:
        return checked
    if not storage.bucket_ready():
        raise StorageUnavailableError
    number = _faults_of(file)[0] + 1
    if number < MOST_FAULTS:
        cache.set(_fault_key(file), (number, timezone.now() + FAULT_PAUSE), FAULTS_REMEMBERED.total_seconds())
        return checked
    # A store that keeps checksums does not hand out what rotted on its disks: it fails, and fails again.
    cache.delete(_fault_key(file))
    text = f"The object store answers, but failed {number} times in a row to give out this file."
    return _record(file, FileProblem("fixity_unreadable", text), file.etag)


def _faults_of(file: File) -> tuple[int, datetime | None]:
    """How often in a row the file could not be read, and until when it is left alone; forgotten with the cache."""
    found: tuple[int, datetime | None] = cache.get(_fault_key(file), (0, None))
    return found


def _fault_key(file: File) -> str:
    return f"fixity-faults:{file.pk}"


@contextmanager
def _lock(clock: Clock) -> Iterator[Callable[[], None] | None]:
    """The right to run: yields what keeps it, to be called often; None where another process has it.

    What keeps it raises `LockLostError` once another has it. A broker that does not answer, or has forgotten the
    lock, ends no reading that may have taken hours.
    """
    with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, socket_timeout=10) as broker:
        lock = broker.lock(LOCK, timeout=LOCK_LIFE.total_seconds(), thread_local=False)
        if not lock.acquire(blocking=False):
            yield None
            return
        renew_at = clock.monotonic() + LOCK_RENEWAL.total_seconds()

        def keep() -> None:
            nonlocal renew_at
            if clock.monotonic() < renew_at:
                return
            renew_at = clock.monotonic() + LOCK_RENEWAL.total_seconds()
            try:
                if not (lock.owned() and lock.reacquire()) and not lock.acquire(blocking=False):
                    raise LockLostError
            except RedisError as fault:
                log.warning("fixity_lock_not_renewed", exc_info=fault)

        try:
            yield keep
        finally:
            try:
                lock.release()
            except RedisError as fault:  # that it has expired among them
                log.warning("fixity_lock_not_released", exc_info=fault)
