"""Finding what a lost message, a dead worker or an unfinished upload left behind.

Every function may run at any time, twice or at once: each changes rows by compare-and-set.
"""

from __future__ import annotations

import uuid

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from files import acceptance, storage
from files.errors import StorageUnavailableError
from files.models import File
from submissions.models import SequenceEntry

log = structlog.get_logger(__name__)

BATCH = 1_000
"""How many files one sweep looks after."""


def files_to_resend(limit: int) -> list[uuid.UUID]:
    """Files that should be read and that no living worker holds, those that have waited longest first."""
    free = File.objects.free_at(timezone.now())
    unread = free.awaiting_verification().order_by("uploaded_at", "pk").values_list("pk", flat=True)[:limit]
    unchecked = free.awaiting_checks().order_by("uploaded_at", "pk").values_list("pk", flat=True)[:limit]
    return [*unread, *unchecked][:limit]


def settle_entries() -> None:
    """Settle entries whose last file was recorded by a worker that died before it could settle them."""
    acceptance.settle(SequenceEntry.objects.all())


def expire_abandoned() -> int:
    """Expire uploads that were requested and never finished; returns how many."""
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


def clear_staging() -> int:
    """Delete staged objects that no file waits for any more; returns how many.

    They come from a URL that was used again after its file was read, and from uploads that have expired.
    """
    cleared = 0
    batch: list[str] = []
    for stored in storage.list_prefix("staging/"):
        batch.append(stored.key)
        if len(batch) == BATCH:
            cleared += _clear(batch)
            batch = []
    return cleared + _clear(batch)


def _clear(keys: list[str]) -> int:
    wanted = [File.Status.REQUESTED, File.Status.UPLOADED, File.Status.VERIFYING]
    live = set(File.objects.filter(staging_key__in=keys, status__in=wanted).values_list("staging_key", flat=True))
    stray = [key for key in keys if key not in live]
    storage.delete_many(stray)
    return len(stray)
