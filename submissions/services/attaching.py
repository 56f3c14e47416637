"""Checking a file mapping against what exists: entries, categories and their rules, files and their state."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from common.database import is_one_of
from common.errors import DomainError, ErrorList, Location
from files.category_rules import count_error, ending_error, name_errors, size_error
from files.errors import (
    CategoryUnknownError,
    FileNotFoundInGroupError,
    FileNotUploadedError,
    FileRejectedError,
    MultipartNotCompletedError,
)
from files.models import ContentCheckResult, File, FileAttachment, FileCategory
from files.services import mark_uploaded
from submissions.errors import SubmissionIdUnknownError, quoted
from submissions.mapping import FIELD, FileMapping, MappedFile, pointer_to
from submissions.models import Group, Organism, SequenceEntry
from submissions.names import name_key
from submissions.services.pairing import pair_errors
from submissions.tables import Row, Table

BATCH = 1_000
FILE_FIELDS = (
    "status",
    "size",
    "sha256",
    "quarantined_at",
    "problem_detail",
    "staging_key",
    "request_id",
    "upload_id",
    "uploaded_at",
    "last_activity_at",
)
"""What is looked at in a file before it is attached; loading all of it takes twice the time and the memory."""


@dataclass(frozen=True, slots=True)
class PlannedAttachment:
    """One file of the mapping, found good: to be attached to the entry of `submission_id`."""

    submission_id: str
    category: FileCategory
    file: File
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to attach, in the order it was sent, and the organism's categories by whose rules that was judged."""

    attachments: list[PlannedAttachment]
    categories: list[FileCategory]


@dataclass(slots=True)
class _Found:
    """What the mapping names, as far as it exists."""

    categories: dict[str, FileCategory]
    files: dict[uuid.UUID, File]
    failed_checks: dict[tuple[uuid.UUID, str], ContentCheckResult] = field(default_factory=dict)


def plan_attachments(
    *, organism: Organism, group: Group, table: Table, mapping: FileMapping, errors: ErrorList
) -> Plan:
    """Check the whole mapping and return what to attach.

    Adds every problem to `errors`; what is returned is complete only if there is none. Looks into the object
    store for files that were sent and not announced. Three queries, one more where there are pairs, and two for
    files found there, whatever the size of the mapping. Raises `StorageUnavailableError`.
    """
    found = _find(organism, group, mapping)
    rows = {row.submission_id: row for row in table.rows}
    planned: list[PlannedAttachment] = []
    for submission_id, categories in mapping.entries.items():
        if table.complete and submission_id not in rows:
            errors.add(_unknown_submission_id(submission_id))
        for name, files in categories.items():
            errors.extend(name_errors((mapped.name, mapped.location) for mapped in files))
            category = found.categories.get(name)
            if category is not None:
                planned.extend(_plan(files, category, found, errors))
                continue
            errors.add(_unknown_category(submission_id, name, found))
            errors.extend(_no_such_file(mapped) for mapped in files if mapped.file_id not in found.files)
    if organism.file_sharing:
        errors.extend(_count_errors(table.rows, mapping, found.categories.values()))
        errors.extend(pair_errors(mapping, found.categories, found.files))
    return Plan(planned, list(found.categories.values()))


def lock_files(attachments: Sequence[PlannedAttachment]) -> None:
    """Hold the files' rows until they are attached, in the order of their IDs; call it in a transaction.

    Raises `ValidationFailedError` for those that were deleted, expired or were held back since they were planned.
    """
    wanted = {planned.file.pk for planned in attachments}
    free = File.objects.attachable().select_for_update().filter(is_one_of("pk", wanted))
    free = free.exclude(status__in=[File.Status.REQUESTED, File.Status.EXPIRED])
    gone = wanted - set(free.order_by("pk").values_list("pk", flat=True))
    errors = ErrorList()
    for file_id in sorted(gone):
        text = f"The file {file_id} was deleted, given up after a time, or held back, meanwhile."
        errors.add(FileNotFoundInGroupError(text, Location(field=FIELD, file_id=str(file_id))))
    errors.raise_if_any()


def create_attachments(entries: Mapping[str, SequenceEntry], attachments: Sequence[PlannedAttachment]) -> None:
    """Attach to these entries, by submission ID, what was planned, with the rules as they were judged by."""
    for start in range(0, len(attachments), BATCH):
        # Only so many at a time, so that memory does not hold them all.
        batch = attachments[start : start + BATCH]
        FileAttachment.objects.bulk_create([_attachment(entries[planned.submission_id], planned) for planned in batch])


def _attachment(entry: SequenceEntry, planned: PlannedAttachment) -> FileAttachment:
    # By their keys: setting the objects themselves takes as long as all the rest.
    return FileAttachment(
        entry_id=entry.pk,
        file_id=planned.file.pk,
        category_id=planned.category.pk,
        name=planned.name,
        name_key=name_key(planned.name),
        position=planned.position,
        content_check=planned.category.content_check,
        max_file_size=planned.category.max_file_size,
        pairing=planned.category.pairing,
    )


