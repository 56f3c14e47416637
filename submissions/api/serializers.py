"""The shapes of what the submissions API takes and answers; camelCase outside, snake_case inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from files.models import ContentCheckResult, FileAttachment
from submissions.models import SequenceEntry, Submission
from submissions.services import Receipt


class GroupParameterSerializer(serializers.Serializer[Any]):
    """`?groupId=G`."""

    groupId = serializers.IntegerField(min_value=1, source="group_id")


class PageParameterSerializer(serializers.Serializer[Any]):
    """`?cursor=…`, as the page before gave it."""

    cursor = serializers.IntegerField(min_value=0, required=False, default=None)


class GroupPageParameterSerializer(PageParameterSerializer, GroupParameterSerializer):
    """`?groupId=G&cursor=…`."""


class ReceiptParameterSerializer(serializers.Serializer[Any]):
    """`?as=text|json`; `as` is a word of Python's own, hence the long way round."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The one field."""
        choices = [("text", "text"), ("json", "json")]
        return {"as": serializers.ChoiceField(choices, required=False, default=None, source="format")}


def submitted_body(entry: SequenceEntry) -> dict[str, Any]:
    """What submitting answers for one entry."""
    return {
        "accession": entry.accession,
        "version": entry.version,
        "submissionId": entry.given_submission_id,
        "status": entry.status,
    }


def entry_body(entry: SequenceEntry) -> dict[str, Any]:
    """One entry with its files; reads its attachments, which should be loaded `with_results()`."""
    return {**submitted_body(entry), "files": [attachment_body(a) for a in entry.attachments.all()]}


def attachment_body(attachment: FileAttachment) -> dict[str, Any]:
    """One file of an entry: its state as its category sees it, and why it was refused, or is held up, if it is."""
    problem = attachment.problem() or attachment.hold_up()
    return {
        "category": attachment.category.name,
        "name": attachment.name,
        "fileId": str(attachment.file_id),
        "status": attachment.state(),
        "size": attachment.file.size,
        "sha256": attachment.file.sha256 or None,
        "md5": attachment.file.md5 or None,
        "problem": problem
        and {"code": problem.code, "detail": problem.detail, "line": problem.line, "offset": problem.offset},
    }


def submission_body(submission: Submission) -> dict[str, Any]:
    """A submission loaded `with_counts()`, without its entries."""
    return {
        "id": submission.pk,
        "organism": submission.organism.slug,
        "groupId": submission.group_id,
        "submittedAt": submission.submitted_at,
        "submittedBy": submission.submitted_by.username,
        "status": submission.status,
        "counts": submission.counts,
    }


def receipt_pieces(receipt: Receipt) -> Iterator[bytes]:
    """The JSON of a receipt, piece by piece: it may have a hundred thousand entries."""
    body = submission_body(receipt.submission)
    head = {"submission": body.pop("id"), **body, "group": receipt.submission.group.name, "issuedAt": receipt.issued_at}
    render = JSONRenderer().render
    yield render(head).removesuffix(b"}") + b',"entries":['
    for number, batch in enumerate(receipt.batches()):
        entries = b",".join(render(receipt_entry_body(entry)) for entry in batch)
        yield entries if number == 0 else b"," + entries
    yield b"]}\n"


def receipt_entry_body(entry: SequenceEntry) -> dict[str, Any]:
    """An accepted entry of a receipt."""
    files = [receipt_file_body(attachment) for attachment in entry.attachments.all()]
    return {**submitted_body(entry), "settledAt": entry.settled_at, "files": files}


def receipt_file_body(attachment: FileAttachment) -> dict[str, Any]:
    """A file of a receipt, with the content check that it was accepted under, if there was one.

    Checks that other categories asked for, elsewhere and perhaps later, are not part of this acceptance.
    """
    file, result = attachment.file, attachment.check_result()
    return {
        "category": attachment.category.name,
        "name": attachment.name,
        "fileId": str(file.pk),
        "size": file.size,
        "sha256": file.sha256,
        "md5": file.md5,
        "verifiedAt": file.verified_at,
        "checks": [] if result is None else [receipt_check_body(result)],
    }


def receipt_check_body(result: ContentCheckResult) -> dict[str, Any]:
    """A content check of a receipt: with which version, when, and what it counted."""
    return {
        "check": result.check_name,
        "version": result.version,
        "status": "PASSED" if result.passed else "FAILED",
        "checkedAt": result.checked_at,
        "data": result.data,
    }
