"""Runs of fixity: which files, how fast, and what no fault, race or crash can spoil."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from embedded.ports import free_port
from embedded.programs import ROOT, wait_until
from files import fixity
from files.fixity import LOCK, Outcome
from files.models import File
from files.pacing import Pace
from tests.accepted_files import LONG_AGO, MEBIBYTE, PERIOD, TestClock, accepted, deleted, finding, later, run
from tests.factories import FileAttachmentFactory, FileFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]


# --- which files, and how fast ------------------------------------------------------------------------


@pytest.mark.embedded
def test_only_files_of_accepted_entries_are_read() -> None:
    for status in ("VERIFYING", "REJECTED"):
        accepted(entry_status=status)
    accepted(deleting_at=timezone.now())
    FileFactory.create(status="VERIFIED", verified_at=timezone.now() - LONG_AGO)
    wanted = accepted()
    FileAttachmentFactory.create(file=wanted, entry__status="REJECTED")
    FileAttachmentFactory.create(file=wanted, entry__status="ACCEPTED")
    assert run() == {"INTACT": 1}
    assert [file.pk for file in File.objects.filter(fixity_checked_at__isnull=False)] == [wanted.pk]


@pytest.mark.embedded
def test_only_files_unread_for_a_period_are_due(settings: Settings) -> None:
    accepted(ago=PERIOD - timedelta(minutes=1))
    accepted(ago=10 * PERIOD, fixity_checked_at=timezone.now() - PERIOD + timedelta(minutes=1))
    due = {accepted(), accepted(ago=10 * PERIOD, fixity_checked_at=timezone.now() - LONG_AGO)}
    before = timezone.now()
    assert run() == {"INTACT": 2}
    assert set(File.objects.filter(fixity_checked_at__gte=before)) == due
    settings.FIXITY_EVERY = timedelta(minutes=1)
    assert run() == {"INTACT": 2}


def test_it_can_be_turned_off(settings: Settings) -> None:
    settings.FIXITY_EVERY = timedelta(0)
    accepted()
    assert run() is None


def test_those_unread_for_longest_come_first_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixity, "PAGE", 2)
    now = timezone.now()
    # Two are equal; the last two were verified long before, but read again since.
    files = [accepted(b"", verified_at=now - timedelta(days=days)) for days in (700, 600, 600)]
    files[1:] = sorted(files[1:], key=lambda file: file.pk)
    read_again = (now - timedelta(days=days) for days in (500, 400))
    files += [accepted(b"", ago=10 * PERIOD, fixity_checked_at=moment) for moment in read_again]
    assert list(fixity.in_turn(fixity.accepted_files(), read_before=now)) == files
    assert list(fixity.in_turn(fixity.accepted_files(), read_before=now - timedelta(days=550))) == files[:3]


def test_a_run_takes_one_query_for_a_page_and_one_for_a_file(django_assert_num_queries: Any) -> None:
    for _ in range(6):
        accepted()
    with django_assert_num_queries(2 + 6):
        assert run() == {"INTACT": 6}


def test_the_rate_is_kept_chunk_by_chunk(settings: Settings) -> None:
    settings.FIXITY_BYTES_PER_SECOND = MEBIBYTE // 2
    accepted(bytes(2 * MEBIBYTE + MEBIBYTE // 4))
    clock = TestClock()
    assert run(clock) == {"INTACT": 1}
    assert sum(clock.slept) == pytest.approx(4.5)
    assert len(clock.slept) >= 3
    assert max(clock.slept) <= 2


def test_without_a_limit_nothing_is_waited_for(settings: Settings) -> None:
    settings.FIXITY_BYTES_PER_SECOND = 0
    accepted()
    clock = TestClock()
    assert run(clock) == {"INTACT": 1}
    assert clock.slept == []


def test_time_that_went_by_unused_is_not_saved_up() -> None:
    clock = TestClock()
    pace = Pace(100, clock)
    pace.take(100)
    clock.now += 60
    pace.take(50)
    assert clock.slept == [1.0, 0.5]
    clock.now += 0.2
    pace.take(50)
    assert clock.slept[2] == pytest.approx(0.5)


def test_a_run_leaves_to_the_next_what_would_not_end_in_time(settings: Settings) -> None:
    settings.FIXITY_BYTES_PER_SECOND = 1_000
    settings.FIXITY_RUN_EVERY = timedelta(seconds=5)
    for _ in range(3):
        accepted()  # which take two seconds each
    assert [run(), run(), run()] == [{"INTACT": 2}, {"INTACT": 1}, {}]


def test_a_file_larger_than_a_run_is_read_to_its_end(settings: Settings) -> None:
    settings.FIXITY_BYTES_PER_SECOND = 1_000
    settings.FIXITY_RUN_EVERY = timedelta(seconds=1)
    small, large = accepted(b"small"), accepted(ago=2 * LONG_AGO)
    assert run() == {"INTACT": 1}
    assert (finding(large), finding(small)) == (("", True), ("", False))
    assert run() == {"INTACT": 1}


# --- faults of the object store -----------------------------------------------------------------------


@contextmanager
def failing_for(key: str, upstream: str) -> Iterator[str]:
    """The object store at another address, where it fails to give out one object; yields the address."""
    parts = urlsplit(upstream)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connected: socket.socket) -> None:
        with connected, socket.create_connection((parts.hostname or "", parts.port or 80)) as at_store:
            request = connected.recv(65_536)
            if request.split(b" ")[1].endswith(key.encode()):
                connected.sendall(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            at_store.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            while data := at_store.recv(65_536):
                connected.sendall(data)

    def serve() -> None:
        while True:
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            answer(connected)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.usefixtures("_one_try")
def test_a_store_that_does_not_answer_is_no_finding_and_ends_the_run(settings: Settings, events: Any) -> None:
    files = [accepted(), accepted()]
    settings.S3_ENDPOINT_URL = f"http://127.0.0.1:{free_port()}"
    assert run() == {}
    assert [finding(file) for file in files] == [("", False), ("", False)]
    assert (len(events("fixity_fault")), len(events("fixity_interrupted"))) == (1, 1)
    assert events("fixity_alarm") == []


@pytest.mark.usefixtures("_one_try")
def test_one_file_that_cannot_be_read_rests_keeps_no_other_waiting_and_is_a_finding_in_the_end(
    settings: Settings, events: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable, other = accepted(ago=2 * LONG_AGO), accepted()
    with failing_for(unreadable.object_key, settings.S3_ENDPOINT_URL) as address:
        settings.S3_ENDPOINT_URL = address
        assert run() == {"UNREAD": 1, "INTACT": 1}
        assert (finding(unreadable), finding(other)) == (("", False), ("", True))
        assert run() == {}
        monkeypatch.setattr(fixity, "FAULT_PAUSE", timedelta(0))
        cache.delete(fixity._fault_key(unreadable))
        assert [run(), run(), run()] == [{"UNREAD": 1}, {"UNREAD": 1}, {"DAMAGED": 1}]
    assert finding(unreadable) == ("fixity_unreadable", True)
    assert [event["code"] for event in events("fixity_alarm")] == ["fixity_unreadable"]


# --- races and crashes --------------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_a_second_run_at_once_does_nothing(settings: Settings) -> None:
    file = accepted()
    reading, go_on = threading.Event(), threading.Event()
    found: list[object] = []

    def pause() -> None:
        reading.set()
        assert go_on.wait(60)

    def first() -> None:
        try:
            found.append(run(TestClock(on_sleep=pause)))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert reading.wait(60)
        assert run() is None
    finally:
        go_on.set()
        thread.join()
    assert found == [{"INTACT": 1}]
    later(file)
    assert run() == {"INTACT": 1}


def test_a_file_read_by_two_at_once_is_recorded_once(events: Any) -> None:
    file = accepted()
    slow = File.objects.get(pk=file.pk)
    deleted(file)
    assert fixity.check(file, lambda _: None).outcome is Outcome.DAMAGED
    before = File.objects.values().get()
    assert fixity.check(slow, lambda _: None).outcome is Outcome.OVERTAKEN
    assert File.objects.values().get() == before
    assert len(events("fixity_alarm")) == 1


@pytest.mark.embedded
def test_a_file_that_is_being_deleted_meanwhile_is_no_finding(events: Any) -> None:
    file = accepted()
    File.objects.update(deleting_at=timezone.now())
    deleted(file)
    assert fixity.check(file, lambda _: None).outcome is Outcome.OVERTAKEN
    assert finding(file) == ("", False)
    assert events("fixity_alarm") == []


CRASHING = """
import sys
import django
django.setup()
from files import fixity

