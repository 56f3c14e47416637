"""Submitting thousands of entries: the number of queries stays what it is, and every file stays itself."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from files.models import File, FileAttachment, FileCategory
from submissions.models import SequenceEntry
from tests import web
from tests.fixtures import Api, Demo

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

FEW, MANY = 20, 200
FILES_AN_ENTRY = 2


@dataclass(frozen=True)
class Large:
    """What a submission of some size is made of; the files are sent, and nobody has been told so."""

    entries: int
    file_ids: list[str]

    @property
    def table(self) -> bytes:
        """One row an entry."""
        return b"id\tcountry\n" + b"".join(b"s%d\tUganda\n" % n for n in range(self.entries))

    @property
    def fasta(self) -> bytes:
        """One sequence an entry."""
        return b"".join(b">s%d\nACGT\n" % n for n in range(self.entries))

    def mapping(self, pattern: str) -> Mapping[str, Any]:
        """Two files an entry, their names made by the pattern."""
        files = [{"fileId": key, "name": pattern.format(n % FILES_AN_ENTRY + 1)} for n, key in enumerate(self.file_ids)]
        pairs = [files[start : start + FILES_AN_ENTRY] for start in range(0, len(files), FILES_AN_ENTRY)]
        return {f"s{n}": {"rawReads": pair} for n, pair in enumerate(pairs)}


def large(api: Api, demo: Demo, entries: int) -> Large:
    """Files of different sizes for so many entries, uploaded."""
    requested = api.request_upload(demo.group, entries * FILES_AN_ENTRY)
    with web.client() as client, ThreadPoolExecutor(4) as pool:
        sent = pool.map(lambda n: client.put(requested[n]["url"], content=_content(n)), range(len(requested)))
        assert {answer.status_code for answer in sent} == {200}
    return Large(entries, [item["fileId"] for item in requested])


def _content(number: int) -> bytes:
    return b"x" * (number % 97 + 1)


def submitted(api: Api, demo: Demo, what: Large, pattern: str) -> tuple[Answer, int]:
    """The answer, and how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = api.submit(
            demo.organism, demo.group, table=what.table, fasta=what.fasta, mapping=what.mapping(pattern)
        )
    return answer, len(queries)


def test_many_entries_take_no_more_queries_than_few(api: Api, demo: Demo) -> None:
    rules = FileCategory.objects.filter(organism=demo.organism, name="rawReads")
    rules.update(pairing=True, max_file_size=1000, extensions=[".fastq"])
    assert api.submit(demo.organism, demo.group).status_code == 202  # makes the counter and the rule set
    few, many = large(api, demo, FEW), large(api, demo, MANY)
    for pattern, status in (("reads_{}.fastq", 202), ("reads/{}.bam", 422)):
        of_few, of_many = (submitted(api, demo, what, pattern) for what in (few, many))
        assert (of_few[0].status_code, of_many[0].status_code) == (status, status)
        assert of_many[1] == of_few[1] <= 38, pattern


@pytest.mark.embedded
def test_each_file_is_found_with_its_own_size_and_attached_to_its_own_entry(api: Api, demo: Demo) -> None:
    what = large(api, demo, FEW)
    answer, _ = submitted(api, demo, what, "reads_{}.fastq")
    assert answer.status_code == 202
    sizes = {str(key): size for key, size in File.objects.values_list("pk", "size")}
    assert [sizes[key] for key in what.file_ids] == [len(_content(n)) for n in range(len(what.file_ids))]
    attached = FileAttachment.objects.order_by("entry__position", "position").values_list(
        "entry__given_submission_id", "name", "file_id", "file__status"
    )
    expected = [
        (f"s{n // FILES_AN_ENTRY}", f"reads_{n % FILES_AN_ENTRY + 1}.fastq", key, "UPLOADED")
        for n, key in enumerate(what.file_ids)
    ]
    assert [(*row[:2], str(row[2]), row[3]) for row in attached] == expected
    assert SequenceEntry.objects.filter(status="VERIFYING").count() == FEW
