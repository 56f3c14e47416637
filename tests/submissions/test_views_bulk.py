"""The page for many entries: what it makes of its parts, what it refuses, and the check before files are sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from files.models import FileAttachment
from submissions.mapping import MAX_BYTES
from submissions.models import Organism, SequenceEntry, Submission
from tests.factories import MetadataFieldFactory, OrganismFactory, UserFactory
from tests.fixtures import FASTQ_GZ, Api, Demo, codes
from tests.workbooks import DATE, row, workbook

ADDRESS = "/organisms/ebola-sudan/submit/bulk"
CHECK = f"{ADDRESS}/check"
TABLE = "id\tcountry\nsample1\tUganda\nsample2\t\n"
FASTA = ">sample1\nACGT\n>sample2\nGGCC\n"
JSON = {"Accept": "application/json"}


@pytest.fixture
def alice(client: Client, demo: Demo) -> Client:
    """Pages as alice sees them, who is in the Demo Lab."""
    client.force_login(demo.alice)
    return client


def parts(table: str | bytes | None = TABLE, fasta: str | None = FASTA, **more: object) -> dict[str, object]:
    """The parts of the form that are files, and more; the dot of a name may be two underscores."""
    found: dict[str, object] = {}
    if table is not None:
        content = table if isinstance(table, bytes) else table.encode()
        found["metadataFile"] = SimpleUploadedFile("metadata.tsv", content)
    if fasta is not None:
        found["sequenceFile"] = SimpleUploadedFile("sequences.fasta", fasta.encode())
    return found | {name.replace("__", "."): value for name, value in more.items()}


def send(client: Client, demo: Demo, **given: Any) -> Any:
    """Send the form as the page's script does it; JSON comes back."""
    return client.post(ADDRESS, {"groupId": demo.group.pk, **parts(**given)}, headers=JSON)


def linked(**entries: Sequence[tuple[str | None, str]]) -> str:
    """What the box for extra files writes once it has a plan."""
    return json.dumps(
        {
            submission_id: [{"fileId": file_id, "name": name, "size": 1} for file_id, name in files]
            for submission_id, files in entries.items()
        }
    )


def attached() -> list[tuple[str, str, str, str]]:
    """Submission ID, category, name and file ID of all that is attached."""
    rows = FileAttachment.objects.order_by("entry__position", "category__name", "position")
    return [
        (a.entry.given_submission_id, a.category.name, a.name, str(a.file_id))
        for a in rows.select_related("entry", "category")
    ]


# --- what is sent ----------------------------------------------------------------------------------


def test_table_sequences_and_linked_files_become_a_submission(alice: Client, demo: Demo, api: Api) -> None:
    reads = [api.upload(demo.group, FASTQ_GZ) for _ in range(2)]
    notes = api.upload(demo.group, b"notes")
    answer = send(
        alice,
        demo,
        files__rawReads=linked(sample1=[(reads[0], "r.gz")], sample2=[(reads[1], "r.gz")]),
        files__supplementary=linked(sample2=[(notes, "a b.txt")]),
        checksumFile=SimpleUploadedFile("SHA256SUMS", b"0" * 64 + b"  sample2/supplementary/a b.txt\n"),
    )
    submission = Submission.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"url": f"/submissions/{submission.pk}"})
    assert attached() == [
        ("sample1", "rawReads", "r.gz", reads[0]),
        ("sample2", "rawReads", "r.gz", reads[1]),
        ("sample2", "supplementary", "a b.txt", notes),
    ]
    assert FileAttachment.objects.get(file_id=notes).file.claimed_sha256 == "0" * 64
    with submission.metadata_file.open() as kept:
        assert kept.read() == TABLE.encode()


def test_a_workbook_is_judged_as_a_table_and_kept_as_it_was_sent(alice: Client, demo: Demo) -> None:
    table = workbook(row(1, "id", "date") + row(2, "sample1", (45000, DATE)) + row(3, "sample2", (45001, DATE)))
    assert send(alice, demo, table=table).status_code == 200
    dates = [entry.metadata["date"] for entry in SequenceEntry.objects.order_by("position")]
    assert dates == ["2023-03-15", "2023-03-16"]
    with Submission.objects.get().metadata_file.open() as kept:
        assert kept.read() == table


def test_columns_that_name_folders_are_resolved_by_what_was_linked(alice: Client, demo: Demo, api: Api) -> None:
    reads, notes = api.upload(demo.group, FASTQ_GZ), api.upload(demo.group, b"notes")
    table = f"id\tfiles.rawReads\tfiles.supplementary\nsample1\tplate1/A01\tnotes.txt:{notes}\nsample2\t\t\n"
    answer = send(alice, demo, table=table, files__rawReads=linked(sample1=[(reads, "r.gz")]))
    assert answer.status_code == 200, answer.content
    assert attached() == [("sample1", "rawReads", "r.gz", reads), ("sample1", "supplementary", "notes.txt", notes)]


