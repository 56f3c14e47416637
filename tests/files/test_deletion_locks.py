"""Deleting waits for whoever attaches, and then looks again. PostgreSQL only: SQLite has one writer at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from embedded.programs import wait_until
from files import deletion
from files.models import File, FileAttachment
from tests.factories import FileAttachmentFactory, FileFactory

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_for_a_lock() -> bool:
    """Whether a connection to this database waits for another."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connection.cursor() as cursor:
        cursor.execute(waiting)
        return bool(cursor.fetchone() != (0,))


def test_a_deletion_that_has_waited_for_the_lock_sees_what_was_attached() -> None:
    attachment, file = FileAttachmentFactory.create(), FileFactory.create(status="VERIFIED")
    locked = Event()

    def delete() -> int:
        locked.wait(10)
        try:
            return deletion.claim([file.pk])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(delete)
        with transaction.atomic():
            File.objects.select_for_update().get(pk=file.pk)
            locked.set()
            assert wait_until(waiting_for_a_lock, 10)
            FileAttachment.objects.filter(pk=attachment.pk).update(file=file)
        assert deleting.result(timeout=10) == 0
    assert File.objects.get(pk=file.pk).deleting_at is None
