"""Going on with an upload: new URLs for what is not in the object store yet.

This is what a client calls after an expired URL, a reload, or on another machine.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from accounts.models import User
from common.errors import Location, ParameterInvalidError
from files import storage, tasks
from files.errors import UploadCompletingError, UploadExpiredError
from files.models import File
from files.services.listing import file_for_member, not_found
from files.services.presence import mark_uploaded
from files.services.presigning import part_urls, put_url, url_lifetime
from files.storage import StoredPart


@dataclass(frozen=True, slots=True)
class RenewedUpload:
    """Where a file is and how to go on with it: `url`, or `part_urls` by part number; none if nothing is to be sent."""

    file: File
    url: str | None = None
    part_urls: dict[int, str] = field(default_factory=dict)
    uploaded_parts: list[StoredPart] = field(default_factory=list)


def renew_upload(*, user: User, file_id: uuid.UUID, part_numbers: Sequence[int] | None = None) -> RenewedUpload:
    """New URLs for an upload that is under way, and what of it the object store has already.

    Looks for the object of a single upload first and, where it has come, has it verified. Of a multipart upload the
    parts that are not there get a URL, or those of `part_numbers`, there or not. A file that is further on is told
    as it is. Safe to repeat: URLs made before stay good, and nothing that was sent is touched.

    Raises `FileNotFoundInGroupError`, `ParameterInvalidError`, `UploadExpiredError`, `StorageUnavailableError`, and
    `UploadCompletingError`, after which the call can be repeated.
    """
    file = file_for_member(user=user, file_id=file_id)
    _check(part_numbers, file)
    if file.is_multipart:
        return _renew_parts(file, part_numbers)
    mark_uploaded([file])
    if file.status == File.Status.REQUESTED and _extended(file):
        return RenewedUpload(file, url=put_url(file))
    return _further_on(file)


def _renew_parts(file: File, part_numbers: Sequence[int] | None) -> RenewedUpload:
    if file.status != File.Status.REQUESTED:
        return _further_on(file)
    try:
        sent = storage.list_parts(key=file.object_key, upload_id=file.upload_id)
    except storage.UploadMissingError:
        return _missing(file)
    if not _extended(file):
        return _further_on(file)
    if part_numbers is None:
        here = {part.part_number for part in sent}
        part_numbers = [number for number in range(1, (file.number_parts or 0) + 1) if number not in here]
    urls = dict(zip(part_numbers, part_urls(file, part_numbers), strict=True))
    return RenewedUpload(file, part_urls=urls, uploaded_parts=sent)


def _check(part_numbers: Sequence[int] | None, file: File) -> None:
    where = Location(pointer="/partNumbers", file_id=str(file.pk))
    if part_numbers is None:
        return
    if not file.is_multipart:
        raise ParameterInvalidError("This file was requested as a single upload; it has no parts.", where)
    if any(not 1 <= number <= (file.number_parts or 0) for number in part_numbers):
        text = f"The upload has the parts 1 to {file.number_parts}; ask for those."
        raise ParameterInvalidError(text, where)
    if len(set(part_numbers)) != len(part_numbers):
        raise ParameterInvalidError("Name each part once.", where)


def _extended(file: File) -> bool:
    """Give the upload its time anew, in the row and in place; False where it is no longer under way."""
    now = timezone.now()
    times = {"last_activity_at": now, "urls_expire_at": now + url_lifetime(file)}
    under_way = File.objects.filter(pk=file.pk, status=File.Status.REQUESTED, deleting_at__isnull=True)
    if not under_way.not_completing().update(**times):
        return False
    file.last_activity_at, file.urls_expire_at = times["last_activity_at"], times["urls_expire_at"]
    return True


def _missing(file: File) -> RenewedUpload:
    """What to say of an upload that the store does not have (any more): it was completed just now, or swept away."""
    unchanged = File.objects.filter(pk=file.pk, status=File.Status.REQUESTED, deleting_at__isnull=True)
    # With the object there, a complete call died before it could record it; repeating that settles it.
    if storage.head(file.object_key) is None:
        unchanged.not_completing().update(status=File.Status.EXPIRED)
    elif unchanged.not_completing().exists():
        raise _expired(file)
    return _further_on(file)


def _further_on(file: File) -> RenewedUpload:
    """A file to which nothing is to be sent, as it is now."""
    now = File.objects.filter(pk=file.pk, deleting_at__isnull=True).first()
    if now is None:
        raise not_found(file.pk)
    if now.status == File.Status.EXPIRED:
        raise _expired(now)
    if now.status == File.Status.REQUESTED:
        raise UploadCompletingError
    if now.status == File.Status.UPLOADED:
        tasks.enqueue([now.pk])
    return RenewedUpload(now)


def _expired(file: File) -> UploadExpiredError:
    text = "The upload was given up after a time; request a new one and send the file again."
    return UploadExpiredError(text, Location(file_id=str(file.pk)))
