"""What is known of files and attachments: row methods and QuerySets agree, and workers find what waits for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from files import acceptance
from files.models import ContentCheck, ContentCheckResult, File, FileAttachment
from files.models.status import FileStatus
from files.problem import FileProblem
from submissions.models import GroupMembership, SequenceEntry
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
    OrganismFactory,
    SequenceEntryFactory,
    SubmissionFactory,
    UserFactory,
    demo_categories,
    group_of,
)

pytestmark = [pytest.mark.embedded, pytest.mark.django_db]

Status = File.Status
VERIFYING = SequenceEntry.Status.VERIFYING
SIZE = 100


def test_files_are_visible_to_members_alone() -> None:
    owner, member, former_member, outsider = UserFactory.create_batch(4)
    file = FileFactory.create(group=group_of(owner, member, former_member))
    GroupMembership.objects.filter(user=former_member).delete()
    others = FileFactory.create(group=group_of(outsider))

    assert list(File.objects.visible_to(owner)) == [file]
    assert list(File.objects.visible_to(member)) == [file]
    assert list(File.objects.visible_to(outsider)) == [others]
    assert not File.objects.visible_to(former_member)
    assert not File.objects.visible_to(UserFactory.create(admin=True))
    assert not File.objects.visible_to(AnonymousUser())


def test_files_in_quarantine_or_being_deleted_cannot_be_attached() -> None:
    free = FileFactory.create()
    FileFactory.create(deleting_at=timezone.now())
    FileFactory.create(quarantined_at=timezone.now(), quarantined_by=UserFactory.create())

    assert list(File.objects.attachable()) == [free]


@dataclass(frozen=True)
class Case:
    """One combination of what an attachment's state depends on, and what it should be, in words of the contract.

    `result` is that of the content check that the category asks for, `other_result` that of another one.
    """

    status: FileStatus
    check: ContentCheck
    result: bool | None
    other_result: bool | None
    max_file_size: int | None = None
    quarantined: bool = False

    @property
    def size(self) -> int | None:
        return SIZE if self.status in {Status.VERIFYING, Status.VERIFIED, Status.REJECTED} else None

    @property
    def problem_code(self) -> str | None:
        if self.status == Status.REJECTED:
            return "sha256_mismatch"
        if self.size and self.max_file_size and self.size > self.max_file_size:
            return "file_too_large"
        return f"{self.check}_truncated" if self.result is False else None

    @property
    def unchecked(self) -> bool:
        return self.check != ContentCheck.NONE and self.result is None

    @property
    def state(self) -> FileStatus:
        if self.problem_code:
            return Status.REJECTED
        return Status.VERIFYING if self.status == Status.VERIFIED and self.unchecked else self.status

    @property
    def entry_status(self) -> SequenceEntry.Status:
        if self.problem_code:
            return SequenceEntry.Status.REJECTED
        good = self.state == Status.VERIFIED and not self.quarantined
        return SequenceEntry.Status.ACCEPTED if good else SequenceEntry.Status.VERIFYING


RESULTS = (None, True, False)
CHECKED = [
    (check, result) for check, result in product(ContentCheck, RESULTS) if check != ContentCheck.NONE or result is None
]
CASES = [
    Case(status, check, result, other_result, max_file_size, quarantined)
    for status, (check, result), other_result, max_file_size, quarantined in product(
        Status, CHECKED, RESULTS, (None, SIZE, SIZE - 1), (False, True)
    )
]


def store(cases: Sequence[Case], entry_status: SequenceEntry.Status) -> list[FileAttachment]:
    """For each case a file that is attached to an entry of its own; in few queries, since cases are many."""
    submission = SubmissionFactory.create()
    someone = submission.submitted_by
    categories = {
        rules: FileCategoryFactory.create(organism=submission.organism, content_check=rules[0], max_file_size=rules[1])
        for rules in {(case.check, case.max_file_size) for case in cases}
    }
    entries = SequenceEntryFactory.build_batch(len(cases), submission=submission, status=entry_status)
    SequenceEntry.objects.bulk_create(entries)
    files = [
        FileFactory.build(
            group=submission.group,
            status=case.status,
            size=case.size,
            quarantined_at=timezone.now() if case.quarantined else None,
            quarantined_by=someone if case.quarantined else None,
        )
        for case in cases
    ]
    File.objects.bulk_create(files)
    ContentCheckResult.objects.bulk_create(
        ContentCheckResultFactory.build(file=file, check_name=check, passed=passed)
        for case, file in zip(cases, files, strict=True)
        for check, passed in ((case.check, case.result), (other_check(case), case.other_result))
        if passed is not None
    )
    return FileAttachment.objects.bulk_create(
        FileAttachmentFactory.build(entry=entry, file=file, category=categories[case.check, case.max_file_size])
        for case, entry, file in zip(cases, entries, files, strict=True)
    )


def other_check(case: Case) -> ContentCheck:
    """A content check that the case's category does not ask for."""
    return ContentCheck.GZIP if case.check != ContentCheck.GZIP else ContentCheck.FASTQ