def _find(organism: Organism, group: Group, mapping: FileMapping) -> _Found:
    ids = {mapped.file_id for mapped in mapping.files()}
    categories = organism.file_categories.order_by("order", "name")
    found = _Found({category.name: category for category in categories}, {})
    if ids:
        files = File.objects.filter(is_one_of("pk", ids), group=group, deleting_at__isnull=True)
        found.files = {file.pk: file for file in files.only(*FILE_FIELDS)}
        failed = ContentCheckResult.objects.filter(is_one_of("file", found.files), passed=False)
        found.failed_checks = {(result.file_id, result.check_name): result for result in failed}
        mark_uploaded(found.files.values())
    return found


def _unknown_submission_id(submission_id: str) -> DomainError:
    text = f"The file mapping names {quoted(submission_id)}, but the metadata table has no row with that ID."
    where = Location(field=FIELD, pointer=pointer_to(submission_id), submission_id=submission_id)
    return SubmissionIdUnknownError(text, where)


def _unknown_category(submission_id: str, name: str, found: _Found) -> DomainError:
    known = ", ".join(found.categories) or "none"
    text = f"There is no file category {quoted(name)} here; the organism's categories are: {known}."
    pointer = pointer_to(submission_id, name)
    where = Location(field=FIELD, pointer=pointer, submission_id=submission_id, category=name)
    return CategoryUnknownError(text, where)


def _plan(
    files: Iterable[MappedFile], category: FileCategory, found: _Found, errors: ErrorList
) -> Iterator[PlannedAttachment]:
    for position, mapped in enumerate(files):
        file = found.files.get(mapped.file_id)
        problems = list(_file_errors(mapped, file, category, found))
        errors.extend(problems)
        if file is not None and not problems:
            yield PlannedAttachment(mapped.submission_id, category, file, mapped.name, position)


def _file_errors(mapped: MappedFile, file: File | None, category: FileCategory, found: _Found) -> Iterator[DomainError]:
    where = mapped.location
    if (wrong_ending := ending_error(category, mapped.name, where)) is not None:
        yield wrong_ending
    if file is None:
        yield _no_such_file(mapped)
        return
    if (problem := _state_error(mapped, file, category, found)) is not None:
        yield problem
    if file.size is not None and (too_large := size_error(category, mapped.name, file.size, where)):
        yield too_large


def _no_such_file(mapped: MappedFile) -> DomainError:
    return FileNotFoundInGroupError(f"There is no file {mapped.file_id} in this group.", mapped.location)


def _state_error(mapped: MappedFile, file: File, category: FileCategory, found: _Found) -> DomainError | None:
    """Why the file cannot be attached here and now, looking at where it is in its life."""
    name = quoted(mapped.name)
    if file.quarantined_at is not None:
        return FileRejectedError(f"{name} is held back by an administrator.", mapped.location)
    if file.status == File.Status.REJECTED:
        return FileRejectedError(f"{name} was rejected: {file.problem_detail}", mapped.location)
    if file.status == File.Status.EXPIRED:
        text = f"{name} was not uploaded in time; request a new upload and send it again."
        return FileNotUploadedError(text, mapped.location)
    if file.status == File.Status.REQUESTED and file.is_multipart:
        text = f"The multipart upload of {name} was not completed; call complete-multipart-upload first."
        return MultipartNotCompletedError(text, mapped.location)
    if file.status == File.Status.REQUESTED:
        return FileNotUploadedError(f"{name} was not uploaded; PUT it to its URL first.", mapped.location)
    failed = found.failed_checks.get((file.pk, category.content_check))
    if failed is not None:
        where = replace(mapped.location, line=failed.line)
        return FileRejectedError(f"{name} cannot be used as “{category}”: {failed.detail}", where)
    return None


def _count_errors(
    rows: Iterable[Row], mapping: FileMapping, categories: Iterable[FileCategory]
) -> Iterator[DomainError]:
    """Entries with too few or too many files in a category, those that the mapping does not name included."""
    ruled = [c for c in categories if c.required or c.min_files > 1 or c.max_files is not None or c.pairing]
    for row in rows:
        files: Mapping[str, tuple[MappedFile, ...]] = mapping.entries.get(row.submission_id, {})
        counts = Counter({name: len(mapped) for name, mapped in files.items()})
        for category in ruled:
            if (error := _count_error(row, category, counts[category.name])) is not None:
                yield error


def _count_error(row: Row, category: FileCategory, count: int) -> DomainError | None:
    pointer = pointer_to(row.submission_id, category.name)
    where = Location(
        field=FIELD, pointer=pointer, submission_id=row.submission_id, category=category.name, line=row.line
    )
    return count_error(category, count, quoted(row.submission_id), where)
