"""Idempotency keys: a call that is sent again gets its first answer, and does nothing again.

As draft-ietf-httpapi-idempotency-key-header has it: the record of a key is inserted before anything is done, and the
database's constraint decides between two calls at once; the same key with another body is refused; a call that is
refused frees its key. The answer is recorded in the transaction that stores the submission, so that whoever dies
after the commit has answered, and whoever dies before it has done nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from io import SEEK_END
from typing import Any, BinaryIO, NamedTuple

from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from common.errors import Location
from submissions.errors import IdempotencyKeyReusedError, IdempotencyKeyRunningError
from submissions.models import Group, IdempotencyRecord, Submission

CHUNK_BYTES = 1024 * 1024
RETRY_AFTER = 2
"""Seconds after which a call whose twin is running is worth another try."""


class SubmittedEntry(NamedTuple):
    """What is answered for one entry."""

    accession: str
    version: int
    submission_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The number of the submission, and its entries in table order as they stood when it was stored."""

    number: int
    entries: list[SubmittedEntry]
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class BodyPart:
    """One part of a form: its name, its content, and the file name, if it came with one."""

    name: str
    content: BinaryIO
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The key of a call, the path that it was sent to, and what it was sent with, in the order it was sent.

    `field` is what the key was sent as: where an error of it is.
    """

    key: str
    path: str
    parts: list[BodyPart]
    field: str


Record = Callable[[Answer], None]
"""Records the answer; to be called at the end of the transaction that stores what is answered."""


def digest_of(parts: Iterable[BodyPart]) -> str:
    """sha256 over names and contents of all parts, in the order of their names, read in chunks and rewound.

    Not over the raw body: its boundary is another in each call. Each part begins with its own length, so that no two
    lists of parts come to the same bytes.
    """
    digest = hashlib.sha256()
    for part in sorted(parts, key=lambda part: part.name):
        head = [part.name, part.file_name, part.content.seek(0, SEEK_END)]
        digest.update(json.dumps(head).encode() + b"\n")
        part.content.seek(0)
        while chunk := part.content.read(CHUNK_BYTES):
            digest.update(chunk)
        part.content.seek(0)
    return digest.hexdigest()


def answer_once(*, user: User, group: Group, key: IdempotencyKey | None, act: Callable[[Record], Answer]) -> Answer:
    """What `act` answers, or, where a call of this user, group, path and key has answered before, its answer.

    Call it for members of the group only. Whatever `act` raises frees the key, unless its transaction was committed
    after all. Raises `IdempotencyKeyReusedError` for another body, and `IdempotencyKeyRunningError` while the first
    call runs: for ten minutes at most, after which it is taken for dead and cannot commit any more.
    """
    if key is None:
        return act(_record_nothing)
    record = _claim(user, group, key)
    if record.submission_id is not None and record.answer is not None:
        return Answer(record.submission_id, [SubmittedEntry(*row) for row in record.answer], is_repeated=True)
    try:
        return act(partial(_record, record))
    except BaseException:
        IdempotencyRecord.objects.filter(pk=record.pk, answered_at__isnull=True).delete()
        raise


def answer_of(submission: Submission) -> Answer:
    """The answer as the entries stand now; one query."""
    rows = submission.entries.order_by("position")
    entries = rows.values_list("accession", "version", "given_submission_id", "status")
    return Answer(submission.pk, [SubmittedEntry(*row) for row in entries])


def _claim(user: User, group: Group, key: IdempotencyKey) -> IdempotencyRecord:
    """The record of the key: a new one, which is ours to answer, or one that is answered."""
    owner: dict[str, Any] = {"user": user, "group": group, "path": key.path, "key": key.key}
    body_sha256 = digest_of(key.parts)
    IdempotencyRecord.objects.filter(**owner).void().delete()
    try:
        record, is_ours = IdempotencyRecord.objects.get_or_create(**owner, defaults={"body_sha256": body_sha256})
    except IntegrityError as error:
        # Somebody had the key when we inserted, and had freed it when we looked who.
        raise _running() from error
    if record.body_sha256 != body_sha256:
        text = f"The {key.field} was sent before, with another body. Another submission takes another key."
        raise IdempotencyKeyReusedError(text, Location(field=key.field))
    if not is_ours and record.answered_at is None:
        raise _running()
    return record


def _record(record: IdempotencyRecord, answer: Answer) -> None:
    """Record the answer, if the key is still ours; who took it has been told that we are dead, so we must not live."""
    ours = IdempotencyRecord.objects.filter(pk=record.pk, answered_at__isnull=True)
    if not ours.update(answered_at=timezone.now(), submission_id=answer.number, answer=answer.entries):
        raise _running()


def _record_nothing(_answer: Answer) -> None:
    """What is recorded of a call without a key."""


def _running() -> IdempotencyKeyRunningError:
    text = "A call with this key is running. Send this one again in a moment to get its answer."
    return IdempotencyKeyRunningError(text, retry_after=RETRY_AFTER)
