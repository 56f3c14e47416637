"""Replacing the files of an entry that is not released: checked as a whole, replaced as a whole, verified again."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import DomainError, ErrorList, ValidationFailedError
from files import acceptance, rules, tasks
from files.models import File, FileAttachment
from submissions.access import entry_for_member
from submissions.errors import EntryNotFoundError, EntryReleasedError, EntryVerifyingError
from submissions.mapping import FileMapping, parse_entry_mapping, pointer_to
from submissions.models import RuleSet, SequenceEntry
from submissions.services.attaching import Plan, create_attachments, lock_files, plan_attachments
from submissions.services.file_columns import require_file_sharing
from submissions.services.locking import keep_freed
from submissions.services.seen import changed, changed_since
from submissions.tables import Row, Table

REPLACE_THEM = "replace them"


@dataclass(frozen=True, slots=True)
class Replacement:
    """What to replace an entry's files by: the JSON text `{<fileCategory>: [{"fileId", "name"}]}`.

    `as_of` is when the entry was settled that the person has seen, as its `settled_at` tells; with it, files that
    somebody else has put there since are not replaced unseen.
    """

    files: str
    as_of: datetime | None = None


def replace_files(
    *, user: User, accession: str, version: int, replacement: Replacement, organism_slug: str | None = None
) -> SequenceEntry:
    """Replace all files of an entry by others, under the rules as they stand now, and have it verified again.

    Nothing changes unless everything is in order. What was attached before and is attached nowhere now is kept as
    long as what was just uploaded. The entry is settled at once where nothing is open about its files.

    Raises `OrganismNotFoundError`, `EntryNotFoundError`, `NotAMemberError`, `EntryVerifyingError`,
    `EntryReleasedError`, `EntryChangedError`, `FileSharingDisabledError`, `StorageUnavailableError`, and
    `ValidationFailedError` with everything else that is wrong. A second call does the same again, or is told that
    the entry is being verified. Of two at once, one wins and the other hears why it did not. A number of queries
    that does not grow with the files.
    """
    entry = entry_for_member(user=user, accession=accession, version=version, organism_slug=organism_slug)
    _require_settled(entry)
    if problem := changed_since(replacement.as_of, entry, REPLACE_THEM):
        raise problem
    with _told_of(entry):
        plan = _checked(entry, parse_entry_mapping(replacement.files, entry.given_submission_id))
        organism = entry.submission.organism
        rule_set = rules.record(organism, plan.categories) if organism.file_sharing else None
        with transaction.atomic():
            _replace(entry, plan, rule_set)
            acceptance.settle(SequenceEntry.objects.filter(pk=entry.pk))
            open_files = FileAttachment.objects.filter(entry=entry, entry__status=SequenceEntry.Status.VERIFYING)
            tasks.enqueue(open_files.values_list("file_id", flat=True).distinct())
            entry.refresh_from_db(fields=["status", "settled_at", "rule_set"])
    return entry


@contextmanager
def _told_of(entry: SequenceEntry) -> Iterator[None]:
    """Everything that is wrong is told as of this entry's files, and not as of a submission's mapping."""
    try:
        yield
    except DomainError as error:
        _tell_of(entry, [error])
        raise
    except ValidationFailedError as failure:
        _tell_of(entry, failure.errors)
        raise


def _tell_of(entry: SequenceEntry, errors: Iterable[DomainError]) -> None:
    """Give them pointers into what was sent, which begins at the categories; only files have lines here."""
    below = pointer_to(entry.given_submission_id)
    for error in errors:
        where = error.location
        pointer = None if where.pointer is None else where.pointer.removeprefix(below)
        error.location = replace(where, field=None, pointer=pointer, line=where.line if where.file_id else None)


def _require_settled(entry: SequenceEntry) -> None:
    if entry.released_at is not None:
        raise EntryReleasedError(f"{entry} is released; its files can no longer be replaced.")
    if entry.status == SequenceEntry.Status.VERIFYING:
        text = f"{entry} is being verified; its files can be replaced once it is accepted or rejected."
        raise EntryVerifyingError(text)


def _checked(entry: SequenceEntry, mapping: FileMapping) -> Plan:
    organism, group = entry.submission.organism, entry.submission.group
    if mapping.has_files:
        require_file_sharing(organism)
    errors = ErrorList()
    table = Table([Row(entry.given_submission_id, line=1)], file_categories=(), complete=True)
    plan = plan_attachments(organism=organism, group=group, table=table, mapping=mapping, errors=errors)
    errors.raise_if_any()
    return plan


def _replace(entry: SequenceEntry, plan: Plan, rule_set: RuleSet | None) -> None:
    """Put the planned files in the place of the present ones, if the entry is still as it was read.

    Files are locked before the entry, and all of them in one order, as submitting does it.
    """
    before = set(entry.attachments.values_list("file_id", flat=True))
    wanted = {planned.file.pk for planned in plan.attachments}
    _lock(before | wanted)
    lock_files(plan.attachments)
    seen = SequenceEntry.objects.filter(
        pk=entry.pk, status=entry.status, settled_at=entry.settled_at, released_at__isnull=True
    )
    if not seen.update(status=SequenceEntry.Status.VERIFYING, settled_at=None, rule_set=rule_set):
        _require_settled(_present(entry))
        raise changed(entry, REPLACE_THEM)
    entry.attachments.all().delete()
    create_attachments({entry.given_submission_id: entry}, plan.attachments)
    keep_freed(before - wanted)


def _present(entry: SequenceEntry) -> SequenceEntry:
    """The entry as it is now."""
    present = SequenceEntry.objects.filter(pk=entry.pk).first()
    if present is None:
        raise EntryNotFoundError(f"{entry} was withdrawn meanwhile.")
    return present


def _lock(file_ids: Collection[uuid.UUID]) -> None:
    list(File.objects.select_for_update().filter(pk__in=file_ids).order_by("pk").values_list("pk", flat=True))
