"""`POST /api/{organism}/submit`: what is accepted, and every row of the table of errors."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from files import storage, tasks
from files.errors import StorageUnavailableError
from files.models import ContentCheckResult, File, FileAttachment, FileCategory
from submissions.mapping import MAX_BYTES
from submissions.models import SequenceEntry, Submission
from submissions.services import attaching, submitting
from tests.fixtures import FASTQ, FASTQ_GZ, Api, Demo, codes, mapping_of, new_file_id

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


RAW_READS, SUPPLEMENTARY = "rawReads", "supplementary"


def test_entries_without_files_are_accepted_at_once_and_answered_in_table_order(api: Api, demo: Demo) -> None:
    answer = api.submit(demo.organism, demo.group)
    submission = Submission.objects.get()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/submissions/{submission.pk}"
    first, second = submission.entries.order_by("position")
    assert answer.json() == [
        {"accession": first.accession, "version": 1, "submissionId": "sample1", "status": "ACCEPTED"},
        {"accession": second.accession, "version": 1, "submissionId": "sample2", "status": "ACCEPTED"},
    ]
    assert first.metadata == {"country": "Uganda"}
    assert first.sequences == [{"fastaId": "sample1", "length": 4}]


def test_table_and_fasta_are_kept_as_they_were_sent(api: Api, demo: Demo) -> None:
    table = gzip.compress(b"id\tcountry\ns\tSudan\n", mtime=0)
    assert api.submit(demo.organism, demo.group, table=table, fasta=b">s x\nACGT\n").status_code == 202
    submission = Submission.objects.get()
    with submission.metadata_file.open() as kept:
        assert kept.read() == table
    with submission.sequence_file.open() as kept:
        assert kept.read() == b">s x\nACGT\n"


def test_an_entry_with_a_file_is_verifying_until_the_file_is_verified(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    file_id = api.upload(demo.group, FASTQ_GZ)
    answer = api.submit(demo.organism, demo.group, mapping=mapping_of("sample1", RAW_READS, (file_id, "a.fastq.gz")))
    assert [entry["status"] for entry in answer.json()] == ["VERIFYING", "ACCEPTED"]
    work()
    assert set(SequenceEntry.objects.values_list("status", flat=True)) == {"ACCEPTED"}


def test_an_entry_whose_files_are_verified_already_is_accepted_at_once(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = mapping_of("sample1", SUPPLEMENTARY, (file_id, "notes.txt"))
    api.submit(demo.organism, demo.group, mapping=mapping)
    work()
    again = api.submit(demo.organism, demo.group, mapping=mapping)
    assert [entry["status"] for entry in again.json()] == ["ACCEPTED", "ACCEPTED"]


@pytest.mark.embedded
def test_one_file_serves_many_entries_categories_and_names(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = {
        "sample1": {
            RAW_READS: [{"fileId": file_id, "name": "a.fastq"}, {"fileId": file_id.upper(), "name": "b.fastq"}],
            SUPPLEMENTARY: [{"fileId": file_id, "name": "a.fastq"}],
        },
        "sample2": {SUPPLEMENTARY: [{"fileId": file_id, "name": "a.fastq"}]},
    }
    assert api.submit(demo.organism, demo.group, mapping=mapping).status_code == 202
    work()
    assert FileAttachment.objects.count() == 4
    assert set(SequenceEntry.objects.values_list("status", flat=True)) == {"ACCEPTED"}


@pytest.mark.embedded
def test_files_may_be_named_in_columns_of_the_table(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    table = f"id\tfiles.{RAW_READS}\nsample1\ta.fastq:{file_id} b.fastq:{file_id}\nsample2\t\n".encode()
    assert api.submit(demo.organism, demo.group, table=table).status_code == 202
    assert list(FileAttachment.objects.order_by("position").values_list("name", flat=True)) == ["a.fastq", "b.fastq"]


def test_the_mapping_may_be_sent_as_a_file_and_unknown_parameters_are_ignored(api: Api, demo: Demo) -> None:
    form = {
        "metadataFile": SimpleUploadedFile("m.tsv", b"submissionId\nx\n"),
        "sequenceFile": SimpleUploadedFile("s.fasta", b">x\nAC\n"),
        "fileMapping": SimpleUploadedFile("mapping.json", b"{}"),
        "dataUseTermsType": "OPEN",
    }
    query = {"groupId": str(demo.group.pk), "dataUseTerms": "OPEN"}
    answer = api.client.post("/api/ebola-sudan/submit", data=form, query_params=query)
    assert answer.status_code == 202


@pytest.mark.parametrize("as_file", [True, False])
def test_a_mapping_above_its_limit_is_too_large_however_it_is_sent(api: Api, demo: Demo, as_file: bool) -> None:
    mapping = b"{}".ljust(MAX_BYTES + 1)
    form = {
        "metadataFile": SimpleUploadedFile("m.tsv", b"id\nx\n"),
        "sequenceFile": SimpleUploadedFile("s.fasta", b">x\nAC\n"),
        "fileMapping": SimpleUploadedFile("mapping.json", mapping) if as_file else mapping.decode(),
    }
    answer = api.client.post("/api/ebola-sudan/submit", data=form, query_params={"groupId": str(demo.group.pk)})
    assert (answer.status_code, _problem(answer)["code"]) == (413, "request_too_large")
    assert "8,388,608 bytes" in answer.json()["detail"]


def test_queries_do_not_grow_with_the_number_of_entries_and_files(
    api: Api, demo: Demo, django_assert_max_num_queries: Any
) -> None:
    requested = api.request_upload(demo.group, 300)
    files = File.objects.filter(pk__in=[item["fileId"] for item in requested])
    for file in files:
        default_storage.bucket.put_object(Key=file.staging_key, Body=b"x")  # type: ignore[attr-defined]
    table = "id\n" + "".join(f"s{n}\n" for n in range(300))
    fasta = "".join(f">s{n}\nACGT\n" for n in range(300))
    mapping = {f"s{n}": {SUPPLEMENTARY: [{"fileId": item["fileId"], "name": "f"}]} for n, item in enumerate(requested)}
    # SQLite takes rows of many columns in smaller batches than PostgreSQL does.
    with django_assert_max_num_queries(40 if connection.vendor == "postgresql" else 50):
        answer = api.submit(demo.organism, demo.group, table=table.encode(), fasta=fasta.encode(), mapping=mapping)
    assert answer.status_code == 202
    assert SequenceEntry.objects.count() == FileAttachment.objects.count() == 300


# --- the table of errors -----------------------------------------------------------------------------


@dataclass
class Case:
    """One bad submission: how it is made, and what is answered."""

    code: str
    status: int = 422
    make: Callable[[Api, Demo], dict[str, Any]] = field(default=lambda api, demo: {})
    where: dict[str, Any] = field(default_factory=dict)


def _mapped(api: Api, demo: Demo, *, sid: str = "sample1", category: str = SUPPLEMENTARY, name: str = "f.txt") -> Any:
    return mapping_of(sid, category, (api.upload(demo.group, FASTQ), name))


def _rule(demo: Demo, name: str = SUPPLEMENTARY, **rules: Any) -> None:
    FileCategory.objects.filter(organism=demo.organism, name=name).update(**rules)


def _ruled(name: str = "f.txt", **rules: Any) -> Callable[[Api, Demo], dict[str, Any]]:
    def make(api: Api, demo: Demo) -> dict[str, Any]:
        _rule(demo, **rules)
        return {"mapping": _mapped(api, demo, name=name)}

    return make


def _rejected(api: Api, demo: Demo) -> dict[str, Any]:
    file_id = api.upload(demo.group, b"not what was promised", sha256="0" * 64)
    api.post("files/complete-upload", [{"fileId": file_id}])
    tasks.verify_file(file_id)
    return {"mapping": mapping_of("sample1", SUPPLEMENTARY, (file_id, "f.txt"))}


def _check_failed(api: Api, demo: Demo) -> dict[str, Any]:
    file_id = api.upload(demo.group, FASTQ_GZ[:-9], organism="ebola-sudan", category=RAW_READS)
    api.post("files/complete-upload", [{"fileId": file_id}])
    tasks.verify_file(file_id)
    assert ContentCheckResult.objects.get().passed is False
    return {"mapping": mapping_of("sample1", RAW_READS, (file_id, "f.fastq.gz"))}


def _of_other_group(api: Api, demo: Demo) -> dict[str, Any]:
    file_id = Api(demo.bob).upload(demo.other_group, FASTQ)
    return {"mapping": mapping_of("sample1", SUPPLEMENTARY, (file_id, "f.txt"))}


def _not_uploaded(api: Api, demo: Demo) -> dict[str, Any]:
    [requested] = api.request_upload(demo.group)
    return {"mapping": mapping_of("sample1", SUPPLEMENTARY, (requested["fileId"], "f.txt"))}


def _not_completed(api: Api, demo: Demo) -> dict[str, Any]:
    [requested] = api.post("files/request-multipart-upload", groupId=demo.group.pk).json()
    return {"mapping": mapping_of("sample1", SUPPLEMENTARY, (requested["fileId"], "f.txt"))}


def _two_where_one_is_allowed(api: Api, demo: Demo) -> dict[str, Any]:
    _rule(demo, max_files=1)
    files = [(api.upload(demo.group, b"x"), name) for name in ("1.txt", "2.txt")]
    return {"mapping": mapping_of("sample1", SUPPLEMENTARY, *files)}


def _named(name: str) -> Callable[[Api, Demo], dict[str, Any]]:
    return lambda api, demo: {"mapping": _mapped(api, demo, name=name)}


def _twice(api: Api, demo: Demo) -> dict[str, Any]:
    file_id = api.upload(demo.group, FASTQ)
    return {"mapping": mapping_of("sample1", SUPPLEMENTARY, (file_id, "É.txt"), (file_id, "e\u0301.TXT"))}


def _sent(**sent: Any) -> Callable[[Api, Demo], dict[str, Any]]:
    return lambda api, demo: sent


CASES = {
    "unknown organism": Case("organism_not_found", 404, _sent(organism="no-such-organism")),
    "no table": Case("parameter_missing", 400, _sent(table=None), {"field": "metadataFile"}),
    "no sequences where required": Case("parameter_missing", 400, _sent(fasta=None), {"field": "sequenceFile"}),
    "empty table": Case("metadata_invalid", 422, _sent(table=b""), {"field": "metadataFile"}),
    "empty sequences": Case("sequence_invalid", 422, _sent(fasta=b"")),
    "files without file sharing": Case(
        "file_sharing_disabled",
        400,
        lambda api, demo: {"organism": demo.organism_without_files, "mapping": _mapped(api, demo)},
    ),
    "columns without file sharing": Case(
        "file_sharing_disabled",
        400,
        lambda api, demo: {
            "organism": demo.organism_without_files,
            "table": b"id\tfiles.rawReads\nsample1\t\nsample2\t\n",
        },
    ),
    "mapping no JSON": Case("file_mapping_invalid", 400, _sent(mapping="{")),
    "mapping of another shape": Case("file_mapping_invalid", 400, _sent(mapping=["sample1"])),
    "file ID no UUID": Case(
        "file_mapping_invalid", 400, _sent(mapping=mapping_of("sample1", SUPPLEMENTARY, ("7", "f.txt")))
    ),
    "key twice": Case("file_mapping_invalid", 400, _sent(mapping='{"sample1": {}, "sample1": {}}')),
    "mapping and columns": Case(
        "file_mapping_invalid",
        400,
        _sent(
            mapping=mapping_of("sample1", SUPPLEMENTARY, (new_file_id(), "f.txt")),
            table=f"id\tfiles.rawReads\nsample1\tx:{new_file_id()}\nsample2\t\n".encode(),
        ),
    ),
    "cell that is no pair": Case(
        "file_mapping_invalid", 400, _sent(table=b"id\tfiles.rawReads\nsample1\treads.fastq\nsample2\t\n"), {"line": 2}
    ),
    "unknown submission ID": Case(
        "submission_id_unknown",
        422,
        lambda api, demo: {"mapping": _mapped(api, demo, sid="sample/3")},
        {"pointer": "/sample~13", "submissionId": "sample/3"},
    ),
    "unknown category": Case(
        "category_unknown",
        422,
        lambda api, demo: {"mapping": _mapped(api, demo, category="photos")},
        {"submissionId": "sample1", "category": "photos"},
    ),
    "unknown file": Case(
        "file_not_found", 422, _sent(mapping=mapping_of("sample1", SUPPLEMENTARY, (new_file_id(), "f.txt")))
    ),
    "another group's file": Case("file_not_found", 422, _of_other_group),
    "not uploaded": Case(
        "file_not_uploaded", 422, _not_uploaded, {"pointer": "/sample1/supplementary/0", "name": "f.txt"}
    ),
    "multipart not completed": Case("multipart_not_completed", 422, _not_completed),
    "rejected file": Case("file_rejected", 422, _rejected),
    "failed check": Case("file_rejected", 422, _check_failed),
    "name twice": Case("file_name_duplicate", 422, _twice, {"pointer": "/sample1/supplementary/1"}),
    "too few files": Case("too_few_files", 422, _ruled(min_files=2)),
    "none of a required category": Case("too_few_files", 422, _ruled(required=True), {"submissionId": "sample2"}),
    "too many files": Case("too_many_files", 422, _two_where_one_is_allowed),
    "too large": Case("file_too_large", 422, _ruled(max_file_size=10)),
    "wrong extension": Case("extension_not_allowed", 422, _ruled(name="f.txt.zip", extensions=[".txt"])),
    "no ID": Case(
        "id_missing", 422, _sent(table=b"id\tcountry\nsample1\tx\n\ty\n", fasta=b">sample1\nA\n"), {"line": 3}
    ),
    "ID twice": Case("id_duplicate", 422, _sent(table=b"id\nsample1\nsample2\nsample1\n"), {"line": 4}),
    "white space in ID": Case("id_whitespace", 422, _sent(table=b"id\nsample1\n sample2\n")),
    "row without sequence": Case("ids_unmatched", 422, _sent(fasta=b">sample1\nACGT\n"), {"submissionId": "sample2"}),
    "sequence without row": Case("ids_unmatched", 422, _sent(table=b"id\nsample1\n")),
    "no ID column": Case("metadata_invalid", 422, _sent(table=b"name\nsample1\n")),
    "both ID columns": Case("metadata_invalid", 422, _sent(table=b"id\tsubmissionId\nsample1\tsample1\n")),
    "bad date": Case("metadata_invalid", 422, _sent(table=b"id\tdate\nsample1\tyesterday\nsample2\t\n"), {"line": 2}),
    "bad letter": Case("sequence_invalid", 422, _sent(fasta=b">sample1\nAC!T\n>sample2\nA\n"), {"line": 2}),
    "truncated gzip": Case("compression_invalid", 422, _sent(table=gzip.compress(b"id\nsample1\n")[:-9])),
    "zip": Case("compression_invalid", 422, _sent(table=b"PK\x03\x04" + bytes(40))),
}
for bad in ("", "x" * 256, *(f"a{c}b" for c in '<>:"/\\|?*\x07\u202e'), " a", "a ", ".", ".."):
    CASES[f"name {bad[:5]!r}"] = Case("file_name_invalid", 422, _named(bad))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_wrong_is_refused_with_its_code_and_nothing_is_stored(api: Api, demo: Demo, case: Case) -> None:
    arguments = {"organism": demo.organism, "group": demo.group, **case.make(api, demo)}
    kept_before = _kept_documents()
    answer = api.submit(**arguments)
    body = _problem(answer)
    assert (answer.status_code, body["code"]) == (case.status, case.code), body
    if case.status != 404:
        assert body["errorCount"] == len(body["errors"]) >= 1
        assert {error["code"] for error in body["errors"]} == {case.code}
        assert body["errors"][0] == {**body["errors"][0], **case.where}
    assert not Submission.objects.exists()
    assert not SequenceEntry.objects.exists()
    assert not FileAttachment.objects.exists()
    assert _kept_documents() == kept_before


def test_group_parameter_group_and_membership_are_checked(api: Api, demo: Demo) -> None:
    unreadable = api.client.post("/api/ebola-sudan/submit?groupId=mine", data={"x": "y"})
    assert (unreadable.status_code, _problem(unreadable)["code"]) == (400, "parameter_invalid")
    missing = api.client.post("/api/ebola-sudan/submit", data={"x": "y"})
    assert (missing.status_code, _problem(missing)["code"]) == (400, "parameter_missing")
    demo.other_group.pk += 1000
    unknown = api.submit(demo.organism, demo.other_group)
    assert (unknown.status_code, _problem(unknown)["code"]) == (404, "group_not_found")
    foreign = Api(demo.bob).submit(demo.organism, demo.group)
    assert (foreign.status_code, _problem(foreign)["code"]) == (403, "not_a_member")
    anonymous = Api(None).submit(demo.organism, demo.group)
    assert (anonymous.status_code, _problem(anonymous)["code"]) == (401, "not_authenticated")
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.embedded
def test_all_problems_come_in_one_answer(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = {
        "sample1": {"photos": [], SUPPLEMENTARY: [{"fileId": file_id, "name": "a/b"}]},
        "sample9": {RAW_READS: [{"fileId": new_file_id(), "name": "x.fastq"}]},
    }
    answer = api.submit(
        demo.organism,
        demo.group,
        table=b"id\tdate\nsample1\tsoon\nsample1\t\n",
        fasta=b">sample1\nACGT\n>sample3\nAC*T\n",
        mapping=mapping,
    )
    assert answer.status_code == 422
    assert _problem(answer)["code"] == "validation_failed"
    assert sorted(codes(answer)) == [
        "category_unknown",
        "file_name_invalid",
        "file_not_found",
        "id_duplicate",
        "ids_unmatched",
        "metadata_invalid",
        "sequence_invalid",
        "submission_id_unknown",
    ]


def test_text_that_is_not_utf8_is_refused_and_never_stored_altered(api: Api, demo: Demo) -> None:
    parts = [("metadataFile", b"id\tcountry\ns\tC\xf4te\n"), ("sequenceFile", b">s\nACGT\n")]
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), c) for n, c in parts
    )
    answer = api.client.post(
        f"/api/ebola-sudan/submit?groupId={demo.group.pk}",
        body + b"--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )
    assert (answer.status_code, codes(answer)) == (400, ["parameter_invalid"])
    assert not Submission.objects.exists()


def test_files_of_an_unknown_category_are_looked_at_too(api: Api, demo: Demo) -> None:
    mapping = mapping_of("sample1", "photos", (new_file_id(), "a/b"))
    answer = api.submit(demo.organism, demo.group, mapping=mapping)
    assert sorted(codes(answer)) == ["category_unknown", "file_name_invalid", "file_not_found"]


@pytest.mark.parametrize("store_is_down", [False, True])
def test_a_file_that_expires_between_look_and_store_refuses_the_submission(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch, store_is_down: bool
) -> None:
    """Also while the store cannot delete the documents, which are orphans then."""

    def down(*names: str) -> None:
        raise StorageUnavailableError

    if store_is_down:
        monkeypatch.setattr(storage, "delete_documents", down)
    file_id = api.upload(demo.group, FASTQ)
    look = attaching.plan_attachments

    def look_and_expire(**arguments: Any) -> Any:
        found = look(**arguments)
        File.objects.update(status=File.Status.EXPIRED)
        return found

    monkeypatch.setattr(submitting, "plan_attachments", look_and_expire)
    answer = api.submit(demo.organism, demo.group, mapping=mapping_of("sample1", SUPPLEMENTARY, (file_id, "a")))
    assert (answer.status_code, codes(answer)) == (422, ["file_not_found"])
    assert not Submission.objects.exists()


def test_only_the_first_thousand_problems_are_listed_and_all_are_counted(api: Api, demo: Demo) -> None:
    mapping: dict[str, dict[str, object]] = {f"unknown{n}": {} for n in range(1500)}
    body = _problem(api.submit(demo.organism, demo.group, mapping=mapping))
    assert (len(body["errors"]), body["errorCount"]) == (1000, 1500)


def _problem(answer: Answer) -> Any:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    body = json.loads(answer.content)
    assert body["status"] == answer.status_code
    assert body["type"] == f"/help/problems#{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/api/")
    return body


def _kept_documents() -> set[str]:
    return {stored.key for stored in default_storage.bucket.objects.filter(Prefix="submissions/")}  # type: ignore[attr-defined]
