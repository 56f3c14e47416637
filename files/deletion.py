"""Deleting files that are attached nowhere: first the right to, then the objects, then the row.

The right is `deleting_at`, set by compare-and-set: from then on the file can be neither attached nor claimed by a
worker, and one that reads it has lost its lease. What dies or fails on the way is taken up again by the sweeper.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable

import structlog
from django.db import transaction
from django.utils import timezone

from files import storage
from files.errors import StorageUnavailableError
from files.models import File

log = structlog.get_logger(__name__)


def claim(file_ids: Collection[uuid.UUID]) -> int:
    """Mark files to be deleted, in whatever state they are; returns how many were.

    Those that are attached, in quarantine, being completed or marked already are left alone. A worker that reads
    one loses its lease and what it found.
    """
    with transaction.atomic():
        # Whoever attaches holds the row's lock. The update begins after it was let go, and so sees what was attached;
        # on its own it would wait for the lock too, but then judge by what it saw before it waited.
        free = File.objects.select_for_update().filter(pk__in=file_ids, deleting_at__isnull=True)
        locked = list(free.order_by("pk").values_list("pk", flat=True))
        mine = File.objects.filter(pk__in=locked).deletable()
        return mine.update(deleting_at=timezone.now(), lease_token=None, lease_expires_at=None)


def finish(files: Iterable[File]) -> int:
    """Delete the objects and then the rows of files that were claimed; returns how many are gone now.

    Repeating it does no harm. A file whose objects the store does not delete keeps its row, to be tried again.
    """
    finished = 0
    for file in files:
        try:
            _delete_objects(file)
        except StorageUnavailableError as fault:
            log.warning("file_not_deleted", file_id=str(file.pk), exc_info=fault)
            continue
        deleted, _ = File.objects.filter(pk=file.pk, deleting_at__isnull=False).delete()
        finished += bool(deleted)
    return finished


def _delete_objects(file: File) -> None:
    if file.is_multipart and file.completed_etags is None:
        storage.abort_multipart(key=file.object_key, upload_id=file.upload_id)
    storage.delete_many([key for key in (file.staging_key, file.object_key) if key])
