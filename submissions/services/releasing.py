"""Releasing: accepted entries become public, all that were named or none, and stay so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from common.database import is_one_of
from common.errors import DomainError, ErrorList, Location
from files.errors import FileNotAvailableError
from files.models import FileAttachment
from submissions.access import organism_of_slug
from submissions.errors import EntryNotAcceptedError, EntryNotFoundError, quoted
from submissions.models import Organism, SequenceEntry
from submissions.services.locking import lock_entries
from submissions.services.seen import changed_since

log = structlog.get_logger(__name__)

LARGE = ("metadata", "sequences")
"""What is not needed of thousands of entries."""

WHY_NOT = {
    SequenceEntry.Status.VERIFYING: "is being verified; release it once it is accepted.",
    SequenceEntry.Status.REJECTED: "is rejected; correct its files first.",
    SequenceEntry.Status.ACCEPTED: "was accepted while this call was looking; release it again.",
}


@dataclass(frozen=True, slots=True)
class AccessionVersion:
    """Which entry to release.

    `as_of` is when the entry was settled that the person has seen, as its `settled_at` tells; with it, files that
    somebody else has put there since are not released unseen.
    """

    accession: str
    version: int
    as_of: datetime | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Accession and version."""
        return self.accession, self.version


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of the wanted: all entries by accession and version, and the keys of those that are held."""

    entries: dict[tuple[str, int], SequenceEntry]
    held: set[int]
    held_back: dict[int, list[FileAttachment]]


def release(*, user: User, organism_slug: str, wanted: Sequence[AccessionVersion]) -> list[SequenceEntry]:
    """Publish accepted entries of the user's groups, all of them or none; returns them as they were named.

    From then on everybody may see them and download their files, and nothing takes that back. Entries released before
    stay as they are, so that a second call gets the same answer. Raises `OrganismNotFoundError`,
    `EntryChangedError`, and `ValidationFailedError` with every entry that is not there for the user, is not accepted,
    or has a file that is held back. Eight queries, whatever the number of entries.
    """
    organism = organism_of_slug(organism_slug)
    keys = _keys(SequenceEntry.objects.of_members(user).filter(submission__organism=organism), wanted)
    with transaction.atomic():
        found = _hold(keys)
        _check(organism, wanted, found)
        now = timezone.now()
        SequenceEntry.objects.filter(is_one_of("pk", found.held, "bigint")).update(released_at=now, released_by=user)
    for entry in found.entries.values():
        if entry.pk in found.held:
            entry.released_at, entry.released_by = now, user
    log.info("entries_released", number=len(found.held), organism=organism.slug, user=user.username)
    return [found.entries[one.key] for one in wanted]


def _keys(entries: QuerySet[SequenceEntry], wanted: Sequence[AccessionVersion]) -> list[int]:
    names = {one.key for one in wanted}
    candidates = entries.filter(is_one_of("accession", {accession for accession, _ in names}, "text"))
    rows = candidates.values_list("pk", "accession", "version")
    return [key for key, accession, version in rows if (accession, version) in names]


def _hold(keys: Sequence[int]) -> _Found:
    """Hold what can be released, and read all of it; entries that are being verified are left to the workers."""
    entries = SequenceEntry.objects.filter(is_one_of("pk", keys, "bigint"))
    held = lock_entries(entries.filter(status=SequenceEntry.Status.ACCEPTED, released_at__isnull=True))
    quarantined = FileAttachment.objects.filter(is_one_of("entry", held, "bigint"), file__quarantined_at__isnull=False)
    held_back: dict[int, list[FileAttachment]] = defaultdict(list)
    for attachment in quarantined.select_related("category").order_by("category__order", "position", "pk"):
        held_back[attachment.entry_id].append(attachment)
    return _Found({(entry.accession, entry.version): entry for entry in entries.defer(*LARGE)}, held, held_back)


def _check(organism: Organism, wanted: Sequence[AccessionVersion], found: _Found) -> None:
    errors = ErrorList()
    for index, one in enumerate(wanted):
        where = Location(pointer=f"/accessionVersions/{index}")
        entry = found.entries.get(one.key)
        if entry is None:
            text = f"No group of yours has an entry {quoted(f'{one.accession}.{one.version}')} of “{organism}”."
            errors.add(EntryNotFoundError(text, where))
        elif entry.released_at is None:
            where = replace(where, submission_id=entry.given_submission_id)
            errors.extend(_problems(entry, one, found, where))
    errors.raise_if_any()


def _problems(entry: SequenceEntry, one: AccessionVersion, found: _Found, where: Location) -> Iterator[DomainError]:
    if entry.pk not in found.held:
        yield EntryNotAcceptedError(f"{entry} {WHY_NOT[SequenceEntry.Status(entry.status)]}", where)
    elif changed := changed_since(one.as_of, entry, "release it", where):
        yield changed
    for attachment in found.held_back.get(entry.pk, ()):
        text = f"{quoted(attachment.name)} of {entry} is held back by an administrator."
        file = replace(where, category=attachment.category.name, file_id=str(attachment.file_id), name=attachment.name)
        yield FileNotAvailableError(text, file)
