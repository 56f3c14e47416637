"""How templates write times, sizes and states."""

from __future__ import annotations

import datetime as dt

from django import template
from django.template.context import Context
from django.template.defaulttags import querystring
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.words import size_words
from files.models import File, FileAttachment
from submissions.models import Submission

register = template.Library()

FILE_STATES = {
    File.Status.REQUESTED: "Not uploaded",
    File.Status.UPLOADED: "Waiting to be verified",
    File.Status.VERIFYING: "Being verified",
    File.Status.VERIFIED: "Verified",
    File.Status.REJECTED: "Rejected",
    File.Status.EXPIRED: "Upload expired",
}


@register.filter
def size(value: int | None) -> str:
    """A size in bytes as people read it; empty where it is not known yet."""
    return "" if value is None else size_words(value)


@register.filter
def moment(value: dt.datetime) -> SafeString:
    """A time in UTC, for people and machines."""
    utc = value.astimezone(dt.UTC)
    words = f"{utc.day} {utc:%b %Y, %H:%M} UTC"
    return format_html('<time datetime="{}">{}</time>', f"{utc:%Y-%m-%dT%H:%M:%SZ}", words)


@register.filter
def day(value: dt.datetime) -> SafeString:
    """The day of a time in UTC, for people and machines."""
    utc = value.astimezone(dt.UTC)
    return format_html('<time datetime="{}">{} {}</time>', f"{utc:%Y-%m-%d}", utc.day, f"{utc:%b %Y}")


@register.filter
def counts_by_state(submission: Submission) -> list[tuple[int, str]]:
    """How many entries are in which state, in words, without those states that no entry is in."""
    counts = [
        (submission.accepted_count, "accepted"),
        (submission.rejected_count, "rejected"),
        (submission.verifying_count, "being verified"),
    ]
    return [(count, words) for count, words in counts if count]


@register.filter
def state_words(attachment: FileAttachment) -> str:
    """The state of a file of an entry, in words; the attachment is loaded `with_results()`."""
    if attachment.file.quarantined_at is not None:
        return "Held back by an administrator"
    return FILE_STATES[attachment.state()]


@register.filter
def upload_state(file: File) -> str:
    """The status of a file that no entry has, or REJECTED where it can go into none as things are."""
    return File.Status.REJECTED if file.quarantined_at or _failed_its_check(file) else file.status


@register.filter
def upload_words(file: File) -> str:
    """The state of a file that no entry has, in words; reads its check results."""
    if file.quarantined_at is not None:
        return "Held back by an administrator"
    if _failed_its_check(file):
        return "Failed its check"
    return "Not finished" if file.status == File.Status.REQUESTED else FILE_STATES[File.Status(file.status)]


@register.filter
def is_downloadable(attachment: FileAttachment) -> bool:
    """Whether the file is verified and nobody holds it back."""
    return attachment.file.status == File.Status.VERIFIED and attachment.file.quarantined_at is None


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: str | int | None) -> str:
    """Django's `querystring`, with a “?” even where nothing follows: links of page and live part are the same."""
    return "?" + querystring(context, None, **changes).removeprefix("?")


@register.filter
def number(value: int) -> str:
    """A whole number with commas between thousands."""
    return f"{value:,}"


def _failed_its_check(file: File) -> bool:
    return any(not result.passed for result in file.check_results.all())
