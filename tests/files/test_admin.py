"""Files in the admin, and the fields in which an admin writes sizes and extensions."""

from __future__ import annotations

import hashlib

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from files.admin import ATTACHMENTS_SHOWN
from files.admin_forms import ExtensionsField, FileSizeField, size_text
from files.models import File
from tests.admin_pages import grows, words
from tests.factories import ContentCheckResultFactory, FileAttachmentFactory, FileFactory, UserFactory

embedded = [pytest.mark.embedded, pytest.mark.django_db]
LIST = "/admin/files/file/"


def of_database(test: object) -> object:
    """Marks a test that depends on the database."""
    return pytest.mark.embedded(pytest.mark.django_db(test))


def page_of(file: File) -> str:
    return f"{LIST}{file.pk}/change/"


@of_database
def test_a_file_is_found_by_id_hash_and_names(admin_client: Client) -> None:
    FileAttachmentFactory.create_batch(2)
    file = FileFactory.create(status=File.Status.VERIFIED, claimed_name="Sample 7.fastq.gz", content=b"sought")
    FileAttachmentFactory.create_batch(2, file=file, name="reads_of_gel.fastq")
    sha256 = hashlib.sha256(b"sought").hexdigest()

    for sought in (
        str(file.pk),
        str(file.pk).upper(),
        str(file.pk)[:12],
        sha256,
        sha256.upper()[:20],
        "sample 7",
        "OF_GEL",
    ):
        assert list(admin_client.get(LIST, {"q": sought}).context["cl"].queryset) == [file], sought
    assert not admin_client.get(LIST, {"q": "no such file"}).context["cl"].queryset


@of_database
def test_files_are_filtered_by_status_group_and_quarantine(admin_client: Client) -> None:
    requested, verified = FileFactory.create(), FileFactory.create(status=File.Status.VERIFIED)
    held = FileFactory.create(quarantined_at=timezone.now(), quarantined_by=UserFactory.create())

    for parameters, expected in (
        ({"status__exact": "VERIFIED"}, {verified}),
        ({"group__id__exact": requested.group_id}, {requested}),
        ({"quarantined_at__isempty": "0"}, {held}),
    ):
        assert set(admin_client.get(LIST, parameters).context["cl"].queryset) == expected


@of_database
def test_a_file_shows_what_is_known_of_it(admin_client: Client) -> None:
    file = FileFactory.create(status=File.Status.VERIFIED, size=5_242_880, fault_count=3)
    ContentCheckResultFactory.create(file=file, passed=False, code="fastq_empty", detail="There is no record.")
    attachment = FileAttachmentFactory.create(file=file, category__shown_name="Raw reads", name="reads.fastq")

    page = words(admin_client.get(page_of(file)))

    for known in (file.sha256, file.md5, file.object_key, "5,242,880", "fastq_empty", "There is no record."):
        assert known in page
    assert f"{attachment.entry} in “Raw reads” as reads.fastq" in page


@of_database
def test_a_rejected_file_shows_its_problem_and_an_unattached_one_that_it_is_nowhere(admin_client: Client) -> None:
    file = FileFactory.create(status=File.Status.REJECTED)

    page = words(admin_client.get(page_of(file)))

    assert "Rejected Problem code: sha256_mismatch Problem detail: The sha256 is another one." in page
    assert "Attached to: nowhere" in page


@of_database
def test_a_name_in_markup_is_shown_as_it_is(admin_client: Client) -> None:
    attachment = FileAttachmentFactory.create(name="<script>alert(1)</script>", category__shown_name="<b>Gel</b>")

    page = admin_client.get(page_of(attachment.file)).content.decode()

    assert "in “&lt;b&gt;Gel&lt;/b&gt;” as &lt;script&gt;alert(1)&lt;/script&gt;" in page


