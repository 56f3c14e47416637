"""Celery's shell: messages go out on commit, once a file, to the queue of its size, and the sweep is bounded."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.celery import app
from files import sweeping, tasks
from files.models import File
from tests.broker import LARGE, SMALL, SWEEPS, Broker
from tests.factories import FileFactory
from tests.fixtures import FASTQ, Api, Demo, mapping_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker() -> Iterator[Broker]:
    """The broker with empty queues."""
    with Broker.emptied() as broker:
        yield broker


def uploaded(size: int | None, **fields: Any) -> File:
    """A file that waits to be verified."""
    return FileFactory.create(status=File.Status.UPLOADED, size=size, **fields)


def test_messages_go_out_on_commit_and_not_after_a_rollback(broker: Broker) -> None:
    with transaction.atomic():
        tasks.enqueue([uuid.uuid4()])
        assert broker.sizes() == (0, 0, 0)
    assert broker.sizes() == (1, 0, 0)
    with transaction.atomic():
        tasks.enqueue([uuid.uuid4()])
        transaction.set_rollback(True)
    assert broker.sizes() == (1, 0, 0)


def test_submitting_sends_each_file_once(api: Api, demo: Demo, broker: Broker) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = {
        **mapping_of("sample1", "supplementary", (file_id, "a"), (file_id, "b")),
        **mapping_of("sample2", "supplementary", (file_id, "a")),
    }
    api.submit(demo.organism, demo.group, mapping=mapping)
    assert broker.messages(SMALL) == [("files.tasks.verify_file", [file_id])]
    assert broker.sizes() == (1, 0, 0)


def test_a_file_goes_to_the_queue_of_its_size(broker: Broker) -> None:
    least = settings.LARGE_FILE_BYTES
    large = [uploaded(least), uploaded(None, claimed_size=least), uploaded(least + 1, claimed_size=1)]
    small = [uploaded(least - 1), uploaded(0), uploaded(None), uploaded(5, claimed_size=least)]
    tasks.enqueue([file.pk for file in [*large, *small]])
    assert {arguments[0] for _, arguments in broker.messages(LARGE)} == {str(file.pk) for file in large}
    assert {arguments[0] for _, arguments in broker.messages(SMALL)} == {str(file.pk) for file in small}


def test_thousands_of_files_are_sent_by_a_worker_a_thousand_at_a_time(broker: Broker) -> None:
    ids = [uuid.uuid4() for _ in range(2_500)]
    tasks.enqueue(ids)
    messages = broker.messages(SWEEPS)
    assert [(task, len(arguments[0])) for task, arguments in messages] == [
        ("files.tasks.send_files", 1_000),
        ("files.tasks.send_files", 1_000),
        ("files.tasks.send_files", 500),
    ]
    assert broker.sizes() == (0, 0, 3)
    for _, [file_ids] in messages:
        tasks.send_files(file_ids)
    assert [arguments[0] for _, arguments in broker.messages(SMALL)] == [str(file_id) for file_id in ids]


def run_as_worker(task: Any, file_id: uuid.UUID, queue: str) -> None:
    """Run the task as a worker that has its message from this queue."""
    task.push_request(delivery_info={"exchange": "", "routing_key": queue})
    try:
        task.run(str(file_id))
    finally:
        task.pop_request()


@pytest.mark.embedded
def test_a_large_file_in_the_queue_for_small_ones_is_sent_on_unread(api: Api, demo: Demo, broker: Broker) -> None:
    file_id = uuid.UUID(api.upload(demo.group, FASTQ))
    api.post("files/complete-upload", [{"fileId": str(file_id)}])
    File.objects.update(size=settings.LARGE_FILE_BYTES)
    broker.empty()
    run_as_worker(tasks.verify_file, file_id, SMALL)
    assert broker.messages(LARGE) == [("files.tasks.verify_file", [str(file_id)])]
    assert broker.sizes() == (0, 1, 0)
    file = File.objects.get()
    assert (file.status, file.lease_token, file.fault_count) == ("UPLOADED", None, 0)


@pytest.mark.parametrize("size", [1, settings.LARGE_FILE_BYTES])
def test_a_file_in_the_queue_for_large_ones_is_read_whatever_its_size(
    api: Api, demo: Demo, broker: Broker, size: int
) -> None:
    file_id = uuid.UUID(api.upload(demo.group, FASTQ))
    api.post("files/complete-upload", [{"fileId": str(file_id)}])
    File.objects.update(size=size)
    broker.empty()
    run_as_worker(tasks.verify_file, file_id, LARGE)
    assert File.objects.get().status == File.Status.VERIFIED
    assert broker.sizes() == (0, 0, 0)


def test_a_sweep_fills_neither_queue_over_its_limit(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded(1)
    uploaded(settings.LARGE_FILE_BYTES)
    # What waits for small files may be messages with many files each; what waits for large ones is one for each.
    monkeypatch.setattr(sweeping, "BATCH", 2 * tasks.FILES_IN_A_TASK)
    for expected in ((1, 1), (2, 2), (2, 3)):
        tasks.sweep()
        assert broker.sizes() == (*expected, 0)
    monkeypatch.setattr(sweeping, "BATCH", 3)
    tasks.sweep()
    assert broker.sizes() == (2, 3, 0)
    broker.empty(LARGE)
    tasks.sweep()
    assert broker.sizes() == (2, 1, 0)


def test_files_wait_in_the_order_in_which_they_came(broker: Broker) -> None:
    now = timezone.now()
    later, earlier = (uploaded(1, uploaded_at=now - timedelta(minutes=minutes)) for minutes in (1, 2))
    tasks.sweep()
    assert [arguments for _, arguments in broker.messages(SMALL)] == [[str(earlier.pk)], [str(later.pk)]]


def test_what_beat_sends_goes_to_the_queue_of_sweeps(broker: Broker) -> None:
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        app.send_task(str(entry["task"]))
    assert broker.sizes() == (0, 0, len(settings.CELERY_BEAT_SCHEDULE))


def test_a_worker_without_a_choice_takes_from_every_queue() -> None:
    assert set(app.amqp.queues.consume_from) == {SMALL, LARGE, SWEEPS}


@pytest.mark.embedded
def test_a_storage_sweep_and_a_sweep_of_orphans_run(api: Api, demo: Demo) -> None:
    tasks.sweep_storage()
    tasks.sweep_orphans()
