"""Who compares a pair at the same time waits and then leaves it. PostgreSQL only: SQLite has one writer at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from embedded.programs import wait_until
from files import acceptance
from files.models import FileAttachment
from submissions.models import SequenceEntry
from tests.factories import ContentCheckResultFactory, FileAttachmentFactory, FileCategoryFactory, SequenceEntryFactory
from tests.locks import waiting_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_pair_that_is_being_compared_is_not_compared_again() -> None:
    category = FileCategoryFactory.create(content_check="fastq", pairing=True)
    entry = SequenceEntryFactory.create(submission__organism=category.organism)
    for mate in "12":
        attachment = FileAttachmentFactory.create(entry=entry, category=category, name=f"a_{mate}.fq")
        ContentCheckResultFactory.create(file=attachment.file, data={"reads": 2, "namesDigest": "d" * 64})
    compared = Event()

    def settle() -> list[str]:
        compared.wait(10)
        try:
            with CaptureQueriesContext(connection) as queries:
                acceptance.settle(SequenceEntry.objects.all())
            return [query["sql"] for query in queries]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        settling = pool.submit(settle)
        with transaction.atomic():
            acceptance.compare_pairs(SequenceEntry.objects.all())
            compared.set()
            assert wait_until(waiting_for_a_lock, 10)
        queries = settling.result(timeout=10)
    assert [sql for sql in queries if sql.startswith('UPDATE "files_fileattachment"')] == []
    assert SequenceEntry.objects.get().status == "ACCEPTED"
    assert FileAttachment.objects.filter(pair_compared_at__isnull=False).count() == 2