@of_database
def test_of_many_attachments_the_first_are_shown_and_the_others_counted(admin_client: Client) -> None:
    file = FileFactory.create(status=File.Status.VERIFIED)
    first = FileAttachmentFactory.create(file=file)
    FileAttachmentFactory.create_batch(
        ATTACHMENTS_SHOWN - 1, file=file, entry__submission=first.entry.submission, category=first.category
    )
    assert "more" not in words(admin_client.get(page_of(file))).split("Attached to:")[1].split("What we found")[0]

    FileAttachmentFactory.create_batch(2, file=file, entry__submission=first.entry.submission)

    page = words(admin_client.get(page_of(file)))
    assert page.count(" in “") == ATTACHMENTS_SHOWN
    assert "and 2 more" in page


@of_database
def test_files_are_read_only(admin_client: Client) -> None:
    file = FileFactory.create()

    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(page_of(file), {"status": "VERIFIED"}).status_code == 403
    assert admin_client.post(f"{LIST}{file.pk}/delete/", {"post": "yes"}).status_code == 403
    assert File.objects.get().status == File.Status.REQUESTED


@of_database
def test_the_list_and_the_page_of_files_take_as_many_queries_for_many_rows_as_for_few(admin_client: Client) -> None:
    file = FileFactory.create(status=File.Status.VERIFIED)

    assert grows(admin_client, LIST, FileAttachmentFactory.create) == 0
    assert grows(admin_client, f"{LIST}?q=reads", FileAttachmentFactory.create) == 0
    assert grows(admin_client, page_of(file), lambda: FileAttachmentFactory.create(file=file)) == 0


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", None),
        ("5242880", 5_242_880),
        ("5 GB", 5_000_000_000),
        ("500 MiB", 500 * 1024**2),
        (" 1.5gib ", 1_610_612_736),
        ("2TB", 2 * 10**12),
        ("7 tib", 7 * 1024**4),
        ("0.5 kB", 500),
        ("12 bytes", 12),
        ("1 byte", 1),
        ("3 B", 3),
        ("1 KiB", 1024),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, size: int | None) -> None:
    assert FileSizeField(required=False).clean(text) == size


@pytest.mark.parametrize("text", ["GB", "5 PB", "-1", "1,5 GB", "5 GB or so", "1e9", "٣ GB", "∞"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="Write a number of bytes, or one with a unit"):
        FileSizeField().clean(text)


def test_a_part_of_a_byte_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"“0\.3 bytes” is no whole number of bytes"):
        FileSizeField().clean("0.3 bytes")


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_size_is_shown_as_it_is_read(size: int) -> None:
    assert FileSizeField(required=False).clean(size_text(size)) == size


def test_a_size_is_shown_in_the_largest_unit_without_a_fraction() -> None:
    sizes = {5 * 10**9: "5 GB", 5 * 1024**3: "5 GiB", 5_242_880: "5 MiB", 1_500_000: "1500 kB", 1_025: "1025 bytes"}

    assert {size: size_text(size) for size in sizes} == sizes


@pytest.mark.parametrize(
    ("text", "extensions"),
    [
        ("", []),
        (" , ", []),
        (".fastq.gz", [".fastq.gz"]),
        (".fastq.gz .fq.gz", [".fastq.gz", ".fq.gz"]),
        (".fastq,.fq ,  .FA", [".fastq", ".fq", ".FA"]),
    ],
)
def test_extensions_are_read_with_spaces_or_commas_between(text: str, extensions: list[str]) -> None:
    assert ExtensionsField(required=False).clean(text) == extensions


def test_all_that_is_wrong_with_extensions_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as failure:
        ExtensionsField().clean("fastq .fq .f/q .fq")

    assert failure.value.messages == [
        "“fastq” does not begin with a dot; write “.fastq”.",
        "“.f/q” is no ending: after each dot there is a letter, a digit, “_”, “+” or “-”, and nothing else.",
        "One ending stands twice; upper and lower case count as the same.",
    ]
