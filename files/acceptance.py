"""Settling entries: accepted when all their files are good, rejected as soon as one is not."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from files.models import FileAttachment
from submissions.models import SequenceEntry


def settle_entries_of(file_ids: Collection[uuid.UUID]) -> None:
    """Settle the entries that have these files, as far as it is known how they end.

    Call it after what was found is committed: of two workers that finish the last two files of an entry, the
    later sees both.
    """
    attached = FileAttachment.objects.filter(entry=OuterRef("pk"), file__in=file_ids)
    settle(SequenceEntry.objects.filter(Exists(attached)))


def settle(entries: QuerySet[SequenceEntry]) -> None:
    """Accept or reject those of the entries about which nothing is open; two updates, whatever their number.

    An entry without files is accepted. Safe to repeat: only entries still VERIFYING change.
    """
    now = timezone.now()
    attachments = FileAttachment.objects.filter(entry=OuterRef("pk"))
    failed, pending = Exists(attachments.failed()), Exists(attachments.pending())
    verifying = entries.filter(status=SequenceEntry.Status.VERIFYING)
    verifying.filter(failed).update(status=SequenceEntry.Status.REJECTED, settled_at=now)
    verifying.filter(~failed, ~pending).update(status=SequenceEntry.Status.ACCEPTED, settled_at=now)
