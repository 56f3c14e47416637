"""Looking whether single uploads have arrived: one listing of a request's prefix tells of all its files."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from common.database import as_table, is_one_of
from files import storage
from files.models import File

LISTING_THREADS = 4
"""Enough for the store not to be waited for; each holds a page of a thousand objects, some ten MiB while it is read."""
SAVE_ARRIVED = """
    UPDATE files_file SET size = given.number, status = %s, uploaded_at = %s, last_activity_at = %s FROM {sizes}
    WHERE files_file.id = given.id AND files_file.status = %s AND files_file.deleting_at IS NULL
"""
"""Each file has a size of its own, for which `bulk_update` builds a CASE that takes a minute for 20,000 files."""


def mark_uploaded(files: Iterable[File]) -> None:
    """Set those single uploads to UPLOADED, in the database and in place, whose object is in the store.

    One listing for each request that the files stem from, or one look at the object where a single file is asked for,
    a few at once; and one update for all files found. Files in another state, and multipart uploads, are left alone.
    Raises `StorageUnavailableError`. Safe to repeat: the update is compare-and-set, and a file that another call moved
    on meanwhile keeps its state.
    """
    by_request: dict[uuid.UUID, list[File]] = defaultdict(list)
    for file in files:
        if file.status == File.Status.REQUESTED and not file.is_multipart:
            by_request[file.request_id].append(file)
    with ThreadPoolExecutor(LISTING_THREADS) as pool:
        found = {key: size for sizes in pool.map(_sizes, by_request.values()) for key, size in sizes.items()}
    arrived = [file for waiting in by_request.values() for file in waiting if file.staging_key in found]
    if not arrived:
        return
    now = timezone.now()
    for file in arrived:
        file.size = found[file.staging_key]
        file.status = File.Status.UPLOADED
        file.uploaded_at = file.last_activity_at = now
    _save_arrived(arrived, now)


def _sizes(waiting: list[File]) -> dict[str, int]:
    """The sizes of the staged objects of one request, by key; of one file alone where only that is asked for."""
    if len(waiting) == 1:
        # Of files that were requested one by one there may be thousands, and a listing takes three times as long.
        alone = storage.head(waiting[0].staging_key)
        return {} if alone is None else {alone.key: alone.size}
    return {stored.key: stored.size for stored in storage.list_prefix(f"staging/{waiting[0].request_id}/")}


def _save_arrived(arrived: list[File], now: datetime) -> None:
    """Save what was found, and take over what another call has made of a file meanwhile."""
    waiting = File.objects.filter(status=File.Status.REQUESTED, deleting_at__isnull=True)
    waiting = waiting.filter(is_one_of("pk", (file.pk for file in arrived)))
    table, sizes = as_table({"number": "bigint"}, {file.pk: (file.size or 0,) for file in arrived})
    moment = connection.ops.adapt_datetimefield_value(now)
    parameters = [File.Status.UPLOADED, moment, moment, *sizes, File.Status.REQUESTED]
    with transaction.atomic(), connection.cursor() as cursor:
        # Locked in order, so that two calls that find the same files wait for each other and not crosswise.
        saved = set(waiting.select_for_update().order_by("pk").values_list("pk", flat=True))
        cursor.execute(SAVE_ARRIVED.format(sizes=table), parameters)
    _take_over([file for file in arrived if file.pk not in saved])


def _take_over(files: list[File]) -> None:
    """Give files the states that they have in the database; one that is gone there has expired."""
    if not files:
        return
    rows = File.objects.filter(is_one_of("pk", (file.pk for file in files)))
    now = dict(rows.values_list("pk", "status"))
    for file in files:
        file.status = now.get(file.pk, File.Status.EXPIRED)
