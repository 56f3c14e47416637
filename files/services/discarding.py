"""Discarding files that are attached nowhere, in whatever state they are: a member of their group asks for it."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from accounts.models import User
from common.errors import DomainError, Location
from files import deletion
from files.errors import FileAttachedError, FileNotAvailableError, UploadCompletingError
from files.models import File
from files.services.listing import file_for_member, not_found

FINISHED_AT_ONCE = 50
"""How many files' objects a call deletes itself; each takes two requests to the store."""


def discard_file(*, user: User, file_id: uuid.UUID) -> None:
    """Abort or delete the file, with all that the object store has of it.

    Once this returns the file exists for nobody; where the store does not answer, the sweeper deletes what it has.
    Raises `FileNotFoundInGroupError`, also when it was discarded before, `FileAttachedError`,
    `FileNotAvailableError` for one in quarantine, and `UploadCompletingError`, after which the call can be repeated.
    """
    file = file_for_member(user=user, file_id=file_id)
    if not deletion.claim([file.pk]):
        raise _why_kept(file.pk)
    # Read anew: until it was claimed, a worker could still record another object.
    deletion.finish(File.objects.filter(pk=file.pk))


def discard_files(*, user: User, file_ids: Collection[uuid.UUID]) -> int:
    """Discard those of the files that can be; returns how many.

    Left alone are files of other groups, and those that `discard_file` would refuse. Objects of many files are left
    to the sweeper, so that nobody waits for them. A second run finds nothing to discard.
    """
    visible = File.objects.visible_to(user).filter(pk__in=file_ids)
    ids = list(visible.order_by("pk").values_list("pk", flat=True))
    claimed = deletion.claim(ids)
    doomed = File.objects.filter(pk__in=ids, deleting_at__isnull=False).order_by("pk")
    deletion.finish(doomed[:FINISHED_AT_ONCE])
    return claimed


def _why_kept(file_id: uuid.UUID) -> DomainError:
    """What kept a file from being claimed, as far as it can still be seen."""
    file = File.objects.filter(pk=file_id, deleting_at__isnull=True).first()
    where = Location(file_id=str(file_id))
    if file is None:
        return not_found(file_id)
    if file.attachments.exists():
        text = "The file belongs to a submitted sequence entry, and is kept for as long as it does."
        return FileAttachedError(text, where)
    if file.quarantined_at is not None:
        text = "An administrator holds this file back; it can be discarded once that is lifted."
        return FileNotAvailableError(text, where)
    return UploadCompletingError()
