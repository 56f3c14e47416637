"""Settling entries whose files are pairs: who is compared, when, and what is recorded at both."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from files import acceptance, sweeping
from files.models import ContentCheck, File, FileAttachment, FileCategory
from submissions.models import SequenceEntry
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileCategoryFactory,
    SequenceEntryFactory,
    SubmissionFactory,
)

pytestmark = pytest.mark.django_db

FITTING: dict[str, Any] = {"reads": 2, "bases": 10, "namesDigest": "d" * 64}
OTHER: dict[str, Any] = {**FITTING, "namesDigest": "e" * 64}


def category_of_pairs() -> FileCategory:
    category: FileCategory = FileCategoryFactory.create(content_check=ContentCheck.FASTQ, pairing=True)
    return category


def attach_pair(category: FileCategory, *, entry: SequenceEntry | None = None) -> list[FileAttachment]:
    """Two verified files with the names of a pair, not checked yet, the second first."""
    entry = entry or SequenceEntryFactory.create(submission__organism=category.organism)
    return [
        FileAttachmentFactory.create(entry=entry, category=category, name=f"a_R{mate}.fastq", position=place)
        for place, mate in enumerate((2, 1))
    ]


def passed(attachment: FileAttachment, data: dict[str, Any] | None = None, mate: str | None = None) -> None:
    ContentCheckResultFactory.create(file=attachment.file, data={**(data or FITTING), "mate": mate})


def settle_all() -> None:
    acceptance.settle(SequenceEntry.objects.all())


def status_of(attachment: FileAttachment) -> str:
    return SequenceEntry.objects.get(pk=attachment.entry_id).status


@pytest.mark.embedded
def test_an_entry_is_accepted_once_its_pair_was_compared() -> None:
    second, first = attach_pair(category_of_pairs())
    passed(first, mate="1")
    settle_all()
    assert status_of(first) == "VERIFYING"
    assert not FileAttachment.objects.filter(pair_compared_at__isnull=False)
    passed(second, mate="2")
    settle_all()
    assert status_of(first) == "ACCEPTED"
    assert FileAttachment.objects.filter(pair_compared_at__isnull=False, pair_problem_code="").count() == 2


@pytest.mark.embedded
def test_two_files_that_are_no_pair_sink_their_entry_and_both_say_why() -> None:
    second, first = attach_pair(category_of_pairs())
    passed(first)
    passed(second, OTHER)
    settle_all()
    assert status_of(first) == "REJECTED"
    for attachment in FileAttachment.objects.with_results():
        problem = attachment.problem()
        assert problem is not None
        assert problem.code == "pair_read_names"
        assert "“a_R1.fastq” and “a_R2.fastq”" in problem.detail
        assert attachment.state() == File.Status.REJECTED


@pytest.mark.embedded
def test_which_file_is_read_1_is_told_by_the_names_and_not_by_their_order() -> None:
    second, first = attach_pair(category_of_pairs())
    passed(first, mate="2")
    passed(second, mate="1")
    settle_all()
    assert set(FileAttachment.objects.values_list("pair_problem_code", flat=True)) == {"pair_swapped"}


def test_results_from_before_mates_were_looked_for_are_compared_by_number_and_names() -> None:
    for category in (category_of_pairs(), category_of_pairs()):
        for attachment in attach_pair(category):
            ContentCheckResultFactory.create(file=attachment.file, data=FITTING)
    settle_all()
    assert set(SequenceEntry.objects.values_list("status", flat=True)) == {"ACCEPTED"}


def test_a_failed_check_of_one_is_the_reason_and_nothing_is_compared() -> None:
    second, first = attach_pair(category_of_pairs())
    passed(first)
    ContentCheckResultFactory.create(file=second.file, passed=False)
    settle_all()
    assert status_of(first) == "REJECTED"
    assert not FileAttachment.objects.filter(pair_compared_at__isnull=False)


@pytest.mark.embedded
def test_a_pair_is_not_compared_before_both_files_are_verified() -> None:
    second, first = attach_pair(category_of_pairs())
    passed(first)
    passed(second)
    File.objects.filter(pk=second.file_id).update(status=File.Status.VERIFYING)
    settle_all()
    assert not FileAttachment.objects.filter(pair_compared_at__isnull=False)


@pytest.mark.embedded
def test_categories_of_one_entry_and_entries_of_one_file_are_compared_apart() -> None:
    category = category_of_pairs()
    _, first = attach_pair(category)
    entry = SequenceEntryFactory.create(submission=first.entry.submission)
    other_category = FileCategoryFactory.create(
        organism=category.organism, content_check=ContentCheck.FASTQ, pairing=True
    )
    shared = FileAttachmentFactory.create(entry=entry, category=other_category, file=first.file, name="b_1.fq")
    stranger = FileAttachmentFactory.create(entry=entry, category=other_category, name="b_2.fq")
    attach_pair(category, entry=entry)
    for attachment in FileAttachment.objects.exclude(pk__in=[shared.pk, stranger.pk]):
        passed(attachment)
    passed(stranger, OTHER)
    settle_all()
    found = FileAttachment.objects.values_list("category", "entry", "pair_problem_code")
    assert set(found) == {
        (category.pk, first.entry_id, ""),
        (category.pk, entry.pk, ""),
        (other_category.pk, entry.pk, "pair_read_names"),
    }
    assert (status_of(first), status_of(shared)) == ("ACCEPTED", "REJECTED")


@pytest.mark.embedded
def test_only_the_entries_that_are_asked_for_are_compared() -> None:
    category = category_of_pairs()
    pairs = [attach_pair(category) for _ in range(2)]
    for attachment in FileAttachment.objects.all():
        passed(attachment)
    acceptance.settle_entries_of([pairs[0][0].file_id])
    assert [status_of(pair[0]) for pair in pairs] == ["ACCEPTED", "VERIFYING"]
    assert FileAttachment.objects.filter(pair_compared_at__isnull=False).count() == 2


@pytest.mark.embedded
def test_an_entry_in_quarantine_waits_and_its_pair_is_compared_once() -> None:
    second, first = attach_pair(category_of_pairs())
    passed(first)
    passed(second)
    File.objects.filter(pk=first.file_id).update(quarantined_at=timezone.now(), quarantined_by=first.file.requested_by)
    settle_all()
    compared = list(FileAttachment.objects.values_list("pair_compared_at", flat=True))
    assert None not in compared
    settle_all()
    assert status_of(first) == "VERIFYING"
    assert list(FileAttachment.objects.values_list("pair_compared_at", flat=True)) == compared


@pytest.mark.embedded
def test_a_pair_does_not_wait_for_that_of_another_category() -> None:
    category, other = category_of_pairs(), category_of_pairs()
    second, first = attach_pair(category)
    attach_pair(other, entry=first.entry)
    passed(first)
    passed(second)
    settle_all()
    compared = FileAttachment.objects.filter(pair_compared_at__isnull=False)
    assert set(compared.values_list("category", flat=True)) == {category.pk}
    assert status_of(first) == "VERIFYING"


@pytest.mark.embedded
def test_settling_again_changes_nothing() -> None:
    category = category_of_pairs()
    for data in (FITTING, OTHER):
        second, first = attach_pair(category)
        passed(first)
        passed(second, data)
    settle_all()
    before = list(FileAttachment.objects.order_by("pk").values()), list(SequenceEntry.objects.order_by("pk").values())
    assert {entry["status"] for entry in before[1]} == {"ACCEPTED", "REJECTED"}
    sweeping.settle_entries()
    after = list(FileAttachment.objects.order_by("pk").values()), list(SequenceEntry.objects.order_by("pk").values())
    assert after == before


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_settling_at_once_ends_as_settling_once_does() -> None:
    category = category_of_pairs()
    submission = SubmissionFactory.create(organism=category.organism)
    for number in range(20):
        second, first = attach_pair(category, entry=SequenceEntryFactory.create(submission=submission))
        passed(first)
        passed(second, OTHER if number % 2 else FITTING)
    sooner = SequenceEntry.objects.order_by("pk")
    later = SequenceEntry.objects.order_by("-pk")

    def run(number: int) -> None:
        try:
            acceptance.settle(later if number % 2 else sooner)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert list(sooner.values_list("status", flat=True)) == ["ACCEPTED", "REJECTED"] * 10
    assert not FileAttachment.objects.filter(pair_compared_at__isnull=True)


def queries_of(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


@pytest.mark.embedded
def test_queries_do_not_grow_with_the_number_of_pairs() -> None:
    category = category_of_pairs()

    def settle_more(number: int) -> int:
        for _ in range(number):
            for data in (FITTING, OTHER):
                second, first = attach_pair(category)
                passed(first)
                passed(second, data)
        return queries_of(settle_all)

    few = settle_more(1)
    assert settle_more(10) == few
    assert not SequenceEntry.objects.filter(status="VERIFYING")
    # Without pairs: a look for them, one for entries to reject and one for entries to accept, each with a savepoint
    # around it, and an update.
    SequenceEntryFactory.create_batch(3)
    assert queries_of(settle_all) == 8
