"""Races around the reading of a file: whoever comes first or last, what is served is what was verified."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from files import reading, storage, tasks, verification
from files.models import ContentCheckResult, File
from files.reading import Reading
from files.storage import StoredObject
from submissions.models import SequenceEntry
from tests import web
from tests.fixtures import FASTQ_GZ, Api, Demo, in_parts, mapping_of, put

pytestmark = pytest.mark.django_db(transaction=True)

REPLAYED = b"sent again through the same URL"


@pytest.fixture
def sent(api: Api, demo: Demo) -> tuple[File, str, str]:
    """A file handed in as raw reads and not yet read, the URL that it was sent to, and its entry's accession."""
    [requested] = api.request_upload(demo.group)
    assert put(requested["url"], FASTQ_GZ).status_code == 200
    mapping = mapping_of("sample1", "rawReads", (requested["fileId"], "a.fastq.gz"))
    [entry, _] = api.submit(demo.organism, demo.group, mapping=mapping).json()
    return File.objects.get(pk=requested["fileId"]), requested["url"], entry["accession"]


@contextmanager
def _before(monkeypatch: pytest.MonkeyPatch, name: str, do: Callable[[], object]) -> Iterator[None]:
    """Have something happen, once, right before a step of the verification; the step itself stays as it is."""
    module = reading if name == "read" else verification
    step = getattr(module, name)
    waiting = [do]

    def slow(*arguments: Any, **options: Any) -> Any:
        if waiting:
            waiting.pop()()
        return step(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, slow)
        yield
    assert not waiting


def _served(api: Api, accession: str) -> bytes:
    answer = api.get(f"files/get/{accession}/1/rawReads/a.fastq.gz")
    assert answer.status_code == 307, answer.content
    return web.get(answer.headers["Location"]).content


def _assert_accepted(api: Api, file: File, accession: str) -> None:
    """Accepted, and what is recorded, stored and served is what was sent first."""
    file.refresh_from_db()
    assert (file.status, file.sha256) == ("VERIFIED", hashlib.sha256(FASTQ_GZ).hexdigest())
    assert SequenceEntry.objects.get(accession=accession).status == "ACCEPTED"
    assert [stored.key for stored in storage.list_prefix(f"files/{file.pk}/")] == [file.object_key]
    assert _served(api, accession) == FASTQ_GZ


def _retry_at_once() -> None:
    File.objects.update(retry_at=None)


