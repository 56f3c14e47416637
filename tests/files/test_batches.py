"""Small files that are verified together: at the cost of few, and each as if it were alone."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from embedded.programs import wait_until
from files import acceptance, leases, reading, storage, sweeping, tasks, verification
from files.leases import SILENCE
from files.models import ContentCheckResult, File
from files.models.files import BATCHED_FILE_BYTES
from submissions.models import SequenceEntry
from tests.broker import SMALL, Broker
from tests.factories import FileAttachmentFactory, FileFactory
from tests.fixtures import FASTQ, Api, Demo, mapping_of, put
from tests.locks import waiting_for_a_lock

pytestmark = pytest.mark.django_db

QUERIES = 19
"""Of a task with small files, however many: 2 to see that they are small, 2 to take them, 2 for the checks asked for,
2 to record copies, 3 to record results, 3 to see that there is no more to do, and 5 to settle entries."""


@pytest.fixture
def broker() -> Iterator[Broker]:
    """The broker with empty queues."""
    with Broker.emptied() as broker:
        yield broker


def content(number: int) -> bytes:
    return FASTQ.replace(b"read", b"read%d." % number)


def handed_in(api: Api, demo: Demo, number: int, **claims: Any) -> list[File]:
    """Distinct files with an entry of their own each, in the order of the entries; not yet read."""
    requested = api.request_upload(demo.group, number=number, claims=[claims] * number if claims else None)
    for place, each in enumerate(requested):
        assert put(each["url"], content(place)).status_code == 200
    ids = [each["fileId"] for each in requested]
    mapping: dict[str, Any] = {}
    for place, file_id in enumerate(ids):
        mapping |= mapping_of(f"sample{place}", "rawReads", (file_id, "a.fastq"))
    table = "id\n" + "".join(f"sample{place}\n" for place in range(number))
    fasta = "".join(f">sample{place}\nACGT\n" for place in range(number))
    answer = api.submit(demo.organism, demo.group, mapping=mapping, table=table.encode(), fasta=fasta.encode())
    assert answer.status_code == 202, answer.content
    return [File.objects.get(pk=file_id) for file_id in ids]


def ids_of(files: Sequence[File]) -> list[str]:
    return [str(file.pk) for file in files]


def statuses(files: Sequence[File]) -> list[tuple[str, str, int]]:
    """Of each file its status, that of its entry, and how many faults it had."""
    rows = {file.pk: file for file in File.objects.filter(pk__in=[file.pk for file in files])}
    entries = dict(SequenceEntry.objects.filter(attachments__file__in=files).values_list("attachments__file", "status"))
    return [(rows[file.pk].status, entries[file.pk], rows[file.pk].fault_count) for file in files]


GOOD = ("VERIFIED", "ACCEPTED", 0)


@pytest.mark.embedded
def test_many_small_files_take_as_many_queries_as_few_and_are_recorded_each_with_its_own(api: Api, demo: Demo) -> None:
    for number in (2, 12):
        files = handed_in(api, demo, number)
        with CaptureQueriesContext(connection) as queries:
            tasks.verify_files(ids_of(files))
        asked = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
        assert len(asked) == QUERIES, asked
        assert statuses(files) == [GOOD] * number
        for place, file in enumerate(files):
            file.refresh_from_db()
            assert (file.size, file.sha256) == (len(content(place)), hashlib.sha256(content(place)).hexdigest())
            assert file.lease_token is None
            assert storage.head(file.object_key) is not None
            assert storage.head(file.staging_key) is None
            assert [result.passed for result in file.check_results.all()] == [True]


def test_a_file_that_is_refused_or_cannot_be_read_keeps_no_other_of_its_batch_from_its_end(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = handed_in(api, demo, 6)
    wrong, missing, lost, broken = files[:4]
    File.objects.filter(pk=wrong.pk).update(claimed_sha256="0" * 64)
    storage.delete(missing.staging_key)
    read = reading.read

    def read_with_trouble(stored: storage.StoredObject, *arguments: Any, **options: Any) -> Any:
        if str(lost.pk) in stored.key:
            File.objects.filter(pk=lost.pk).update(lease_token=uuid.uuid4())
        if str(broken.pk) in stored.key:
            raise IndexError("a bug")
        return read(stored, *arguments, **options)

    monkeypatch.setattr(reading, "read", read_with_trouble)
    with pytest.raises(IndexError, match="a bug"):
        tasks.verify_files(ids_of(files))
    waiting = ("VERIFYING", "VERIFYING")
    expected = [("REJECTED", "REJECTED", 0), (*waiting, 1), (*waiting, 0), (*waiting, 1), GOOD, GOOD]
    assert statuses(files) == expected
    lost.refresh_from_db()
    assert lost.lease_token is not None
    assert ContentCheckResult.objects.filter(file=lost).count() == 0


def test_several_bugs_in_one_batch_are_raised_together(api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    files = handed_in(api, demo, 2)

    def broken(*_: object, **__: object) -> None:
        raise IndexError("a bug")

    monkeypatch.setattr(reading, "read", broken)
    with pytest.raises(ExceptionGroup) as raised:
        tasks.verify_files(ids_of(files))
    assert [repr(bug) for bug in raised.value.exceptions] == ["IndexError('a bug')"] * 2
    assert [file.fault_count for file in File.objects.all()] == [1, 1]


def test_a_batch_that_runs_twice_changes_nothing(api: Api, demo: Demo) -> None:
    files = handed_in(api, demo, 3)
    tasks.verify_files(ids_of(files))
    before = list(File.objects.order_by("pk").values()), list(ContentCheckResult.objects.order_by("pk").values())
    tasks.verify_files(ids_of(files))
    assert (
        list(File.objects.order_by("pk").values()),
        list(ContentCheckResult.objects.order_by("pk").values()),
    ) == before


def test_the_files_of_a_worker_that_died_are_read_again_each_alone(api: Api, demo: Demo, broker: Broker) -> None:
    files = handed_in(api, demo, 9)  # two in a message, if they went together
    assert len(leases.claim_many([file.pk for file in files])) == 9
    File.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    tasks._send([str(pk) for pk in sweeping.files_to_resend(10, large=False)])
    alone = sorted(("files.tasks.verify_file", [file_id]) for file_id in ids_of(files))
    assert sorted(broker.messages(SMALL)) == alone
    for _, [file_id] in alone:
        tasks.verify_file(file_id)
    assert statuses(files) == [GOOD] * 9


def test_a_file_that_failed_before_goes_alone_even_if_its_message_does_not(
    api: Api, demo: Demo, broker: Broker
) -> None:
    files = handed_in(api, demo, 3)
    File.objects.filter(pk=files[1].pk).update(fault_count=1, last_fault=SILENCE)
    tasks.verify_files(ids_of(files))
    assert broker.messages(SMALL) == [("files.tasks.verify_file", [str(files[1].pk)])]
    assert statuses(files) == [GOOD, ("UPLOADED", "VERIFYING", 1), GOOD]


def test_a_worker_that_is_told_to_stop_gives_a_batch_back_without_a_fault(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = handed_in(api, demo, 3)
    read = reading.read

    def stopped(stored: storage.StoredObject, *arguments: Any, **options: Any) -> Any:
        if str(files[1].pk) in stored.key:
            raise SystemExit(0)
        return read(stored, *arguments, **options)

    monkeypatch.setattr(reading, "read", stopped)
    with pytest.raises(SystemExit):
        tasks.verify_files(ids_of(files))
    found = File.objects.values_list("status", "fault_count", "lease_token", "retry_at")
    assert list(found) == [("VERIFYING", 0, None, None)] * 3


def test_an_outage_puts_a_batch_off_at_once_and_is_held_against_no_file(
    api: Api, demo: Demo, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = handed_in(api, demo, 3)
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"  # nobody listens there
    looks: list[str] = []
    head = storage.head

    def look(key: str) -> storage.StoredObject | None:
        looks.append(key)
        return head(key)

    monkeypatch.setattr(storage, "head", look)
    assert verification.verify_many([file.pk for file in files]) == []
    assert len(looks) == 1
    for file in File.objects.all():
        assert (file.status, file.fault_count, file.lease_token) == ("VERIFYING", 0, None)
        assert file.retry_at is not None
        assert file.last_fault


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_keeps_all_files_of_a_batch_and_finds_out_which_are_lost(
    api: Api, demo: Demo, settings: Any
) -> None:
    files = FileFactory.create_batch(3, status=File.Status.UPLOADED)
    settings.VERIFICATION_HEARTBEAT = timedelta(milliseconds=20)
    held = leases.claim_many([file.pk for file in files])
    with leases.kept_alive(held):
        File.objects.update(lease_expires_at=timezone.now())
        File.objects.filter(pk=held[1].file.pk).update(lease_token=uuid.uuid4())
        assert wait_until(lambda: File.objects.filter(lease_expires_at__gt=timezone.now()).count() == 2, 10)
        assert wait_until(held[1]._lost.is_set, 10)
    for lease in (held[0], held[2]):
        lease.check()
    with pytest.raises(leases.LeaseLostError):
        held[1].check()


@pytest.mark.django_db(transaction=True)
def test_of_batches_that_have_files_in_common_each_file_is_read_by_one(api: Api, demo: Demo) -> None:
    files = handed_in(api, demo, 8)
    start = threading.Barrier(4)

    def run(turn: int) -> list[uuid.UUID]:
        try:
            start.wait()
            return verification.verify_many([file.pk for file in (files, files[::-1])[turn % 2]])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = [file_id for recorded in pool.map(run, range(4)) for file_id in recorded]
    assert sorted(done) == sorted(file.pk for file in files)
    for file in files:
        file.refresh_from_db()
        assert [stored.key for stored in storage.list_prefix(f"files/{file.pk}/")] == [file.object_key]


def _claimed_at_once() -> tuple[QuerySet[Any], Callable[[], object]]:
    files = FileFactory.create_batch(2, status=File.Status.UPLOADED)
    return File.objects.all(), lambda: leases.claim_many([file.pk for file in files])


def _settled_at_once() -> tuple[QuerySet[Any], Callable[[], object]]:
    attached = [FileAttachmentFactory.create(file__status=File.Status.REJECTED) for _ in range(2)]
    return SequenceEntry.objects.all(), lambda: acceptance.settle_entries_of([each.file_id for each in attached])


@pytest.mark.parametrize("made", [_claimed_at_once, _settled_at_once])
@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_order_so_that_no_two_batches_wait_for_each_other(
    made: Callable[[], tuple[QuerySet[Any], Callable[[], object]]],
) -> None:
    rows, work = made()
    first, second = rows.order_by("pk").values_list("pk", flat=True)
    # A row that was written anew stands behind the others, and is found after them where no index is used.
    rows.filter(pk=first).update(status=F("status"))

    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off")
            try:
                work()
            finally:
                cursor.execute("RESET enable_indexscan; RESET enable_bitmapscan; RESET enable_hashjoin")
                connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            rows.select_for_update().get(pk=first)
            working = pool.submit(run)
            assert wait_until(waiting_for_a_lock, 10)
            rows.select_for_update(nowait=True).get(pk=second)
        working.result(timeout=10)


# --- messages ------------------------------------------------------------------------------------------


def waiting(size: int | None) -> File:
    """A file that waits to be read."""
    return FileFactory.create(status=File.Status.UPLOADED, size=size)


def sizes(messages: Sequence[tuple[str, list[Any]]]) -> list[int]:
    """How many files each message is for."""
    return [1 if task == "files.tasks.verify_file" else len(arguments[0]) for task, arguments in messages]


@pytest.mark.parametrize(("number", "expected"), [(3, [1] * 3), (20, [3] * 6 + [2]), (450, [50] * 9)])
def test_small_files_go_out_together_but_not_to_one_worker_alone(
    broker: Broker, number: int, expected: list[int]
) -> None:
    files = [waiting(BATCHED_FILE_BYTES) for _ in range(number)]
    tasks._send(ids_of(files))
    assert sizes(broker.messages(SMALL)) == expected


def test_a_file_whose_size_is_not_known_or_not_small_goes_alone_and_all_go_in_their_order(broker: Broker) -> None:
    larger = waiting(BATCHED_FILE_BYTES + 1)
    unknown = waiting(None)
    small = [waiting(1) for _ in range(16)]
    tasks._send(ids_of([*small[:2], larger, *small[2:], unknown]))
    pairs = [("files.tasks.verify_files", [ids_of(small[place : place + 2])]) for place in range(0, 16, 2)]
    alone = [("files.tasks.verify_file", [str(file.pk)]) for file in (larger, unknown)]
    assert broker.messages(SMALL) == [pairs[0], alone[0], *pairs[1:], alone[1]]
