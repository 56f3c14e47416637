"""The shapes of what the files API takes and answers; camelCase outside, snake_case inside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers

from common.parsing import NumberField, PatternField, TextField, TrueOrFalseField
from files.models import ContentCheckResult, File, FileAttachment
from files.services import Claims, CompleteItem, FileCursor, FileFilter, RenewedUpload, RequestedUpload
from files.services.listing import FILES_A_PAGE
from files.storage import MAX_MULTIPART_SIZE, MAX_SINGLE_SIZE, MIN_PART_SIZE
from submissions.mapping import FILE_ID

MAX_FILES = 1_000
MAX_PARTS = 10_000
MAX_URLS = 20_000
FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}")
MAX_LISTED = FILES_A_PAGE
"""How many file IDs, and how many fingerprints, one call may ask for: as many as an answer has."""


class NewFilesParametersSerializer(serializers.Serializer[Any]):
    """`?groupId=G&numberFiles=N`."""

    groupId = serializers.IntegerField(min_value=1, source="group_id")
    numberFiles = serializers.IntegerField(
        min_value=1, max_value=MAX_FILES, required=False, default=None, source="number_files"
    )


class UploadParametersSerializer(NewFilesParametersSerializer):
    """`?groupId=G&numberFiles=N&presignedPost=true`."""

    presignedPost = TrueOrFalseField(required=False, default=False, source="with_post")


class MultipartParametersSerializer(NewFilesParametersSerializer):
    """`?groupId=G&numberFiles=N&numberParts=P`."""

    numberParts = serializers.IntegerField(min_value=1, max_value=MAX_PARTS, default=1, source="number_parts")


def _size(largest: int) -> NumberField:
    return NumberField(min_value=0, max_value=largest, required=False, allow_null=True)


class IntegrityClaimsSerializer(serializers.Serializer[Any]):
    """The hashes that the verifier compares, in hexadecimal of either case; a size, in bytes, has limits of its own."""

    sha256 = PatternField("[0-9A-Fa-f]{64}", required=False, allow_null=True)
    md5 = PatternField("[0-9A-Fa-f]{32}", required=False, allow_null=True)


class ClaimsSerializer(IntegrityClaimsSerializer):
    """What a client says about one file before sending it; a size that cannot be is told with what else is wrong."""

    size = _size(2**63 - 1)
    name = TextField(max_length=255, required=False, allow_null=True, trim_whitespace=False)
    fingerprint = PatternField(FINGERPRINT.pattern, required=False, allow_null=True)
    organism = TextField(max_length=80, required=False, allow_null=True)
    category = TextField(max_length=80, required=False, allow_null=True)
    partSize = NumberField(
        min_value=MIN_PART_SIZE, max_value=MAX_SINGLE_SIZE, required=False, allow_null=True, source="part_size"
    )


class AnythingField(serializers.Field[Any, Any, Any, Any]):
    """Takes whatever it is given; what is wrong with it is said elsewhere."""

    def to_internal_value(self, data: Any) -> Any:
        """The value as it is."""
        return data


class CompleteSerializer(IntegrityClaimsSerializer):
    """One single upload that was sent."""

    fileId = PatternField(FILE_ID.pattern, source="file_id")
    size = _size(MAX_SINGLE_SIZE)


class CompleteMultipartSerializer(CompleteSerializer):
    """One multipart upload that was sent; everything about its ETags is judged for the item alone."""

    size = _size(MAX_MULTIPART_SIZE)
    etags = serializers.ListField(child=AnythingField(allow_null=True))


class RenewSerializer(serializers.Serializer[Any]):
    """Which parts are to be sent; all that are not in the object store if that is not said."""

    partNumbers = serializers.ListField(
        child=NumberField(), max_length=MAX_PARTS, required=False, allow_null=True, source="part_numbers"
    )


class WordsField(serializers.Field[Any, Any, Any, Any]):
    """Words with commas between them, each of which the pattern fits as a whole; `what` tells what one should be."""

    def __init__(self, pattern: re.Pattern[str], what: str, most: int) -> None:
        super().__init__(required=False, default=None)
        self.pattern, self.what, self.most = pattern, what, most

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        """What was sent, also if that is empty: DRF would take it for nothing said, and all files be listed."""
        return dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: str) -> list[str]:
        """The words, as they are."""
        words = data.split(",")
        if len(words) > self.most:
            raise serializers.ValidationError(f"{len(words):,} are too many; ask for {self.most} at a time.")
        wrong = [f"“{word}” is not {self.what}." for word in words if not self.pattern.fullmatch(word)]
        if wrong:
            raise serializers.ValidationError(wrong)
        return words


class CursorField(serializers.Field[Any, Any, Any, Any]):
    """Where a page begins, as the page before gave it."""

    def to_internal_value(self, data: str) -> FileCursor:
        """The cursor."""
        try:
            return FileCursor.parse(data)
        except ValueError as error:
            raise serializers.ValidationError("pass on the nextCursor of the page before as it is.") from error


class FilesParametersSerializer(serializers.Serializer[Any]):
    """`?groupId=G&status=A,B&attached=true&ids=…,…&fingerprints=…,…&cursor=…&limit=N`."""

    groupId = serializers.IntegerField(min_value=1, source="group_id")
    status = WordsField(re.compile("|".join(File.Status.values)), f"one of {', '.join(File.Status.values)}", most=10)
    attached = TrueOrFalseField(required=False, default=None)
    ids = WordsField(FILE_ID, "a file ID", MAX_LISTED)
    fingerprints = WordsField(FINGERPRINT, "a fingerprint, 64 hexadecimal digits", MAX_LISTED)
    cursor = CursorField(required=False, default=None)
    limit = serializers.IntegerField(min_value=1, max_value=FILES_A_PAGE, default=FILES_A_PAGE)


def filter_of(parameters: dict[str, Any]) -> FileFilter:
    """Which files the parsed parameters ask for."""
    ids, fingerprints = parameters["ids"], parameters["fingerprints"]
    return FileFilter(
        statuses=parameters["status"],
        attached=parameters["attached"],
        ids=None if ids is None else [UUID(file_id) for file_id in ids],
        fingerprints=None if fingerprints is None else [fingerprint.lower() for fingerprint in fingerprints],
    )


def claims_of(item: dict[str, Any]) -> Claims:
    """The claims of a parsed object; what is missing or null is unsaid."""
    said = {name: value for name, value in item.items() if value is not None}
    return Claims(
        name=said.get("name", ""),
        size=said.get("size"),
        sha256=said.get("sha256", "").lower(),
        md5=said.get("md5", "").lower(),
        fingerprint=said.get("fingerprint", "").lower(),
        organism=said.get("organism", ""),
        category=said.get("category", ""),
        part_size=said.get("part_size"),
    )


def complete_item_of(item: dict[str, Any]) -> CompleteItem:
    """What a complete call says of one file; ETags may come with or without their quotes."""
    etags = tuple(str(etag).strip().strip('"') for etag in item.get("etags", []))
    return CompleteItem(UUID(item["file_id"]), etags, claims_of(item))


def upload_body(upload: RequestedUpload) -> dict[str, Any]:
    """The answer for one requested single upload."""
    file, post = upload.file, upload.post
    body = {"fileId": str(file.pk), "url": upload.urls[0], "expiresAt": file.urls_expire_at}
    return {**body, "presignedPost": {"url": post.url, "fields": post.fields}} if post else body


def multipart_body(upload: RequestedUpload) -> dict[str, Any]:
    """The answer for one requested multipart upload, its URLs in part order."""
    file = upload.file
    return {"fileId": str(file.pk), "urls": upload.urls, "expiresAt": file.urls_expire_at}


def status_body(file: File) -> dict[str, Any]:
    """Where a file is in its life."""
    return {"fileId": str(file.pk), "status": file.status}


def renewed_body(upload: RenewedUpload) -> dict[str, Any]:
    """Where a file is, and how to go on with it; without a moment of expiry where there is nothing to be sent."""
    file = upload.file
    head = {**status_body(file), "expiresAt": file.urls_expire_at if file.status == File.Status.REQUESTED else None}
    if not file.is_multipart:
        return {**head, "url": upload.url} if upload.url else head
    return {
        **head,
        "urls": [{"partNumber": number, "url": url} for number, url in upload.part_urls.items()],
        "uploadedParts": [
            {"partNumber": part.part_number, "size": part.size, "etag": part.etag} for part in upload.uploaded_parts
        ],
    }


def file_body(file: File) -> dict[str, Any]:
    """All that is known of a file; reads its check results and attachments, which `with_details()` has loaded."""
    problem, attachments = file.problem(), list(file.attachments.all())
    return {
        **status_body(file),
        "groupId": file.group_id,
        "size": file.size,
        "sha256": file.sha256 or None,
        "md5": file.md5 or None,
        "numberParts": file.number_parts,
        "claims": _claims_body(file),
        "requestedAt": file.requested_at,
        "uploadedAt": file.uploaded_at,
        "verifiedAt": file.verified_at,
        "rejectedAt": file.rejected_at,
        "keptUntil": None if attachments else file.kept_until,
        "problem": problem and {"code": problem.code, "detail": problem.detail},
        "checks": [_check_body(result) for result in file.check_results.all()],
        "attachedTo": [_attached_body(attachment) for attachment in attachments],
    }


def _claims_body(file: File) -> dict[str, Any]:
    category = file.claimed_category
    return {
        "name": file.claimed_name or None,
        "size": file.claimed_size,
        "sha256": file.claimed_sha256 or None,
        "md5": file.claimed_md5 or None,
        "fingerprint": file.claimed_fingerprint or None,
        "organism": category.organism.slug if category else None,
        "category": category.name if category else None,
        "partSize": file.claimed_part_size,
    }


def _check_body(result: ContentCheckResult) -> dict[str, Any]:
    return {
        "check": result.check_name,
        "version": result.version,
        "status": "PASSED" if result.passed else "FAILED",
        "code": result.code or None,
        "detail": result.detail or None,
        "line": result.line,
        "offset": result.offset,
    }


def _attached_body(attachment: FileAttachment) -> dict[str, Any]:
    return {
        "accession": attachment.entry.accession,
        "version": attachment.entry.version,
        "submissionId": attachment.entry.given_submission_id,
        "category": attachment.category.name,
        "name": attachment.name,
    }
