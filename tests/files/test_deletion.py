"""Files that are attached nowhere are deleted, whole and once, whatever happens at the same time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from files import deletion, leases, storage, sweeping, verification
from files.batches import Batch
from files.errors import StorageUnavailableError
from files.models import File
from files.storage.client import client
from submissions import services
from tests.factories import FileAttachmentFactory, FileFactory, SubmissionFactory, UserFactory
from tests.fixtures import FASTQ, Api, Demo, codes, mapping_of, put

pytestmark = pytest.mark.django_db

ROUNDS = 8


def long_ago() -> Any:
    return timezone.now() - settings.UNATTACHED_KEPT - timedelta(seconds=1)


def announced(api: Api, demo: Demo) -> File:
    """A file whose bytes are staged and known to be."""
    file_id = api.upload(demo.group, FASTQ)
    api.post("files/complete-upload", [{"fileId": file_id}])
    return File.objects.get(pk=file_id)


def verified(api: Api, demo: Demo) -> File:
    """A file that was read."""
    file = announced(api, demo)
    verification.verify(file.pk)
    file.refresh_from_db()
    return file


def objects_of(file: File) -> list[str]:
    """The keys of what the store has of a file."""
    prefixes = [f"files/{file.pk}/", *([file.staging_key] if file.staging_key else [])]
    return [stored.key for prefix in prefixes for stored in storage.list_prefix(prefix)]


def old(file: File, **fields: Any) -> File:
    """The file, and nothing has happened to it for long."""
    times = {name: long_ago() for name in ("last_activity_at", "verified_at", "rejected_at") if getattr(file, name)}
    File.objects.filter(pk=file.pk).update(**{**times, **fields})
    return file


def test_deleting_what_nobody_attached_can_be_turned_off(api: Api, demo: Demo, settings: Any) -> None:
    file = old(verified(api, demo))
    settings.UNATTACHED_KEPT = timedelta(0)
    assert sweeping.delete_unattached() == 0
    assert objects_of(file) != []


def test_a_file_that_nobody_attached_is_deleted_after_a_time_with_its_object(api: Api, demo: Demo) -> None:
    forgotten, young = old(verified(api, demo)), verified(api, demo)
    assert sweeping.delete_unattached() == 1
    assert sweeping.delete_unattached() == 0
    assert list(File.objects.all()) == [young]
    assert objects_of(forgotten) == []
    assert objects_of(young) != []


@pytest.mark.embedded
@pytest.mark.parametrize("status", ["UPLOADED", "VERIFYING", "VERIFIED", "REJECTED", "EXPIRED"])
def test_a_file_of_each_state_is_deleted_once_nothing_has_happened_to_it_for_long(status: str) -> None:
    old(FileFactory.create(status=status), lease_token=None, lease_expires_at=None)
    assert sweeping.delete_unattached() == 1
    assert not File.objects.exists()


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ("VERIFIED", {"last_activity_at": timezone.now()}),
        ("VERIFIED", {"verified_at": timezone.now()}),
        ("REJECTED", {"rejected_at": timezone.now()}),
        ("REQUESTED", {}),
        ("VERIFYING", {}),  # a worker has it
    ],
    ids=["touched", "verified", "rejected", "requested", "being read"],
)
def test_a_file_to_which_something_has_happened_or_may_happen_is_kept(status: str, fields: dict[str, Any]) -> None:
    old(FileFactory.create(status=status), **fields)
    assert sweeping.delete_unattached() == 0
    assert File.objects.filter(deleting_at=None).exists()


@pytest.mark.embedded
def test_a_file_in_quarantine_is_kept() -> None:
    old(FileFactory.create(status="VERIFIED"), quarantined_at=timezone.now(), quarantined_by=UserFactory.create())
    assert sweeping.delete_unattached() == 0
    assert File.objects.filter(deleting_at=None).exists()


@pytest.mark.parametrize("entry_status", ["VERIFYING", "ACCEPTED", "REJECTED"])
def test_a_file_that_is_attached_is_kept_however_old_it_is(entry_status: str) -> None:
    attachment = FileAttachmentFactory.create(entry__status=entry_status)
    old(attachment.file)
    assert sweeping.delete_unattached() == 0
    assert deletion.claim([attachment.file_id]) == 0
    assert File.objects.filter(deleting_at=None).exists()


@pytest.mark.embedded
def test_an_upload_that_expired_long_ago_is_aborted_and_its_row_deleted(api: Api, demo: Demo) -> None:
    [requested] = api.post("files/request-multipart-upload", groupId=demo.group.pk).json()
    put(requested["urls"][0], b"part")
    file = old(File.objects.get(pk=requested["fileId"]), status="EXPIRED")
    assert sweeping.delete_unattached() == 1
    with pytest.raises(storage.UploadMissingError):
        storage.list_parts(key=file.object_key, upload_id=file.upload_id)
    assert not File.objects.exists()


@pytest.mark.embedded
def test_a_file_whose_objects_cannot_be_deleted_keeps_its_row_and_is_tried_again_and_no_other_waits_for_it(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = old(verified(api, demo)), old(verified(api, demo))
    delete_many = storage.delete_many

    def delete_others(keys: list[str]) -> None:
        if stuck.object_key in keys:
            raise StorageUnavailableError
        delete_many(keys)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "delete_many", delete_others)
        assert sweeping.delete_unattached() == 1
    assert File.objects.exclude(deleting_at=None).get() == stuck
    assert objects_of(stuck) != []
    assert objects_of(other) == []
    assert sweeping.delete_unattached() == 1
    assert objects_of(stuck) == []
    assert not File.objects.exists()


def test_a_deletion_that_died_on_the_way_is_finished_by_the_sweeper(api: Api, demo: Demo) -> None:
    file = verified(api, demo)
    assert deletion.claim([file.pk]) == 1
    storage.delete(file.object_key)
    assert sweeping.delete_unattached() == 1
    assert not File.objects.exists()


def test_a_file_that_is_being_deleted_does_not_exist_for_its_group(api: Api, demo: Demo) -> None:
    file = verified(api, demo)
    assert deletion.claim([file.pk]) == 1
    assert deletion.claim([file.pk]) == 0
    mapping = mapping_of("sample1", "supplementary", (str(file.pk), "a.txt"))
    answer = api.submit(demo.organism, demo.group, mapping=mapping)
    assert (answer.status_code, codes(answer)) == (422, ["file_not_found"])


def test_deleting_many_files_claims_them_with_few_queries(django_assert_num_queries: Any) -> None:
    ids = [file.pk for file in FileFactory.create_batch(30, status="VERIFIED")]
    with django_assert_num_queries(4):  # a savepoint, the locks, the update, the end of the savepoint
        assert deletion.claim(ids) == 30


# --- attaching and deleting at once --------------------------------------------------------------------


@contextmanager
def in_a_thread(work: Callable[[], Any]) -> Iterator[Any]:
    """`work` runs beside the block, with a connection of its own."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_of_attaching_and_deleting_at_once_one_wins_and_the_other_is_told(api: Api, demo: Demo) -> None:
    for _ in range(ROUNDS):
        file = verified(api, demo)
        start = Barrier(2)

        def delete(file: File = file, start: Barrier = start) -> int:
            start.wait()
            claimed = deletion.claim([file.pk])
            deletion.finish(File.objects.filter(pk=file.pk, deleting_at__isnull=False))
            return claimed

        with in_a_thread(delete) as deleting:
            start.wait()
            mapping = mapping_of("sample1", "supplementary", (str(file.pk), "a.txt"))
            answer = api.submit(demo.organism, demo.group, mapping=mapping)
            deleted = deleting.result(timeout=60)
        assert answer.status_code == (422 if deleted else 202), answer.content
        assert File.objects.filter(pk=file.pk).exists() is not bool(deleted)
        assert bool(objects_of(file)) is not bool(deleted)
        if deleted:
            assert codes(answer) == ["file_not_found"]


