"""Finding what a lost message, a dead worker or an unfinished upload left behind.

Every function may run at any time, twice or at once: each changes rows by compare-and-set.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from common.database import update_each
from files import acceptance, deletion, storage
from files.errors import StorageUnavailableError
from files.models import File
from files.storage import StoredObject, StoredUpload
from submissions.models import IdempotencyRecord, SequenceEntry, Submission

log = structlog.get_logger(__name__)

BATCH = 1_000
"""How many files one sweep looks after, and how many rows one query asks for."""

Thing = TypeVar("Thing")


def files_to_resend(limit: int, *, large: bool | None = None) -> list[uuid.UUID]:
    """Files that should be read and that no living worker holds, those that have waited longest first.

    `large` asks for those of one queue: that for large files, or the other.
    """
    free = File.objects.free_at(timezone.now())
    if large is not None:
        free = free.of_size(large=large)
    unread = free.awaiting_verification().order_by("uploaded_at", "pk").values_list("pk", flat=True)[:limit]
    unchecked = free.awaiting_checks().order_by("uploaded_at", "pk").values_list("pk", flat=True)[:limit]
    return [*unread, *unchecked][:limit]


def settle_entries() -> None:
    """Settle entries whose last file was recorded by a worker that died before it could settle them."""
    acceptance.settle(SequenceEntry.objects.all())


def forget_answers() -> int:
    """Delete the records of idempotency keys whose time is over; returns how many."""
    deleted, _ = IdempotencyRecord.objects.void().delete()
    return deleted


def expire_abandoned() -> int:
    """Expire uploads that were requested and never finished; returns how many."""
    if not settings.ABANDONED_AFTER:
        return 0
    long_ago = timezone.now() - settings.ABANDONED_AFTER
    completing = Q(completing_until__gte=timezone.now())
    abandoned = File.objects.filter(~completing, status=File.Status.REQUESTED, last_activity_at__lt=long_ago)
    return abandoned.update(status=File.Status.EXPIRED)


def abort_expired() -> int:
    """Abort the multipart uploads that have expired, by their recorded upload ID; returns how many.

    The row is marked after the store has answered, so that an abort that failed is tried again.
    """
    aborted = 0
    expired = File.objects.filter(status=File.Status.EXPIRED, aborted_at__isnull=True).exclude(upload_id="")
    for file in expired.order_by("last_activity_at", "pk")[:BATCH]:
        try:
            storage.abort_multipart(key=file.object_key, upload_id=file.upload_id)
        except StorageUnavailableError as fault:
            log.warning("abort_failed", file_id=str(file.pk), exc_info=fault)
            continue
        aborted += File.objects.filter(pk=file.pk).update(aborted_at=timezone.now())
    return aborted


def delete_unattached() -> int:
    """Delete files that are attached nowhere and that nothing has happened to for long; returns how many.

    Also goes on with what an earlier run, or a person, has begun to delete.
    """
    if settings.UNATTACHED_KEPT:
        long_ago = timezone.now() - settings.UNATTACHED_KEPT
        forgotten = File.objects.unattached_since(long_ago).order_by("last_activity_at", "pk")
        deletion.claim(list(forgotten.values_list("pk", flat=True)[:BATCH]))
    return deletion.finish(File.objects.filter(deleting_at__isnull=False).order_by("deleting_at", "pk")[:BATCH])


def clear_staging() -> int:
    """Delete staged objects that no file waits for any more; returns how many.

    They come from a URL that was used again after its file was read, and from uploads that have expired. Of uploads
    that were requested without a size, the listing tells it, and the group's quota counts it from then on.
    """
    return sum(_clear(staged) for staged in _in_batches(storage.list_prefix("staging/")))


def _clear(staged: list[StoredObject]) -> int:
    _record_sizes({stored.key: stored.size for stored in staged})
    keys = [stored.key for stored in staged]
    wanted = [File.Status.REQUESTED, File.Status.UPLOADED, File.Status.VERIFYING]
    live = File.objects.filter(staging_key__in=keys, status__in=wanted).values_list("staging_key", flat=True)
    return _delete_all_but(set(live), keys)


def _record_sizes(sizes: Mapping[str, int]) -> None:
    """Record the sizes, in bytes by staging key, of what has come and nobody has completed or claimed a size of."""
    unsaid = File.objects.under_way().filter(claimed_size__isnull=True)
    rows = unsaid.filter(staging_key__in=sizes).values_list("pk", "staging_key", "size")
    listed = {pk: {"size": sizes[key]} for pk, key, size in rows if size != sizes[key]}
    if not listed:
        return
    with transaction.atomic():
        # Locked in order, as by those who complete uploads.
        waiting = unsaid.filter(pk__in=listed).select_for_update().order_by("pk").values_list("pk", flat=True)
        update_each(File, {pk: listed[pk] for pk in waiting})


def delete_orphans() -> int:
    """Delete objects that no file names, and documents that no submission names; returns how many.

    They come from a process that died after it had copied an object, or kept a table, and before it could record
    that. Only those older than `ORPHANS_KEPT` are looked at: what is younger may be about to be recorded.
    """
    files = sum(_delete_unnamed(keys) for keys in _in_batches(_old_keys("files/")))
    documents = sum(_delete_unnamed_documents(keys) for keys in _in_batches(_old_keys(storage.documents_prefix())))
    return files + documents


def _old_keys(prefix: str) -> Iterator[str]:
    long_ago = timezone.now() - settings.ORPHANS_KEPT
    return (stored.key for stored in storage.list_prefix(prefix) if stored.last_modified < long_ago)


def _delete_unnamed(keys: list[str]) -> int:
    named = File.objects.filter(object_key__in=keys).values_list("object_key", flat=True)
    return _delete_all_but(set(named), keys)


def _delete_unnamed_documents(keys: list[str]) -> int:
    prefix = storage.documents_prefix()
    names = [key.removeprefix(prefix) for key in keys]
    tables = Submission.objects.filter(metadata_file__in=names).values_list("metadata_file", flat=True)
    sequences = Submission.objects.filter(sequence_file__in=names).values_list("sequence_file", flat=True)
    return _delete_all_but({prefix + name for name in (*tables, *sequences)}, keys)


def abort_orphans() -> int:
    """Abort multipart uploads below `files/` that no file names and that are old; returns how many.

    They come from a request that died before its files were recorded. Those that a file names expire with it.
    """
    long_ago = timezone.now() - settings.ORPHANS_KEPT
    old = [upload for upload in storage.list_multiparts("files/") if upload.initiated_at < long_ago]
    return sum(_abort_unnamed(uploads) for uploads in _in_batches(old))


def _abort_unnamed(uploads: list[StoredUpload]) -> int:
    ids = [upload.upload_id for upload in uploads]
    named = set(File.objects.filter(upload_id__in=ids).values_list("upload_id", flat=True))
    stray = [upload for upload in uploads if upload.upload_id not in named]
    for upload in stray:
        storage.abort_multipart(key=upload.key, upload_id=upload.upload_id)
    return len(stray)


def _delete_all_but(live: Collection[str], keys: list[str]) -> int:
    stray = [key for key in keys if key not in live]
    storage.delete_many(stray)
    return len(stray)


def _in_batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    rest = iter(things)
    while batch := list(islice(rest, BATCH)):
        yield batch
