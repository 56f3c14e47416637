"""Holding entries and what belongs to them, always in one order, so that nobody waits in a circle.

First files, in the order of their IDs, then entries, then attachments, each in the order of their keys: submitting
and replacing do so, and the workers hold one of the three at a time.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from common.database import is_one_of
from files.models import File, FileAttachment
from submissions.errors import EntryChangedError
from submissions.models import SequenceEntry


def lock_entries(entries: QuerySet[SequenceEntry]) -> set[int]:
    """Hold the entries, and before them the files that they have, until the transaction ends; returns their keys.

    Entries that are no longer what the queryset asks for, or gone, once others have let them go, are left out. Raises
    `EntryChangedError` if files were put to one while we waited: they are not held, and it is too late to begin.
    Three queries.
    """
    attached = FileAttachment.objects.filter(entry__in=entries.values("pk")).values("file")
    files = File.objects.select_for_update().filter(pk__in=attached).order_by("pk")
    held_files = set(files.values_list("pk", flat=True))
    held = set(entries.select_for_update().order_by("pk").values_list("pk", flat=True))
    have = FileAttachment.objects.filter(is_one_of("entry", held, "bigint"))
    if not held_files.issuperset(have.values_list("file", flat=True)):
        raise EntryChangedError("Somebody has just replaced files of the entry. Look at them before you go on.")
    return held


def keep_freed(file_ids: Collection[uuid.UUID]) -> None:
    """Let the time of those of the files begin anew that no entry has now, so that no sweep deletes them today.

    Who freed a file may want it back. In the transaction that detached them.
    """
    File.objects.filter(pk__in=file_ids, attachments__isnull=True).update(last_activity_at=timezone.now())