# --- verifying and deleting at once --------------------------------------------------------------------


def test_a_worker_whose_file_is_deleted_under_it_records_nothing_and_leaves_no_copy(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    lease = leases.claim(file.pk)
    assert lease is not None
    staged = storage.head(file.staging_key)
    assert staged is not None
    assert deletion.claim([file.pk]) == 1
    assert leases.claim(file.pk) is None
    copy, batch = verification._copied(lease, staged), Batch([lease])
    verification._record_copies(batch, {lease: copy})
    assert batch.held == []
    assert storage.head(copy.key) is None
    assert deletion.finish(File.objects.all()) == 1
    lease.end_with_fault(StorageUnavailableError())
    assert objects_of(file) == []


@pytest.mark.parametrize("moment", ["_checks_to_run", "_require_unchanged"])
def test_a_file_that_is_deleted_before_it_is_read_or_just_after_is_no_failure(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    file = announced(api, demo)
    step = getattr(verification, moment)

    def step_and_delete(argument: Any) -> Any:
        answer = step(argument)
        deletion.claim([file.pk])
        deletion.finish(File.objects.filter(pk=file.pk))
        return answer

    monkeypatch.setattr(verification, moment, step_and_delete)
    assert verification.verify(file.pk) is False
    assert not File.objects.exists()
    assert objects_of(file) == []


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_a_file_verified_and_deleted_at_once_is_deleted_with_everything(api: Api, demo: Demo) -> None:
    for _ in range(ROUNDS):
        file = announced(api, demo)
        start = Barrier(2)

        def verify(file: File = file, start: Barrier = start) -> bool:
            start.wait()
            return verification.verify(file.pk)

        with in_a_thread(verify) as verifying:
            start.wait()
            assert deletion.claim([file.pk]) == 1
            deletion.finish(File.objects.filter(pk=file.pk))
            verifying.result(timeout=60)
        assert not File.objects.filter(pk=file.pk).exists()
        assert objects_of(file) == []


# --- what no file names --------------------------------------------------------------------------------


def stored(key: str) -> str:
    """An object at that key."""
    source = f"tests/{uuid.uuid4()}"
    client().put_object(Bucket=settings.S3_BUCKET, Key=source, Body=b"x")
    found = storage.head(source)
    assert found is not None
    return storage.copy_frozen(found, key).key


@pytest.fixture
def _everything_is_old(settings: Any) -> None:
    """What was made before this moment is older than orphans are kept, by clocks that may differ a little."""
    settings.ORPHANS_KEPT = timedelta(seconds=-5)


@pytest.mark.usefixtures("_everything_is_old")
def test_an_old_object_that_no_file_names_is_deleted_and_one_that_a_file_names_is_not(api: Api, demo: Demo) -> None:
    named = verified(api, demo)
    orphans = [stored(f"files/{named.pk}/{uuid.uuid4()}"), stored(f"files/{uuid.uuid4()}/{uuid.uuid4()}")]
    elsewhere = stored(f"tests/{uuid.uuid4()}")
    assert sweeping.delete_orphans() >= 2
    assert [storage.head(key) for key in orphans] == [None, None]
    assert storage.head(named.object_key) is not None
    assert storage.head(elsewhere) is not None
    assert sweeping.delete_orphans() == 0


@pytest.mark.parametrize("folder", ["files", "submissions/metadata"])
def test_a_young_object_that_nothing_names_is_kept(folder: str) -> None:
    key = stored(f"{folder}/{uuid.uuid4()}/{uuid.uuid4()}")
    sweeping.delete_orphans()
    assert storage.head(key) is not None


@pytest.mark.embedded
@pytest.mark.usefixtures("_everything_is_old")
def test_an_old_document_that_no_submission_names_is_deleted_and_one_that_a_submission_names_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    table, sequences, *orphans = [
        storage.keep_document(folder, BytesIO(b"x")) for folder in ("metadata", "sequences") * 3
    ]
    submission = SubmissionFactory.create(metadata_file=table, sequence_file=sequences)
    assert sweeping.delete_orphans() >= 4
    assert [default_storage.exists(name) for name in orphans] == [False] * 4
    for document in (submission.metadata_file, submission.sequence_file):
        with document.open() as kept:
            assert kept.read() == b"x"


def kept_documents() -> set[str]:
    return {document.key for document in storage.list_prefix("submissions/")}


class BreaksOnceTheTableIsKept(BytesIO):
    """Sequences that can be read until the store has one document more than `before`."""

    before: set[str]
    broken_with: frozenset[str] = frozenset()

    def read(self, size: int | None = -1, /) -> bytes:
        if more := kept_documents() - self.before:
            self.broken_with = frozenset(more)
            raise OSError("disk gone")
        return super().read(size)


def test_a_table_is_not_kept_when_the_sequences_cannot_be(demo: Demo) -> None:
    sequences = BreaksOnceTheTableIsKept(b">s\nACGT\n")
    sequences.before = kept_documents()
    sent = services.Sent(BytesIO(b"id\tcountry\ns\tSudan\n"), sequences)
    with pytest.raises(OSError, match="disk gone"):
        services.submit(user=demo.alice, organism_slug=demo.organism.slug, group_id=demo.group.pk, sent=sent)
    assert len(sequences.broken_with) == 1
    assert kept_documents() == sequences.before


@pytest.mark.usefixtures("_everything_is_old")
def test_an_object_named_by_a_file_of_any_state_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    kept = []
    for number, status in enumerate(File.Status.values):
        kept.append(stored(f"files/{uuid.uuid4()}/{number}"))
        FileFactory.create(status=status, object_key=kept[-1], etag="e")
    kept.append(stored(f"files/{uuid.uuid4()}/deleting"))
    FileFactory.create(status="VERIFIED", object_key=kept[-1], deleting_at=timezone.now())
    orphan = stored(f"files/{uuid.uuid4()}/orphan")
    sweeping.delete_orphans()
    assert [key for key in kept if storage.head(key) is None] == []
    assert storage.head(orphan) is None


@pytest.mark.embedded
@pytest.mark.usefixtures("_everything_is_old")
def test_an_old_multipart_upload_that_no_file_names_is_aborted_and_one_that_a_file_names_is_not(
    api: Api, demo: Demo
) -> None:
    requested = api.post("files/request-multipart-upload", groupId=demo.group.pk, numberFiles=2).json()
    live, orphan = (File.objects.get(pk=each["fileId"]) for each in requested)
    orphan.delete()
    assert sweeping.abort_orphans() >= 1
    assert storage.list_parts(key=live.object_key, upload_id=live.upload_id) == []
    with pytest.raises(storage.UploadMissingError):
        storage.list_parts(key=orphan.object_key, upload_id=orphan.upload_id)
    assert sweeping.abort_orphans() == 0


def test_a_young_multipart_upload_that_no_file_names_is_kept() -> None:
    key = f"files/{uuid.uuid4()}/{uuid.uuid4()}"
    upload_id = storage.create_multipart(key)
    sweeping.abort_orphans()
    assert storage.list_parts(key=key, upload_id=upload_id) == []
