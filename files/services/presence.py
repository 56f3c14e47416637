"""Looking whether single uploads have arrived: one listing of a request's prefix tells of all its files."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.utils import timezone

from files import storage
from files.models import File
from files.storage import StoredObject

LISTING_THREADS = 8


def mark_uploaded(files: Iterable[File]) -> None:
    """Set those single uploads to UPLOADED, in the database and in place, whose object is in the store.

    One listing for each request that the files stem from, and one update for each file found. Files in another
    state, and multipart uploads, are left alone. Raises `StorageUnavailableError`. Safe to repeat: the update
    is compare-and-set, and a file that another call moved on meanwhile keeps its state.
    """
    by_request: dict[uuid.UUID, list[File]] = defaultdict(list)
    for file in files:
        if file.status == File.Status.REQUESTED and not file.is_multipart:
            by_request[file.request_id].append(file)
    with ThreadPoolExecutor(LISTING_THREADS) as pool:
        found = {stored.key: stored for listing in pool.map(_list, by_request.values()) for stored in listing}
    arrived = [file for waiting in by_request.values() for file in waiting if file.staging_key in found]
    for file in arrived:
        file.size = found[file.staging_key].size
        file.status = File.Status.UPLOADED
        file.uploaded_at = file.last_activity_at = timezone.now()
    _save_arrived(arrived)


def _list(waiting: list[File]) -> list[StoredObject]:
    """The staged objects of one request; of one file alone where only that is asked for."""
    prefix = waiting[0].staging_key if len(waiting) == 1 else f"staging/{waiting[0].request_id}/"
    return list(storage.list_prefix(prefix))


def _save_arrived(arrived: list[File]) -> None:
    """Save what was found, and take over what another call has made of a file meanwhile."""
    waiting = File.objects.filter(status=File.Status.REQUESTED, deleting_at__isnull=True)
    waiting.bulk_update(arrived, ["size", "status", "uploaded_at", "last_activity_at"], batch_size=500)
    now = dict(File.objects.filter(pk__in=[file.pk for file in arrived]).values_list("pk", "status"))
    for file in arrived:
        file.status = now.get(file.pk, File.Status.EXPIRED)
