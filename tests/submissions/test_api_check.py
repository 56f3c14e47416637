"""`POST /api/{organism}/check`: table and sequences are judged before files are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from files.models import File
from submissions.models import Organism, SequenceEntry, Submission
from tests.factories import SequenceEntryFactory
from tests.fixtures import Api, Demo, codes
from tests.workbooks import row, workbook

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

SEQUENCES = b">a\nACGT\n>b\nGGCC\n"


def check(
    api: Api,
    demo: Demo,
    table: bytes | None,
    fasta: bytes | None = SEQUENCES,
    *,
    revise: str = "",
    group: object = None,
) -> Answer:
    documents = {"metadataFile": table, "sequenceFile": fasta}
    form = {part: SimpleUploadedFile("f", content) for part, content in documents.items() if content is not None}
    query = {"groupId": str(group or demo.group.pk), **({"revise": revise} if revise else {})}
    return api.client.post(f"/api/{demo.organism.slug}/check", data=form, query_params=query)


@pytest.mark.parametrize(
    ("table", "fasta"),
    [
        (b"id\tcountry\na\tUganda\nb\t\n", SEQUENCES),
        (b"id\tcountry\na\tUganda\nb\t\n", None),
        (b"id\tfiles.rawReads\na\trun 1/a\nb\t\n", SEQUENCES),
        (workbook(row(1, "id", "country") + row(2, "a", "Uganda") + row(3, "b")), SEQUENCES),
    ],
    ids=["table and sequences", "a table whose sequences come later", "cells that name folders", "a workbook"],
)
def test_what_is_right_is_counted_and_nothing_is_stored(
    api: Api, demo: Demo, table: bytes, fasta: bytes | None
) -> None:
    answer = check(api, demo, table, fasta)
    assert (answer.status_code, answer.json()) == (200, {"rows": 2})
    assert (Submission.objects.count(), SequenceEntry.objects.count(), File.objects.count()) == (0, 0, 0)


def test_what_is_wrong_is_told_at_once_and_as_submitting_tells_it(api: Api, demo: Demo) -> None:
    table = b"id\tcollectionDate\na\tsoon\na\t2025-01-01\n\t2025-01-01\n"
    demo.organism.metadata_fields.create(name="collectionDate", shown_name="Collected", kind="DATE", order=9)
    answer = check(api, demo, table, b">a\nAC-9\n")
    assert answer.status_code == 422
    assert set(codes(answer)) == {"metadata_invalid", "id_duplicate", "id_missing", "sequence_invalid"}
    submitted = api.submit(demo.organism, demo.group, table=table, fasta=b">a\nAC-9\n").json()
    assert (answer.json()["errors"], answer.json()["errorCount"]) == (submitted["errors"], submitted["errorCount"])


def test_columns_for_files_are_looked_at_by_name_alone(api: Api, demo: Demo) -> None:
    table = b"id\tfiles.nothing\na\tx\nb\t\n"
    assert codes(check(api, demo, table)) == ["category_unknown"]


def test_files_for_an_organism_that_takes_none_are_refused_alone_and_as_submitting_refuses_them(
    api: Api, demo: Demo
) -> None:
    Organism.objects.update(file_sharing=False)
    table = b"id\tfiles.rawReads\na\tx\n\ty\n"
    answer, submitted = check(api, demo, table), api.submit(demo.organism, demo.group, table=table, fasta=SEQUENCES)
    assert (answer.status_code, codes(answer)) == (400, ["file_sharing_disabled"])
    assert answer.json()["errors"] == submitted.json()["errors"]
    assert answer.json()["errors"][0]["field"] == "metadataFile"


def test_a_table_for_revising_is_judged_as_one(api: Api, demo: Demo) -> None:
    for accession, is_released in (("SAT_1", True), ("SAT_2", False)):
        SequenceEntryFactory.create(
            submission__organism=demo.organism,
            submission__group=demo.group,
            accession=accession,
            **({"released": True} if is_released else {"status": SequenceEntry.Status.ACCEPTED}),
        )
    table = b"id\taccession\na\tSAT_1\nb\tSAT_%d\n"
    refused = check(api, demo, table % 2, revise="true")
    assert [(error["code"], error["line"]) for error in refused.json()["errors"]] == [("entry_not_released", 3)]
    assert codes(check(api, demo, table % 1, revise="true")) == ["accession_duplicate"]
    assert codes(check(api, demo, b"id\na\nb\n", revise="true")) == ["accession_missing"]
    assert check(api, demo, table % 2).status_code == check(api, demo, table % 1, revise="false").status_code == 200


@pytest.mark.parametrize(
    ("table", "revise", "group", "field"),
    [
        (None, "", None, "metadataFile"),
        (b"id\na\n", "1", None, "revise"),
        (b"id\na\n", "", "x", "groupId"),
    ],
)
def test_what_cannot_be_read_is_400(
    api: Api, demo: Demo, table: bytes | None, revise: str, group: str | None, field: str
) -> None:
    answer = check(api, demo, table, revise=revise, group=group)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
