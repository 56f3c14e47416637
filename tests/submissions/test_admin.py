"""Groups, submissions and entries in the admin, and what its pages cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from files import rules
from files.models import ContentCheck, FileCategory
from submissions.models import Group, GroupMembership, SequenceEntry
from tests.admin_pages import change_page, delete_page, grows, sent_form, words
from tests.factories import (
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
    GroupFactory,
    MetadataFieldFactory,
    OrganismFactory,
    SequenceEntryFactory,
    SubmissionFactory,
    UserFactory,
    demo_categories,
    group_of,
)

pytestmark = pytest.mark.django_db


def test_an_admin_makes_a_group_with_members(admin_client: Client, admin_user: User) -> None:
    alice, bob = UserFactory.create_batch(2)
    address = "/admin/submissions/group/add/"
    form = sent_form(admin_client.get(address)) | {
        "name": "Demo Lab",
        "memberships-TOTAL_FORMS": "2",
        "memberships-0-user": str(alice.pk),
        "memberships-1-user": str(bob.pk),
    }

    answer = admin_client.post(address, form)

    assert answer.status_code == 302, words(answer)
    group = Group.objects.get(name="Demo Lab")
    assert set(group.members.all()) == {alice, bob}
    assert group.created_by == admin_user


def test_members_are_added_and_removed_but_the_last_one_stays(admin_client: Client) -> None:
    alice, bob = UserFactory.create_batch(2)
    group = group_of(alice)
    page = change_page(group)

    def remove_first() -> Any:
        form = sent_form(admin_client.get(page)) | {"memberships-0-DELETE": "on"}
        return admin_client.post(page, form)

    assert "A group has at least one member; name one who stays." in words(remove_first())
    assert list(group.members.all()) == [alice]
    form = sent_form(admin_client.get(page)) | {"memberships-0-DELETE": "on", "memberships-1-user": str(bob.pk)}
    assert admin_client.post(page, form).status_code == 302
    assert list(group.members.all()) == [bob]
    assert Group.objects.get().created_by == alice


def test_an_admin_sees_what_a_group_uses_and_sets_its_quota(admin_client: Client) -> None:
    group = group_of(UserFactory.create())
    FileFactory.create(group=group, status="UPLOADED", size=7_500)
    page = change_page(group)

    assert "7.5 kB of any number" in words(admin_client.get(page))
    for written, stored, told in (("10 kB", 10_000, "7.5 kB of 10.0 kB"), ("", None, "any"), ("0", 0, "any")):
        form = sent_form(admin_client.get(page)) | {"quota_bytes": written}
        assert admin_client.post(page, form).status_code == 302
        group.refresh_from_db()
        assert group.quota_bytes == stored
        assert told in words(admin_client.get(page))
    wrong = admin_client.post(page, sent_form(admin_client.get(page)) | {"quota_bytes": "much"})
    assert "Write a number of bytes, or one with a unit" in words(wrong)


def test_a_group_without_members_is_not_made(admin_client: Client) -> None:
    address = "/admin/submissions/group/add/"

    answer = admin_client.post(address, sent_form(admin_client.get(address)) | {"name": "Nobody's Lab"})

    assert "A group has at least one member; name one who stays." in words(answer)
    assert not Group.objects.exists()


def test_a_member_is_not_made_a_member_twice(admin_client: Client) -> None:
    alice, bob = UserFactory.create_batch(2)
    group = group_of(alice)
    page = change_page(group)

    again = admin_client.post(page, sent_form(admin_client.get(page)) | {"memberships-1-user": str(alice.pk)})
    twice = sent_form(admin_client.get(page)) | {
        "memberships-TOTAL_FORMS": "3",
        "memberships-1-user": str(bob.pk),
        "memberships-2-user": str(bob.pk),
    }
    at_once = admin_client.post(page, twice)

    assert "Please correct the duplicate data for user." in words(again)
    assert "Please correct the duplicate data for user." in words(at_once)
    assert GroupMembership.objects.get().user == alice


def test_a_group_that_owns_something_is_kept_and_the_reason_told(admin_client: Client) -> None:
    group = group_of(UserFactory.create())
    SubmissionFactory.create(group=group)
    FileFactory.create_batch(2, group=group)

    page = admin_client.get(delete_page(group))
    sent = admin_client.post(delete_page(group), {"post": "yes"})

    assert "1 submission 2 files" in words(page)
    assert "1 submission 2 files" in words(sent)
    assert Group.objects.exists()


def test_a_submission_shows_its_derived_status_and_leads_to_its_entries(admin_client: Client) -> None:
    submission = SubmissionFactory.create(metadata_file="metadata/kept")
    accepted = SequenceEntryFactory.create(submission=submission, status=SequenceEntry.Status.ACCEPTED)
    rejected = SequenceEntryFactory.create(submission=submission, status=SequenceEntry.Status.REJECTED)
    other = SequenceEntryFactory.create()

    listed = words(admin_client.get("/admin/submissions/submission/"))
    page = words(admin_client.get(change_page(submission)))
    entries = words(admin_client.get("/admin/submissions/sequenceentry/", {"submission__id__exact": submission.pk}))

    assert "Partly accepted 2: 1 accepted, 1 rejected" in listed
    assert "Partly accepted" in page
    assert "2: 1 accepted, 1 rejected" in page
    assert "metadata/kept" in page
    assert str(accepted) in entries
    assert str(rejected) in entries
    assert str(other) not in entries


def test_an_entry_shows_each_files_state_in_its_category(admin_client: Client) -> None:
    entry = SequenceEntryFactory.create(metadata={"country": "Uganda"})
    raw_reads, supplementary = demo_categories(entry.submission.organism)
    file = FileAttachmentFactory.create(entry=entry, category=raw_reads, name="reads.fastq.gz").file
    FileAttachmentFactory.create(entry=entry, category=supplementary, file=file, name="same.bin")
    file.check_results.create(check_name="fastq", version=1, passed=False, code="fastq_empty", detail="It is empty.")

    page = words(admin_client.get(change_page(entry)))

    assert f"Raw reads reads.fastq.gz {file} Rejected fastq_empty: It is empty." in page
    assert f"Supplementary files same.bin {file} Verified none" in page
    assert "Uganda" in page


def test_an_entry_shows_the_rules_it_was_verified_under_and_not_those_of_today(admin_client: Client) -> None:
    entry = SequenceEntryFactory.create()
    raw_reads, supplementary = demo_categories(entry.submission.organism)
    assert "Verified under: no rules for files" in words(admin_client.get(change_page(entry)))
    raw_reads.required, raw_reads.extensions = True, ["<.fastq>"]
    entry.rule_set = rules.record(entry.submission.organism, [raw_reads, supplementary])
    entry.save()
    FileCategory.objects.update(shown_name="Renamed", content_check=ContentCheck.NONE)

    page = words(admin_client.get(change_page(entry)))

    assert (
        "Verified under: Raw reads (rawReads), required. Names end in <.fastq>. Each file is checked to be readable as "
        "FASTQ, plain or gzipped. Supplementary files (supplementary), optional. Released at"
    ) in page


@pytest.mark.parametrize("make", [SubmissionFactory.create, SequenceEntryFactory.create])
def test_submissions_and_entries_are_read_only(admin_client: Client, make: Callable[[], Any]) -> None:
    row = make()
    name = f"{row._meta.app_label}/{row._meta.model_name}"

    assert admin_client.get(f"/admin/{name}/add/").status_code == 403
    assert admin_client.get(delete_page(row)).status_code == 403
    assert admin_client.post(delete_page(row), {"post": "yes"}).status_code == 403
    assert admin_client.post(change_page(row), {"status": "ACCEPTED"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_submissions_and_entries_are_found(admin_client: Client) -> None:
    # Names without digits, which a submission's number would find too.
    other = UserFactory.create(username="other")
    SubmissionFactory.create(group=GroupFactory.create(name="Other Lab", created_by=other))
    group = GroupFactory.create(name="Sought Lab", created_by=UserFactory.create(username="sought"))
    submission = SubmissionFactory.create(group=group)
    entry = SequenceEntryFactory.create(submission=submission, accession="SAT_42", given_submission_id="sample-x")

    for words_sought in (str(submission.pk), submission.group.name, submission.submitted_by.username):
        answer = admin_client.get("/admin/submissions/submission/", {"q": words_sought})
        assert list(answer.context["cl"].queryset) == [submission], words_sought
    for words_sought in ("SAT_42", "sample-x", submission.group.name):
        answer = admin_client.get("/admin/submissions/sequenceentry/", {"q": words_sought})
        assert list(answer.context["cl"].queryset) == [entry], words_sought
    assert not admin_client.get("/admin/submissions/submission/", {"q": "no such"}).context["cl"].queryset


ADDED: dict[str, Callable[[], object]] = {
    "organism": lambda: demo_categories(OrganismFactory.create()),
    "group": lambda: group_of(*UserFactory.create_batch(2)),
    "submission": SequenceEntryFactory.create,
    "sequenceentry": FileAttachmentFactory.create,
}


@pytest.mark.parametrize("name", ADDED)
def test_lists_take_as_many_queries_for_many_rows_as_for_few(admin_client: Client, name: str) -> None:
    assert grows(admin_client, f"/admin/submissions/{name}/", ADDED[name]) == 0


def test_pages_with_rows_beside_them_take_as_many_queries_for_many_as_for_few(admin_client: Client) -> None:
    organism = OrganismFactory.create()
    group = GroupFactory.create()
    entry = SequenceEntryFactory.create()

    def add_to_organism() -> None:
        FileCategoryFactory.create(organism=organism)
        MetadataFieldFactory.create(organism=organism)

    assert grows(admin_client, change_page(organism), add_to_organism) == 0
    assert grows(admin_client, change_page(entry), lambda: FileAttachmentFactory.create(entry=entry)) == 0
    assert (
        grows(
            admin_client,
            change_page(group),
            lambda: GroupMembership.objects.create(group=group, user=UserFactory.create()),
        )
        == 0
    )
