"""`POST /api/{organism}/revise`: next versions of released entries, with the files that they keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.errors import ValidationFailedError
from embedded.programs import wait_until
from files.models import ContentCheckResult, File, FileAttachment
from submissions import services
from submissions.models import SequenceEntry, Submission
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
    SequenceEntryFactory,
    SubmissionFactory,
)
from tests.fixtures import Api, Demo, codes, mapping_of
from tests.locks import waiting_for_locks

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

RAW_READS, SUPPLEMENTARY = "rawReads", "supplementary"


def released(demo: Demo, accession: str, **more: Any) -> SequenceEntry:
    """A released entry of the Demo Lab with two files of raw reads and a supplementary one, all verified."""
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    fields = {"released": True, "accession": accession, **more}
    entry: SequenceEntry = SequenceEntryFactory.create(submission=submission, **fields)
    for category, name, position in ((RAW_READS, "b.fastq", 0), (RAW_READS, "a.fastq", 1), (SUPPLEMENTARY, "n.txt", 0)):
        attachment = FileAttachmentFactory.create(
            entry=entry,
            category=demo.organism.file_categories.get(name=category),
            name=name,
            position=position,
        )
        ContentCheckResultFactory.create(file=attachment.file)
    return entry


@pytest.fixture
def entries(demo: Demo) -> list[SequenceEntry]:
    """SAT_1 and SAT_2, released."""
    return [released(demo, "SAT_1"), released(demo, "SAT_2")]


def revise(
    api: Api,
    demo: Demo,
    table: str = "id\taccession\tcountry\nx\tSAT_1\tSudan\ny\tSAT_2\t\n",
    *,
    mapping: object = None,
    **headers: str,
) -> Answer:
    rows = [line.split("\t")[0] for line in table.splitlines()[1:]]
    form: dict[str, object] = {
        "metadataFile": SimpleUploadedFile("m.tsv", table.encode()),
        "sequenceFile": SimpleUploadedFile("s.fasta", "".join(f">{row}\nACGT\n" for row in rows).encode()),
    }
    if mapping is not None:
        form["fileMapping"] = json.dumps(mapping)
    query = {"groupId": str(demo.group.pk)}
    return api.client.post(f"/api/{demo.organism.slug}/revise", data=form, query_params=query, headers=headers)


def files_of(accession: str, version: int) -> list[tuple[str, str, Any]]:
    """Category, name and file ID of what an entry has, in order."""
    attachments = FileAttachment.objects.filter(entry__accession=accession, entry__version=version)
    return list(attachments.order_by("category__name", "position").values_list("category__name", "name", "file_id"))


def verified(demo: Demo) -> str:
    file = FileFactory.create(status=File.Status.VERIFIED, group=demo.group)
    ContentCheckResultFactory.create(file=file)
    return str(file.pk)


# --- what becomes of it ------------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.usefixtures("entries")
def test_named_categories_are_replaced_and_the_others_carried_over(api: Api, demo: Demo) -> None:
    before = files_of("SAT_1", 1), files_of("SAT_2", 1)
    new = verified(demo)
    mapping = {**mapping_of("x", SUPPLEMENTARY, (new, "new.txt")), "y": {RAW_READS: []}}
    answer = revise(api, demo, mapping=mapping)
    assert answer.status_code == 202, answer.content
    assert answer.json() == [
        {"accession": "SAT_1", "version": 2, "submissionId": "x", "status": "ACCEPTED"},
        {"accession": "SAT_2", "version": 2, "submissionId": "y", "status": "ACCEPTED"},
    ]
    assert answer.headers["Location"] == f"/api/submissions/{Submission.objects.latest('pk').pk}"
    first = SequenceEntry.objects.get(accession="SAT_1", version=2)
    assert (first.metadata, first.released_at) == ({"country": "Sudan"}, None)
    raw_reads = [file for file in before[0] if file[0] == RAW_READS]
    assert [name for _, name, _ in raw_reads] == ["b.fastq", "a.fastq"]
    kept = [(category, name, str(file_id)) for category, name, file_id in files_of("SAT_1", 2)]
    assert kept == [*((c, n, str(f)) for c, n, f in raw_reads), (SUPPLEMENTARY, "new.txt", new)]
    assert files_of("SAT_2", 2) == [file for file in before[1] if file[0] == SUPPLEMENTARY]
    assert (files_of("SAT_1", 1), files_of("SAT_2", 1)) == before


@pytest.mark.usefixtures("entries")
def test_a_cell_of_a_files_column_replaces_and_an_empty_one_does_not(api: Api, demo: Demo) -> None:
    new = verified(demo)
    table = f"id\taccession\tfiles.rawReads\nx\tSAT_1\tnew.fastq:{new}\ny\tSAT_2\t\n"
    assert revise(api, demo, table).status_code == 202
    assert [name for category, name, _ in files_of("SAT_1", 2) if category == RAW_READS] == ["new.fastq"]
    assert files_of("SAT_2", 2) == files_of("SAT_2", 1)


def test_the_next_revision_builds_on_the_latest_released_version(api: Api, demo: Demo, entries: Any) -> None:
    table = "id\taccession\nx\tSAT_1\n"
    assert revise(api, demo, table, mapping={"x": {RAW_READS: []}}).json()[0]["version"] == 2
    later = SequenceEntry.objects.filter(accession="SAT_1", version=2)
    later.update(released_at=timezone.now(), released_by=demo.alice)
    assert revise(api, demo, table).json()[0]["version"] == 3
    assert [name for _, name, _ in files_of("SAT_1", 3)] == ["n.txt"]


@pytest.mark.embedded
def test_the_version_of_a_withdrawn_revision_is_not_given_again(api: Api, demo: Demo, entries: Any) -> None:
    table = "id\taccession\nx\tSAT_1\ny\tSAT_2\n"
    assert [entry["version"] for entry in revise(api, demo, table).json()] == [2, 2]
    for _ in range(2):
        latest = SequenceEntry.objects.filter(accession="SAT_1").order_by("version").last()
        assert latest is not None
        services.withdraw(user=demo.alice, accession="SAT_1", version=latest.version)
        again = revise(api, demo, "id\taccession\nx\tSAT_1\n")
        assert again.json()[0]["version"] == latest.version + 1
    assert list(SequenceEntry.objects.filter(accession="SAT_2").values_list("version", flat=True)) == [1, 2]


@pytest.mark.usefixtures("entries")
def test_carried_over_files_are_verified_by_the_checks_of_now(
    api: Api, demo: Demo, work: Callable[[], None], django_capture_on_commit_callbacks: Any
) -> None:
    ContentCheckResult.objects.filter(file__attachments__name="b.fastq").delete()
    with django_capture_on_commit_callbacks() as callbacks:
        answer = revise(api, demo, "id\taccession\nx\tSAT_1\n")
    assert (answer.json()[0]["status"], len(callbacks)) == ("VERIFYING", 1)
    unchecked = File.objects.get(attachments__name="b.fastq", attachments__entry__version=2)
    assert File.objects.awaiting_checks().get() == unchecked
    ContentCheckResultFactory.create(file=unchecked)
    work()
    assert SequenceEntry.objects.get(version=2).status == "ACCEPTED"


@pytest.mark.usefixtures("entries")
def test_a_repeated_call_with_a_key_gets_the_first_answer(api: Api, demo: Demo) -> None:
    first, again = (revise(api, demo, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert codes(revise(api, demo)) == ["entry_not_released"] * 2


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.usefixtures("entries")
def test_everything_that_is_wrong_with_accessions_is_told_with_its_line(api: Api, demo: Demo) -> None:
    released(demo, "SAT_3", released=False, status="REJECTED")
    next_one = released(demo, "SAT_4")
    SequenceEntryFactory.create(submission=next_one.submission, accession="SAT_4", version=2)
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.other_group)
    SequenceEntryFactory.create(submission=submission, accession="SAT_5", released=True)
    submission = SubmissionFactory.create(organism=demo.organism_without_files, group=demo.group)
    SequenceEntryFactory.create(submission=submission, accession="SAT_6", released=True)
    accessions = ["SAT_1", "", "SAT_1", "SAT_2.1", "SAT_3", "SAT_4", "SAT_5", "SAT_6", "nonsense"]
    table = "id\taccession\n" + "".join(f"s{line}\t{name}\n" for line, name in enumerate(accessions, start=2))
    before = SequenceEntry.objects.count(), Submission.objects.count()
    answer = revise(api, demo, table)
    assert answer.status_code == 422
    told = {error["line"]: (error["code"], error["submissionId"]) for error in answer.json()["errors"]}
    assert told == {
        3: ("accession_missing", "s3"),
        4: ("accession_duplicate", "s4"),
        5: ("accession_unknown", "s5"),
        6: ("entry_not_released", "s6"),
        7: ("entry_not_released", "s7"),
        8: ("accession_unknown", "s8"),
        9: ("accession_unknown", "s9"),
        10: ("accession_unknown", "s10"),
    }
    assert "“SAT_2”" in next(e["detail"] for e in answer.json()["errors"] if e["line"] == 5)
    assert "SAT_4.2" in next(e["detail"] for e in answer.json()["errors"] if e["line"] == 7)
    assert (SequenceEntry.objects.count(), Submission.objects.count()) == before


def test_a_table_without_the_column_is_told_once(api: Api, demo: Demo) -> None:
    answer = revise(api, demo, "id\tcountry\nx\t\ny\t\n")
    assert [(error["code"], error["line"]) for error in answer.json()["errors"]] == [("accession_missing", 1)]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"max_files": 1}, "too_many_files"),
        ({"max_file_size": 1}, "file_too_large"),
        ({"extensions": [".gz"]}, "extension_not_allowed"),
    ],
)
def test_carried_over_files_are_judged_by_the_rules_of_now(
    api: Api, demo: Demo, entries: Any, rule: dict[str, Any], code: str
) -> None:
    demo.organism.file_categories.filter(name=RAW_READS).update(**rule)
    answer = revise(api, demo, mapping={"x": {RAW_READS: []}})
    errors = answer.json()["errors"]
    assert {error["code"] for error in errors} == {code}
    assert {(error["submissionId"], error["category"]) for error in errors} == {("y", RAW_READS)}
    assert all("carried over from SAT_2.1" in error["detail"] for error in errors)
    assert not any("pointer" in error for error in errors)


def test_a_category_that_is_required_now_and_has_nothing_to_carry_over_is_missed(
    api: Api, demo: Demo, entries: Any
) -> None:
    FileCategoryFactory.create(organism=demo.organism, name="gel", required=True)
    errors = revise(api, demo, "id\taccession\nx\tSAT_1\n").json()["errors"]
    assert [(error["code"], error["pointer"]) for error in errors] == [("too_few_files", "/x/gel")]


@pytest.mark.parametrize("named", [False, True])
def test_a_carried_over_file_that_is_held_back_refuses_the_revision(
    api: Api, demo: Demo, entries: list[SequenceEntry], named: bool
) -> None:
    held_back = File.objects.filter(attachments__entry=entries[0], attachments__name="n.txt")
    held_back.update(quarantined_at=timezone.now(), quarantined_by=demo.admin)
    answer = revise(api, demo, mapping={"x": {SUPPLEMENTARY: []}} if named else None)
    if named:
        assert answer.status_code == 202
        return
    [error] = answer.json()["errors"]
    assert (error["code"], error["name"], error["submissionId"]) == ("file_rejected", "n.txt", "x")
    assert "administrator" in error["detail"]
    assert "SAT_1.1" in error["detail"]


def test_an_organism_that_takes_no_files_any_more_carries_none_over(api: Api, demo: Demo, entries: Any) -> None:
    demo.organism.file_sharing = False
    demo.organism.save()
    table = "id\taccession\nx\tSAT_1\n"
    answer = revise(api, demo, table)
    assert (answer.status_code, answer.json()["code"]) == (400, "file_sharing_disabled")
    assert revise(api, demo, table, mapping={"x": {RAW_READS: [], SUPPLEMENTARY: []}}).status_code == 202


# --- many, and two at once ---------------------------------------------------------------------------


def test_queries_do_not_grow_with_the_rows(api: Api, demo: Demo) -> None:
    numbers = []
    for size in (2, 40):
        table = "id\taccession\n"
        for number in range(size):
            table += f"s{number}\t{released(demo, f'SAT_{size}_{number}').accession}\n"
        with CaptureQueriesContext(connection) as queries:
            assert revise(api, demo, table).status_code == 202
        numbers.append(len(queries))
    assert numbers[1] <= numbers[0], "the first has recorded the rules"


@pytest.mark.django_db(transaction=True)
def test_of_two_revisions_at_once_one_wins_and_the_other_is_told(demo: Demo) -> None:
    """Both have found the entry released when they come to its row, which somebody holds."""
    entry = released(demo, "SAT_1")

    def run() -> str:
        sent = services.Sent(BytesIO(b"id\taccession\nx\tSAT_1\n"), BytesIO(b">x\nACGT\n"))
        try:
            answer = services.revise(
                user=demo.alice, organism_slug=demo.organism.slug, group_id=demo.group.pk, sent=sent
            )
            return str(answer.entries[0].version)
        except ValidationFailedError as error:
            return error.errors[0].code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            SequenceEntry.objects.select_for_update().get(pk=entry.pk)
            running = [pool.submit(run) for _ in range(2)]
            assert wait_until(lambda: waiting_for_locks() == 2, 20)
        outcomes = {call.result(timeout=30) for call in running}
    assert outcomes == {"2", "entry_not_released"}
    assert list(SequenceEntry.objects.order_by("version").values_list("version", flat=True)) == [1, 2]
