"""Requesting uploads: new files, and presigned URLs to send them to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from common.errors import ErrorList, Location, ParameterInvalidError
from files import storage
from files.models import File
from files.services.claims import Categories, Claims, claimed_categories
from files.services.presigning import part_urls, put_url, upload_post
from files.services.quotas import require_room, room_for
from files.signing import PresignedPost
from submissions.access import group_for_member
from submissions.models import Group


@dataclass(frozen=True, slots=True)
class RequestedUpload:
    """A new file and where to send it: one URL, or one for each part in part order; `post` where that was asked for."""

    file: File
    urls: list[str]
    post: PresignedPost | None = None


def request_uploads(
    *, user: User, group_id: int, number_files: int, claims: Sequence[Claims], with_post: bool = False
) -> list[RequestedUpload]:
    """Make `number_files` files of the group and a URL for each, good for one bare PUT.

    `claims` is empty or has one item a file; a claimed size is signed into the URL, so that S3 refuses another
    length. With `with_post` there is a presigned POST as well, which does the same. Raises `GroupNotFoundError`,
    `NotAMemberError`, `ValidationFailedError` for claims that cannot hold, `QuotaExceededError` and
    `TooManyOpenUploadsError`. A second call makes other files; files never sent are cleared away after a time.
    """
    group = group_for_member(user=user, group_id=group_id)
    claims = claims or [Claims()] * number_files
    categories = claimed_categories(claims, largest=storage.MAX_SINGLE_SIZE)
    files = _new_files(user, group, claims, categories, settings.UPLOAD_URL_LIFETIME)
    for file in files:
        file.staging_key = f"staging/{file.request_id}/{file.id}"
    with room_for(group, claims):
        File.objects.bulk_create(files, batch_size=500)
    return [RequestedUpload(file, [put_url(file)], upload_post(file) if with_post else None) for file in files]


def request_multipart_uploads(
    *, user: User, group_id: int, number_files: int, number_parts: int, claims: Sequence[Claims]
) -> list[RequestedUpload]:
    """Make `number_files` files of the group and `number_parts` URLs for each, in part order.

    With size and part size claimed, each part's length is signed. Raises as `request_uploads`, and
    `StorageUnavailableError`, after which nothing is stored. A second call makes other files.
    """
    group = group_for_member(user=user, group_id=group_id)
    claims = claims or [Claims()] * number_files
    categories = claimed_categories(claims, largest=storage.MAX_MULTIPART_SIZE)
    _check_parts_suffice(claims, number_parts)
    require_room(group, claims)
    files = _new_files(user, group, claims, categories, settings.PART_URL_LIFETIME)
    for file in files:
        file.object_key = f"files/{file.id}/{uuid.uuid4()}"
        file.number_parts = number_parts
    upload_ids = storage.create_many_multiparts([file.object_key for file in files])
    for file, upload_id in zip(files, upload_ids, strict=True):
        file.upload_id = upload_id
    # Should another request take the room meanwhile, the sweeper aborts what was begun in the store for nobody.
    with room_for(group, claims):
        File.objects.bulk_create(files, batch_size=500)
    return [RequestedUpload(file, part_urls(file, range(1, number_parts + 1))) for file in files]


def _new_files(
    user: User, group: Group, claims: Sequence[Claims], categories: Categories, lifetime: timedelta
) -> list[File]:
    now = timezone.now()
    request_id = uuid.uuid4()
    return [
        File(
            group=group,
            requested_by=user,
            requested_at=now,
            request_id=request_id,
            last_activity_at=now,
            urls_expire_at=now + lifetime,
            claimed_name=claim.name,
            claimed_fingerprint=claim.fingerprint,
            claimed_part_size=claim.part_size,
            claimed_category=categories.get((claim.organism, claim.category)),
            **claim.integrity_fields(),
        )
        for claim in claims
    ]


def _check_parts_suffice(claims: Sequence[Claims], number_parts: int) -> None:
    errors = ErrorList()
    for index, claim in enumerate(claims):
        if claim.size is not None and claim.part_size is not None and claim.size > claim.part_size * number_parts:
            text = f"{number_parts} parts of {claim.part_size:,} bytes do not hold {claim.size:,} bytes; ask for more."
            errors.add(ParameterInvalidError(text, Location(pointer=f"/{index}/partSize", name=claim.name or None)))
    errors.raise_if_any()
