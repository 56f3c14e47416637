"""Multipart uploads: the server begins and completes them, the parts come through presigned URLs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import ClientError
from django.conf import settings

from files.errors import StorageUnavailableError
from files.storage.client import SLOW, answers, bare, client, code, quoted
from files.storage.objects import head
from files.storage.outcomes import (
    ObjectMissingError,
    PartMissingError,
    PartTooSmallError,
    StoredObject,
    StoredPart,
    StoredUpload,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import PartTypeDef

log = structlog.get_logger(__name__)

MIN_PART_SIZE = 5 * 1024 * 1024  # bytes; S3's rule for every part but the last
MAX_MULTIPART_SIZE = 5 * 1024**4  # bytes (Amazon S3 User Guide, "Multipart upload limits")
PRINTABLE = re.compile(r"[!-~]+")
MD5 = re.compile(r"[0-9a-fA-F]{32}")


def create_multipart(key: str) -> str:
    """Begin a multipart upload to `key` and return its upload ID. Each run begins another one."""
    with answers():
        answer = client().create_multipart_upload(
            Bucket=settings.S3_BUCKET, Key=key, ContentType="application/octet-stream"
        )
    return answer["UploadId"]


def create_many_multiparts(keys: Sequence[str]) -> list[str]:
    """Begin a multipart upload to each of `keys`, eight at a time, and return the upload IDs in that order.

    All or nothing: when one fails, those already begun are aborted and `StorageUnavailableError` is raised.
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        begun = [pool.submit(create_multipart, key) for key in keys]
        try:
            return [upload.result() for upload in begun]
        except Exception:
            pool.shutdown(cancel_futures=True)
            _abort_begun(dict(zip(keys, begun, strict=True)))
            raise


def list_parts(*, key: str, upload_id: str) -> list[StoredPart]:
    """Return the parts that the store has, by number, the latest of each; raises `UploadMissingError`.

    Times are in whole seconds: of two parts sent under one number within a second, either may be returned.
    """
    sent = sorted(_sent_parts(key, upload_id), key=lambda part: part["LastModified"])
    latest = {part["PartNumber"]: _stored_part(part) for part in sent}
    return [latest[number] for number in sorted(latest)]


def complete_multipart(*, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> StoredObject:
    """Make the object at `key` of `parts`, pairs of part number and ETag, and return it.

    Raises `PartMissingError` or `PartTooSmallError` for the first part at fault, after which the upload is as
    it was, and `UploadMissingError` when there is no such upload (any more). A second run does no harm, but
    stores differ in the answer to it: `UploadMissingError`, or the object as it is, even when `parts` are
    others than it was made of. Whoever repeats a call compares `head(key)` with `multipart_etag(parts)`.
    """
    ordered = sorted((number, bare(etag)) for number, etag in parts)
    if not ordered:
        raise ValueError("A multipart upload is completed with at least one part.")
    for number, etag in ordered:
        if not PRINTABLE.fullmatch(etag):
            raise PartMissingError(number)
    with answers(key):
        try:
            client(SLOW).complete_multipart_upload(
                Bucket=settings.S3_BUCKET,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": [{"PartNumber": n, "ETag": quoted(etag)} for n, etag in ordered]},
            )
        except ClientError as error:
            # SeaweedFS says NoSuchUpload also when an upload has no part at all.
            if code(error) in {"InvalidPart", "EntityTooSmall", "NoSuchUpload"}:
                _raise_part_at_fault(key, upload_id, ordered)
            raise
    made = head(key)
    if made is None:
        raise ObjectMissingError(key)
    return made


def abort_multipart(*, key: str, upload_id: str) -> None:
    """Give up a multipart upload and its parts; that there is none (any more) is fine too."""
    with answers():
        try:
            client().abort_multipart_upload(Bucket=settings.S3_BUCKET, Key=key, UploadId=upload_id)
        except ClientError as error:
            if code(error) != "NoSuchUpload":
                raise


def list_multiparts(prefix: str) -> Iterator[StoredUpload]:
    """Yield the multipart uploads under way whose key begins with `prefix`, in no order; a request for each 1,000."""
    with answers():
        pages = client().get_paginator("list_multipart_uploads").paginate(Bucket=settings.S3_BUCKET, Prefix=prefix)
        for page in pages:
            for upload in page.get("Uploads", []):
                yield StoredUpload(key=upload["Key"], upload_id=upload["UploadId"], initiated_at=upload["Initiated"])


def multipart_etag(parts: Sequence[tuple[int, str]]) -> str | None:
    """Return the ETag of an object made of `parts`: the MD5 of their MD5s, a dash and their count.

    None when the ETags are no MD5s, as under SSE-KMS: there the ETag of the object says nothing of its parts.
    """
    etags = [bare(etag) for _, etag in sorted(parts)]
    if not all(MD5.fullmatch(etag) for etag in etags):
        return None
    digest = hashlib.md5(b"".join(map(bytes.fromhex, etags)), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(etags)}"


def _abort_begun(uploads: Mapping[str, Future[str]]) -> None:
    """Abort those of `uploads` that were begun; what cannot be aborted now is left to the log."""
    for key, upload in uploads.items():
        if upload.cancelled() or upload.exception() is not None:
            continue
        try:
            abort_multipart(key=key, upload_id=upload.result())
        except StorageUnavailableError:
            log.warning("multipart upload was begun and cannot be aborted", key=key, exc_info=True)


def _sent_parts(key: str, upload_id: str) -> list[PartTypeDef]:
    """Return all parts as the store lists them: SeaweedFS unsorted, and a part sent twice twice."""
    with answers(key):
        # No page size of ours: with one, SeaweedFS loses parts behind part number 10000.
        pages = client().get_paginator("list_parts").paginate(Bucket=settings.S3_BUCKET, Key=key, UploadId=upload_id)
        return [part for page in pages for part in page.get("Parts", [])]


def _raise_part_at_fault(key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> None:
    """Raise for the part because of which the store refused to complete, if one can be seen."""
    stored = [_stored_part(part) for part in _sent_parts(key, upload_id)]
    sizes = {(part.part_number, part.etag): part.size for part in stored}
    for number, etag in parts:
        if (number, etag) not in sizes:
            raise PartMissingError(number)
    for number, etag in parts[:-1]:
        if sizes[number, etag] < MIN_PART_SIZE:
            raise PartTooSmallError(number, sizes[number, etag])


def _stored_part(part: PartTypeDef) -> StoredPart:
    return StoredPart(part_number=part["PartNumber"], size=part["Size"], etag=bare(part["ETag"]))
