"""Celery's shell around the work: tasks carry IDs only and are safe to run twice, at once, or not at all.

Large files have a queue of their own, so that small ones never wait for them, and so have sweeps, so that neither
do they. Which worker takes from which is its command line's business; one that names no queue takes from all.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

import redis
import structlog
from celery import Task, current_app, shared_task
from django.conf import settings
from django.db import transaction

from files import acceptance, fixity, sweeping, verification
from files.models import File

log = structlog.get_logger(__name__)

SENT_AT_ONCE = 100
"""How many messages a web request sends itself; each takes about a millisecond."""
BATCH = 1_000


def enqueue(file_ids: Iterable[uuid.UUID]) -> None:
    """Have the files read, once the present transaction is committed.

    A broker that does not answer fails nothing: it is logged, and the sweeper sends what was not sent.
    """
    ids = [str(file_id) for file_id in file_ids]

    def send() -> None:
        if len(ids) <= SENT_AT_ONCE:
            _send(ids)
            return
        # Whoever submits thousands of files does not wait until each has its message.
        for start in range(0, len(ids), BATCH):
            send_files.delay(ids[start : start + BATCH])

    # Not a partial: Django logs a failure by the function's name, which a partial has not.
    transaction.on_commit(send, robust=True)


def _send(file_ids: Sequence[str]) -> None:
    """Send a message for each file, to the queue that its size asks for, all through one connection."""
    if not file_ids:
        return
    large = {str(pk) for pk in File.objects.filter(pk__in=file_ids).of_size(large=True).values_list("pk", flat=True)}
    with current_app.producer_pool.acquire(block=True) as producer:
        for file_id in file_ids:
            queue = settings.LARGE_FILES_QUEUE if file_id in large else settings.CELERY_TASK_DEFAULT_QUEUE
            verify_file.apply_async((file_id,), queue=queue, producer=producer)


@shared_task
def send_files(file_ids: list[str]) -> None:
    """Send a message for each file, at most some thousand; a second run sends them twice, which does no harm."""
    _send(file_ids)


@shared_task(bind=True)
def verify_file(self: Task[[str], None], file_id: str) -> None:
    """Read a file, run the checks that are asked for, and settle the entries that have it.

    A second run finds nothing to do. Entries are settled even then: one may have been submitted after the file
    was read. A large file that came by the queue for small ones is sent on to its own, and never back.
    """
    key = uuid.UUID(file_id)
    if _came_as_small(self) and File.objects.filter(pk=key).of_size(large=True).exists():
        _send([file_id])
        return
    while verification.verify(key):
        pass
    # Once, at the end: it is the largest part of the work on a small file.
    acceptance.settle_entries_of([key])


def _came_as_small(task: Task[[str], None]) -> bool:
    """Whether the task's message came by the queue for small files; a call without a message did not."""
    came_by = task.request.delivery_info or {}
    return bool(came_by.get("routing_key") == settings.CELERY_TASK_DEFAULT_QUEUE)


@shared_task
def sweep() -> None:
    """Send again what was lost: files that no worker holds, and entries that nobody settled.

    Looks at the length of each queue first, so that a backlog does not fill it with the same messages.
    """
    sweeping.settle_entries()
    for queue, large in ((settings.CELERY_TASK_DEFAULT_QUEUE, False), (settings.LARGE_FILES_QUEUE, True)):
        room = sweeping.BATCH - _length_of(queue)
        if room > 0:
            _send([str(file_id) for file_id in sweeping.files_to_resend(room, large=large)])


@shared_task
def sweep_storage() -> None:
    """Expire uploads that were given up, delete files that are attached nowhere, what is left in staging, and the
    records of old idempotency keys."""
    swept = {
        "expired": sweeping.expire_abandoned(),
        "aborted": sweeping.abort_expired(),
        "deleted": sweeping.delete_unattached(),
        "cleared": sweeping.clear_staging(),
        "forgotten": sweeping.forget_answers(),
    }
    if any(swept.values()):
        log.info("storage_swept", **swept)


@shared_task
def sweep_orphans() -> None:
    """Delete objects, and abort multipart uploads, that neither a file nor a submission names."""
    deleted, aborted = sweeping.delete_orphans(), sweeping.abort_orphans()
    if deleted or aborted:
        log.info("orphans_swept", deleted=deleted, aborted=aborted)


@shared_task
def check_fixity() -> None:
    """Read accepted files again, for as long as a run may take; a second one at once does nothing."""
    fixity.run()


def _length_of(queue: str) -> int:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        return int(client.llen(queue))
