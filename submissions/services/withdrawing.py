"""Withdrawing an entry that is not released: it is gone, and its files are free."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import F

from accounts.models import User
from files.models import FileAttachment
from submissions.access import entry_for_member
from submissions.errors import EntryNotFoundError, EntryReleasedError
from submissions.models import SequenceEntry, Submission
from submissions.services.locking import keep_freed, lock_entries

log = structlog.get_logger(__name__)


def withdraw(*, user: User, accession: str, version: int, organism_slug: str | None = None) -> SequenceEntry:
    """Delete an entry that is not released, whatever its state, and free its files; returns what it was.

    Files that no entry has any more are kept as long as what was just uploaded. The entry's submission counts it, and
    its table and sequences stay as they were sent; other versions stay as they are. A worker that verifies one of the
    files goes on. Raises `OrganismNotFoundError`, `EntryNotFoundError`, also when it was withdrawn before,
    `NotAMemberError`, `EntryReleasedError`, and `EntryChangedError` if somebody else replaces its files right now.
    """
    entry = entry_for_member(user=user, accession=accession, version=version, organism_slug=organism_slug)
    with transaction.atomic():
        _delete(entry)
    log.info(
        "entry_withdrawn",
        entry=str(entry),
        submission=entry.submission_id,
        status=entry.status,
        group=entry.submission.group_id,
        user=user.username,
    )
    return entry


def _delete(entry: SequenceEntry) -> None:
    this = SequenceEntry.objects.filter(pk=entry.pk)
    up_to_this = SequenceEntry.objects.filter(accession=entry.accession, version__lte=entry.version)
    if entry.pk not in lock_entries(up_to_this):
        raise EntryNotFoundError(f"{entry} was withdrawn meanwhile.")
    if this.filter(released_at__isnull=False).exists():
        raise EntryReleasedError(f"{entry} is released; what is released can no longer be withdrawn.")
    # In the order in which a worker that compares pairs holds them.
    attachments = FileAttachment.objects.filter(entry=entry.pk)
    locked = attachments.select_for_update().order_by("category", "pk")
    files = {attachment.file_id for attachment in locked.only("file")}
    attachments.delete()
    this.delete()
    # The next revision goes by another version: receipts and scripts may still know this one.
    before = up_to_this.order_by("-version").values("pk")[:1]
    SequenceEntry.objects.filter(pk__in=before).update(next_version=entry.version + 1)
    Submission.objects.filter(pk=entry.submission_id).update(withdrawn_count=F("withdrawn_count") + 1)
    keep_freed(files)
