"""Conditions that take thousands of values."""

from __future__ import annotations

import pytest
from django.db.models import QuerySet

from common.database import is_one_of
from files.models import File, FileAttachment
from submissions.models import SequenceEntry
from tests.factories import FileAttachmentFactory


def conditions() -> list[QuerySet[FileAttachment] | QuerySet[File] | QuerySet[SequenceEntry]]:
    """Each kind of value, and a foreign key, with conditions beside it."""
    return [
        File.objects.filter(
            is_one_of("pk", File.objects.values_list("pk", flat=True)[:1]), deleting_at=None, quarantined_at=None
        ),
        SequenceEntry.objects.filter(
            is_one_of("accession", SequenceEntry.objects.values_list("accession", flat=True)[:1], "text"), version=1
        ),
        FileAttachment.objects.filter(
            is_one_of("entry", SequenceEntry.objects.values_list("pk", flat=True)[:1], "bigint"), position=0
        ),
    ]


@pytest.mark.embedded
def test_a_condition_finds_the_rows_with_its_values_and_no_others(db: None) -> None:
    FileAttachmentFactory.create_batch(2)
    assert [rows.count() for rows in conditions()] == [1, 1, 1]
    assert File.objects.filter(is_one_of("pk", [])).count() == 0
    many = (f"SAT_{number}" for number in range(70_000))
    assert SequenceEntry.objects.filter(is_one_of("accession", many, "text")).count() == 0


def test_postgresql_never_compares_row_by_row(db: None) -> None:
    # Nobody has told it how the rows are spread, so that it expects few; of a subquery it would go through all values
    # for each row, which takes minutes for 20,000 files.
    FileAttachmentFactory.create_batch(2)
    for rows in conditions():
        plan = rows.explain()
        assert "ANY" in plan
        assert "Loop" not in plan
        assert "Join" not in plan
