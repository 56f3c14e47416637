"""Looking at files: one of the caller's groups, or those of a group, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from accounts.models import User
from common.errors import Location
from files.errors import FileNotFoundInGroupError
from files.models import File, FileQuerySet
from submissions.access import group_for_member

FILES_A_PAGE = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files of a group are asked for; None is no condition. Fingerprints are in lower case."""

    statuses: Collection[str] | None = None
    attached: bool | None = None
    ids: Collection[uuid.UUID] | None = None
    fingerprints: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class FileCursor:
    """Behind which file a page begins, in the order of the list: newest first, then by file ID."""

    requested_at: datetime
    file_id: uuid.UUID

    def __str__(self) -> str:
        microseconds = (self.requested_at - EPOCH) // timedelta(microseconds=1)
        return f"{microseconds}.{self.file_id}"

    @classmethod
    def parse(cls, text: str) -> FileCursor:
        """What `str()` has written; raises `ValueError` for anything else."""
        microseconds, _, file_id = text.partition(".")
        try:
            return cls(EPOCH + timedelta(microseconds=int(microseconds)), uuid.UUID(file_id))
        except OverflowError as error:
            raise ValueError(text) from error


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some files, with all that is known of them, and where the next page begins; None on the last."""

    items: list[File]
    next_cursor: FileCursor | None


def file_for_member(*, user: User, file_id: uuid.UUID) -> File:
    """The file, for a member of its group; one query.

    Raises `FileNotFoundInGroupError`, also for one of another group and one that is being deleted.
    """
    return _one(File.objects.all(), user, file_id)


def file_details(*, user: User, file_id: uuid.UUID) -> File:
    """The file with its check results and where it is attached, in three queries; raises as `file_for_member`."""
    return _one(File.objects.with_details(), user, file_id)


def list_files(
    *,
    user: User,
    group_id: int,
    asked: FileFilter = FileFilter(),
    cursor: FileCursor | None = None,
    limit: int = FILES_A_PAGE,
) -> FilePage:
    """A page of at most `limit` of the group's files as `file_details` gives them; five queries, whatever its size.

    Raises `GroupNotFoundError` and `NotAMemberError`. Files that are being deleted are left out.
    """
    group = group_for_member(user=user, group_id=group_id)
    files = _narrowed(File.objects.filter(group=group, deleting_at__isnull=True), asked)
    if cursor is not None:
        same_moment = Q(requested_at=cursor.requested_at, id__gt=cursor.file_id)
        behind = Q(requested_at__lt=cursor.requested_at) | same_moment
        # Said twice: an index can begin at a bound, but not at one of two alternatives.
        files = files.filter(behind, requested_at__lte=cursor.requested_at)
    found = list(files.with_details().order_by("-requested_at", "id")[: limit + 1])
    if len(found) <= limit:
        return FilePage(found, None)
    last = found[limit - 1]
    return FilePage(found[:limit], FileCursor(last.requested_at, last.pk))


def not_found(file_id: uuid.UUID) -> FileNotFoundInGroupError:
    """The error for a file that does not exist for the caller."""
    text = f"There is no file {file_id} in a group that you are a member of."
    return FileNotFoundInGroupError(text, Location(file_id=str(file_id)))


def _one(files: FileQuerySet, user: User, file_id: uuid.UUID) -> File:
    file = files.visible_to(user).filter(pk=file_id, deleting_at__isnull=True).first()
    if file is None:
        raise not_found(file_id)
    return file


def _narrowed(files: FileQuerySet, asked: FileFilter) -> FileQuerySet:
    if asked.statuses is not None:
        files = files.filter(status__in=asked.statuses)
    if asked.attached is not None:
        files = files.attached() if asked.attached else files.unattached()
    if asked.ids is not None:
        files = files.filter(pk__in=asked.ids)
    if asked.fingerprints is not None:
        # Not empty: so says the index, and the database must see that it may use it.
        files = files.filter(~Q(claimed_fingerprint=""), claimed_fingerprint__in=asked.fingerprints)
    return files
