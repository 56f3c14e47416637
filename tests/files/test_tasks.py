"""Celery's shell: messages go out on commit, once a file, and the sweep is bounded."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import transaction

from files import sweeping, tasks
from tests.fixtures import FASTQ, Api, Demo, mapping_of

pytestmark = [pytest.mark.embedded, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def queue() -> Any:
    """The queue on the broker, empty."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        client.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
        yield client
        client.delete(settings.CELERY_TASK_DEFAULT_QUEUE)


def _length(queue: Any) -> int:
    return int(queue.llen(settings.CELERY_TASK_DEFAULT_QUEUE))


def test_messages_go_out_on_commit_and_not_after_a_rollback(queue: Any) -> None:
    with transaction.atomic():
        tasks.enqueue([uuid.uuid4()])
        assert _length(queue) == 0
    assert _length(queue) == 1
    with transaction.atomic():
        tasks.enqueue([uuid.uuid4()])
        transaction.set_rollback(True)
    assert _length(queue) == 1


def test_submitting_sends_each_file_once(api: Api, demo: Demo, queue: Any) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = {
        **mapping_of("sample1", "supplementary", (file_id, "a"), (file_id, "b")),
        **mapping_of("sample2", "supplementary", (file_id, "a")),
    }
    api.submit(demo.organism, demo.group, mapping=mapping)
    assert _length(queue) == 1


def test_a_sweep_does_not_fill_a_queue_that_is_full(api: Api, demo: Demo, queue: Any, monkeypatch: Any) -> None:
    api.post("files/complete-upload", [{"fileId": api.upload(demo.group, FASTQ)}])
    queue.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    monkeypatch.setattr(sweeping, "BATCH", 2)
    for expected in (1, 2, 2):
        tasks.sweep()
        assert _length(queue) == expected


def test_a_storage_sweep_runs(api: Api, demo: Demo) -> None:
    tasks.sweep_storage()
