"""Presigned URLs and POSTs by which the bytes of a file are sent, each good until the row's `urls_expire_at`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from files import signing
from files.models import File
from files.signing import PresignedPost
from files.storage import MAX_SINGLE_SIZE


def url_lifetime(file: File) -> timedelta:
    """How long a URL for this file lives when it is made; whole seconds."""
    lifetime: timedelta = settings.PART_URL_LIFETIME if file.is_multipart else settings.UPLOAD_URL_LIFETIME
    return lifetime


def put_url(file: File) -> str:
    """A URL for one bare PUT of a single upload; of no other length than the claimed size, if there is one."""
    headers = {} if file.claimed_size is None else {"content-length": str(file.claimed_size)}
    return signing.presign("PUT", file.staging_key, expires_in=_seconds(file), headers=headers, now=_made_at(file))


def upload_post(file: File) -> PresignedPost:
    """The form for one single upload, as `put_url` is the URL: of no other length than the claimed size."""
    shortest, longest = (0, MAX_SINGLE_SIZE) if file.claimed_size is None else (file.claimed_size, file.claimed_size)
    seconds, made_at = _seconds(file), _made_at(file)
    return signing.presign_post(file.staging_key, expires_in=seconds, shortest=shortest, longest=longest, now=made_at)


def part_urls(file: File, part_numbers: Sequence[int]) -> list[str]:
    """A URL for each of these parts of a multipart upload, in their order.

    Where size and part size are claimed, each takes a part of its own length only, and parts past the end nothing.
    """
    return signing.presign_parts(
        file.object_key,
        file.upload_id,
        part_numbers,
        expires_in=_seconds(file),
        lengths=_part_lengths(file, part_numbers),
        now=_made_at(file),
    )


def _seconds(file: File) -> int:
    return int(url_lifetime(file).total_seconds())


def _made_at(file: File) -> datetime:
    """The moment from which its URLs live, so that none outlives what the row says."""
    return file.urls_expire_at - url_lifetime(file)


def _part_lengths(file: File, part_numbers: Sequence[int]) -> list[int] | None:
    if file.claimed_size is None or file.claimed_part_size is None:
        return None
    size, step = file.claimed_size, file.claimed_part_size
    return [max(0, min(step, size - step * (number - 1))) for number in part_numbers]
