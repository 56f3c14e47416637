"""Having files read once and recording what it is: size, sha256, md5, and the content checks asked for.

A mismatch is a result and is never retried; a fault (network, store, short read) is never a result. Only a copy
that nobody can write to is read: a single upload's URL can be replayed as long as it lives.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common.database import is_one_of, let_go_of_connection
from files import leases, reading, storage
from files.batches import FAULTS, Batch
from files.content import CheckOutcome
from files.errors import StorageUnavailableError
from files.leases import Lease, LeaseLostError
from files.models import ContentCheck, ContentCheckResult, File, FileAttachment
from files.problem import FileProblem
from files.reading import Reading
from files.storage import StoredObject
from submissions.models import SequenceEntry

log = structlog.get_logger(__name__)

CLAIMS = ("claimed_size", "claimed_sha256", "claimed_md5")


def verify(file_id: uuid.UUID) -> bool:
    """`verify_many` for one file; whether something was recorded."""
    return bool(verify_many([file_id]))


def verify_many(file_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Do what is still to be done for files: read them, or run the content checks that were asked for since.

    Returns those of which something was recorded, and for which there may so be more to do. Safe to run twice or at
    once: only the holder of a lease records, and a file with nothing to do is left alone. A fault of storage gives its
    file back for later; any other exception does too, and is raised once the other files are done. The number of
    queries does not depend on that of the files, but for those that are rejected or fail.
    """
    batch = Batch(leases.claim_many(file_ids))
    if not batch.held:
        return []
    try:
        with leases.kept_alive(batch.held):
            recorded = _work(batch)
    except BaseException as fault:
        batch.end(fault)
        raise
    batch.raise_bugs()
    return recorded


def _work(batch: Batch) -> list[uuid.UUID]:
    checks = _checks_to_run([lease.file for lease in batch.held])
    let_go_of_connection()
    frozen = _frozen(batch)
    let_go_of_connection()
    readings: dict[Lease, Reading] = {}
    for lease in batch.each():
        with batch.alone(lease):
            found = reading.read(frozen[lease], checks[lease.file.pk], before_chunk=lease.check)
            _require_unchanged(frozen[lease])
            readings[lease] = found
    recorded = _record(batch, readings)
    _clear_staging([file for file in recorded if file.staging_key])
    return [*batch.rejected_unread, *(file.pk for file in recorded)]


def _record(batch: Batch, readings: Mapping[Lease, Reading]) -> list[File]:
    """Write down what was found, and give the files back; returns them, without those that cannot be believed."""
    faults: dict[Lease, Exception] = {}
    with transaction.atomic():
        rows = leases.lock(readings, *CLAIMS)
        for lease in readings:
            try:
                _take_late_claims(lease, rows)
                problem = _mismatch(lease.file, readings[lease])
            except (LeaseLostError, *FAULTS) as fault:
                faults[lease] = fault
                continue
            if problem is not None:
                lease.end(size=readings[lease].size, **_rejected(problem))
        good = {lease: found for lease, found in readings.items() if lease not in faults}
        _record_verified(good)
        _keep_results({lease.file: found.outcomes for lease, found in good.items()})
    for lease, found_wrong in faults.items():
        with batch.alone(lease):
            raise found_wrong
    return [lease.file for lease in good]


def _record_verified(found: Mapping[Lease, Reading]) -> None:
    """Of those that were not rejected: those that were read for the first time, and those that were not."""
    first = {lease: _measured(each) for lease, each in found.items() if lease.file.status == File.Status.VERIFYING}
    again: dict[Lease, dict[str, int | str]] = {
        lease: {} for lease in found if lease.file.status == File.Status.VERIFIED
    }
    leases.record_each(first, status=File.Status.VERIFIED, verified_at=timezone.now(), **leases.GIVEN_BACK)
    leases.record_each(again, **leases.GIVEN_BACK)


def _measured(found: Reading) -> dict[str, int | str]:
    return {"size": found.size, "sha256": found.sha256, "md5": found.md5}


def _rejected(problem: FileProblem) -> dict[str, object]:
    return {
        "status": File.Status.REJECTED,
        "rejected_at": timezone.now(),
        "problem_code": problem.code,
        "problem_detail": problem.detail,
    }


# --- the copy that nobody can write to ---------------------------------------------------------------


def _frozen(batch: Batch) -> dict[Lease, StoredObject]:
    """The objects to read, whose keys were never signed for PUT; each new one is recorded before a byte is read.

    A single upload too large to copy is rejected.
    """
    frozen: dict[Lease, StoredObject] = {}
    for lease in batch.each():
        with batch.alone(lease):
            if (found := _frozen_object(lease)) is not None:
                frozen[lease] = found
                continue
            most = f"{storage.MAX_SINGLE_SIZE:,} bytes"
            text = f"The file is larger than the {most} of a single upload; use a multipart upload."
            lease.end(**_rejected(FileProblem("too_large_for_single", text)))
            batch.rejected_unread.append(lease.file.pk)
            batch.held.remove(lease)
    _record_copies(batch, {lease: found for lease, found in frozen.items() if found.key != lease.file.object_key})
    return frozen


