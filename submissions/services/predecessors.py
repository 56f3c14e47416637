"""What a revision builds on: the released entries that its rows name, and the files that it takes over from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from common.database import is_one_of
from common.errors import DomainError, ErrorList, Location
from files.models import FileAttachment
from submissions.errors import AccessionUnknownError, EntryNotReleasedError, quoted
from submissions.mapping import FileMapping, MappedFile, pointer_to
from submissions.models import Group, Organism, SequenceEntry
from submissions.tables import FIELD as TABLE_FIELD
from submissions.tables import Row


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The latest version of an entry, released, and the line of the table whose row revises it."""

    pk: int
    accession: str
    version: int
    submission_id: str
    line: int

    def __str__(self) -> str:
        return f"{self.accession}.{self.version}"


Predecessors = Mapping[str, Predecessor]
"""By the submission ID of the row."""
Carried = Mapping[tuple[str, str], Predecessor]
"""Whose files an entry has in a category, by submission ID and category."""


def find_predecessors(
    *, organism: Organism, group: Group, rows: Iterable[Row], errors: ErrorList
) -> dict[str, Predecessor]:
    """The entries that the rows revise; adds to `errors` each that is none of the group's, or not released. One query.

    Rows without an accession are passed over: they have been told so.
    """
    named = {row.accession: row for row in rows if row.accession is not None}
    entries = SequenceEntry.objects.filter(
        is_one_of("accession", named, "text"), submission__group=group, submission__organism=organism
    )
    versions = entries.order_by("version").values_list("accession", "version", "pk", "released_at")
    latest = {accession: (version, pk, released_at) for accession, version, pk, released_at in versions}
    found = {}
    for accession, row in named.items():
        if accession not in latest:
            errors.add(_unknown(accession, row))
            continue
        version, pk, released_at = latest[accession]
        if released_at is None:
            errors.add(_not_released(f"{accession}.{version}", row.submission_id, row.line))
            continue
        found[row.submission_id] = Predecessor(pk, accession, version, row.submission_id, row.line)
    return found


def carry_over(mapping: FileMapping, predecessors: Predecessors) -> tuple[FileMapping, Carried]:
    """The mapping, and with it the files of the predecessors in all categories that it does not name. One query.

    A category that is named with no files is named. Carried-over files have no place in the mapping that was sent;
    `tell_as_carried` takes the pointers that they have here out of what is told about them.
    """
    by_key = {predecessor.pk: predecessor for predecessor in predecessors.values()}
    entries = {submission_id: dict(categories) for submission_id, categories in mapping.entries.items()}
    carried = {}
    for (key, category), files in _files_of(by_key):
        predecessor = by_key[key]
        categories = entries.setdefault(predecessor.submission_id, {})
        if category not in categories:
            categories[category] = tuple(_mapped(predecessor.submission_id, category, files))
            carried[predecessor.submission_id, category] = predecessor
    return FileMapping(entries), carried


def tell_as_carried(errors: ErrorList, carried: Carried) -> None:
    """Add to what is wrong with carried-over files where they come from, and what to do about that."""
    for error in errors.errors:
        where = error.location
        predecessor = carried.get((where.submission_id or "", where.category or ""))
        if predecessor is None:
            continue
        error.detail += (
            f" It is carried over from {predecessor}: name the category {quoted(where.category or '')} for this row "
            "to replace it, or with an empty list to leave it out."
        )
        error.location = replace(where, pointer=None, field=None)


def lock_predecessors(predecessors: Predecessors) -> dict[int, int]:
    """Hold the entries' rows until their next versions are stored, in one order; call it in a transaction.

    Returns the numbers of these versions by the entries' keys. Of two revisions at once the second waits here for the
    first. Raises `ValidationFailedError` where there is a later version meanwhile. Two queries.
    """
    if not predecessors:
        return {}
    seen = {predecessor.accession: predecessor for predecessor in predecessors.values()}
    found = is_one_of("pk", (predecessor.pk for predecessor in seen.values()), "bigint")
    rows = SequenceEntry.objects.select_for_update(no_key=True).filter(found)
    next_versions = {
        pk: next_version or version + 1
        for pk, version, next_version in rows.order_by("pk").values_list("pk", "version", "next_version")
    }
    versions = SequenceEntry.objects.filter(is_one_of("accession", seen, "text")).order_by("pk")
    errors = ErrorList()
    for accession, version in versions.values_list("accession", "version"):
        before = seen[accession]
        if version > before.version:
            errors.add(_not_released(f"{accession}.{version}", before.submission_id, before.line))
    errors.raise_if_any()
    return next_versions


def _files_of(keys: Collection[int]) -> Iterator[tuple[tuple[int, str], Iterator[tuple[int, str, UUID, str]]]]:
    """Entry, category, file ID and name of what is attached, by entry and category and in the order of the files."""
    attachments = FileAttachment.objects.filter(is_one_of("entry", keys, "bigint"))
    rows = attachments.order_by("entry", "category__order", "category__name", "position", "pk")
    return groupby(rows.values_list("entry_id", "category__name", "file_id", "name"), key=itemgetter(0, 1))


def _mapped(submission_id: str, category: str, files: Iterable[tuple[int, str, UUID, str]]) -> Iterator[MappedFile]:
    for index, (_, _, file_id, name) in enumerate(files):
        yield MappedFile(submission_id, category, file_id, name, pointer_to(submission_id, category, index))


def _unknown(accession: str, row: Row) -> DomainError:
    text = f"Line {row.line}: no entry of this organism and group has the accession {quoted(accession)}."
    bare, _, version = accession.rpartition(".")
    if bare and version.isdecimal():
        text += f" Write the accession without a version: {quoted(bare)}."
    return AccessionUnknownError(text, _at(row.submission_id, row.line))


def _not_released(name: str, submission_id: str, line: int) -> DomainError:
    text = f"Line {line}: {name} is not released. Release or withdraw it before you revise it."
    return EntryNotReleasedError(text, _at(submission_id, line))


def _at(submission_id: str, line: int) -> Location:
    return Location(field=TABLE_FIELD, submission_id=submission_id, line=line)
