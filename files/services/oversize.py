"""Files that turn out larger than was claimed: they are refused when they are completed, and nothing is kept of them.

The group's quota has counted the claim, and nothing but this keeps what comes to it. A smaller file takes no room that
was not counted, and is left to the verifier.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.utils import timezone

from common.errors import Location
from files import storage
from files.errors import SizeMismatchError, StorageUnavailableError
from files.models import File

log = structlog.get_logger(__name__)


def refuse_larger(files: Iterable[File]) -> None:
    """Reject those single uploads, in the database and in place, that have come and are larger than was claimed.

    Their objects are deleted; the sweeper deletes what the store does not. A query for each of them. Safe to repeat:
    one that a worker has already is left to it.
    """
    gone: list[File] = []
    for file in files:
        if file.status != File.Status.UPLOADED or file.is_multipart or not _is_larger(file):
            continue
        unread = File.objects.filter(pk=file.pk, status=File.Status.UPLOADED, lease_token__isnull=True)
        fields = refused(file.claimed_size or 0, file.size or 0)
        if unread.update(**fields):
            for name, value in fields.items():
                setattr(file, name, value)
            gone.append(file)
    try:
        storage.delete_many([file.staging_key for file in gone])
    except StorageUnavailableError:
        log.info("staging_not_cleared", file_ids=[str(file.pk) for file in gone])


def refused(claimed: int, size: int) -> dict[str, object]:
    """The fields of a `File` of which nothing is kept: its size is None, as is that of no other file that has come."""
    now = timezone.now()
    return {
        "status": File.Status.REJECTED,
        "rejected_at": now,
        "last_activity_at": now,
        "problem_code": SizeMismatchError.code,
        "problem_detail": larger_text(claimed, size),
        "size": None,
    }


def larger_text(claimed: int, size: int) -> str:
    """What to say of it; sizes in bytes."""
    return (
        f"The file was announced with {claimed:,} bytes, but {size:,} arrived, and none of them are kept. Request "
        "another upload and send it again."
    )


def require_kept(file: File, where: Location) -> None:
    """Raise `SizeMismatchError` for a file that was refused, so that who asks again hears the same."""
    if file.status == File.Status.REJECTED and file.size is None:
        raise SizeMismatchError(file.problem_detail, where)


def _is_larger(file: File) -> bool:
    return file.claimed_size is not None and file.size is not None and file.size > file.claimed_size
