"""Celery's shell around the work: tasks carry IDs only and are safe to run twice, at once, or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import redis
import structlog
from celery import shared_task
from django.conf import settings
from django.db import transaction

from files import acceptance, sweeping, verification

log = structlog.get_logger(__name__)


def enqueue(file_ids: Iterable[uuid.UUID]) -> None:
    """Have the files read, once the present transaction is committed.

    A broker that does not answer fails nothing: it is logged, and the sweeper sends what was not sent.
    """
    ids = [str(file_id) for file_id in file_ids]

    def send() -> None:
        _send(ids)

    # Not a partial: Django logs a failure by the function's name, which a partial has not.
    transaction.on_commit(send, robust=True)


def _send(file_ids: Iterable[str]) -> None:
    for file_id in file_ids:
        verify_file.delay(file_id)


@shared_task
def verify_file(file_id: str) -> None:
    """Read a file, run the checks that are asked for, and settle the entries that have it.

    A second run finds nothing to do. Entries are settled even then: one may have been submitted after the file
    was read.
    """
    key = uuid.UUID(file_id)
    acceptance.settle_entries_of([key])
    while verification.verify(key):
        acceptance.settle_entries_of([key])


@shared_task
def sweep() -> None:
    """Send again what was lost: files that no worker holds, and entries that nobody settled.

    Looks at the length of the queue first, so that a backlog does not fill it with the same messages.
    """
    sweeping.settle_entries()
    room = sweeping.BATCH - _queue_length()
    if room > 0:
        _send(str(file_id) for file_id in sweeping.files_to_resend(room))


@shared_task
def sweep_storage() -> None:
    """Expire uploads that were given up, and delete what is left in staging."""
    expired, aborted, cleared = sweeping.expire_abandoned(), sweeping.abort_expired(), sweeping.clear_staging()
    if expired or aborted or cleared:
        log.info("storage_swept", expired=expired, aborted=aborted, cleared=cleared)


def _queue_length() -> int:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        return int(client.llen(settings.CELERY_TASK_DEFAULT_QUEUE))
