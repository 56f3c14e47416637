"""The shapes of what the submissions API takes and answers; camelCase outside, snake_case inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from common.forms import one_line
from common.parsing import NumberField, TextField, TrueOrFalseField
from files.models import ContentCheckResult, FileAttachment, FileCategory
from submissions.models import Group, MetadataField, Organism, SequenceEntry, Submission
from submissions.services import Receipt, SubmittedEntry

MAX_RELEASED = 20_000
"""How many entries one call may release."""


class GroupParameterSerializer(serializers.Serializer[Any]):
    """`?groupId=G`."""

    groupId = serializers.IntegerField(min_value=1, source="group_id")


class CheckParameterSerializer(GroupParameterSerializer):
    """`?groupId=G&revise=true`."""

    revise = TrueOrFalseField(default=False)


class PageParameterSerializer(serializers.Serializer[Any]):
    """`?cursor=…`, as the page before gave it."""

    cursor = serializers.IntegerField(min_value=0, required=False, default=None)


class GroupPageParameterSerializer(PageParameterSerializer, GroupParameterSerializer):
    """`?groupId=G&cursor=…`."""


class GroupSerializer(serializers.Serializer[Any]):
    """A new group."""

    name = TextField(max_length=200)

    def validate_name(self, name: str) -> str:
        """The name on one line, as the page makes it."""
        return one_line(name)


class AccessionVersionSerializer(serializers.Serializer[Any]):
    """An entry that is to be released."""

    accession = TextField(max_length=40, trim_whitespace=False)
    version = NumberField(min_value=1, max_value=2**31 - 1)


class ReleaseSerializer(serializers.Serializer[Any]):
    """Entries that are to be released together."""

    accessionVersions = serializers.ListField(
        child=AccessionVersionSerializer(), max_length=MAX_RELEASED, source="wanted"
    )


class ReceiptParameterSerializer(serializers.Serializer[Any]):
    """`?as=text|json`; `as` is a word of Python's own, hence the long way round."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The one field."""
        choices = [("text", "text"), ("json", "json")]
        return {"as": serializers.ChoiceField(choices, required=False, default=None, source="format")}


def organism_body(organism: Organism) -> dict[str, Any]:
    """An organism with its file categories and metadata fields, which should be loaded in their order."""
    return {
        "slug": organism.slug,
        "name": organism.name,
        "sequences": organism.sequences,
        "fileSharing": organism.file_sharing,
        "fileCategories": [category_body(category) for category in organism.file_categories.all()],
        "metadataFields": [field_body(field) for field in organism.metadata_fields.all()],
    }


def category_body(category: FileCategory) -> dict[str, Any]:
    """A file category and its rules as they are now; a limit that there is not is null."""
    return {
        "name": category.name,
        "shownName": category.shown_name,
        "helpText": category.help_text,
        "required": category.required,
        "minFiles": category.min_files,
        "maxFiles": category.max_files,
        "maxFileSize": category.max_file_size,
        "extensions": category.extensions,
        "contentCheck": category.content_check,
        "pairing": category.pairing,
    }


def field_body(field: MetadataField) -> dict[str, Any]:
    """A column of the metadata table."""
    return {
        "name": field.name,
        "shownName": field.shown_name,
        "kind": field.kind,
        "choices": field.choices,
        "required": field.required,
        "helpText": field.help_text,
    }


def group_body(group: Group) -> dict[str, Any]:
    """A group with the usernames of its members, in order."""
    return {"id": group.pk, "name": group.name, "members": sorted(user.username for user in group.members.all())}


def submitted_entry_body(entry: SubmittedEntry) -> dict[str, Any]:
    """What submitting answers for one entry, the first time and each time that the call is repeated."""
    return {
        "accession": entry.accession,
        "version": entry.version,
        "submissionId": entry.submission_id,
        "status": entry.status,
    }


def submitted_body(entry: SequenceEntry) -> dict[str, Any]:
    """What an entry is called, and how it stands now."""
    now = SubmittedEntry(entry.accession, entry.version, entry.given_submission_id, entry.status)
    return submitted_entry_body(now)


def entry_body(entry: SequenceEntry) -> dict[str, Any]:
    """One entry with its files; reads its attachments, which should be loaded `with_results()`."""
    return {**submitted_body(entry), "files": [attachment_body(a) for a in entry.attachments.all()]}


def whole_entry_body(entry: SequenceEntry, *, is_member: bool) -> dict[str, Any]:
    """An entry as its own address shows it; who did what and in which submission is for members alone.

    Reads its submission, organism and attachments, which should be loaded `with_results()`.
    """
    submission = entry.submission
    body = {
        **submitted_body(entry),
        "organism": submission.organism.slug,
        "groupId": submission.group_id,
        "submittedAt": submission.submitted_at,
        "settledAt": entry.settled_at,
        "releasedAt": entry.released_at,
        "metadata": entry.metadata,
        "sequences": entry.sequences,
        "files": [attachment_body(attachment) for attachment in entry.attachments.all()],
    }
    if is_member:
        body["submission"] = submission.pk
        body["submittedBy"] = submission.submitted_by.username
        body["releasedBy"] = entry.released_by and entry.released_by.username
    return body


def released_body(entry: SequenceEntry) -> dict[str, Any]:
    """What releasing answers for one entry."""
    return {"accession": entry.accession, "version": entry.version, "releasedAt": entry.released_at}


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
