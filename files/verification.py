"""Having a file read once and recording what it is: size, sha256, md5, and the content checks asked for.

A mismatch is a result and is never retried; a fault (network, store, short read) is never a result. Only a copy
that nobody can write to is read: a single upload's URL can be replayed as long as it lives.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common.database import let_go_of_connection
from files import leases, reading, storage
from files.content import CheckOutcome
from files.errors import StorageUnavailableError
from files.leases import Lease, LeaseLostError
from files.models import ContentCheck, ContentCheckResult, File, FileAttachment
from files.problem import FileProblem
from files.reading import Reading
from files.storage import StoredObject
from submissions.models import SequenceEntry

log = structlog.get_logger(__name__)

MAX_SINGLE_SIZE = 5 * 1024**3
"""Bytes that S3 copies in one call (S3 API Reference, "CopyObject")."""
FAULTS = (StorageUnavailableError, storage.ObjectMissingError, storage.ObjectChangedError)


def verify(file_id: uuid.UUID) -> bool:
    """Do what is still to be done for a file: read it, or run the content checks that were asked for since.

    Returns whether something was recorded, and so whether there may be more to do. Safe to run twice or at
    once: only the holder of the lease records, and a file with nothing to do is left alone. A fault of storage
    gives the file back for later; any other exception does too, and is raised.
    """
    lease = leases.claim(file_id)
    if lease is None:
        return False
    try:
        with lease.kept_alive():
            _work(lease)
    except LeaseLostError:
        log.info("lease_lost", file_id=str(file_id))
        return False
    except File.DoesNotExist:
        log.info("file_deleted", file_id=str(file_id))
        return False
    except FAULTS as fault:
        log.warning("verification_fault", file_id=str(file_id), fault=repr(fault), count=lease.file.fault_count + 1)
        if isinstance(fault, StorageUnavailableError) and not _store_answers():
            lease.put_off(fault)
        else:
            lease.end_with_fault(fault)
        return False
    except (SystemExit, KeyboardInterrupt):
        lease.give_back()
        raise
    except BaseException as fault:
        lease.end_with_fault(fault)
        raise
    return True


def _store_answers() -> bool:
    """Whether the object store is there at all: where it is not, no file can be blamed for it."""
    try:
        return storage.bucket_ready()
    except StorageUnavailableError:
        return False


def _work(lease: Lease) -> None:
    file = lease.file
    frozen = _frozen_object(lease)
    if frozen is None:
        text = f"The file is larger than the {MAX_SINGLE_SIZE:,} bytes of a single upload; use a multipart upload."
        lease.end(**_rejected(FileProblem("too_large_for_single", text)))
        return
    check_names = _checks_to_run(file)
    let_go_of_connection()
    found = reading.read(frozen, check_names, before_chunk=lease.check)
    _require_unchanged(frozen)
    with transaction.atomic():
        _take_late_claims(file)
        problem = _mismatch(file, found)
        if file.status == File.Status.VERIFIED:
            lease.end()
        elif problem is not None:
            lease.end(size=found.size, **_rejected(problem))
        else:
            lease.end(**_verified(found))
        _keep_results(file, found.outcomes)
    if file.staging_key:
        _clear_staging(file)


def _rejected(problem: FileProblem) -> dict[str, object]:
    return {
        "status": File.Status.REJECTED,
        "rejected_at": timezone.now(),
        "problem_code": problem.code,
        "problem_detail": problem.detail,
    }


def _verified(found: Reading) -> dict[str, object]:
    return {
        "status": File.Status.VERIFIED,
        "verified_at": timezone.now(),
        "size": found.size,
        "sha256": found.sha256,
        "md5": found.md5,
    }


# --- the copy that nobody can write to ---------------------------------------------------------------


def _frozen_object(lease: Lease) -> StoredObject | None:
    """The object to read, whose key was never signed for PUT; None for a single upload too large to copy."""
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
    if staged.size > MAX_SINGLE_SIZE:
        return None
    return _copied(lease, staged)


def _require_unchanged(frozen: StoredObject) -> None:
    """Look once more: a store may go on serving an open stream of an object that was deleted under it."""
    found = storage.head(frozen.key)
    if found is None:
        raise storage.ObjectMissingError(frozen.key)
    if found.etag != frozen.etag:
        raise storage.ObjectChangedError(frozen.key)


def _copied(lease: Lease, staged: StoredObject) -> StoredObject:
    """Copy what was staged to a key of this attempt, and record the key before a byte is read.

    A worker that lost its lease meanwhile deletes its own copy: no other attempt can have that key.
    """
    key = f"files/{lease.file.pk}/{uuid.uuid4()}"
    copy = storage.copy_frozen(source_key=staged.key, target_key=key, source_etag=staged.etag)
    try:
        lease.record(object_key=copy.key, etag=copy.etag)
    except LeaseLostError:
        storage.delete(key)
        raise
    return copy


def _clear_staging(file: File) -> None:
    """Delete what was staged; it is not needed any more, and the sweeper deletes what is left here."""
    try:
        storage.delete(file.staging_key)
    except StorageUnavailableError:
        log.info("staging_not_cleared", file_id=str(file.pk))


# --- what was read -----------------------------------------------------------------------------------


def _checks_to_run(file: File) -> list[str]:
    """The content checks that are known to be asked for and have no result yet."""
    wanted = set(
        FileAttachment.objects.filter(file=file, entry__status=SequenceEntry.Status.VERIFYING).values_list(
            "content_check", flat=True
        )
    )
    if file.claimed_category is not None:
        wanted.add(file.claimed_category.content_check)
    done = set(file.check_results.values_list("check_name", flat=True))
    return sorted(wanted - done - {ContentCheck.NONE.value})


def _take_late_claims(file: File) -> None:
    """Lock the row and take what was claimed while the file was being read; it is compared like the rest."""
    names = ("claimed_size", "claimed_sha256", "claimed_md5")
    row = File.objects.select_for_update().values(*names).get(pk=file.pk)
    for name in names:
        setattr(file, name, row[name])


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


def _keep_results(file: File, outcomes: Sequence[CheckOutcome]) -> None:
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
            for outcome in outcomes
        ],
        ignore_conflicts=True,
    )
