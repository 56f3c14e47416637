"""`checksumFile` of a submission: what it says is compared now or by the verifier, and never believed."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from common.errors import ValidationFailedError
from files import tasks
from files.models import File
from submissions.checksums import Checksum
from submissions.mapping import parse_mapping
from submissions.models import SequenceEntry, Submission
from submissions.services import submitting
from submissions.services.checksums import ChecksumClaim, ChecksumClaims, record_claims
from tests.factories import FileFactory
from tests.fixtures import FASTQ, FASTQ_GZ, Api, Demo, codes, mapping_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


RAW_READS, SUPPLEMENTARY = "rawReads", "supplementary"
TABLE = b"id\tcountry\nsample1\tUganda\nsample2\t\n"
FASTA = b">sample1\nACGT\n>sample2\nGGCC\n"
WRONG = "0" * 64


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def submit(api: Api, demo: Demo, mapping: object, *lines: str) -> Answer:
    checksums = "".join(f"{line}\n" for line in lines).encode()
    return api.submit(demo.organism, demo.group, table=TABLE, fasta=FASTA, mapping=mapping, checksums=checksums)


def verify(api: Api, file_id: str) -> None:
    api.post("files/complete-upload", [{"fileId": file_id}])
    tasks.verify_file(file_id)
    assert File.objects.get(pk=file_id).status == File.Status.VERIFIED


def first_error(answer: Answer) -> dict[str, Any]:
    assert answer.status_code == 422, answer.content
    found: dict[str, Any] = json.loads(answer.content)["errors"][0]
    return found


@pytest.mark.embedded
def test_right_checksums_are_noted_and_the_verifier_finds_them_kept(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    reads, notes = api.upload(demo.group, FASTQ_GZ), api.upload(demo.group, b"notes")
    mapping = {
        **mapping_of("sample1", RAW_READS, (reads, "reads.fastq.gz")),
        **mapping_of("sample2", SUPPLEMENTARY, (notes, "notes.txt")),
    }
    lines = [f"{sha256(FASTQ_GZ)}  ./rawReads/sample1/reads.fastq.gz", f"MD5 (notes.txt) = {md5(b'notes').upper()}"]
    assert submit(api, demo, mapping, *lines).status_code == 202
    claimed = File.objects.values_list("claimed_sha256", "claimed_md5")
    assert claimed.get(pk=reads) == (sha256(FASTQ_GZ), "")
    assert claimed.get(pk=notes) == ("", md5(b"notes"))
    work()
    assert set(SequenceEntry.objects.values_list("status", flat=True)) == {"ACCEPTED"}


@pytest.mark.embedded
def test_a_wrong_checksum_of_a_file_that_was_not_read_yet_rejects_it_when_it_is(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = mapping_of("sample1", SUPPLEMENTARY, (file_id, "notes.txt"))
    assert submit(api, demo, mapping, f"{WRONG}  notes.txt").status_code == 202
    work()
    assert File.objects.get().problem_code == "sha256_mismatch"
    assert dict(SequenceEntry.objects.values_list("given_submission_id", "status")) == {
        "sample1": "REJECTED",
        "sample2": "ACCEPTED",
    }


@pytest.mark.parametrize(
    ("line", "code"), [(f"{WRONG}  sample1/a.txt", "sha256_mismatch"), ("0" * 32 + "  a.txt", "md5_mismatch")]
)
def test_a_wrong_checksum_of_a_verified_file_refuses_the_submission(api: Api, demo: Demo, line: str, code: str) -> None:
    file_id = api.upload(demo.group, FASTQ)
    verify(api, file_id)
    answer = submit(api, demo, mapping_of("sample1", SUPPLEMENTARY, (file_id, "a.txt")), "# mine", line)
    error = first_error(answer)
    assert error == {
        "code": code,
        "detail": error["detail"],
        "field": "checksumFile",
        "submissionId": "sample1",
        "category": SUPPLEMENTARY,
        "fileId": file_id,
        "name": "a.txt",
        "line": 2,
    }
    assert (md5 if code == "md5_mismatch" else sha256)(FASTQ) in error["detail"]
    assert not Submission.objects.exists()


def test_a_right_checksum_of_a_verified_file_is_fine(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    verify(api, file_id)
    answer = submit(
        api, demo, mapping_of("sample1", SUPPLEMENTARY, (file_id, "a.txt")), f"{sha256(FASTQ)}  sample1/a.txt"
    )
    assert [entry["status"] for entry in answer.json()] == ["ACCEPTED", "ACCEPTED"]


@pytest.mark.embedded
def test_what_was_claimed_before_stays_and_cannot_be_contradicted(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ, sha256=sha256(FASTQ))
    mapping = mapping_of("sample1", SUPPLEMENTARY, (file_id, "a.txt"))
    error = first_error(submit(api, demo, mapping, f"{WRONG}  a.txt"))
    assert error["code"] == "sha256_mismatch"
    assert "announced for it before" in error["detail"]
    assert submit(api, demo, mapping, f"{sha256(FASTQ)}  a.txt", f"{md5(FASTQ)}  a.txt").status_code == 202
    assert File.objects.values_list("claimed_sha256", "claimed_md5").get() == (sha256(FASTQ), md5(FASTQ))


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_noted(api: Api, demo: Demo) -> None:
    good, other, third = (api.upload(demo.group, content) for content in (b"good", b"other", b"third"))
    verify(api, other)
    mapping = {
        "sample1": {
            RAW_READS: [{"fileId": third, "name": "same.txt"}],
            SUPPLEMENTARY: [{"fileId": good, "name": "good.txt"}, {"fileId": other, "name": "same.txt"}],
            "photos": [],
        }
    }
    lines = [
        f"{sha256(b'good')}  good.txt",
        "nonsense",
        f"{sha256(b'good')}  elsewhere.txt",
        f"{WRONG}  same.txt",
        f"{WRONG}  sample1/good.txt",
        f"{WRONG}  supplementary/sample1/same.txt",
    ]
    answer = submit(api, demo, mapping, *lines)
    assert answer.status_code == 422
    assert [(error["code"], error.get("line")) for error in answer.json()["errors"]] == [
        ("category_unknown", None),
        ("checksum_invalid", 2),
        ("checksum_unmatched", 3),
        ("checksum_ambiguous", 4),
        ("checksum_contradiction", 5),
        ("sha256_mismatch", 6),
    ]
    assert not File.objects.exclude(claimed_sha256="").exists()
    assert not Submission.objects.exists()


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("nonsense", "checksum_invalid"),
        (f"{WRONG}  unknown.txt", "checksum_unmatched"),
        (f"{WRONG}  a.txt", "checksum_ambiguous"),
        (f"{WRONG}  sample1/a.txt\n{'1' * 64}  sample1/a.txt", "checksum_contradiction"),
    ],
)
def test_a_line_that_cannot_be_taken_refuses_the_submission(api: Api, demo: Demo, line: str, code: str) -> None:
    files = [api.upload(demo.group, content) for content in (b"1", b"2")]
    mapping = {
        **mapping_of("sample1", SUPPLEMENTARY, (files[0], "a.txt")),
        **mapping_of("sample2", SUPPLEMENTARY, (files[1], "a.txt")),
    }
    answer = submit(api, demo, mapping, line)
    assert (answer.status_code, codes(answer)) == (422, [code])
    assert not Submission.objects.exists()
    assert not File.objects.exclude(claimed_sha256="").exists()


def test_one_file_under_one_name_in_many_entries_is_named_by_its_bare_name(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = {
        **mapping_of("sample1", SUPPLEMENTARY, (file_id, "a.txt")),
        **mapping_of("sample2", SUPPLEMENTARY, (file_id, "a.txt")),
    }
    assert submit(api, demo, mapping, f"{sha256(FASTQ)}  a.txt", f"{sha256(FASTQ)}  sample2/a.txt").status_code == 202


def test_files_that_the_table_names_can_be_meant_too(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    table = f"id\tfiles.{SUPPLEMENTARY}\nsample1\ta.txt:{file_id}\nsample2\t\n".encode()
    answer = api.submit(demo.organism, demo.group, table=table, checksums=f"{sha256(FASTQ)}  a.txt".encode())
    assert answer.status_code == 202
    assert File.objects.get().claimed_sha256 == sha256(FASTQ)


def test_table_and_sequences_are_compared_as_they_were_sent(api: Api, demo: Demo) -> None:
    table = gzip.compress(TABLE, mtime=0)
    right = f"{sha256(table)}  metadata.tsv\n{md5(FASTA)}  /tmp/sequences.fasta\n"
    answer = api.submit(demo.organism, demo.group, table=table, fasta=FASTA, checksums=right.encode())
    assert answer.status_code == 202
    [submission] = Submission.objects.all()
    with submission.sequence_file.open() as kept:
        assert kept.read() == FASTA
    error = first_error(submit(api, demo, None, f"{sha256(TABLE)}  metadata.tsv", f"{WRONG}  sequences.fasta"))
    assert (error["code"], error["line"], error["name"]) == ("sha256_mismatch", 2, "sequences.fasta")


def test_the_checksum_file_may_be_sent_packed_or_as_text(api: Api, demo: Demo) -> None:
    packed = gzip.compress(f"{sha256(TABLE)}  metadata.tsv".encode())
    assert api.submit(demo.organism, demo.group, table=TABLE, checksums=packed).status_code == 202
    form = {
        "metadataFile": SimpleUploadedFile("metadata.tsv", b"id\nx\n"),
        "sequenceFile": ">x\nAC\n",
        "checksumFile": f"{WRONG}  metadata.tsv",
    }
    answer = api.client.post("/api/ebola-sudan/submit", data=form, query_params={"groupId": str(demo.group.pk)})
    assert codes(answer) == ["sha256_mismatch"]


def test_an_empty_checksum_file_is_refused(api: Api, demo: Demo) -> None:
    answer = submit(api, demo, None, "# nothing")
    assert (answer.status_code, codes(answer)) == (422, ["checksum_invalid"])


def test_a_file_of_another_group_is_not_looked_at(api: Api, demo: Demo) -> None:
    foreign = FileFactory.create(group=demo.other_group, status=File.Status.VERIFIED)
    mapping = mapping_of("sample1", SUPPLEMENTARY, (str(foreign.pk), "a.txt"))
    assert codes(submit(api, demo, mapping, f"{WRONG}  a.txt")) == ["file_not_found"]


# --- races: between the look and the lock --------------------------------------------------------------


@pytest.mark.parametrize("claimed", [WRONG, sha256(FASTQ)])
def test_a_file_that_is_verified_between_look_and_store_is_compared_with_what_was_found(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch, claimed: str
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    keep = submitting._keep_documents

    def keep_and_verify(*arguments: Any) -> None:
        keep(*arguments)
        verify(api, file_id)

    monkeypatch.setattr(submitting, "_keep_documents", keep_and_verify)
    mapping = mapping_of("sample1", SUPPLEMENTARY, (file_id, "a.txt"))
    answer = submit(api, demo, mapping, f"{claimed}  a.txt")
    if claimed == WRONG:
        assert first_error(answer)["code"] == "sha256_mismatch"
        assert not Submission.objects.exists()
    else:
        assert answer.status_code == 202
    assert File.objects.get().claimed_sha256 == ""


def test_another_claim_that_comes_between_look_and_store_wins(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    keep = submitting._keep_documents

    def keep_and_claim(*arguments: Any) -> None:
        keep(*arguments)
        answer = api.post("files/complete-upload", [{"fileId": file_id, "sha256": sha256(FASTQ)}])
        assert answer.status_code == 200

    monkeypatch.setattr(submitting, "_keep_documents", keep_and_claim)
    mapping = mapping_of("sample1", SUPPLEMENTARY, (file_id, "a.txt"))
    assert first_error(submit(api, demo, mapping, f"{WRONG}  a.txt"))["code"] == "sha256_mismatch"
    assert File.objects.get().claimed_sha256 == sha256(FASTQ)


# --- sizes -------------------------------------------------------------------------------------------


def _claims(files: list[File], digest: str) -> ChecksumClaims:
    claims = ChecksumClaims()
    for number, file in enumerate(files, start=1):
        mapped = next(parse_mapping(json.dumps(mapping_of("s", "c", (str(file.pk), "n")))).files())
        claims.files[file.pk] = {"sha256": ChecksumClaim(Checksum(number, "sha256", digest, "n"), mapped)}
    return claims


@pytest.mark.embedded
def test_claims_of_any_number_are_noted_in_one_query(demo: Demo, django_assert_max_num_queries: Any) -> None:
    files = FileFactory.create_batch(2_001, group=demo.group, status=File.Status.UPLOADED)
    claims = _claims(files, sha256(b"x"))
    with django_assert_max_num_queries(2 if connection.vendor == "postgresql" else 9):  # SQLite reads 999 at a time
        record_claims(claims)
    assert File.objects.filter(claimed_sha256=sha256(b"x")).count() == 2_001
    with django_assert_max_num_queries(12) as again:
        record_claims(claims)
    assert not [query for query in again.captured_queries if query["sql"].startswith("UPDATE")]
    with pytest.raises(ValidationFailedError) as refused:
        record_claims(_claims(files, WRONG))
    assert refused.value.count == 2_001


@pytest.mark.embedded
def test_queries_do_not_grow_with_the_checksum_file(api: Api, demo: Demo, django_assert_max_num_queries: Any) -> None:
    files = FileFactory.create_batch(300, group=demo.group, status=File.Status.UPLOADED)
    table = "id\n" + "".join(f"s{n}\n" for n in range(150))
    fasta = "".join(f">s{n}\nACGT\n" for n in range(150))
    mapping = {
        f"s{n}": {
            SUPPLEMENTARY: [{"fileId": str(file.pk), "name": name} for file, name in zip(pair, "ab", strict=True)]
        }
        for n, pair in enumerate(zip(files[::2], files[1::2], strict=True))
    }
    checksums = "".join(f"{WRONG}  s{n}/{name}\n" for n in range(150) for name in "ab")
    with django_assert_max_num_queries(45):
        answer = api.submit(
            demo.organism,
            demo.group,
            table=table.encode(),
            fasta=fasta.encode(),
            mapping=mapping,
            checksums=checksums.encode(),
        )
    assert answer.status_code == 202
    assert File.objects.filter(claimed_sha256=WRONG).count() == 300