def test_a_put_between_the_look_and_the_copy_makes_the_copy_fail_and_is_then_what_is_read(
    api: Api, sent: tuple[File, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, url, accession = sent
    with _before(monkeypatch, "_copied", lambda: put(url, REPLAYED)):
        assert verification.verify(file.pk) is False
    file.refresh_from_db()
    assert (file.status, file.fault_count, file.object_key) == ("VERIFYING", 1, "")
    assert list(storage.list_prefix(f"files/{file.pk}/")) == []
    _retry_at_once()
    tasks.verify_file(str(file.pk))
    file.refresh_from_db()
    assert (file.status, file.sha256) == ("VERIFIED", hashlib.sha256(REPLAYED).hexdigest())
    assert SequenceEntry.objects.get(accession=accession).status == "REJECTED"


@pytest.mark.parametrize("step", ["read", "_require_unchanged", "_keep_results", "_clear_staging"])
def test_a_put_after_the_copy_changes_nothing(
    api: Api, sent: tuple[File, str, str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file, url, accession = sent
    with _before(monkeypatch, step, lambda: put(url, REPLAYED)):
        tasks.verify_file(str(file.pk))
    _assert_accepted(api, file, accession)
    put(url, REPLAYED)
    tasks.verify_file(str(file.pk))
    _assert_accepted(api, file, accession)


@pytest.mark.parametrize("step", ["_frozen_object", "_copied", "read", "_require_unchanged"])
def test_a_worker_that_lost_its_lease_and_wakes_up_after_acceptance_changes_nothing(
    api: Api, sent: tuple[File, str, str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file, _, accession = sent

    def fall_silent() -> None:
        past = timezone.now() - timedelta(seconds=1)
        File.objects.update(lease_expires_at=past)
        tasks.verify_file(str(file.pk))  # another worker, from the beginning to the end
        assert SequenceEntry.objects.get(accession=accession).status == "ACCEPTED"

    with _before(monkeypatch, step, fall_silent):
        assert verification.verify(file.pk) is False
    _assert_accepted(api, file, accession)
    assert ContentCheckResult.objects.count() == 1


def test_an_object_deleted_under_its_reader_is_a_fault_and_never_a_pass(
    api: Api, sent: tuple[File, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, url, accession = sent

    def delete() -> None:
        file.refresh_from_db()
        storage.delete(file.object_key)

    for step in ("read", "_require_unchanged"):
        put(url, FASTQ_GZ)
        with _before(monkeypatch, step, delete):
            assert verification.verify(file.pk) is False
        file.refresh_from_db()
        assert (file.status, file.sha256) == ("VERIFYING", "")
        _retry_at_once()
    assert file.fault_count == 2
    put(url, FASTQ_GZ)
    tasks.verify_file(str(file.pk))
    _assert_accepted(api, file, accession)


def test_an_object_deleted_between_two_chunks_is_a_fault(api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(9 * storage.MEBIBYTE)
    [requested] = api.post("files/request-multipart-upload", groupId=demo.group.pk, numberParts=2).json()
    parts = in_parts(content, 5 * storage.MEBIBYTE)
    etags = [put(url, part).headers["ETag"] for url, part in zip(requested["urls"], parts, strict=True)]
    api.post("files/complete-multipart-upload", [{"fileId": requested["fileId"], "etags": etags}])
    file = File.objects.get(pk=requested["fileId"])
    read, chunks = reading.read, []

    def read_and_delete(stored: StoredObject, names: Any, *, before_chunk: Callable[[], object]) -> Reading:
        def delete_once() -> None:
            before_chunk()
            chunks.append(1)
            if len(chunks) == 2:
                storage.delete(stored.key)

        return read(stored, names, before_chunk=delete_once)

    monkeypatch.setattr(reading, "read", read_and_delete)
    assert verification.verify(file.pk) is False
    file.refresh_from_db()
    assert (file.status, file.sha256, file.fault_count) == ("VERIFYING", "", 1)
    assert len(chunks) >= 2


@pytest.mark.embedded
def test_one_task_delivered_twice_at_once_ends_in_one_result(api: Api, sent: tuple[File, str, str]) -> None:
    file, _, accession = sent
    start = threading.Barrier(2)

    def run(_: int) -> None:
        try:
            start.wait()
            tasks.verify_file(str(file.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    _assert_accepted(api, file, accession)
    assert ContentCheckResult.objects.count() == 1


@pytest.mark.parametrize("header", [{"Content-Encoding": "gzip"}, {"Content-Type": "text/html"}])
def test_what_a_put_says_about_its_bytes_is_neither_believed_nor_served(
    api: Api, demo: Demo, header: dict[str, str]
) -> None:
    [requested] = api.request_upload(demo.group)
    assert put(requested["url"], FASTQ_GZ, **header).status_code == 200
    mapping = mapping_of("sample1", "rawReads", (requested["fileId"], "a.fastq.gz"))
    [entry, _] = api.submit(demo.organism, demo.group, mapping=mapping).json()
    tasks.verify_file(requested["fileId"])
    _assert_accepted(api, File.objects.get(pk=requested["fileId"]), entry["accession"])
    answer = web.get(api.get(f"files/get/{entry['accession']}/1/rawReads/a.fastq.gz").headers["Location"])
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "Content-Encoding" not in answer.headers


# --- what is nobody's fault -----------------------------------------------------------------------------


@pytest.mark.embedded
def test_an_outage_of_the_object_store_is_not_held_against_a_file(
    api: Api, sent: tuple[File, str, str], settings: Any
) -> None:
    file, _, accession = sent
    endpoint = settings.S3_ENDPOINT_URL
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"  # nobody listens there
    try:
        for _ in range(3):
            assert verification.verify(file.pk) is False
            file.refresh_from_db()
            assert (file.status, file.fault_count, file.verification_failed_at) == ("VERIFYING", 0, None)
            assert file.last_fault
            assert file.retry_at is not None
            assert file.retry_at > timezone.now()
            _retry_at_once()
    finally:
        settings.S3_ENDPOINT_URL = endpoint
        tasks.verify_file(str(file.pk))
    _assert_accepted(api, file, accession)


@pytest.mark.embedded
def test_a_later_check_of_a_file_that_is_no_longer_what_was_verified_is_a_fault_of_ours(
    api: Api, sent: tuple[File, str, str]
) -> None:
    file, _, accession = sent
    verification.verify(file.pk)
    ContentCheckResult.objects.all().delete()
    File.objects.update(sha256="0" * 64)
    assert verification.verify(file.pk) is False
    file.refresh_from_db()
    assert (file.status, file.fault_count) == ("VERIFIED", 1)
    assert not ContentCheckResult.objects.exists()
    assert SequenceEntry.objects.get(accession=accession).status == "VERIFYING"


def test_no_connection_to_the_database_is_idle_while_a_file_is_read(
    sent: tuple[File, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    with _before(monkeypatch, "read", lambda: held.append(connection.connection)):
        assert verification.verify(sent[0].pk) is True
    assert held == [None]
