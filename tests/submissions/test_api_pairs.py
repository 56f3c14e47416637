"""Pairs of reads as they are submitted: what is refused at once, what is found afterwards, and what is accepted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from files.models import ContentCheckResult, File, FileAttachment, FileCategory
from submissions.models import SequenceEntry, Submission
from tests.fixtures import Api, Demo, codes

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


RAW_READS = "rawReads"
NAMES = ("s_R1.fastq.gz", "s_R2.fastq.gz")


def reads(mate: str, names: str = "abc") -> bytes:
    """A gzipped file of reads whose titles say which mate they are, as Casava writes it; “/” as older ones do."""
    mark = f" {mate}:N:0:ACGT" if mate in "12" else mate
    return gzip.compress("".join(f"@read-{name}{mark}\nACGT\n+\nIIII\n" for name in names).encode(), mtime=0)


@pytest.fixture
def paired(demo: Demo) -> Demo:
    """The demo, its raw reads in pairs as the admin's form saves them."""
    demo.organism.file_categories.filter(name=RAW_READS).update(pairing=True, min_files=2, max_files=2)
    return demo


def submit(api: Api, demo: Demo, *files: tuple[str, str]) -> Answer:
    """Submit one entry with these raw reads, pairs of file ID and name."""
    mapping = {"s": {RAW_READS: [{"fileId": file_id, "name": name} for file_id, name in files]}}
    return api.submit(demo.organism, demo.group, table=b"id\ns\n", fasta=b">s\nACGT\n", mapping=mapping)


def upload_pair(api: Api, demo: Demo, first: bytes, second: bytes) -> list[tuple[str, str]]:
    return [(api.upload(demo.group, content), name) for content, name in zip((first, second), NAMES, strict=True)]


def problem(answer: Answer) -> dict[str, Any]:
    assert answer.status_code == 422, answer.content
    assert not Submission.objects.exists()
    [error] = json.loads(answer.content)["errors"]
    return dict(error)


@pytest.mark.parametrize("order", [1, -1], ids=["read 1 first", "read 2 first"])
def test_a_pair_is_accepted_in_whatever_order_it_is_named(
    api: Api, paired: Demo, work: Callable[[], None], order: int
) -> None:
    assert submit(api, paired, *upload_pair(api, paired, reads("1"), reads("2"))[::order]).status_code == 202
    work()
    assert SequenceEntry.objects.get().status == "ACCEPTED"


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("contents", "code"),
    [
        ((reads("1"), reads("2", "ab")), "pair_read_count"),
        ((reads("1"), reads("2", "acb")), "pair_read_names"),
        ((reads("2"), reads("1")), "pair_swapped"),
        ((reads("/2"), reads("/1")), "pair_swapped"),
        ((reads("1"), reads("1", "abd")), "pair_same_mate"),
        ((reads(""), reads("")), "pair_same_mate"),
        ((reads("1") + reads("2"), reads("2")), "pair_mixed"),
    ],
)
def test_two_files_that_are_no_pair_are_found_out_and_both_say_why(
    api: Api, paired: Demo, work: Callable[[], None], contents: tuple[bytes, bytes], code: str
) -> None:
    answer = submit(api, paired, *upload_pair(api, paired, *contents))
    work()
    body = api.client.get(answer.headers["Location"]).json()
    assert body["status"] == "REJECTED"
    [entry] = body["entries"]
    assert [(file["name"], file["status"], file["problem"]["code"]) for file in entry["files"]] == [
        (name, "REJECTED", code) for name in NAMES
    ]
    assert len({file["problem"]["detail"] for file in entry["files"]}) == 1
    assert set(File.objects.values_list("status", flat=True)) == {"VERIFIED"}


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (["s_1.fq"], "too_few_files", "“s” has 1 file in “Raw reads”; it needs two, read 1 and read 2 of a pair."),
        (
            ["s_1.fq", "s_2.fq", "s_3.fq"],
            "too_many_files",
            "“s” has 3 files in “Raw reads”; it needs two, read 1 and read 2 of a pair.",
        ),
    ],
)
@pytest.mark.parametrize("numbers", [{"min_files": 2, "max_files": 2}, {"min_files": 1, "max_files": None}], ids=str)
def test_another_number_of_files_than_two_is_refused_whatever_the_numbers_say(
    api: Api, paired: Demo, numbers: dict[str, int | None], names: list[str], code: str, words: str
) -> None:
    FileCategory.objects.filter(name=RAW_READS).update(**numbers)
    error = problem(submit(api, paired, *((api.upload(paired.group, reads("1")), name) for name in names)))
    assert (error["code"], error["detail"]) == (code, words)
    assert (error["submissionId"], error["category"], error["pointer"]) == ("s", RAW_READS, "/s/rawReads")


@pytest.mark.embedded
def test_no_files_are_refused_only_where_a_pair_is_required(api: Api, paired: Demo) -> None:
    assert submit(api, paired).status_code == 202
    Submission.objects.get().entries.all().delete()
    Submission.objects.all().delete()
    FileCategory.objects.filter(name=RAW_READS).update(required=True)
    error = problem(submit(api, paired))
    assert error["code"] == "too_few_files"
    assert error["detail"] == "“s” has 0 files in “Raw reads”; it needs two, read 1 and read 2 of a pair."


