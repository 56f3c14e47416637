"""What the files of a group may take together, and how many of its uploads may be under way.

A file counts with its size, which is known once the server has looked for its object, or the sweeper has listed it;
until then with the size that was claimed, and without a claim not at all. What is larger than its claim is refused when
it is completed. Uploads that were given up and files that are being deleted do not count. A group that is over its
quota keeps all it has and gets nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from common.words import size_words
from files.errors import QuotaExceededError, TooManyOpenUploadsError
from files.models import File
from files.services.claims import Claims
from submissions.models import Group

ROOM_MAY_COME_AFTER = 3600
"""Seconds until a group over its quota should ask again: somebody has to discard files, or the sweeper does."""
UPLOADS_MAY_END_AFTER = 300
"""Seconds until some of so many uploads may be finished."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How many bytes a group's files take, and may take; `quota` is None for any number."""

    used: int
    quota: int | None

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be uploaded."""
        return self.quota is not None and self.used >= self.quota


def usage_of(group: Group) -> Usage:
    """What the group's files take now; one query, which reads an index alone: 10 ms for 50,000 files."""
    occupying = File.objects.filter(group=group).occupying()
    used = occupying.aggregate(used=Sum(Coalesce("size", "claimed_size", 0)))["used"]
    return Usage(used or 0, group.quota)


@contextmanager
def room_for(group: Group, claims: Sequence[Claims]) -> Iterator[None]:
    """A transaction in which files with these claims can be stored: there is room for them until it ends.

    Of two requests at once the second waits for the first and counts what that has stored, so that both cannot take
    the last byte. Raises `QuotaExceededError` and `TooManyOpenUploadsError`.
    """
    with transaction.atomic():
        if group.quota is not None or settings.OPEN_UPLOADS_PER_GROUP_MAX:
            # Whoever stores files or entries of the group holds a key of its row, and need not wait for this.
            require_room(Group.objects.select_for_update(no_key=True).get(pk=group.pk), claims)
        yield


def require_room(group: Group, claims: Sequence[Claims]) -> None:
    """Raise `QuotaExceededError` or `TooManyOpenUploadsError` where there is no room for files with these claims.

    Only for now: another request may take the room before it is used.
    """
    if group.quota is not None:
        _require_bytes(usage_of(group), claims)
    if most := settings.OPEN_UPLOADS_PER_GROUP_MAX:
        _require_uploads(File.objects.filter(group=group).under_way().count(), most, len(claims))


def _require_bytes(usage: Usage, claims: Sequence[Claims]) -> None:
    claimed = sum(claim.size or 0 for claim in claims)
    # A file without a claimed size takes some bytes, so there has to be room for one at least.
    unclaimed = sum(claim.size is None for claim in claims)
    if usage.quota is None or usage.used + claimed + unclaimed <= usage.quota:
        return
    asked = f", and {size_words(claimed)} more are asked for" if claimed else ""
    text = (
        f"The group's files may take {size_words(usage.quota)}. They take {size_words(usage.used)}, with uploads that "
        f"are under way{asked}. Discard files that nobody needs, or ask an administrator for more room."
    )
    raise QuotaExceededError(text, retry_after=ROOM_MAY_COME_AFTER)


def _require_uploads(under_way: int, most: int, asked: int) -> None:
    if under_way + asked <= most:
        return
    text = (
        f"The group may have {most:,} uploads under way at once. It has {under_way:,}, and {asked:,} more are asked "
        "for. Finish those, or discard them."
    )
    raise TooManyOpenUploadsError(text, retry_after=UPLOADS_MAY_END_AFTER)
