"""The shapes of what the submissions API takes and answers; camelCase outside, snake_case inside."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from files.models import FileAttachment
from submissions.models import SequenceEntry, Submission


class GroupParameterSerializer(serializers.Serializer[Any]):
    """`?groupId=G`."""

    groupId = serializers.IntegerField(min_value=1, source="group_id")


class PageParameterSerializer(serializers.Serializer[Any]):
    """`?cursor=…`, as the page before gave it."""

    cursor = serializers.IntegerField(min_value=0, required=False, default=None)


class GroupPageParameterSerializer(PageParameterSerializer, GroupParameterSerializer):
    """`?groupId=G&cursor=…`."""


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
    """One file of an entry: its state as its category sees it, and why it was refused, if it was."""
    problem = attachment.problem()
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
