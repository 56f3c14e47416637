"""Organisms, groups, submissions and entries in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from files import rules
from files.models import ContentCheck, FileCategory
from submissions.models import Group, GroupMembership, MetadataField, Organism, SequenceEntry, Submission
from tests.admin_pages import grows, sent_form, with_inline, words
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

ADD_ORGANISM = "/admin/submissions/organism/add/"
CATEGORY = {"name": "rawReads", "shown_name": "Raw reads", "content_check": "fastq", "order": 0, "min_files": 1}
FIELD = {"name": "host", "shown_name": "Host", "kind": "TEXT", "order": 0}


def change_page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def delete_page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])


def test_an_admin_sets_up_an_organism_with_its_categories_and_fields(admin_client: Client) -> None:
    category = CATEGORY | {"max_file_size": "1.5 GB", "extensions": ".fastq.gz, .fq.gz", "max_files": 2, "order": 3}
    field = FIELD | {"kind": "CHOICE", "choices": "blood\r\n\r\n serum \r\n", "required": "on", "order": 1}
    form = with_inline(admin_client.get(ADD_ORGANISM), "file_categories", category) | {
        "name": "Ebola Sudan",
        "slug": "ebola-sudan",
        "file_sharing": "on",
        "metadata_fields-TOTAL_FORMS": "1",
        **{f"metadata_fields-0-{name}": str(value) for name, value in field.items()},
    }

    answer = admin_client.post(ADD_ORGANISM, form)

    assert answer.status_code == 302, words(answer)
    organism = Organism.objects.get(slug="ebola-sudan")
    assert organism.file_sharing
    stored = organism.file_categories.get()
    assert (stored.name, stored.shown_name) == ("rawReads", "Raw reads")
    assert (stored.order, stored.content_check) == (3, ContentCheck.FASTQ)
    assert (stored.min_files, stored.max_files, stored.required) == (1, 2, False)
    assert (stored.max_file_size, stored.extensions) == (1_500_000_000, [".fastq.gz", ".fq.gz"])
    chosen = organism.metadata_fields.get()
    assert (chosen.name, chosen.kind, chosen.choices) == ("host", MetadataField.Kind.CHOICE, ["blood", "serum"])
    assert (chosen.required, chosen.order) == (True, 1)


def test_the_list_of_organisms_counts_categories_and_fields(admin_client: Client) -> None:
    organism = OrganismFactory.create(name="Ebola Sudan", slug="ebola-sudan")
    demo_categories(organism)
    MetadataFieldFactory.create_batch(3, organism=organism)

    page = words(admin_client.get("/admin/submissions/organism/"))

    assert "Ebola Sudan ebola-sudan Required 2 3" in page


def test_an_organism_sent_back_as_it_was_shown_stays_the_same(admin_client: Client) -> None:
    organism = OrganismFactory.create()
    category = FileCategoryFactory.create(organism=organism, max_file_size=5 * 1024**3, extensions=[".a", ".B.gz"])
    field = MetadataFieldFactory.create(organism=organism, kind="CHOICE", choices=["blood", "serum, dried"])

    answer = admin_client.post(change_page(organism), sent_form(admin_client.get(change_page(organism))))

    assert answer.status_code == 302, words(answer)
    category.refresh_from_db()
    field.refresh_from_db()
    assert (category.max_file_size, category.extensions) == (5 * 1024**3, [".a", ".B.gz"])
    assert field.choices == ["blood", "serum, dried"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"min_files": 3, "max_files": 2}, "The most files cannot be fewer than the fewest, which are 3."),
        ({"min_files": 0}, "Ensure this value is greater than or equal to 1."),
        ({"max_file_size": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"max_file_size": "large"}, "Write a number of bytes, or one with a unit, such as “5 GB” or “500 MiB”."),
        ({"extensions": "fastq"}, "“fastq” does not begin with a dot; write “.fastq”."),
        ({"extensions": ".fq ."}, "“.” is no ending"),
        ({"extensions": ".fq .FQ"}, "One ending stands twice; upper and lower case count as the same."),
        ({"name": "raw reads"}, "Use letters, digits and underscores."),
        ({"name": ""}, "This field is required."),
        ({"content_check": "exe"}, "Select a valid choice. exe is not one of the available choices."),
        (
            {"pairing": "on", "content_check": "gzip"},
            "Only reads are paired: choose the content check “FASTQ, plain or gzipped”, or do without pairs.",
        ),
        ({"pairing": "on", "min_files": 3}, "A pair is two files; write 2, or do without pairs."),
        ({"pairing": "on", "max_files": 1}, "A pair is two files; write 2, or do without pairs."),
        ({"pairing": "on", "max_files": 4}, "A pair is two files; write 2, or do without pairs."),
    ],
)
def test_a_category_that_cannot_be_is_refused_in_words(
    admin_client: Client, changes: dict[str, object], expected: str
) -> None:
    form = with_inline(admin_client.get(ADD_ORGANISM), "file_categories", CATEGORY | changes)

    answer = admin_client.post(ADD_ORGANISM, form | {"name": "Any", "slug": "any"})

    assert answer.status_code == 200
    assert expected in words(answer)
    assert "Constraint" not in words(answer)
    assert not Organism.objects.exists()


@pytest.mark.parametrize("numbers", [{}, {"min_files": 2}, {"max_files": 2}, {"min_files": 2, "max_files": 2}], ids=str)
def test_a_category_of_pairs_takes_two_files_without_being_told(
    admin_client: Client, numbers: dict[str, object]
) -> None:
    category = CATEGORY | {"pairing": "on"} | numbers
    form = with_inline(admin_client.get(ADD_ORGANISM), "file_categories", category)

    answer = admin_client.post(ADD_ORGANISM, form | {"name": "Any", "slug": "any"})

    assert answer.status_code == 302, words(answer)
    stored = FileCategory.objects.get()
    assert (stored.pairing, stored.min_files, stored.max_files) == (True, 2, 2)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "accession"}, "“accession” is a column that every metadata table uses itself."),
        ({"kind": "CHOICE"}, "A choice needs values to choose from, and only a choice has them."),
        ({"choices": "blood"}, "A choice needs values to choose from, and only a choice has them."),
        ({"kind": "CHOICE", "choices": "blood\nserum\nblood"}, "One value stands twice in the list."),
        ({"name": "1st"}, "Use letters, digits and underscores."),
    ],
)
def test_a_metadata_field_that_cannot_be_is_refused_in_words(
    admin_client: Client, changes: dict[str, object], expected: str
) -> None:
    form = with_inline(admin_client.get(ADD_ORGANISM), "metadata_fields", FIELD | changes)

    answer = admin_client.post(ADD_ORGANISM, form | {"name": "Any", "slug": "any"})

    assert answer.status_code == 200
    assert expected in words(answer)
    assert not Organism.objects.exists()


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("files", "“files” is a word of the API's own paths (/api/files); choose another slug."),
        ("Ebola", "Use lower-case letters, digits and single hyphens."),
        ("taken", "Organism with this Slug already exists."),
    ],
)
def test_a_slug_that_cannot_be_is_refused_in_words(admin_client: Client, slug: str, expected: str) -> None:
    OrganismFactory.create(slug="taken")

    answer = admin_client.post(ADD_ORGANISM, sent_form(admin_client.get(ADD_ORGANISM)) | {"name": "Any", "slug": slug})

    assert expected in words(answer)
    assert Organism.objects.count() == 1


@pytest.mark.parametrize(("prefix", "row"), [("file_categories", CATEGORY), ("metadata_fields", FIELD)])
def test_a_name_that_stands_twice_in_an_organism_is_refused_in_words(
    admin_client: Client, prefix: str, row: dict[str, object]
) -> None:
    organism = OrganismFactory.create()
    FileCategoryFactory.create(organism=organism, name="rawReads")
    MetadataFieldFactory.create(organism=organism, name="host")

    answer = admin_client.post(change_page(organism), with_inline(admin_client.get(change_page(organism)), prefix, row))

    assert answer.status_code == 200
    assert "Please correct the duplicate data for name." in words(answer)


def test_a_category_with_attached_files_is_kept_and_the_reason_told(admin_client: Client) -> None:
    organism = OrganismFactory.create()
    used, unused = demo_categories(organism)
    FileAttachmentFactory.create_batch(2, entry__submission__organism=organism, category=used)
    form = sent_form(admin_client.get(change_page(organism)))

    refused = admin_client.post(change_page(organism), form | {"file_categories-0-DELETE": "on"})
    deleted = admin_client.post(change_page(organism), form | {"file_categories-1-DELETE": "on"})

    assert "“Raw reads” cannot be deleted: 2 files are attached in it." in words(refused)
    assert (refused.status_code, deleted.status_code) == (200, 302)
    assert list(organism.file_categories.all()) == [used]
    assert unused.pk not in FileCategory.objects.values_list("pk", flat=True)


def test_an_organism_with_submissions_is_kept_and_the_reason_told(admin_client: Client) -> None:
    used, unused = OrganismFactory.create_batch(2)
    SubmissionFactory.create_batch(3, organism=used)

    page = admin_client.get(delete_page(used))
    sent = admin_client.post(delete_page(used), {"post": "yes"})
    action = {"action": "delete_selected", "_selected_action": [used.pk, unused.pk], "post": "yes"}
    together = admin_client.post("/admin/submissions/organism/", action)

    assert "3 submissions" in words(page)
    assert "3 submissions" in words(sent)
    assert "3 submissions" in words(together)
    assert Organism.objects.count() == 2
    assert admin_client.post(delete_page(unused), {"post": "yes"}).status_code == 302
    assert list(Organism.objects.all()) == [used]


def test_an_unused_organism_goes_with_its_categories_and_fields(admin_client: Client) -> None:
    organism = MetadataFieldFactory.create().organism
    demo_categories(organism)

    admin_client.post(delete_page(organism), {"post": "yes"})

    assert not FileCategory.objects.exists()
    assert not MetadataField.objects.exists()


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


def test_deleting_counts_what_stands_against_it_without_reading_it(admin_client: Client) -> None:
    organism = OrganismFactory.create()

    assert grows(admin_client, delete_page(organism), lambda: SubmissionFactory.create(organism=organism)) == 0
    assert "6 submissions" in words(admin_client.get(delete_page(organism)))
    assert Submission.objects.count() == 6
