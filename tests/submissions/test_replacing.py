"""Replacing the files of an entry: checked as submitting is, replaced as a whole, verified again."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from common.errors import DomainError, ValidationFailedError
from files.models import File, FileAttachment
from submissions import services
from submissions.models import SequenceEntry
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileFactory,
    GroupMembershipFactory,
    SequenceEntryFactory,
    SubmissionFactory,
)
from tests.fixtures import FASTQ, FASTQ_GZ, Api, Demo, new_file_id


@pytest.fixture
def entry(demo: Demo) -> SequenceEntry:
    """A rejected entry of the Demo Lab with one file, which is no FASTQ."""
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    rejected: SequenceEntry = SequenceEntryFactory.create(
        submission=submission, given_submission_id="sample/1", status="REJECTED"
    )
    attach(rejected, "rawReads", "cut.fastq")
    return rejected


def attach(entry: SequenceEntry, category: str, name: str) -> FileAttachment:
    file = verified(entry, passed=False)
    category_of_entry = entry.submission.organism.file_categories.get(name=category)
    return FileAttachmentFactory.create(entry=entry, category=category_of_entry, file=file, name=name)


def verified(entry: SequenceEntry, *, passed: bool = True) -> File:
    file: File = FileFactory.create(status=File.Status.VERIFIED, group=entry.submission.group)
    ContentCheckResultFactory.create(file=file, passed=passed)
    return file


def listed(*files: File | str, category: str = "rawReads") -> dict[str, Any]:
    ids = [str(getattr(file, "pk", file)) for file in files]
    return {category: [{"fileId": file_id, "name": f"{number}.fastq"} for number, file_id in enumerate(ids)]}


def replaced(entry: SequenceEntry, files: object, **more: Any) -> SequenceEntry:
    """As alice replaces them."""
    user = more.pop("user", None) or entry.submission.submitted_by
    text = files if isinstance(files, str) else json.dumps(files)
    replacement = services.Replacement(text, **more)
    return services.replace_files(user=user, accession=entry.accession, version=entry.version, replacement=replacement)


def attached(entry: SequenceEntry) -> list[str]:
    return [str(attachment.file_id) for attachment in entry.attachments.order_by("position")]


# --- what becomes of the entry ---------------------------------------------------------------------


def test_a_rejected_entry_is_accepted_at_once_with_files_that_are_known_to_be_good(entry: SequenceEntry) -> None:
    files = [verified(entry), verified(entry)]
    after = replaced(entry, listed(*files))
    assert (after.status, after.settled_at is not None) == ("ACCEPTED", True)
    assert attached(entry) == [str(file.pk) for file in files]


def test_new_files_are_verified_and_the_entry_with_them(
    api: Api, entry: SequenceEntry, work: Callable[[], None], django_capture_on_commit_callbacks: Any
) -> None:
    files = [api.upload(entry.submission.group, content) for content in (FASTQ_GZ, FASTQ)]
    with django_capture_on_commit_callbacks() as callbacks:
        after = replaced(entry, listed(*files))
    assert (after.status, after.settled_at, len(callbacks)) == ("VERIFYING", None, 1)
    work()
    entry.refresh_from_db()
    assert (entry.status, attached(entry)) == ("ACCEPTED", files)


def test_a_new_file_that_is_bad_sinks_the_entry_again(api: Api, entry: SequenceEntry, work: Callable[[], None]) -> None:
    replaced(entry, listed(api.upload(entry.submission.group, FASTQ[:-4])))
    work()
    entry.refresh_from_db()
    assert entry.status == "REJECTED"


@pytest.mark.embedded
def test_an_accepted_entry_may_lose_all_its_files(entry: SequenceEntry) -> None:
    SequenceEntry.objects.update(status="ACCEPTED")
    assert replaced(entry, {}).status == "ACCEPTED"
    assert attached(entry) == []


def test_the_rules_of_now_are_those_it_is_verified_under(entry: SequenceEntry) -> None:
    category = entry.submission.organism.file_categories.get(name="rawReads")
    category.max_file_size = 1_000
    category.save()
    after = replaced(entry, listed(verified(entry)))
    assert after.rule_set is not None
    assert [rules["maxFileSize"] for rules in after.rule_set.categories if rules["name"] == "rawReads"] == [1_000]
    assert after.attachments.get().max_file_size == 1_000


def test_files_that_are_attached_nowhere_any_more_are_kept_as_long_as_new_ones(entry: SequenceEntry) -> None:
    long_ago = timezone.now() - timedelta(days=400)
    freed = entry.attachments.get().file
    stays = attach(entry, "rawReads", "shared.fastq").file
    FileAttachmentFactory.create(
        entry=SequenceEntryFactory.create(submission=entry.submission),
        category=entry.submission.organism.file_categories.get(name="supplementary"),
        file=stays,
    )
    File.objects.update(last_activity_at=long_ago)
    began = timezone.now()
    replaced(entry, {})
    activity = dict(File.objects.values_list("pk", "last_activity_at"))
    assert activity[freed.pk] >= began
    assert activity[stays.pk] == long_ago


def test_the_same_again_is_the_same(entry: SequenceEntry) -> None:
    files = listed(verified(entry))
    first, second = replaced(entry, files), replaced(entry, files)
    assert (first.status, second.status) == ("ACCEPTED", "ACCEPTED")
    assert entry.attachments.count() == 1


# --- what is refused, and leaves everything as it was ----------------------------------------------


def refusal(entry: SequenceEntry, files: object, **more: Any) -> list[DomainError]:
    """The errors of a replacement that must be refused and change nothing."""
    before = list(SequenceEntry.objects.values()), list(FileAttachment.objects.values())
    with pytest.raises((DomainError, ValidationFailedError)) as raised:
        replaced(entry, files, **more)
    assert (list(SequenceEntry.objects.values()), list(FileAttachment.objects.values())) == before
    error = raised.value
    if isinstance(error, ValidationFailedError):
        return error.errors
    assert isinstance(error, DomainError)
    return [error]


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": "VERIFYING", "settled_at": None}, "entry_verifying"),
        ({"status": "ACCEPTED", "released_at": timezone.now()}, "entry_released"),
    ],
)
def test_an_entry_that_is_verified_or_released_keeps_its_files(
    entry: SequenceEntry, fields: dict[str, Any], code: str
) -> None:
    if "released_at" in fields:
        fields = {**fields, "released_by": entry.submission.submitted_by}
    SequenceEntry.objects.filter(pk=entry.pk).update(**fields)
    assert [error.code for error in refusal(entry, listed(verified(entry)))] == [code]


def test_files_that_somebody_else_has_put_there_are_not_replaced_unseen(entry: SequenceEntry) -> None:
    as_of = entry.settled_at
    replaced(entry, listed(verified(entry)), as_of=as_of)
    assert [error.code for error in refusal(entry, {}, as_of=as_of)] == ["entry_changed"]


@pytest.mark.embedded
def test_only_members_replace_files(entry: SequenceEntry, demo: Demo) -> None:
    member = GroupMembershipFactory.create(group=demo.group).user
    assert [error.code for error in refusal(entry, {}, user=demo.bob)] == ["not_a_member"]
    assert [error.code for error in refusal(entry, {}, user=demo.admin)] == ["not_a_member"]
    assert replaced(entry, {}, user=member).status == "ACCEPTED"
    SequenceEntry.objects.update(released_at=timezone.now(), released_by=demo.alice)
    assert [error.code for error in refusal(entry, {}, user=demo.bob)] == ["not_a_member"]
    entry.accession = "SAT_99999999"
    assert [error.code for error in refusal(entry, {})] == ["entry_not_found"]


def test_everything_that_is_wrong_is_told_with_its_place_in_what_was_sent(entry: SequenceEntry, demo: Demo) -> None:
    cut = entry.attachments.get().file
    theirs = FileFactory.create(status=File.Status.VERIFIED, group=demo.other_group)
    requested = FileFactory.create(group=demo.group)
    raw_reads = [
        {"fileId": str(cut.pk), "name": "a.fastq"},
        {"fileId": str(theirs.pk), "name": "b.fastq"},
        {"fileId": str(requested.pk), "name": "b.FASTQ"},
    ]
    found = refusal(entry, {"rawReads": raw_reads, "gel": []})
    assert [(error.code, error.location.pointer) for error in found] == [
        ("file_name_duplicate", "/rawReads/2"),
        ("file_rejected", "/rawReads/0"),
        ("file_not_found", "/rawReads/1"),
        ("file_not_uploaded", "/rawReads/2"),
        ("category_unknown", "/gel"),
    ]


@pytest.mark.embedded
def test_the_rules_of_the_category_hold_and_there_is_no_table_to_point_into(entry: SequenceEntry) -> None:
    entry.submission.organism.file_categories.filter(name="rawReads").update(min_files=2, required=True)
    [error] = refusal(entry, listed(verified(entry)))
    assert (error.code, error.location.pointer, error.location.line) == ("too_few_files", "/rawReads", None)
    assert [error.code for error in refusal(entry, {})] == ["too_few_files"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"rawReads": {}}', '{"rawReads": [{"fileId": "x", "name": "a"}]}'])
def test_what_is_no_list_of_files_is_refused(entry: SequenceEntry, text: str) -> None:
    assert [error.code for error in refusal(entry, text)] == ["file_mapping_invalid"]


def test_an_organism_that_takes_no_files_gets_none(entry: SequenceEntry) -> None:
    entry.submission.organism.file_sharing = False
    entry.submission.organism.save()
    assert [error.code for error in refusal(entry, listed(new_file_id()))] == ["file_sharing_disabled"]


# --- at once, and how much ---------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins_and_the_other_hears_why(entry: SequenceEntry) -> None:
    files = [verified(entry) for _ in range(4)]
    barrier = Barrier(4)

    def run(file: File) -> str:
        barrier.wait()
        try:
            replaced(entry, listed(file), as_of=entry.settled_at)
        except DomainError as error:
            return error.code
        finally:
            connections.close_all()
        return str(file.pk)

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(run, files))
    assert outcomes.count("entry_changed") == 3
    assert attached(entry) == [outcome for outcome in outcomes if outcome != "entry_changed"]
    entry.refresh_from_db()
    assert entry.status == "ACCEPTED"


def test_the_number_of_queries_does_not_grow_with_the_files(
    entry: SequenceEntry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    most = 30 if connection.vendor == "postgresql" else 34
    files = [verified(entry) for _ in range(20)]
    with django_assert_max_num_queries(most):
        replaced(entry, listed(*files))
