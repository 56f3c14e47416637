"""`DELETE /api/files/{fileId}`: a file that nobody attached goes, whole and once; one that is attached stays."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from embedded.programs import wait_until
from files import deletion, storage, sweeping, verification
from files.models import File, FileAttachment
from files.services import discard_files, discarding
from files.storage.client import client
from tests.factories import FileAttachmentFactory, FileFactory, UserFactory
from tests.fixtures import PART, Api, Demo, codes, mapping_of, new_file_id, put
from tests.locks import waiting_for_a_lock

ROUNDS = 6


def left_of(file: File) -> list[str]:
    """What the store has of a file: objects, and uploads under way."""
    prefixes = [f"files/{file.pk}/", *([file.staging_key] if file.staging_key else [])]
    objects = [stored.key for prefix in prefixes for stored in storage.list_prefix(prefix)]
    return objects + [upload.key for upload in storage.list_multiparts(f"files/{file.pk}/")]


def multipart(api: Api, demo: Demo) -> tuple[File, list[str]]:
    """A multipart upload whose two parts are sent, and their ETags."""
    [requested] = api.post("files/request-multipart-upload", groupId=demo.group.pk, numberParts=2).json()
    etags = [put(url, body).headers["ETag"] for url, body in zip(requested["urls"], (bytes(PART), b"x"), strict=True)]
    return File.objects.get(pk=requested["fileId"]), etags


def discard(api: Api, file: File) -> int:
    """The status of the answer."""
    return api.client.delete(f"/api/files/{file.pk}").status_code


def test_what_is_sent_staged_or_verified_is_gone_from_the_store_too(api: Api, demo: Demo) -> None:
    under_way, _ = multipart(api, demo)
    staged = File.objects.get(pk=api.upload(demo.group, b"staged"))
    read = File.objects.get(pk=api.upload(demo.group, b"read"))
    api.post("files/complete-upload", [{"fileId": str(read.pk)}])
    verification.verify(read.pk)
    read.refresh_from_db()
    assert read.status == "VERIFIED"
    for file in (under_way, staged, read):
        assert left_of(file) != []
        answer = api.client.delete(f"/api/files/{str(file.pk).upper()}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert left_of(file) == []
        assert api.client.delete(f"/api/files/{file.pk}").json()["code"] == "file_not_found"
    assert not File.objects.exists()


@pytest.mark.parametrize("status", File.Status.values)
def test_a_file_of_each_state_can_be_discarded(api: Api, demo: Demo, status: str) -> None:
    assert discard(api, FileFactory.create(group=demo.group, status=status)) == 204
    assert not File.objects.exists()


@pytest.mark.embedded
def test_what_has_to_be_kept_is_kept_and_it_is_said_why(api: Api, demo: Demo) -> None:
    used = FileAttachmentFactory.create(file__group=demo.group).file
    held = FileFactory.create(group=demo.group, quarantined_at=timezone.now(), quarantined_by=UserFactory.create())
    soon = timezone.now() + timedelta(seconds=30)
    completing = FileFactory.create(group=demo.group, multipart=True, completing_until=soon)
    for file, status, code in (
        (used, 409, "file_attached"),
        (held, 409, "file_not_available"),
        (completing, 503, "upload_completing"),
    ):
        answer = api.client.delete(f"/api/files/{file.pk}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert File.objects.filter(deleting_at=None).count() == 3


def test_who_is_no_member_discards_nothing(api: Api, demo: Demo) -> None:
    file = FileFactory.create(group=demo.group)
    assert [discard(Api(person), file) for person in (demo.bob, demo.admin, None)] == [404, 404, 401]
    assert api.client.delete(f"/api/files/{new_file_id()}").status_code == 404
    assert discard_files(user=demo.bob, file_ids=[file.pk]) == 0
    assert File.objects.filter(deleting_at=None).get() == file


def test_a_file_discarded_while_the_store_is_down_does_not_exist_and_the_sweeper_finishes(
    api: Api, demo: Demo, settings: Any
) -> None:
    file, _ = multipart(api, demo)
    endpoint, settings.S3_ENDPOINT_URL = settings.S3_ENDPOINT_URL, "http://127.0.0.1:9"  # nobody listens there
    assert discard(api, file) == 204
    settings.S3_ENDPOINT_URL = endpoint
    assert api.get(f"files/{file.pk}").status_code == 404
    assert api.post(f"files/{file.pk}/renew").status_code == 404
    assert left_of(file) != []
    assert sweeping.delete_unattached() == 1
    assert left_of(file) == []


@pytest.mark.embedded
def test_of_many_files_those_go_that_can_and_their_objects_when_there_is_time(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discarding, "FINISHED_AT_ONCE", 2)
    free = [File.objects.get(pk=api.upload(demo.group, b"content")) for _ in range(3)]
    used = FileAttachmentFactory.create(file__group=demo.group).file
    foreign = FileFactory.create(group=demo.other_group)
    ids = [file.pk for file in (*free, used, foreign)]
    assert discard_files(user=demo.alice, file_ids=ids) == 3
    assert [bool(left_of(file)) for file in free].count(True) == 1
    assert set(File.objects.filter(deleting_at=None)) == {used, foreign}
    assert discard_files(user=demo.alice, file_ids=ids) == 0
    assert [left_of(file) for file in free] == [[], [], []]


# --- discarding at the same time as something else -----------------------------------------------------


def test_what_a_worker_made_of_a_file_just_before_goes_with_it(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, claim = File.objects.get(pk=api.upload(demo.group, b"read just now")), deletion.claim
    api.post("files/complete-upload", [{"fileId": str(file.pk)}])

    def slow(file_ids: Collection[uuid.UUID]) -> int:
        verification.verify(file.pk)
        assert [key.split("/")[0] for key in left_of(file)] == ["files"]
        return claim(file_ids)

    monkeypatch.setattr(deletion, "claim", slow)
    assert discard(api, file) == 204
    assert left_of(file) == []


@pytest.mark.django_db(transaction=True)
def test_discarding_waits_for_whoever_attaches_and_then_says_that_the_file_is_attached(api: Api, demo: Demo) -> None:
    attachment = FileAttachmentFactory.create(file__group=demo.group)
    file, locked = FileFactory.create(group=demo.group, status="VERIFIED"), Event()

    def delete() -> Any:
        locked.wait(10)
        try:
            return api.client.delete(f"/api/files/{file.pk}").json()["code"]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(delete)
        with transaction.atomic():
            File.objects.select_for_update().get(pk=file.pk)
            locked.set()
            assert wait_until(waiting_for_a_lock, 10)
            FileAttachment.objects.filter(pk=attachment.pk).update(file=file)
        assert deleting.result(timeout=10) == "file_attached"
    assert File.objects.get(pk=file.pk).deleting_at is None


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_of_submitting_and_discarding_at_once_one_wins_and_the_other_is_told(api: Api, demo: Demo) -> None:
    for _ in range(ROUNDS):
        file = File.objects.get(pk=api.upload(demo.group, b"content"))
        api.post("files/complete-upload", [{"fileId": str(file.pk)}])
        mapping = mapping_of("sample1", "supplementary", (str(file.pk), "a.txt"))
        submitted, status = at_once(
            lambda mapping=mapping: api.submit(demo.organism, demo.group, mapping=mapping),
            lambda file=file: discard(api, file),
        )
        assert (submitted.status_code, status) in {(202, 409), (422, 204)}
        assert bool(left_of(file)) is (status == 409)
        if status == 204:
            assert codes(submitted) == ["file_not_found"]


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_of_completing_and_discarding_at_once_nothing_is_left_behind(api: Api, demo: Demo) -> None:
    for _ in range(ROUNDS):
        file, etags = multipart(api, demo)
        items = [{"fileId": str(file.pk), "etags": etags}]
        completed, status = at_once(
            lambda items=items: api.post("files/complete-multipart-upload", items),
            lambda file=file: discard(api, file),
        )
        assert (completed.status_code, status) in {(200, 503), (200, 204), (422, 204)}
        if completed.status_code == 422:
            assert codes(completed)[0] in {"upload_expired", "file_not_found"}
        if status == 503:
            assert discard(api, file) == 204
        assert left_of(file) == []
        assert not File.objects.exists()


def test_an_upload_that_is_being_completed_is_discarded_after_that(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, etags = multipart(api, demo)
    complete, told = storage.complete_multipart, []

    def discard_in_between(**upload: Any) -> Any:
        told.append(discard(api, file))
        return complete(**upload)

    monkeypatch.setattr(storage, "complete_multipart", discard_in_between)
    answer = api.post("files/complete-multipart-upload", [{"fileId": str(file.pk), "etags": etags}])
    assert answer.json() == [{"fileId": str(file.pk), "status": "UPLOADED"}]
    assert told == [503]
    assert discard(api, file) == 204
    assert left_of(file) == []


def at_once(first: Any, second: Any) -> tuple[Any, Any]:
    """What both return, begun at the same moment on connections of their own."""
    start = Barrier(2)

    def run(call: Any) -> Any:
        try:
            start.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(run, call) for call in (first, second)]
        return running[0].result(timeout=60), running[1].result(timeout=60)


def test_a_late_put_to_a_discarded_upload_leaves_nothing_for_long(api: Api, demo: Demo) -> None:
    [requested] = api.request_upload(demo.group)
    file = File.objects.get(pk=requested["fileId"])
    assert discard(api, file) == 204
    assert put(requested["url"], b"late").status_code == 200
    sweeping.clear_staging()
    listing = client().list_objects_v2(Bucket=settings.S3_BUCKET, Prefix=file.staging_key)
    assert listing["KeyCount"] == 0
