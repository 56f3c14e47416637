"""The life of a file: what is read, what is recorded, and what no race can change."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from embedded.programs import wait_until
from files import leases, reading, storage, sweeping, tasks, verification
from files.batches import Batch
from files.errors import StorageUnavailableError
from files.leases import LeaseLostError
from files.models import ContentCheckResult, File
from files.reading import Reading
from submissions.models import SequenceEntry, Submission
from tests import web
from tests.fixtures import FASTQ, FASTQ_GZ, Api, Demo, mapping_of, put

RAW_READS, SUPPLEMENTARY = "rawReads", "supplementary"


def _sent(api: Api, demo: Demo, content: bytes = FASTQ, **claims: Any) -> tuple[File, str]:
    """A file whose bytes are staged and known to be, and the URL that they were sent to."""
    [requested] = api.request_upload(demo.group, claims=[claims] if claims else None)
    assert put(requested["url"], content).status_code == 200
    api.post("files/complete-upload", [{"fileId": requested["fileId"]}])
    return File.objects.get(pk=requested["fileId"]), requested["url"]


def _served(api: Api, accession: str, name: str, category: str = SUPPLEMENTARY) -> bytes:
    answer = api.get(f"files/get/{accession}/1/{category}/{name}")
    return web.get(answer.headers["Location"]).content


def test_a_verified_file_has_size_and_hashes_and_its_staged_object_is_gone(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo)
    assert verification.verify(file.pk) is True
    file.refresh_from_db()
    assert file.status == File.Status.VERIFIED
    assert (file.size, file.sha256, file.md5) == (
        len(FASTQ),
        hashlib.sha256(FASTQ).hexdigest(),
        hashlib.md5(FASTQ, usedforsecurity=False).hexdigest(),
    )
    assert file.lease_token is None
    assert storage.head(file.staging_key) is None
    assert storage.head(file.object_key) is not None


def test_an_empty_file_is_a_file(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo, b"")
    verification.verify(file.pk)
    file.refresh_from_db()
    assert (file.status, file.size, file.sha256) == ("VERIFIED", 0, hashlib.sha256(b"").hexdigest())


def test_a_replaced_file_changes_nothing_that_is_served(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    file, url = _sent(api, demo)
    mapping = mapping_of("sample1", SUPPLEMENTARY, (str(file.pk), "a.txt"))
    [entry, _] = api.submit(demo.organism, demo.group, mapping=mapping).json()
    work()
    assert put(url, b"something else altogether").status_code == 200
    assert _served(api, entry["accession"], "a.txt") == FASTQ
    api.post("files/complete-upload", [{"fileId": str(file.pk)}])
    work()
    assert _served(api, entry["accession"], "a.txt") == FASTQ
    assert api.get(f"files/{file.pk}").json()["sha256"] == hashlib.sha256(FASTQ).hexdigest()
    assert sweeping.clear_staging() >= 1
    assert storage.head(file.staging_key) is None


def test_what_was_sent_about_type_and_encoding_does_not_survive(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    [requested] = api.request_upload(demo.group)
    put(requested["url"], FASTQ_GZ, **{"Content-Encoding": "gzip", "Content-Type": "text/html"})
    mapping = mapping_of("sample1", RAW_READS, (requested["fileId"], "a.fastq.gz"))
    [entry, _] = api.submit(demo.organism, demo.group, mapping=mapping).json()
    work()
    answer = web.get(api.get(f"files/get/{entry['accession']}/1/{RAW_READS}/a.fastq.gz").headers["Location"])
    assert answer.content == FASTQ_GZ
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_truncated_file_sinks_its_entry_alone_with_code_and_offset(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    good, bad = api.upload(demo.group, FASTQ_GZ), api.upload(demo.group, FASTQ_GZ[:-9])
    mapping = {
        **mapping_of("sample1", RAW_READS, (good, "good.fastq.gz")),
        **mapping_of("sample2", RAW_READS, (good, "good.fastq.gz"), (bad, "bad.fastq.gz")),
    }
    location = api.submit(demo.organism, demo.group, mapping=mapping).headers["Location"]
    while_verifying = api.client.get(location)
    assert while_verifying.json()["status"] == "VERIFYING"
    assert int(while_verifying.headers["Retry-After"]) > 0
    work()
    answer = api.client.get(location)
    body = answer.json()
    assert "Retry-After" not in answer.headers
    assert body["status"] == "PARTLY_ACCEPTED"
    assert body["counts"] == {"entries": 2, "verifying": 0, "accepted": 1, "rejected": 1, "withdrawn": 0}
    first, second = body["entries"]
    assert (first["status"], second["status"]) == ("ACCEPTED", "REJECTED")
    assert [file["status"] for file in second["files"]] == ["VERIFIED", "REJECTED"]
    problem = second["files"][1]["problem"]
    assert problem["code"] == "fastq_gzip_truncated"
    assert isinstance(problem["offset"], int)
    assert File.objects.get(pk=bad).status == File.Status.VERIFIED


def test_a_file_that_is_no_fastq_may_be_supplementary(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    file_id = api.upload(demo.group, b"no reads here")
    mapping = {
        **mapping_of("sample1", SUPPLEMENTARY, (file_id, "notes.txt")),
        **mapping_of("sample2", RAW_READS, (file_id, "notes.fastq")),
    }
    api.submit(demo.organism, demo.group, mapping=mapping)
    work()
    found = dict(SequenceEntry.objects.values_list("given_submission_id", "status"))
    assert found == {"sample1": "ACCEPTED", "sample2": "REJECTED"}


@pytest.mark.embedded
def test_a_check_asked_for_after_verification_is_run_then_and_once(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    file, _ = _sent(api, demo, FASTQ_GZ)
    work()
    assert not ContentCheckResult.objects.exists()
    mapping = mapping_of("sample1", RAW_READS, (str(file.pk), "a.fastq.gz"))
    for _ in range(2):
        api.submit(demo.organism, demo.group, mapping=mapping)
        work()
    result = ContentCheckResult.objects.get()
    assert (result.check_name, result.passed, result.data["reads"]) == ("fastq", True, 2)
    assert set(SequenceEntry.objects.values_list("status", flat=True)) == {"ACCEPTED"}


@pytest.mark.embedded
def test_a_task_that_runs_twice_changes_nothing(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo, FASTQ_GZ, organism="ebola-sudan", category=RAW_READS)
    tasks.verify_file(str(file.pk))
    before = list(File.objects.values()), list(ContentCheckResult.objects.values())
    tasks.verify_file(str(file.pk))
    assert (list(File.objects.values()), list(ContentCheckResult.objects.values())) == before


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_the_same_task_at_once_reads_the_file_once(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo)

    def run(_: int) -> bool:
        try:
            return verification.verify(file.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(run, range(6))) == [False] * 5 + [True]
    file.refresh_from_db()
    assert file.status == File.Status.VERIFIED
    assert len(list(storage.list_prefix(f"files/{file.pk}/"))) == 1


def test_a_rejected_file_is_final_and_keeps_its_reason(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    file, _ = _sent(api, demo, sha256="0" * 64)
    work()
    tasks.verify_file(str(file.pk))
    found = api.get(f"files/{file.pk}").json()
    assert (found["status"], found["problem"]["code"]) == ("REJECTED", "sha256_mismatch")
    assert hashlib.sha256(FASTQ).hexdigest() in found["problem"]["detail"]


def test_an_entry_whose_file_is_rejected_later_is_rejected(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    file_id = api.upload(demo.group, FASTQ, sha256="0" * 64)
    mapping = mapping_of("sample1", SUPPLEMENTARY, (file_id, "a.txt"))
    assert api.submit(demo.organism, demo.group, mapping=mapping).json()[0]["status"] == "VERIFYING"
    work()
    assert SequenceEntry.objects.get(given_submission_id="sample1").status == "REJECTED"


# --- leases, faults and the sweeper ------------------------------------------------------------------


@pytest.mark.embedded
def test_a_worker_that_lost_its_lease_records_nothing(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo)
    slow = leases.claim(file.pk)
    assert slow is not None
    assert leases.claim(file.pk) is None
    File.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert verification.verify(file.pk) is True
    before = File.objects.values().get()
    with pytest.raises(LeaseLostError):
        slow.record(size=1)
    with pytest.raises(LeaseLostError):
        slow.end(status=File.Status.REJECTED)
    slow.end_with_fault(StorageUnavailableError())
    assert File.objects.values().get() == before


def test_the_copy_of_a_worker_that_lost_its_lease_is_deleted(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo)
    slow = leases.claim(file.pk)
    assert slow is not None
    File.objects.update(lease_token=uuid.uuid4())
    batch = Batch([slow])
    verification._frozen(batch)
    assert batch.held == []
    assert list(storage.list_prefix(f"files/{file.pk}/")) == []
    file.refresh_from_db()
    assert file.object_key == ""


def test_a_worker_that_died_after_its_copy_is_followed_by_one_that_reads_that_copy(api: Api, demo: Demo) -> None:
    file, url = _sent(api, demo)
    dead = leases.claim(file.pk)
    assert dead is not None
    [copy] = verification._frozen(Batch([dead])).values()
    put(url, b"replayed between copy and read")
    File.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    tasks.verify_file(str(file.pk))
    file.refresh_from_db()
    assert (file.object_key, file.sha256) == (copy.key, hashlib.sha256(FASTQ).hexdigest())


def test_what_is_replayed_before_the_copy_is_what_is_verified(api: Api, demo: Demo) -> None:
    file, url = _sent(api, demo)
    put(url, b"the second try")
    tasks.verify_file(str(file.pk))
    file.refresh_from_db()
    assert (file.status, file.sha256) == ("VERIFIED", hashlib.sha256(b"the second try").hexdigest())


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_keeps_the_lease_and_finds_out_when_it_is_lost(api: Api, demo: Demo, settings: Any) -> None:
    file, _ = _sent(api, demo)
    settings.VERIFICATION_HEARTBEAT = timedelta(milliseconds=20)
    lease = leases.claim(file.pk)
    assert lease is not None
    with leases.kept_alive([lease]):
        File.objects.update(lease_expires_at=timezone.now())
        assert wait_until(lambda: File.objects.filter(lease_expires_at__gt=timezone.now()).exists(), 10)
        lease.check()
        File.objects.update(lease_token=uuid.uuid4())
        assert wait_until(lease._lost.is_set, 10)
    with pytest.raises(LeaseLostError):
        lease.check()


def test_a_fault_is_no_result_and_the_file_is_read_again_after_a_growing_pause(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo)
    storage.delete(file.staging_key)
    pauses = []
    for count in (1, 2, 3):
        assert verification.verify(file.pk) is False
        file.refresh_from_db()
        assert (file.status, file.fault_count, file.lease_token) == ("VERIFYING", count, None)
        assert file.retry_at is not None
        pauses.append(file.retry_at - timezone.now())
        assert leases.claim(file.pk) is None
        assert file.pk not in sweeping.files_to_resend(10)
        File.objects.update(retry_at=timezone.now())
    assert pauses[0] < pauses[1] < pauses[2]
    assert file.pk in sweeping.files_to_resend(10)


def test_an_unexpected_exception_is_raised_and_gives_the_file_back(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = _sent(api, demo)
    monkeypatch.setattr(settings, "S3_BUCKET", None)
    with pytest.raises(TypeError):
        verification.verify(file.pk)
    file.refresh_from_db()
    assert (file.status, file.fault_count, file.lease_token) == ("VERIFYING", 1, None)


def test_bytes_that_differ_from_the_etag_are_a_fault(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo)
    lease = leases.claim(file.pk)
    assert lease is not None
    lease.file.etag = "0" * 32
    found = Reading(len(FASTQ), "0" * 64, hashlib.md5(FASTQ, usedforsecurity=False).hexdigest(), [])
    with pytest.raises(StorageUnavailableError):
        verification._mismatch(lease.file, found)


@pytest.mark.embedded
@pytest.mark.parametrize("status", [File.Status.UPLOADED, File.Status.VERIFYING])
def test_the_sweeper_finds_what_a_lost_message_or_a_dead_worker_left(api: Api, demo: Demo, status: str) -> None:
    file, _ = _sent(api, demo)
    past = timezone.now() - timedelta(seconds=1)
    if status == File.Status.VERIFYING:
        File.objects.update(status=status, lease_token=uuid.uuid4(), lease_expires_at=past)
    assert sweeping.files_to_resend(10) == [file.pk]
    File.objects.update(lease_token=uuid.uuid4(), lease_expires_at=timezone.now() + timedelta(minutes=1))
    assert sweeping.files_to_resend(10) == []


def test_the_sweeper_settles_an_entry_whose_worker_died_before_it_could(api: Api, demo: Demo) -> None:
    file, _ = _sent(api, demo)
    api.submit(demo.organism, demo.group, mapping=mapping_of("sample1", SUPPLEMENTARY, (str(file.pk), "a.txt")))
    verification.verify(file.pk)
    entry = SequenceEntry.objects.get(given_submission_id="sample1")
    assert entry.status == SequenceEntry.Status.VERIFYING
    sweeping.settle_entries()
    entry.refresh_from_db()
    assert entry.status == SequenceEntry.Status.ACCEPTED
    assert entry.settled_at is not None


def test_abandoned_uploads_expire_and_their_parts_are_aborted(api: Api, demo: Demo) -> None:
    [requested] = api.post("files/request-multipart-upload", groupId=demo.group.pk).json()
    put(requested["urls"][0], b"part")
    [fresh] = api.request_upload(demo.group)
    file = File.objects.filter(pk=requested["fileId"])
    file.update(last_activity_at=timezone.now() - settings.ABANDONED_AFTER - timedelta(seconds=1))
    assert (sweeping.expire_abandoned(), sweeping.abort_expired()) == (1, 1)
    assert (sweeping.expire_abandoned(), sweeping.abort_expired()) == (0, 0)
    assert file.get().status == File.Status.EXPIRED
    assert File.objects.get(pk=fresh["fileId"]).status == File.Status.REQUESTED
    with pytest.raises(storage.UploadMissingError):
        storage.list_parts(key=file.get().object_key, upload_id=file.get().upload_id)


@pytest.mark.embedded
def test_an_upload_whose_completing_process_died_expires_too(api: Api, demo: Demo) -> None:
    [requested] = api.post("files/request-multipart-upload", groupId=demo.group.pk).json()
    long_ago = timezone.now() - settings.ABANDONED_AFTER - timedelta(days=1)
    file = File.objects.filter(pk=requested["fileId"])
    file.update(last_activity_at=long_ago, completing_until=timezone.now() + timedelta(seconds=30))
    assert sweeping.expire_abandoned() == 0
    file.update(completing_until=long_ago)
    assert sweeping.expire_abandoned() == 1


@pytest.mark.embedded
def test_one_abort_that_fails_keeps_no_other_from_being_made(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested = api.post("files/request-multipart-upload", groupId=demo.group.pk, numberFiles=3).json()
    File.objects.update(status=File.Status.EXPIRED)
    broken = File.objects.get(pk=requested[1]["fileId"])
    abort = storage.abort_multipart

    def abort_others(*, key: str, upload_id: str) -> None:
        if key == broken.object_key:
            raise StorageUnavailableError
        abort(key=key, upload_id=upload_id)

    monkeypatch.setattr(storage, "abort_multipart", abort_others)
    assert sweeping.abort_expired() == 2
    assert File.objects.get(aborted_at=None) == broken


@pytest.mark.embedded
def test_what_is_claimed_while_a_file_is_read_is_compared(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = _sent(api, demo)
    read = reading.read

    def read_and_claim(*arguments: Any, **options: Any) -> Any:
        found = read(*arguments, **options)
        answer = api.post("files/complete-upload", [{"fileId": str(file.pk), "sha256": "0" * 64}])
        assert answer.json() == [{"fileId": str(file.pk), "status": "VERIFYING"}]
        return found

    monkeypatch.setattr(reading, "read", read_and_claim)
    verification.verify(file.pk)
    file.refresh_from_db()
    assert (file.status, file.problem_code) == ("REJECTED", "sha256_mismatch")


def test_staging_is_cleared_of_what_no_file_waits_for(api: Api, demo: Demo) -> None:
    live = api.upload(demo.group, b"still to be announced")
    stray, _ = _sent(api, demo)
    File.objects.filter(pk=stray.pk).update(status=File.Status.EXPIRED)
    sweeping.clear_staging()
    assert storage.head(File.objects.get(pk=live).staging_key) is not None
    assert storage.head(stray.staging_key) is None


def test_submissions_are_seen_by_members_alone(api: Api, demo: Demo, django_assert_max_num_queries: Any) -> None:
    location = api.submit(demo.organism, demo.group).headers["Location"]
    listed = api.get("submissions", groupId=demo.group.pk).json()
    assert [item["id"] for item in listed["items"]] == [Submission.objects.get().pk]
    assert listed["items"][0]["status"] == "ACCEPTED"
    assert Api(demo.bob).client.get(location).status_code == 404
    assert Api(None).client.get(location).status_code == 401
    assert Api(demo.bob).get("submissions", groupId=demo.group.pk).status_code == 403


@pytest.mark.embedded
def test_a_large_submission_is_shown_in_pages_with_bounded_queries(
    api: Api, demo: Demo, django_assert_max_num_queries: Any
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    table = "id\n" + "".join(f"s{n:03}\n" for n in range(250))
    fasta = "".join(f">s{n:03}\nACGT\n" for n in range(250))
    mapping = {f"s{n:03}": {SUPPLEMENTARY: [{"fileId": file_id, "name": "shared.txt"}]} for n in range(250)}
    answer = api.submit(demo.organism, demo.group, table=table.encode(), fasta=fasta.encode(), mapping=mapping)
    location, seen, cursor = answer.headers["Location"], [], None
    for size in (100, 100, 50):
        with django_assert_max_num_queries(8):
            body = api.client.get(location, data={} if cursor is None else {"cursor": cursor}).json()
        assert len(body["entries"]) == size
        assert all(len(entry["files"]) == 1 for entry in body["entries"])
        seen += [entry["submissionId"] for entry in body["entries"]]
        cursor = body["nextCursor"]
    assert cursor is None
    assert seen == [f"s{n:03}" for n in range(250)]