def test_names_that_are_not_those_of_a_pair_are_refused_with_both_and_what_is_wanted(api: Api, paired: Demo) -> None:
    long = "x" * 80
    files = [(api.upload(paired.group, reads(mate)), f"{long}_{mate}.fq") for mate in "13"]
    error = problem(submit(api, paired, *files))
    assert (error["code"], error["submissionId"], error["category"]) == ("pair_file_names", "s", RAW_READS)
    assert error["detail"] == (
        f"“s” has in “Raw reads” “{long}_1.fq” and “{long}_3.fq”, which are not named as read 1 and read 2 of a pair: "
        "one has a 1 where the other has a 2, and all else is the same, as in “a_R1.fastq.gz” and “a_R2.fastq.gz”."
    )


@pytest.mark.parametrize(
    ("names", "code"), [(("a_1.fq", "A_1.fq"), "file_name_duplicate"), (("a_1.fq", "a/2.fq"), "file_name_invalid")]
)
def test_of_names_that_cannot_be_only_that_is_told(api: Api, paired: Demo, names: tuple[str, str], code: str) -> None:
    files = [(api.upload(paired.group, reads(mate)), name) for mate, name in zip("12", names, strict=True)]
    assert problem(submit(api, paired, *files))["code"] == code


def test_two_files_that_were_read_before_and_do_not_fit_are_refused_at_once(
    api: Api, paired: Demo, work: Callable[[], None]
) -> None:
    claims = {"organism": paired.organism.slug, "category": RAW_READS}
    contents = (reads("1"), reads("2", "ab"))
    files = [(api.upload(paired.group, content, **claims), name) for content, name in zip(contents, NAMES, strict=True)]
    api.post("files/complete-upload", [{"fileId": file_id} for file_id, _ in files])
    work()
    error = problem(submit(api, paired, *files))
    assert (error["code"], error["submissionId"], error["category"]) == ("file_rejected", "s", RAW_READS)
    assert error["detail"] == (
        "The files of “s” cannot be used as “Raw reads”: “s_R1.fastq.gz” has 3 reads and “s_R2.fastq.gz” 2, but every "
        "read 1 needs its read 2; see whether one file was cut short, or filtered without the other."
    )


def test_a_pair_that_was_read_before_and_fits_is_accepted_at_once(
    api: Api, paired: Demo, work: Callable[[], None]
) -> None:
    files = upload_pair(api, paired, reads("1"), reads("2"))
    submit(api, paired, *files)
    work()
    assert [entry["status"] for entry in submit(api, paired, *files).json()] == ["ACCEPTED"]


def test_one_file_under_both_names_is_refused_before_it_was_read(api: Api, paired: Demo) -> None:
    file_id = api.upload(paired.group, reads("1"))
    error = problem(submit(api, paired, *((file_id, name) for name in NAMES)))
    assert error["code"] == "file_rejected"
    assert "“s_R1.fastq.gz” and “s_R2.fastq.gz” are one and the same file" in error["detail"]


@pytest.mark.embedded
def test_files_of_a_pair_that_do_not_exist_are_told_and_nothing_else(api: Api, paired: Demo) -> None:
    files = upload_pair(api, paired, reads("1"), reads("2"))
    File.objects.update(group=paired.other_group)
    assert codes(submit(api, paired, *files)) == ["file_not_found"] * 2


@pytest.mark.embedded
def test_of_files_that_were_rejected_themselves_nothing_is_said_as_a_pair(
    api: Api, paired: Demo, work: Callable[[], None]
) -> None:
    claims = {"organism": paired.organism.slug, "category": RAW_READS, "sha256": "0" * 64}
    files = [(api.upload(paired.group, reads(mate), **claims), name) for mate, name in zip("12", NAMES, strict=True)]
    api.post("files/complete-upload", [{"fileId": file_id} for file_id, _ in files])
    work()
    assert set(ContentCheckResult.objects.values_list("passed", flat=True)) == {True}
    answer = submit(api, paired, *files)
    details = [error["detail"] for error in json.loads(answer.content)["errors"]]
    assert [detail.partition(":")[0] for detail in details] == [f"“{name}” was rejected" for name in NAMES]


def test_the_pairs_of_many_entries_take_one_query_more(api: Api, paired: Demo, work: Callable[[], None]) -> None:
    files = upload_pair(api, paired, reads("1"), reads("2"))
    submit(api, paired, *files)
    work()

    def queries_for(number: int) -> int:
        ids = [f"s{n}" for n in range(number)]
        mapping = {sid: {RAW_READS: [{"fileId": file_id, "name": name} for file_id, name in files]} for sid in ids}
        table, fasta = "\n".join(["id", *ids, ""]), "".join(f">{sid}\nACGT\n" for sid in ids)
        with CaptureQueriesContext(connection) as queries:
            answer = api.submit(
                paired.organism, paired.group, table=table.encode(), fasta=fasta.encode(), mapping=mapping
            )
        assert {entry["status"] for entry in answer.json()} == {"ACCEPTED"}
        return len(queries)

    assert queries_for(40) == queries_for(2)
    assert FileAttachment.objects.filter(pair_compared_at__isnull=False).count() == 2 * 43
