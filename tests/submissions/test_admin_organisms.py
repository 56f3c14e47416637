"""Organisms with their categories and metadata fields in the admin."""

from __future__ import annotations

import pytest
from django.test import Client

from files.models import ContentCheck, FileCategory
from submissions.models import MetadataField, Organism, Submission
from tests.admin_pages import change_page, delete_page, grows, sent_form, with_inline, words
from tests.factories import (
    FileAttachmentFactory,
    FileCategoryFactory,
    MetadataFieldFactory,
    OrganismFactory,
    SubmissionFactory,
    demo_categories,
)

pytestmark = pytest.mark.django_db

ADD_ORGANISM = "/admin/submissions/organism/add/"
CATEGORY = {"name": "rawReads", "shown_name": "Raw reads", "content_check": "fastq", "order": 0, "min_files": 1}
FIELD = {"name": "host", "shown_name": "Host", "kind": "TEXT", "order": 0}


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
    assert_refused(admin_client, "file_categories", CATEGORY | changes, expected)


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
    assert_refused(admin_client, "metadata_fields", FIELD | changes, expected)


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


def test_deleting_counts_what_stands_against_it_without_reading_it(admin_client: Client) -> None:
    organism = OrganismFactory.create()

    assert grows(admin_client, delete_page(organism), lambda: SubmissionFactory.create(organism=organism)) == 0
    assert "6 submissions" in words(admin_client.get(delete_page(organism)))
    assert Submission.objects.count() == 6


def assert_refused(client: Client, inline: str, values: dict[str, object], expected: str) -> None:
    """An organism with such a row beside it is refused in these words, and nothing is stored."""
    form = with_inline(client.get(ADD_ORGANISM), inline, values)
    answer = client.post(ADD_ORGANISM, form | {"name": "Any", "slug": "any"})
    assert answer.status_code == 200
    assert expected in words(answer)
    assert "Constraint" not in words(answer)
    assert not Organism.objects.exists()
