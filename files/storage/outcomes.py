"""What the store has, and what it can say instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


class ObjectMissingError(Exception):
    """There is no object at this key."""


class ObjectChangedError(Exception):
    """The object at this key is another than the one whose ETag was given."""


class UploadMissingError(Exception):
    """There is no such multipart upload: it was completed or aborted, or never was."""


class PartMissingError(Exception):
    """The store has no part with this number and this ETag."""

    def __init__(self, part_number: int) -> None:
        super().__init__(part_number)
        self.part_number = part_number


class PartTooSmallError(Exception):
    """A part that is not the last has less than `MIN_PART_SIZE` bytes; `size` says how many."""

    def __init__(self, part_number: int, size: int) -> None:
        super().__init__(part_number, size)
        self.part_number = part_number
        self.size = size


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store has it: `size` in bytes, `etag` without quotes, `last_modified` by the store's clock.

    Objects are the same by what they are, not by when they came.
    """

    key: str
    size: int
    etag: str
    last_modified: datetime = field(compare=False)


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A multipart upload that is under way, begun at `initiated_at` by the store's clock."""

    key: str
    upload_id: str
    initiated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of a multipart upload that is under way: `size` in bytes, `etag` without quotes."""

    part_number: int
    size: int
    etag: str
