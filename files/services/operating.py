"""What admins do with files that verification could not cope with, or that have to be held back.

Each function changes those of the given files that it applies to, by compare-and-set under their locks, leaves the
others alone, and returns which it changed. A second run finds nothing to change.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from files import tasks
from files.models import File

BATCH = 1_000

Change = Callable[[QuerySet[File]], int]


def requeue(files: QuerySet[File]) -> QuerySet[File]:
    """Have files verified, or checked, that wait after a fault of ours or were given up; their faults are forgotten.

    Not those that a worker has. What the last fault was stays, until the next.
    """

    def change(locked: QuerySet[File]) -> int:
        tasks.enqueue(locked.values_list("pk", flat=True))
        return locked.update(fault_count=0, verification_failed_at=None, retry_at=None)

    return _changed(files, File.objects.requeueable(), change)


def quarantine(*, files: QuerySet[File], user: User) -> QuerySet[File]:
    """Hold files back, whatever their state: no attaching, releasing or downloading until that is lifted."""
    free = File.objects.attachable()
    return _changed(files, free, lambda locked: locked.update(quarantined_at=timezone.now(), quarantined_by=user))


def lift_quarantine(files: QuerySet[File]) -> QuerySet[File]:
    """Let files go again; entries that have waited for them are settled by a worker."""

    def change(locked: QuerySet[File]) -> int:
        tasks.enqueue(locked.values_list("pk", flat=True))
        return locked.update(quarantined_at=None, quarantined_by=None)

    return _changed(files, File.objects.filter(quarantined_at__isnull=False), change)


def _changed(files: QuerySet[File], fit: QuerySet[File], change: Change) -> QuerySet[File]:
    """Lock those of the files that fit, in the order in which submitting locks them, change and return them."""
    ids = list(files.order_by("pk").values_list("pk", flat=True))
    changed = []
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            batch = fit.select_for_update().filter(pk__in=ids[start : start + BATCH]).order_by("pk")
            locked = list(batch.values_list("pk", flat=True))
            change(File.objects.filter(pk__in=locked))
            changed += locked
    return File.objects.filter(pk__in=changed)
