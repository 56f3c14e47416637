"""The form for one entry: what it makes of its fields, and where it shows what is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from files.models import FileAttachment
from submissions.models import Organism, SequenceEntry, Submission
from tests.factories import (
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
    MetadataFieldFactory,
    OrganismFactory,
    UserFactory,
    group_of,
)
from tests.fixtures import FASTQ_GZ, Api, Demo, new_file_id

ADDRESS = "/organisms/ebola-sudan/submit"


@pytest.fixture
def alice(client: Client, demo: Demo) -> Client:
    """Pages as alice sees them, who is in the Demo Lab."""
    client.force_login(demo.alice)
    return client


def send(client: Client, demo: Demo, address: str = ADDRESS, **fields: object) -> Any:
    """Post the form, filled in well but for `fields`; a name may have its dot as two underscores."""
    filled = {"groupId": demo.group.pk, "submissionId": "sample1", "sequence": "ACGT"}
    filled |= {name.replace("__", "."): value for name, value in fields.items()}
    return client.post(address, filled)


def chosen(*files: tuple[str, str]) -> str:
    """What the box for extra files writes."""
    return json.dumps([{"fileId": file_id, "name": name, "size": 1} for file_id, name in files])


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    assert not Submission.objects.exists()
    return {name: list(errors) for name, errors in answer.context["form"].errors.items()}


# --- what is sent ----------------------------------------------------------------------------------


def test_one_entry_is_submitted_and_leads_to_its_submission(alice: Client, demo: Demo) -> None:
    answer = send(alice, demo, metadata__country="Uganda", metadata__date="2024-05", sequence="acgt ACGT\r\nNN-\r\n")
    submission = Submission.objects.get()
    assertRedirects(answer, f"/submissions/{submission.pk}")
    assert (submission.group, submission.organism, submission.submitted_by) == (demo.group, demo.organism, demo.alice)
    entry = submission.entries.get()
    assert entry.given_submission_id == "sample1"
    assert entry.metadata == {"country": "Uganda", "date": "2024-05"}
    assert entry.sequences == [{"fastaId": "sample1", "length": 11}]
    assert entry.status == SequenceEntry.Status.ACCEPTED


def test_a_fasta_record_is_kept_as_pasted_whatever_its_name(alice: Client, demo: Demo) -> None:
    send(alice, demo, sequence="\r\n>NC_0001.1 Sudan virus\r\nACGT\r\nAC\r\n")
    submission = Submission.objects.get()
    assert submission.entries.get().sequences == [{"fastaId": "NC_0001.1", "length": 6}]
    with submission.sequence_file.open() as kept:
        assert kept.read() == b">NC_0001.1 Sudan virus\r\nACGT\r\nAC"


@pytest.mark.parametrize("value", ['a "b" c', '"quoted"', '"', "tab\there", "it's; a, b", "Côte d'Ivoire", "=1+1"])
def test_a_value_survives_the_table(alice: Client, demo: Demo, value: str) -> None:
    send(alice, demo, metadata__country=value)
    assert SequenceEntry.objects.get().metadata == {"country": value}


def test_a_submission_id_with_a_quotation_mark_survives_the_table(alice: Client, demo: Demo) -> None:
    send(alice, demo, submissionId='"s"1')
    assert SequenceEntry.objects.get().given_submission_id == '"s"1'


def test_files_of_the_boxes_are_attached_in_their_categories(alice: Client, demo: Demo, api: Api) -> None:
    reads, notes = api.upload(demo.group, FASTQ_GZ), api.upload(demo.group, b"notes")
    files = {"files__rawReads": chosen((reads, "r1.fastq.gz")), "files__supplementary": chosen((notes, "a b.txt"))}
    send(alice, demo, **files)
    attachments = FileAttachment.objects.order_by("category__name").values_list("category__name", "name", "file_id")
    assert [(category, name, str(file_id)) for category, name, file_id in attachments] == [
        ("rawReads", "r1.fastq.gz", reads),
        ("supplementary", "a b.txt", notes),
    ]


# --- what is refused, and where it is told ---------------------------------------------------------


def test_an_empty_form_says_what_to_enter_at_each_field(alice: Client, demo: Demo) -> None:
    answer = alice.post(ADDRESS, {})
    assert errors_of(answer) == {
        "groupId": ["Choose a group."],
        "submissionId": ["Enter a submission ID, your own name for this entry."],
        "sequence": ["Paste the sequence; this organism needs one."],
    }
    assertContains(answer, "There are 3 problems")
    assertContains(answer, '<a href="#id_sequence">Paste the sequence; this organism needs one.</a>', html=True)
    assertContains(answer, "<title>Error: Submit to Ebola Sudan")
    assertContains(answer, "autofocus")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("submissionId", "two words", "contains white space"),
        ("submissionId", "a\x07b", "U+0007"),
        ("submissionId", "x" * 256, "255"),
        ("metadata.country", "one\ntwo", "must be one line"),
        ("metadata.date", "soon", "is no date"),
        ("metadata.date", "2024-02-30", "in the calendar"),
        ("sequence", "ACGT\nACJT", "“J” in line 2"),
        ("sequence", ">\nACGT", "no ID"),
        ("sequence", ">a\nACGT\nAC!T", "“!” in line 3"),
        ("sequence", ">a\nACGT\n>b\nACGT", "There are 2 sequences"),
    ],
)
def test_what_a_field_cannot_be_is_told_at_the_field(
    alice: Client, demo: Demo, field: str, value: str, words: str
) -> None:
    answer = send(alice, demo, **{field: value})
    [(name, [sentence])] = errors_of(answer).items()
    assert name == field
    assert words in sentence
    assertContains(answer, f'<a href="#id_{field}">')


def test_metadata_rules_hold_in_the_form(alice: Client, demo: Demo) -> None:
    fields = {"organism": demo.organism}
    MetadataFieldFactory.create(**fields, name="host", shown_name="Host", required=True)
    MetadataFieldFactory.create(**fields, name="ct", shown_name="Ct value", kind="NUMBER")
    MetadataFieldFactory.create(**fields, name="tissue", shown_name="Tissue", kind="CHOICE", choices=["blood", "serum"])
    answer = send(alice, demo, metadata__ct="high", metadata__tissue="hair")
    assert errors_of(answer) == {
        "metadata.host": ["A value is required."],
        "metadata.ct": ["“high” is no number. Write digits with a decimal point, such as 12.5."],
        "metadata.tissue": ["“hair” is none of blood, serum."],
    }
    assertContains(answer, '<a href="#id_metadata.host">Host: A value is required.</a>', html=True)
    assertContains(answer, '<a href="#id_metadata.tissue">Tissue: “hair” is none of blood, serum.</a>', html=True)
    send(alice, demo, metadata__host="human", metadata__ct="21.5", metadata__tissue="serum")
    assert SequenceEntry.objects.get().metadata == {"host": "human", "ct": "21.5", "tissue": "serum"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["s_1.fq"], "“sample1” has 1 file in “Raw reads”; it needs two, read 1 and read 2 of a pair."),
        (["s_1.fq", "t_2.fq"], "“sample1” has in “Raw reads” “s_1.fq” and “t_2.fq”, which are not named as read 1"),
    ],
)
def test_what_is_wrong_with_a_pair_is_told_at_the_box_of_its_category(
    alice: Client, demo: Demo, api: Api, names: list[str], expected: str
) -> None:
    demo.organism.file_categories.filter(name="rawReads").update(pairing=True, min_files=2, max_files=2)
    files = chosen(*((api.upload(demo.group, FASTQ_GZ), name) for name in names))
    answer = send(alice, demo, files__rawReads=files)
    [told] = errors_of(answer)["files.rawReads"]
    assert told.startswith(expected)
    assertContains(answer, "Two files, read 1 and read 2 of a pair, whose names differ only in 1 and 2.")


def test_problems_with_files_are_told_at_the_box_of_their_category(alice: Client, demo: Demo, api: Api) -> None:
    notes = api.upload(demo.group, b"notes")
    reads = chosen((new_file_id(), "r1.fastq.gz"), (new_file_id(), "a:b"))
    answer = send(alice, demo, files__rawReads=reads, files__supplementary=chosen((notes, "x"), (notes, "X")))
    errors = errors_of(answer)
    assert set(errors) == {"files.rawReads", "files.supplementary"}
    assert len(errors["files.rawReads"]) == 3
    assert "stands twice" in errors["files.supplementary"][0]
    assertContains(answer, 'href="#files-rawReads"')
    assert answer.context["form"]["files.rawReads"].value() == reads


def test_a_file_that_is_not_uploaded_yet_is_refused(alice: Client, demo: Demo) -> None:
    answer = send(alice, demo, files__rawReads=json.dumps([{"name": "slow.fastq.gz", "size": 1}]))
    assert errors_of(answer) == {"files.rawReads": ["“slow.fastq.gz” is not uploaded yet, or failed."]}


def test_what_was_entered_is_kept(alice: Client, demo: Demo) -> None:
    answer = send(alice, demo, metadata__country="Uganda", sequence="ACGTJ")
    assertContains(answer, 'value="sample1"')
    assertContains(answer, 'value="Uganda"')
    assertContains(answer, "ACGTJ</textarea>")


def test_another_groups_id_is_no_choice(alice: Client, demo: Demo) -> None:
    answer = send(alice, demo, groupId=demo.other_group.pk)
    assert errors_of(answer) == {"groupId": ["Choose a group that you are a member of."]}


# --- what each organism asks for -------------------------------------------------------------------


def test_an_organism_without_file_sharing_has_no_boxes(alice: Client, demo: Demo) -> None:
    page = alice.get("/organisms/west-nile/submit")
    assertNotContains(page, "data-extra-files")
    assertNotContains(page, "Extra files</h2>")
    assertContains(alice.get(ADDRESS), 'class="extra-files"', count=2)


def test_sequences_may_be_optional_or_forbidden(alice: Client, demo: Demo) -> None:
    for wanted in (Organism.Sequences.OPTIONAL, Organism.Sequences.FORBIDDEN):
        organism = OrganismFactory.create(sequences=wanted)
        address = f"/organisms/{organism.slug}/submit"
        is_shown = b'name="sequence"' in alice.get(address).content
        assert is_shown == (wanted == Organism.Sequences.OPTIONAL)
        assert alice.post(address, {"groupId": demo.group.pk, "submissionId": "s"}).status_code == 302
    assert [entry.sequences for entry in SequenceEntry.objects.all()] == [[], []]


def test_the_group_of_the_last_submission_is_chosen_by_its_link(alice: Client, demo: Demo) -> None:
    second = group_of(demo.alice)
    page = alice.get(ADDRESS, {"groupId": second.pk})
    assertContains(page, f'<option value="{second.pk}" selected>{second.name} (group {second.pk})</option>', html=True)


# --- who ------------------------------------------------------------------------------------------


def test_anonymous_is_asked_to_log_in_and_comes_back(client: Client, demo: Demo) -> None:
    assertRedirects(client.get(ADDRESS), f"/login?next={ADDRESS}")
    assertRedirects(client.post(ADDRESS), f"/login?next={ADDRESS}")


def test_who_is_in_no_group_is_told_what_to_do(client: Client, demo: Demo) -> None:
    client.force_login(UserFactory.create())
    page = client.get(ADDRESS)
    assertContains(page, "You are not a member of any group yet.")
    assertNotContains(page, 'name="submissionId"')


def test_an_unknown_organism_is_not_found(alice: Client) -> None:
    assert alice.get("/organisms/measles/submit").status_code == 404


def test_the_forms_queries_do_not_grow(
    alice: Client, demo: Demo, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    MetadataFieldFactory.create_batch(5, organism=demo.organism)
    category = demo.organism.file_categories.get(name="rawReads")
    for _ in range(5):
        FileFactory.create(group=group_of(demo.alice), claimed_category=category)
    with django_assert_max_num_queries(9):
        alice.get(ADDRESS)


# --- what waits from before ------------------------------------------------------------------------


@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}/bulk"])
def test_what_was_sent_before_and_is_attached_nowhere_is_told_above_the_boxes(
    alice: Client, demo: Demo, address: str
) -> None:
    raw_reads = demo.organism.file_categories.get(name="rawReads")
    elsewhere = FileCategoryFactory.create()
    for_it = {"claimed_category": raw_reads}
    FileFactory.create(group=demo.other_group, **for_it)
    FileFactory.create(group=demo.group, claimed_category=elsewhere)
    FileFactory.create(group=demo.group, status="EXPIRED", **for_it)
    FileFactory.create(group=demo.group, requested_at=timezone.now() - timedelta(days=31), **for_it)
    FileFactory.create(group=demo.group, quarantined_at=timezone.now(), quarantined_by=demo.admin, **for_it)
    FileAttachmentFactory.create(file=FileFactory.create(group=demo.group, status="VERIFIED", **for_it))
    assertNotContains(alice.get(address), "attached nowhere")

    FileFactory.create_batch(2, group=demo.group, **for_it)
    FileFactory.create(group=demo.group, status="VERIFIED", **for_it)
    FileFactory.create(group=group_of(demo.alice), status="VERIFIED", **for_it)
    page = alice.get(address)
    assertContains(
        page,
        "<p>3 files that were sent for Ebola Sudan before are attached nowhere (2 not finished). Choose the same "
        "files again to go on with them, or see them on the page of "
        f'<a href="/groups/{demo.group.pk}#uploads">Demo Lab</a>.</p>',
        html=True,
    )
    assertContains(page, "1 file that was sent for Ebola Sudan before is attached nowhere. Choose the same file again")
    text = page.content.decode()
    assert text.index("attached nowhere") < text.index('class="extra-files"')


def test_what_the_form_that_comes_back_holds_is_not_told_as_sent_before(alice: Client, demo: Demo) -> None:
    category = demo.organism.file_categories.get(name="rawReads")
    FileFactory.create(group=demo.group, claimed_category=category)
    assertNotContains(alice.post(ADDRESS, {}), "attached nowhere")
    assertNotContains(alice.post(f"{ADDRESS}/bulk", {}), "attached nowhere")
