"""Receipts: what of a submission was accepted, file by file, with the checksums of the bytes that were read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Max, Prefetch

from accounts.models import User
from files.models import FileAttachment
from submissions.access import submission_for_member
from submissions.errors import NothingAcceptedError, ReceiptNotReadyError
from submissions.models import SequenceEntry, Submission

BATCH = 500
"""Entries held at a time; with two files each they take 40 MB."""
RETRY_AFTER = 2  # seconds
ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What of a settled submission was accepted; the same whenever it is asked for.

    `issued_at` is when the last of its entries was settled, `number_files` counts those of accepted entries.
    """

    submission: Submission
    issued_at: datetime
    number_files: int

    def batches(self) -> Iterator[list[SequenceEntry]]:
        """The accepted entries in table order, up to 500 at a time, with their files and the files' results.

        A handful of queries a batch, whatever it holds. Files are in the order of their categories' names, and
        then as they were submitted: administrators can change the order of the categories.
        """
        files = FileAttachment.objects.with_results().order_by("category__name", "position", "pk")
        entries = self.submission.entries.filter(status=SequenceEntry.Status.ACCEPTED).order_by("position")
        behind = -1
        while batch := list(
            entries.filter(position__gt=behind).prefetch_related(Prefetch("attachments", files))[:BATCH]
        ):
            yield batch
            behind = batch[-1].position


def receipt_for(*, user: User, submission_id: int) -> Receipt:
    """The receipt of a submission, for the members of its group; a fixed number of queries.

    Raises `SubmissionNotFoundError`, `ReceiptNotReadyError` while entries are being verified, and
    `NothingAcceptedError`.
    """
    submission = submission_for_member(user=user, submission_id=submission_id)
    if submission.verifying_count:
        text = f"{submission.verifying_count:,} of {submission.entry_count:,} entries are still being verified."
        raise ReceiptNotReadyError(text, retry_after=RETRY_AFTER)
    issued_at = submission.entries.aggregate(last=Max("settled_at"))["last"]
    if not submission.accepted_count or issued_at is None:
        raise NothingAcceptedError("No entry of this submission was accepted, so there is nothing to confirm.")
    accepted = FileAttachment.objects.filter(entry__submission=submission, entry__status=SequenceEntry.Status.ACCEPTED)
    return Receipt(submission, issued_at, accepted.count())


def receipt_name(submission: Submission) -> str:
    """The name of the receipt's file, without its ending."""
    return f"satchel-submission-{submission.pk}"


def receipt_text(receipt: Receipt) -> Iterator[str]:
    """The receipt as `sha256sum -c` takes it: comments, then a line `<sha256>  <path>` for each file.

    The paths are `<category>/<submissionID>/<name>`. Yielded in pieces of many lines.
    """
    yield "".join(f"# {_one_line(comment)}".rstrip() + "\n" for comment in _comments(receipt))
    for batch in receipt.batches():
        yield "".join(
            checksum_line(
                attachment.file.sha256, f"{attachment.category.name}/{entry.given_submission_id}/{attachment.name}"
            )
            for entry in batch
            for attachment in entry.attachments.all()
        )


def checksum_line(sha256: str, path: str) -> str:
    """One line as `sha256sum` writes it: behind a backslash where the path has something to be escaped."""
    escaped = path.translate(ESCAPES)
    line = f"{sha256}  {escaped}\n"
    return line if escaped == path else "\\" + line


def _comments(receipt: Receipt) -> Iterator[str]:
    submission = receipt.submission
    yield f"Satchel: receipt for submission {submission.pk}"
    yield f"Organism: {submission.organism.name} ({submission.organism.slug})"
    yield f"Group: {submission.group.name} (group {submission.group_id})"
    yield f"Submitted by {submission.submitted_by.username} on {_moment(submission.submitted_at)}"
    yield f"Settled on {_moment(receipt.issued_at)}"
    accepted, entries = submission.accepted_count, submission.entry_count
    yield f"Accepted entries: {accepted} of {entries}; their files: {receipt.number_files}"
    if submission.withdrawn_count:
        yield f"Withdrawn since, and not among those: {submission.withdrawn_count}"
    yield ""
    yield "Satchel has read each of these files to its last byte, and this is the sha256 of what is kept."
    yield "With the files laid out in folders like this, check them with"
    yield f"sha256sum -c {receipt_name(submission)}.sha256"
    yield ""


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _one_line(text: str) -> str:
    """A text without line ends: behind one, whoever named a group could write a line of the receipt."""
    return " ".join(text.split())
