"""Withdrawing: the entry is gone, its files are free, and nobody who works on them at the same time is harmed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from common.errors import DomainError
from files import acceptance
from files.models import File, FileAttachment
from submissions import services
from submissions.errors import EntryNotFoundError
from submissions.models import SequenceEntry, Submission
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileFactory,
    GroupMembershipFactory,
    SequenceEntryFactory,
    SubmissionFactory,
)
from tests.fixtures import FASTQ, Api, Demo, mapping_of
from tests.locks import kept_waiting

LONG_AGO = timezone.now() - timedelta(days=400)


@pytest.fixture
def entry(demo: Demo) -> SequenceEntry:
    """An entry of the Demo Lab that is being verified, with one file."""
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    verifying: SequenceEntry = SequenceEntryFactory.create(submission=submission)
    attach(verifying)
    return verifying


def attach(entry: SequenceEntry, file: File | None = None, category: str = "supplementary") -> FileAttachment:
    file = file or FileFactory.create(status="VERIFIED", group=entry.submission.group, last_activity_at=LONG_AGO)
    category_of_entry = entry.submission.organism.file_categories.get(name=category)
    return FileAttachmentFactory.create(entry=entry, category=category_of_entry, file=file)


def withdraw(entry: SequenceEntry) -> str:
    """As alice does it; the code of what stands in the way, or nothing."""
    try:
        user = entry.submission.submitted_by
        services.withdraw(user=user, accession=entry.accession, version=entry.version)
    except DomainError as error:
        return error.code
    return ""


@pytest.mark.embedded
@pytest.mark.parametrize("status", SequenceEntry.Status.values)
def test_an_entry_is_withdrawn_whatever_its_state_and_its_files_are_free(entry: SequenceEntry, status: str) -> None:
    SequenceEntry.objects.update(status=status, settled_at=None if status == "VERIFYING" else timezone.now())
    freed, shared = entry.attachments.get().file, attach(entry).file
    other = attach(SequenceEntryFactory.create(submission=entry.submission), shared)
    began = timezone.now()
    with capture_logs() as logs:
        assert (withdraw(entry), withdraw(entry)) == ("", "entry_not_found")
    assert (SequenceEntry.objects.get(), FileAttachment.objects.get()) == (other.entry, other)
    activity = dict(File.objects.values_list("pk", "last_activity_at"))
    assert activity[freed.pk] >= began
    assert activity[shared.pk] == LONG_AGO
    assert Submission.objects.with_counts().get().counts == {
        "entries": 1,
        "verifying": 1,
        "accepted": 0,
        "rejected": 0,
        "withdrawn": 1,
    }
    [line] = logs
    assert (line["event"], line["entry"], line["status"], line["user"]) == (
        "entry_withdrawn",
        str(entry),
        status,
        "alice",
    )


@pytest.mark.embedded
def test_what_is_released_stays_and_a_later_version_is_withdrawn_alone(entry: SequenceEntry) -> None:
    now, alice = timezone.now(), entry.submission.submitted_by
    SequenceEntry.objects.update(status="ACCEPTED", settled_at=now, released_at=now, released_by=alice)
    later = SequenceEntryFactory.create(submission=entry.submission, accession=entry.accession, version=2)
    before = SequenceEntry.objects.filter(pk=entry.pk).values().get()
    assert (withdraw(entry), withdraw(later)) == ("entry_released", "")
    assert list(SequenceEntry.objects.values()) == [{**before, "next_version": 3}], "version 2 is not given again"
    assert entry.attachments.count() == 1


@pytest.mark.embedded
def test_only_members_withdraw(entry: SequenceEntry, demo: Demo) -> None:
    member = GroupMembershipFactory.create(group=demo.group).user
    act = partial(services.withdraw, accession=entry.accession, version=entry.version)
    for user in (demo.bob, demo.admin):
        with pytest.raises(DomainError) as raised:
            act(user=user)
        assert raised.value.code == "not_a_member"
    assert str(act(user=member)) == str(entry)


@pytest.mark.embedded
def test_a_member_hears_that_the_entry_is_gone_and_not_that_they_are_no_member(entry: SequenceEntry) -> None:
    def withdraw_behind(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if "submissions_groupmembership" in sql:
            SequenceEntry.objects.filter(pk=entry.pk).delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(withdraw_behind):
        assert withdraw(entry) == "entry_not_found"


@pytest.mark.embedded
def test_the_file_of_a_withdrawn_entry_is_verified_all_the_same(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    file_id = api.upload(demo.group, FASTQ)
    answer = api.submit(demo.organism, demo.group, mapping=mapping_of("sample1", "rawReads", (file_id, "a.fastq")))
    assert withdraw(SequenceEntry.objects.get(accession=answer.json()[0]["accession"])) == ""
    work()
    assert api.get(f"files/{file_id}").json()["status"] == "VERIFIED"
    assert api.client.delete(f"/api/files/{file_id}").status_code == 204


# --- at once; on PostgreSQL alone: SQLite has one writer at a time -----------------------------------


def pair(entry: SequenceEntry) -> None:
    """Two files of reads with nothing left to do but to compare them."""
    category = entry.submission.organism.file_categories.get(name="rawReads")
    category.pairing = True
    for mate in "12":
        attachment = FileAttachmentFactory.create(entry=entry, category=category, name=f"a_{mate}.fq")
        ContentCheckResultFactory.create(file=attachment.file, data={"reads": 2, "namesDigest": "d" * 64})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("settle", [acceptance.settle, acceptance.compare_pairs], ids=["settles", "compares a pair"])
def test_an_entry_that_a_worker_settles_right_now_is_withdrawn(
    entry: SequenceEntry, settle: Callable[[object], None]
) -> None:
    pair(entry)
    with kept_waiting(lambda: withdraw(entry)) as withdrawing:
        settle(SequenceEntry.objects.all())
    assert withdrawing.result() == ""
    assert (SequenceEntry.objects.count(), FileAttachment.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_worker_finds_nothing_left_of_a_withdrawn_entry(entry: SequenceEntry) -> None:
    pair(entry)
    with kept_waiting(lambda: acceptance.settle(SequenceEntry.objects.all())) as settling:
        assert withdraw(entry) == ""
    settling.result()
    assert SequenceEntry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_file", [True, False])
def test_of_two_people_who_withdraw_at_once_the_second_finds_nothing(entry: SequenceEntry, *, has_file: bool) -> None:
    if not has_file:
        entry.attachments.all().delete()
    with kept_waiting(lambda: withdraw(entry)) as second:
        assert withdraw(entry) == ""
    assert second.result() == "entry_not_found"
    assert Submission.objects.get().withdrawn_count == 1


@pytest.mark.django_db(transaction=True)
def test_files_that_are_just_put_there_are_not_withdrawn_unheld(entry: SequenceEntry) -> None:
    SequenceEntry.objects.update(status="ACCEPTED", settled_at=timezone.now())
    file = FileFactory.create(status="VERIFIED", group=entry.submission.group)
    files = f'{{"supplementary": [{{"fileId": "{file.pk}", "name": "a.png"}}]}}'
    user = entry.submission.submitted_by

    def replace() -> SequenceEntry:
        replacement = services.Replacement(files)
        return services.replace_files(
            user=user, accession=entry.accession, version=entry.version, replacement=replacement
        )

    with kept_waiting(lambda: withdraw(entry)) as withdrawing:
        replace()
    assert withdrawing.result() == "entry_changed"
    with kept_waiting(replace) as replacing:
        assert withdraw(entry) == ""
    assert isinstance(replacing.exception(), EntryNotFoundError)