@pytest.mark.parametrize(
    ("column", "sent", "expected"),
    [
        ("rawReads", "sample2", "The column files.rawReads names “plate1/A01”, and no file of it was sent."),
        ("rawRead", "sample1", "“plate1/A01” in the column files.rawRead is not “fileName:fileId”."),
        ("rawReads", None, "“plate1/A01” in the column files.rawReads is not “fileName:fileId”."),
    ],
)
def test_what_a_column_names_and_was_not_linked_is_never_dropped(
    alice: Client, demo: Demo, api: Api, column: str, sent: str | None, expected: str
) -> None:
    table = f"id\tfiles.{column}\nsample1\tplate1/A01\nsample2\t\n"
    files = {"files__rawReads": linked(**{sent: [(api.upload(demo.group, FASTQ_GZ), "r.gz")]})} if sent else {}
    answer = send(alice, demo, table=table, **files)
    assert answer.status_code == 400
    assert [(error["code"], error["detail"]) for error in answer.json()["errors"]] == [
        ("file_mapping_invalid", expected)
    ]
    assert not Submission.objects.exists()


# --- what is refused -------------------------------------------------------------------------------


def test_files_that_are_not_ready_or_linked_with_no_entry_are_refused(alice: Client, demo: Demo, api: Api) -> None:
    file_id = api.upload(demo.group, FASTQ_GZ)
    rows: dict[str, Sequence[tuple[str | None, str]]] = {"sample1": [(None, "slow.gz")], "": [(file_id, "loose.gz")]}
    answer = send(alice, demo, files__rawReads=linked(**rows))
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [(error["code"], error["category"], error["detail"]) for error in answer.json()["errors"]] == [
        ("file_not_uploaded", "rawReads", "“slow.gz” of “sample1” is not uploaded yet, or failed."),
        ("submission_id_unknown", "rawReads", "“loose.gz” is linked with no entry."),
    ]
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    "value",
    [
        *("[]", "{", '{"s": {}}', '{"s": [1]}', '{"s": [{"name": "a", "fileId": "x"}]}'),
        pytest.param('{"s": []}'.ljust(MAX_BYTES + 1), id="too long"),
    ],
)
def test_a_list_of_files_that_the_page_would_not_write_is_refused(alice: Client, demo: Demo, value: str) -> None:
    answer = send(alice, demo, files__rawReads=value)
    assert (answer.status_code, codes(answer)) == (400, ["file_mapping_invalid"])


def test_of_very_many_problems_the_first_thousand_come_with_their_number(alice: Client, demo: Demo) -> None:
    files = linked(**{f"s{number}": [(None, "a.gz")] for number in range(1_200)})
    body = send(alice, demo, files__rawReads=files).json()
    assert (len(body["errors"]), body["errorCount"]) == (1_000, 1_200)


def test_every_problem_of_every_part_comes_at_once_as_json(alice: Client, demo: Demo) -> None:
    answer = send(alice, demo, table="id\tdate\ns1\tsoon\ns1\t\n", fasta=">other\nACGT\n")
    assert answer.status_code == 422
    found = [(error["code"], error["field"], error["line"]) for error in answer.json()["errors"]]
    assert found == [
        ("metadata_invalid", "metadataFile", 2),
        ("id_duplicate", "metadataFile", 3),
        ("ids_unmatched", "metadataFile", 2),
        ("ids_unmatched", "sequenceFile", 1),
    ]


def test_what_is_missing_is_named_by_its_field(alice: Client, demo: Demo) -> None:
    answer = alice.post(ADDRESS, {}, headers=JSON)
    assert answer.status_code == 400
    found = {error["field"]: error["code"] for error in answer.json()["errors"]}
    assert found == dict.fromkeys(["groupId", "metadataFile", "sequenceFile"], "parameter_missing")


def test_without_the_script_the_page_comes_back_with_its_problems(alice: Client, demo: Demo) -> None:
    filled = {"groupId": demo.group.pk, **parts(table="id\tdate\nsample1\tsoon\nsample2\t\n")}
    answer = alice.post(ADDRESS, filled)
    assert answer.status_code == 200
    assertContains(answer, '<a href="#id_metadataFile">Line 2, column “date”')
    assertContains(answer, "<title>Error: Submit many entries to Ebola Sudan")
    filled = {"groupId": demo.group.pk, **parts()}
    answer = alice.post(ADDRESS, filled)
    assertRedirects(answer, f"/submissions/{Submission.objects.get().pk}")


