"""Completing uploads: parts are put together by the server alone, and what has come is sent to be verified."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from common.errors import DomainError, Location, ValidationFailedError
from files import storage, tasks
from files.errors import (
    EtagsDifferError,
    EtagsMissingError,
    FileNotFoundInGroupError,
    FileNotUploadedError,
    MultipartNotCompletedError,
    NotMultipartError,
    PartNotFoundError,
    PartTooSmallError,
    SizeMismatchError,
    StorageUnavailableError,
    UploadExpiredError,
)
from files.models import File
from files.services.claims import Claims, check_late_claims, record_late_claims, unsaid_before
from files.services.oversize import larger_text, refuse_larger, refused, require_kept
from files.services.presence import mark_uploaded
from files.storage import StoredObject
from submissions.errors import quoted

COMPLETING_LEASE = timedelta(seconds=30)
"""How long a web process that falls silent keeps a multipart upload that it was completing."""
WAIT_FOR_COMPLETING = timedelta(seconds=35)
"""How long another call waits for it: a little longer, so that it can take over."""


@dataclass(frozen=True, slots=True)
class CompleteItem:
    """One upload that the client says is sent; ETags, without quotes, in part order for a multipart upload."""

    file_id: uuid.UUID
    etags: tuple[str, ...] = ()
    claims: Claims = field(default_factory=Claims)

    @property
    def location(self) -> Location:
        """Where an error of this item is."""
        return Location(file_id=str(self.file_id))


def complete_uploads(*, user: User, items: Sequence[CompleteItem]) -> list[File]:
    """Look whether the single uploads are in the object store and have them verified: "I have sent it".

    Returns the files as they are then; for one that is further on, that is where it is. Safe to repeat. One bad
    item does not undo the others: `ValidationFailedError` has the bad in `errors`, the good in `results`. Of a file
    that is larger than was claimed nothing is kept.
    """
    files = _files_of(user, items)
    mark_uploaded(files.values())
    files = _with_late_claims(items, files)
    refuse_larger(files.values())
    tasks.enqueue([file.pk for file in files.values() if file.status == File.Status.UPLOADED])
    return _answer([_sent_or_error(item, files.get(item.file_id)) for item in items])


def complete_multipart_uploads(*, user: User, items: Sequence[CompleteItem]) -> list[File]:
    """Put the parts of each upload together and have the file verified; returns the files as they are then.

    Idempotent: the same call again, a lost answer, or eight at once get the same truth, as the one that
    completes holds a lease on the row. One bad item does not undo the others: `ValidationFailedError` has the
    bad in `errors`, the good in `results`. Of a file that is larger than was claimed nothing is kept. Raises
    `StorageUnavailableError`; the call can then be repeated.
    """
    files = _files_of(user, items)
    outcomes: list[File | DomainError] = []
    for item in items:
        try:
            outcomes.append(_complete_multipart(item, files.get(item.file_id)))
        except File.DoesNotExist:
            # Its deletion was faster than this call.
            outcomes.append(_not_found(item))
        except StorageUnavailableError:
            raise
        except DomainError as error:
            outcomes.append(error)
    return _answer(outcomes)


def _files_of(user: User, items: Sequence[CompleteItem]) -> Mapping[uuid.UUID, File]:
    ids = [item.file_id for item in items]
    return File.objects.visible_to(user).filter(deleting_at__isnull=True).in_bulk(ids)


def _answer(outcomes: Sequence[File | DomainError]) -> list[File]:
    good = [outcome for outcome in outcomes if isinstance(outcome, File)]
    bad = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
    if bad:
        raise ValidationFailedError(bad, results=good)
    return good


def _not_found(item: CompleteItem) -> FileNotFoundInGroupError:
    text = f"There is no file {item.file_id} in a group that you are a member of."
    return FileNotFoundInGroupError(text, item.location)


def _expired(item: CompleteItem) -> UploadExpiredError:
    text = "The upload was given up after a time; request a new one and send the file again."
    return UploadExpiredError(text, item.location)


def _with_late_claims(items: Sequence[CompleteItem], files: Mapping[uuid.UUID, File]) -> dict[uuid.UUID, File]:
    """The files with what is claimed of them now, as they are then; without those that were deleted meanwhile."""
    late = [(files[item.file_id], item.claims) for item in items if item.file_id in files]
    now = record_late_claims(late)
    unclaimed = {file.pk: file for file, claims in late if not claims.integrity_fields()}
    return unclaimed | dict(now)


def _sent_or_error(item: CompleteItem, file: File | None) -> File | DomainError:
    if file is None:
        return _not_found(item)
    try:
        require_kept(file, item.location)
        check_late_claims(file, item.claims, item.location)
    except DomainError as error:
        return error
    if file.status == File.Status.EXPIRED:
        return _expired(item)
    if file.status != File.Status.REQUESTED:
        return file
    if file.is_multipart:
        text = "This is a multipart upload; complete it with complete-multipart-upload and its ETags."
        return MultipartNotCompletedError(text, item.location)
    return FileNotUploadedError("There is no object for this file yet; PUT it to its URL first.", item.location)


# --- multipart ---------------------------------------------------------------------------------------


def _complete_multipart(item: CompleteItem, file: File | None) -> File:
    if file is None:
        raise _not_found(item)
    if not file.is_multipart:
        text = "This file was requested as a single upload; PUT it to its URL, there is nothing to complete."
        raise NotMultipartError(text, item.location)
    if len(item.etags) > (file.number_parts or 0):
        raise _part_not_found(item, file, len(item.etags))
    if not item.etags:
        text = "Give the ETag of each part in “etags”, in part order."
        raise EtagsMissingError(text, item.location)
    check_late_claims(file, item.claims, item.location)
    if (settled := _hold_or_settled(item, file)) is not None:
        return _with_claims_of(item, settled)
    held = file.completing_until
    try:
        _put_together(item, file)
    finally:
        File.objects.filter(pk=file.pk, completing_until=held).update(completing_until=None)
    file.refresh_from_db()
    return file


def _with_claims_of(item: CompleteItem, settled: File) -> File:
    """The file that another call has completed, with what this one claims of it."""
    file = _with_late_claims([item], {settled.pk: settled}).get(settled.pk)
    if file is None:
        raise _not_found(item)
    require_kept(file, item.location)
    check_late_claims(file, item.claims, item.location)
    return file


def _hold_or_settled(item: CompleteItem, file: File) -> File | None:
    """The file, where another call has completed it; None once this call holds the lease on completing it."""
    deadline = timezone.now() + WAIT_FOR_COMPLETING
    while timezone.now() < deadline:
        if file.completed_etags is not None:
            return _same_truth(item, file)
        if file.status != File.Status.REQUESTED or file.deleting_at is not None:
            raise _expired(item)
        now = timezone.now()
        free = Q(completing_until__isnull=True) | Q(completing_until__lt=now)
        waiting = File.objects.filter(free, pk=file.pk, status=File.Status.REQUESTED, deleting_at__isnull=True)
        until = now + COMPLETING_LEASE
        if waiting.update(completing_until=until, last_activity_at=now):
            file.completing_until = until
            return None
        time.sleep(0.05)
        file.refresh_from_db()
    raise StorageUnavailableError


def _same_truth(item: CompleteItem, file: File) -> File:
    if list(item.etags) != file.completed_etags:
        raise _etags_differ(item)
    return file


def _etags_differ(item: CompleteItem) -> EtagsDifferError:
    text = "The upload is complete, but with another list of ETags; its content stays as it is."
    return EtagsDifferError(text, item.location)


def _put_together(item: CompleteItem, file: File) -> None:
    """Complete the upload in the object store and record it; the caller holds the lease."""
    parts = list(enumerate(item.etags, start=1))
    try:
        made = storage.complete_multipart(key=file.object_key, upload_id=file.upload_id, parts=parts)
    except storage.UploadMissingError:
        # An earlier call may have got this far and died before it could record it.
        found = storage.head(file.object_key)
        if found is None:
            raise _expired(item) from None
        made = found
    except storage.PartMissingError as error:
        raise _part_not_found(item, file, error.part_number) from error
    except storage.PartTooSmallError as error:
        text = (
            f"Part {error.part_number} has {error.size:,} bytes; all parts but the last have at least "
            f"{storage.MIN_PART_SIZE} bytes."
        )
        raise PartTooSmallError(text, item.location) from error
    except (storage.ObjectMissingError, storage.ObjectChangedError) as error:
        raise StorageUnavailableError from error
    if settings.S3_ETAG_IS_MD5 and storage.multipart_etag(parts) != made.etag:
        raise _etags_differ(item)
    claimed = item.claims.size if file.claimed_size is None else file.claimed_size
    if claimed is not None and made.size > claimed:
        # Before the row says so: who repeats the call after a failure finds the object, and comes here again.
        storage.delete(file.object_key)
        _record_refused(item, file, claimed, made.size)
    _record_completed(item, file, made)


def _part_not_found(item: CompleteItem, file: File, number: int) -> PartNotFoundError:
    if number > (file.number_parts or 0):
        text = f"{len(item.etags)} ETags were given, but only {file.number_parts} parts were requested."
        return PartNotFoundError(text, item.location)
    text = (
        f"There is no part {number} with the ETag {quoted(item.etags[number - 1])}. PUT the part to URL {number} "
        "and give the ETag of the answer; ETags are given in part order."
    )
    return PartNotFoundError(text, item.location)


def _record_completed(item: CompleteItem, file: File, made: StoredObject) -> None:
    now = timezone.now()
    fields = {
        "status": File.Status.UPLOADED,
        "completed_etags": list(item.etags),
        "etag": made.etag,
        "size": made.size,
        "uploaded_at": now,
        "last_activity_at": now,
        **unsaid_before(file, item.claims),
    }
    if File.objects.filter(pk=file.pk, status=File.Status.REQUESTED).update(**fields):
        tasks.enqueue([file.pk])


def _record_refused(item: CompleteItem, file: File, claimed: int, size: int) -> NoReturn:
    """Record that nothing is kept of the file, and with which ETags it was completed, for who repeats the call."""
    fields = {**refused(claimed, size), **unsaid_before(file, item.claims), "completed_etags": list(item.etags)}
    File.objects.filter(pk=file.pk, status=File.Status.REQUESTED).update(**fields)
    raise SizeMismatchError(larger_text(claimed, size), item.location)
