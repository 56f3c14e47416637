"""Celery's shell around the work: tasks carry IDs only and are safe to run twice, at once, or not at all.

Large files have a queue of their own, so that small ones never wait for them, and so have sweeps, so that neither
do they. Which worker takes from which is its command line's business; one that names no queue takes from all.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence

import redis
import structlog
from celery import Task, current_app, shared_task
from django.conf import settings
from django.db import transaction

from common.database import is_one_of
from files import acceptance, fixity, sweeping, verification
from files.models import File

log = structlog.get_logger(__name__)

SENT_AT_ONCE = 100
"""How many messages a web request sends itself; each takes about a millisecond."""
BATCH = 1_000
FILES_IN_A_TASK = 50
"""How many small files go into one message at most: some seconds of work, whatever the worker."""
TASKS_AT_LEAST = 8
"""Into so many messages small files are divided, if they are that many, so that few are not one worker's alone."""


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
    """Send messages for files: several small ones in one, to the queue that their size asks for, by one connection."""
    if not file_ids:
        return
    files = File.objects.filter(is_one_of("pk", map(uuid.UUID, file_ids)))
    large = {str(pk) for pk in files.of_size(large=True).values_list("pk", flat=True)}
    small = {str(pk) for pk in files.batchable().values_list("pk", flat=True)}
    with current_app.producer_pool.acquire(block=True) as producer:
        for batch in _batches(file_ids, small):
            queue = settings.LARGE_FILES_QUEUE if large.intersection(batch) else settings.CELERY_TASK_DEFAULT_QUEUE
            if len(batch) == 1:
                verify_file.apply_async((batch[0],), queue=queue, producer=producer)
            else:
                verify_files.apply_async((batch,), queue=queue, producer=producer)


def _batches(file_ids: Sequence[str], small: Collection[str]) -> Iterator[list[str]]:
    """The small files in batches, the others each alone, in the order in which their first was given."""
    number = min(FILES_IN_A_TASK, -(-len(small) // TASKS_AT_LEAST))
    waiting: list[str] = []
    for file_id in file_ids:
        if file_id not in small:
            yield [file_id]
            continue
        waiting.append(file_id)
        if len(waiting) == number:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


@shared_task
def send_files(file_ids: list[str]) -> None:
    """Send messages for files, at most some thousand; a second run sends them twice, which does no harm."""
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
    _verify([key])


@shared_task
def verify_files(file_ids: list[str]) -> None:
    """Read small files as `verify_file` does, together.

    Those are sent on alone that are no longer small or have failed to be read: a file at which workers die takes no
    other with it a second time.
    """
    keys = [uuid.UUID(file_id) for file_id in file_ids]
    files = File.objects.filter(is_one_of("pk", keys))
    together = set(files.batchable().values_list("pk", flat=True))
    _send([str(pk) for pk in files.values_list("pk", flat=True) if pk not in together])
    _verify([key for key in keys if key in together])


def _verify(keys: list[uuid.UUID]) -> None:
    left = keys
    try:
        while left:
            left = verification.verify_many(left)
    finally:
        # Once, at the end, and for those that were read before one of them failed.
        acceptance.settle_entries_of(keys)


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
        # Any message that waits may be for so many files.
        room = sweeping.BATCH - _length_of(queue) * (1 if large else FILES_IN_A_TASK)
        if room > 0:
            _send([str(file_id) for file_id in sweeping.files_to_resend(room, large=large)])


@shared_task
def sweep_storage() -> None:
    """Expire uploads that were given up, delete files that are attached nowhere, what is left in staging, and the
    records of old idempotency keys."""
    # What needs no object store comes first, so that it is done while the store is down.
    swept = {
        "forgotten": sweeping.forget_answers(),
        "expired": sweeping.expire_abandoned(),
        "aborted": sweeping.abort_expired(),
        "deleted": sweeping.delete_unattached(),
        "cleared": sweeping.clear_staging(),
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