def _record_copies(batch: Batch, copies: Mapping[Lease, StoredObject]) -> None:
    """Record the keys of copies. A worker that lost its lease deletes its own: no other attempt can have that key."""
    if not copies:
        return
    with transaction.atomic():
        rows = leases.lock(copies)
        kept = {lease: copy for lease, copy in copies.items() if lease.file.pk in rows}
        leases.record_each({lease: {"object_key": copy.key, "etag": copy.etag} for lease, copy in kept.items()})
    for lease in copies.keys() - kept.keys():
        with batch.alone(lease):
            storage.delete(copies[lease].key)
            raise LeaseLostError


def _frozen_object(lease: Lease) -> StoredObject | None:
    """What is recorded, or else a copy of what was staged; None for a single upload too large to copy."""
    file = lease.file
    if file.object_key and (found := storage.head(file.object_key)):
        if file.etag and found.etag != file.etag:
            raise storage.ObjectChangedError(file.object_key)
        return found
    if file.is_multipart or file.status == File.Status.VERIFIED:
        raise storage.ObjectMissingError(file.object_key)
    staged = storage.head(file.staging_key)
    if staged is None:
        raise storage.ObjectMissingError(file.staging_key)
    if staged.size > storage.MAX_SINGLE_SIZE:
        return None
    return _copied(lease, staged)


def _copied(lease: Lease, staged: StoredObject) -> StoredObject:
    """A copy of what was staged, at a key of this attempt."""
    return storage.copy_frozen(staged, f"files/{lease.file.pk}/{uuid.uuid4()}")


def _require_unchanged(frozen: StoredObject) -> None:
    """Look once more: a store may go on serving an open stream of an object that was deleted under it."""
    found = storage.head(frozen.key)
    if found is None:
        raise storage.ObjectMissingError(frozen.key)
    if found.etag != frozen.etag:
        raise storage.ObjectChangedError(frozen.key)


def _clear_staging(files: Sequence[File]) -> None:
    """Delete what was staged; it is not needed any more, and the sweeper deletes what is left here."""
    try:
        storage.delete_many([file.staging_key for file in files])
    except StorageUnavailableError:
        log.info("staging_not_cleared", file_ids=[str(file.pk) for file in files])


# --- what was read -----------------------------------------------------------------------------------


def _checks_to_run(files: Sequence[File]) -> Mapping[uuid.UUID, list[str]]:
    """By file ID the content checks that are known to be asked for and have no result yet. Two queries."""
    ids = [file.pk for file in files]
    attached = FileAttachment.objects.filter(is_one_of("file_id", ids))
    results = ContentCheckResult.objects.filter(is_one_of("file_id", ids))
    # Asked for those that are being verified alone, the database begins with all of them, for these few files.
    asked = attached.values_list("file_id", "content_check", "entry__status").distinct()
    wanted = {(pk, check) for pk, check, status in asked if status == SequenceEntry.Status.VERIFYING}
    wanted |= {(file.pk, file.claimed_category.content_check) for file in files if file.claimed_category is not None}
    left = wanted - set(results.values_list("file_id", "check_name"))
    to_run: dict[uuid.UUID, list[str]] = {pk: [] for pk in ids}
    for pk, check_name in sorted(left):
        if check_name != ContentCheck.NONE:
            to_run[pk].append(check_name)
    return to_run


def _take_late_claims(lease: Lease, rows: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """Take what was claimed while the file was being read, from its locked row; it is compared like the rest.

    Raises `LeaseLostError` where the row is not there: it is another's, or the file was deleted.
    """
    if lease.file.pk not in rows:
        raise LeaseLostError
    for name in CLAIMS:
        setattr(lease.file, name, rows[lease.file.pk][name])


def _mismatch(file: File, found: Reading) -> FileProblem | None:
    """The first claim that the bytes do not keep.

    Raises `StorageUnavailableError` for a faulty reading, and `ObjectChangedError` where a file that was verified is
    no longer what it was: that is no fault of the submitter, and says nothing about what was handed in.
    """
    if file.status == File.Status.VERIFIED and (found.size, found.sha256) != (file.size, file.sha256):
        raise storage.ObjectChangedError(file.object_key)
    # An object that was restored from a backup in parts has an ETag with their number.
    if settings.S3_ETAG_IS_MD5 and "-" not in file.etag and file.etag != found.md5:
        text = f"The bytes read have the MD5 {found.md5}, the object store says {file.etag}."
        raise StorageUnavailableError(text)
    if file.claimed_size is not None and file.claimed_size != found.size:
        text = f"The file was announced with {file.claimed_size:,} bytes, but {found.size:,} arrived; send it again."
        return FileProblem("size_mismatch", text)
    for name, claimed, actual in (
        ("sha256", file.claimed_sha256, found.sha256),
        ("md5", file.claimed_md5, found.md5),
    ):
        if claimed and claimed != actual:
            text = f"The file was announced with the {name} {claimed}, but what arrived has {actual}; send it again."
            return FileProblem(f"{name}_mismatch", text)
    return None


def _keep_results(found: Mapping[File, Sequence[CheckOutcome]]) -> None:
    """Record results; one that is there already stays, as a check that was run is not run again."""
    ContentCheckResult.objects.bulk_create(
        [
            ContentCheckResult(
                file=file,
                check_name=outcome.check,
                version=outcome.version,
                passed=outcome.passed,
                code=outcome.code,
                detail=outcome.detail,
                line=outcome.line,
                offset=outcome.offset,
                data=outcome.data,
            )
            for file, outcomes in found.items()
            for outcome in outcomes
        ],
        ignore_conflicts=True,
    )