def test_state_and_problem_of_an_attachment_are_those_of_the_contract(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    stored = {attachment.pk: case for attachment, case in zip(store(CASES, VERIFYING), CASES, strict=True)}

    with django_assert_num_queries(2):
        attachments = list(FileAttachment.objects.with_results())
        found = {
            attachment.pk: (attachment.state(), getattr(attachment.problem(), "code", None))
            for attachment in attachments
        }

    assert found == {key: (case.state, case.problem_code) for key, case in stored.items()}


def test_querysets_of_attachments_agree_with_their_states() -> None:
    stored = {attachment.pk: case for attachment, case in zip(store(CASES, VERIFYING), CASES, strict=True)}
    objects = FileAttachment.objects
    failed = set(objects.failed().values_list("pk", flat=True))
    pending = set(objects.pending().values_list("pk", flat=True))
    without_result = set(objects.without_result().values_list("pk", flat=True))

    for key, case in stored.items():
        assert (key in failed) == (case.problem_code is not None), case
        assert (key not in failed | pending) == (case.entry_status == SequenceEntry.Status.ACCEPTED), case
        assert (key in without_result) == case.unchecked, case


def test_entries_are_settled_by_the_state_of_their_attachment() -> None:
    stored = {attachment.entry_id: case for attachment, case in zip(store(CASES, VERIFYING), CASES, strict=True)}

    acceptance.settle(SequenceEntry.objects.all())

    for entry in SequenceEntry.objects.all():
        assert entry.status == stored[entry.pk].entry_status, stored[entry.pk]


def test_workers_wait_for_unread_bytes_and_for_checks_that_an_open_entry_asks_for() -> None:
    cases = [case for case in CASES if case.max_file_size is None and not case.quarantined]
    expected = set()
    for entry_status in SequenceEntry.Status:
        for attachment, case in zip(store(cases, entry_status), cases, strict=True):
            unread = case.status in {Status.UPLOADED, Status.VERIFYING}
            unchecked = case.status == Status.VERIFIED and case.unchecked and entry_status == VERIFYING
            expected |= {attachment.file_id} if unread or unchecked else set()
    expected |= {FileFactory.create(status=status).pk for status in (Status.UPLOADED, Status.VERIFYING)}
    FileFactory.create(status=Status.VERIFIED)

    waiting = [*File.objects.awaiting_verification(), *File.objects.awaiting_checks()]

    assert sorted(file.pk for file in waiting) == sorted(expected)


def test_a_file_is_found_once_however_often_it_waits_for_a_check() -> None:
    file = FileFactory.create(status=Status.VERIFIED)
    for check in (ContentCheck.GZIP, ContentCheck.FASTQ):
        FileAttachmentFactory.create_batch(2, file=file, category__content_check=check)

    assert list(File.objects.awaiting_checks()) == [file]


def test_a_file_is_free_when_its_lease_has_run_out_its_pause_is_over_and_nobody_deletes_it() -> None:
    now = timezone.now()
    moments = (None, now - timedelta(seconds=1), now, now + timedelta(seconds=1))
    group = group_of(UserFactory.create())
    expected = set()
    for lease, retry, deleting in product(moments, moments, (None, now)):
        file = FileFactory.create(
            group=group, status=Status.UPLOADED, lease_expires_at=lease, retry_at=retry, deleting_at=deleting
        )
        if (lease is None or lease < now) and (retry is None or retry <= now) and deleting is None:
            expected.add(file.pk)

    assert set(File.objects.free_at(now).values_list("pk", flat=True)) == expected
    assert len(expected) == 6


def test_a_problem_says_where_in_the_file_it_is() -> None:
    attachment = FileAttachmentFactory.create(category__content_check=ContentCheck.FASTQ)
    ContentCheckResultFactory.create(
        file=attachment.file, passed=False, code="fastq_quality_length", detail="Too short.", line=8, offset=120
    )

    assert attachment.problem() == FileProblem("fastq_quality_length", "Too short.", line=8, offset=120)


def test_a_file_that_is_too_large_for_one_category_is_good_in_another() -> None:
    file = FileFactory.create(status=Status.VERIFIED, size=2_000_000)
    small, large = (
        FileAttachmentFactory.create(file=file, category__shown_name="Gel", category__max_file_size=limit)
        for limit in (1_999_999, 2_000_000)
    )

    assert small.problem() == FileProblem("file_too_large", "The file has 2,000,000 bytes; “Gel” allows 1,999,999.")
    assert large.problem() is None
    assert (small.state(), large.state()) == (Status.REJECTED, Status.VERIFIED)


def test_a_rule_changed_later_says_nothing_against_what_was_accepted() -> None:
    entry = SequenceEntryFactory.create(status=SequenceEntry.Status.ACCEPTED)
    file = FileFactory.create(status=Status.VERIFIED, size=2_000_000)
    attachment = FileAttachmentFactory.create(entry=entry, file=file, category__max_file_size=1)

    assert (attachment.problem(), attachment.state()) == (None, Status.VERIFIED)


def test_attachments_come_in_the_order_of_their_categories_and_places() -> None:
    entry = SequenceEntryFactory.create()
    organism = entry.submission.organism
    second, first, third = (
        FileCategoryFactory.create(organism=organism, name=name, order=order)
        for name, order in (("b", 0), ("a", 0), ("a0", 1))
    )
    expected = [
        FileAttachmentFactory.create(entry=entry, category=category, position=position)
        for category, position in ((third, 0), (second, 1), (second, 0), (first, 0))
    ][::-1]

    assert list(entry.attachments.with_results()) == expected


def test_rows_are_called_what_people_call_them() -> None:
    named, nameless = FileFactory.create(claimed_name="reads.fastq"), FileFactory.create()
    passed, failed = ContentCheckResultFactory.create(), ContentCheckResultFactory.create(passed=False)

    assert str(named) == f"reads.fastq {named.pk}"
    assert str(nameless) == f"File {nameless.pk}"
    assert (str(passed), str(failed)) == ("fastq passed", "fastq fastq_truncated")
    assert str(FileAttachmentFactory.create(name="gel.png")) == "gel.png"


def test_every_state_of_a_file_can_be_stored_single_and_multipart() -> None:
    for status, multipart in product(Status, (False, True)):
        file = FileFactory.create(status=status, multipart=multipart)
        assert file.is_multipart == multipart


def test_the_demos_categories_are_raw_reads_checked_as_fastq_and_anything_else() -> None:
    raw_reads, supplementary = demo_categories(OrganismFactory.create())

    assert (raw_reads.content_check, supplementary.content_check) == (ContentCheck.FASTQ, ContentCheck.NONE)
    raw_reads.full_clean()
    supplementary.full_clean()