class Stuck:
    def monotonic(self):
        return 0.0
    def sleep(self, seconds):
        print("reading", flush=True)
        sys.stdin.read()

fixity.run(Stuck())
"""


def url_of_the_database() -> str:
    """The database of this test, for another process."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return re.sub(r"/[^/]*$", f"/{database['NAME']}", os.environ["DATABASE_URL"])


@pytest.mark.django_db(transaction=True)
def test_what_a_killed_process_was_reading_is_read_by_a_later_run(broker: Any) -> None:
    file = accepted()
    environment = {**os.environ, "DATABASE_URL": url_of_the_database(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", CRASHING], env=environment, cwd=ROOT, stdin=pipe, stdout=pipe)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        process.kill()
    assert finding(file) == ("", False)
    assert run() is None
    assert 0 < broker.pttl(LOCK) <= fixity.LOCK_LIFE.total_seconds() * 1000
    broker.pexpire(LOCK, 1)
    assert wait_until(lambda: not broker.exists(LOCK), 10)
    assert run() == {"INTACT": 1}


def test_the_lock_is_renewed_while_a_file_is_read_and_given_back(settings: Settings, broker: Any) -> None:
    settings.FIXITY_BYTES_PER_SECOND = 1_000
    accepted(bytes(3 * MEBIBYTE))
    lives: list[int] = []

    def shorten() -> None:
        lives.append(broker.pttl(LOCK))
        broker.pexpire(LOCK, 60_000)

    assert run(TestClock(on_sleep=shorten)) == {"INTACT": 1}
    assert len(lives) >= 3
    assert min(lives) > 60_000
    assert not broker.exists(LOCK)


def test_a_lock_that_the_broker_forgot_is_taken_again(settings: Settings, broker: Any) -> None:
    settings.FIXITY_BYTES_PER_SECOND = 1_000
    accepted(bytes(3 * MEBIBYTE))
    held: list[int] = []

    def forget() -> None:
        held.append(broker.exists(LOCK))
        broker.delete(LOCK)

    assert run(TestClock(on_sleep=forget)) == {"INTACT": 1}
    assert set(held) == {1}


def test_a_run_ends_when_another_has_the_lock(settings: Settings, broker: Any, events: Any) -> None:
    settings.FIXITY_BYTES_PER_SECOND = 1_000
    file = accepted(bytes(3 * MEBIBYTE))
    assert run(TestClock(on_sleep=lambda: broker.set(LOCK, "another's"))) == {}
    assert finding(file) == ("", False)
    assert len(events("fixity_lock_lost")) == 1
    assert broker.get(LOCK) == b"another's"