def test_another_groups_files_do_not_exist(alice: Client, demo: Demo) -> None:
    theirs = Api(demo.bob).upload(demo.other_group, FASTQ_GZ)
    answer = send(alice, demo, files__rawReads=linked(sample1=[(theirs, "r.gz")]))
    assert codes(answer) == ["file_not_found"]


# --- the check before files are sent ---------------------------------------------------------------


def test_the_check_tells_the_rows_and_stores_nothing(alice: Client, demo: Demo) -> None:
    table = "id\tfiles.rawReads\nsample1\tplate1/A01\n\nsample2\t\n"
    answer = alice.post(CHECK, parts(table=table))
    assert answer.json() == {
        "rows": [
            {"submissionId": "sample1", "line": 2, "files": {"rawReads": "plate1/A01"}},
            {"submissionId": "sample2", "line": 4, "files": {}},
        ],
        "problems": [],
        "problemCount": 0,
    }
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("table", "fasta", "expected"),
    [
        (TABLE, None, []),
        (TABLE, ">sample1\nACGT\n", [("ids_unmatched", "sample2")]),
        ("id\tdate\ns\tsoon\n", None, [("metadata_invalid", "s")]),
        ("id\tfiles.photos\ns\tx\n", None, [("category_unknown", None)]),
        ("country\nUganda\n", None, [("metadata_invalid", None)]),
    ],
)
def test_the_check_tells_what_submitting_would(
    alice: Client, demo: Demo, table: str, fasta: str | None, expected: list[tuple[str, str | None]]
) -> None:
    body = alice.post(CHECK, parts(table=table, fasta=fasta)).json()
    assert [(problem["code"], problem.get("submissionId")) for problem in body["problems"]] == expected
    assert body["problemCount"] == len(expected)


def test_the_check_needs_a_table_an_organism_and_an_account(alice: Client, demo: Demo) -> None:
    missing = alice.post(CHECK, parts(table=None))
    assert (missing.status_code, missing.json()["code"]) == (400, "parameter_missing")
    unknown = alice.post("/organisms/measles/submit/bulk/check", parts())
    assert (unknown.status_code, unknown.json()["code"]) == (404, "organism_not_found")
    assert alice.get(CHECK).status_code == 405
    alice.logout()
    assertRedirects(alice.post(CHECK, parts()), f"/login?next={CHECK}")


def test_the_check_wants_the_forms_token(demo: Demo) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(demo.alice)
    assert client.post(CHECK, parts()).status_code == 403


# --- the page --------------------------------------------------------------------------------------


def test_the_page_asks_for_what_the_organism_takes(alice: Client, demo: Demo) -> None:
    page = alice.get(ADDRESS)
    assertContains(page, "data-bulk-form")
    assertContains(page, 'class="extra-files"', count=2)
    assertContains(page, 'name="sequenceFile"')
    text = page.content.decode()
    assert text.index("an Excel workbook") < text.index("template.tsv") < text.index('name="sequenceFile"')
    organism = OrganismFactory.create(sequences=Organism.Sequences.FORBIDDEN)
    other = alice.get(f"/organisms/{organism.slug}/submit/bulk")
    assertNotContains(other, "sequenceFile")
    assertNotContains(other, "data-extra-files")


def test_the_template_has_the_columns_of_the_organism_and_is_a_table(client: Client, demo: Demo) -> None:
    MetadataFieldFactory.create(organism=demo.organism, name="host", order=0)
    answer = client.get("/organisms/ebola-sudan/template.tsv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ebola-sudan-template.tsv"'
    columns = answer.content.decode().removesuffix("\n").split("\t")
    assert columns[0] == "id"
    assert sorted(columns[1:]) == ["country", "date", "host"]
    assert client.get("/organisms/measles/template.tsv").status_code == 404


def test_who_may_see_the_page(client: Client, demo: Demo) -> None:
    assertRedirects(client.get(ADDRESS), f"/login?next={ADDRESS}")
    client.force_login(UserFactory.create())
    assertContains(client.get(ADDRESS), "You are not a member of any group yet.")


def test_the_queries_of_the_page_and_the_check_do_not_grow(
    alice: Client, demo: Demo, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    MetadataFieldFactory.create_batch(5, organism=demo.organism)
    with django_assert_max_num_queries(8):
        alice.get(ADDRESS)
    table = "id\tfiles.rawReads\n" + "".join(f"s{n}\tx\n" for n in range(200))
    with django_assert_max_num_queries(6):
        assert len(alice.post(CHECK, parts(table=table, fasta=None)).json()["rows"]) == 200
