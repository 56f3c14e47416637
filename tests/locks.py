"""Who waits for whom in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

from django.db import connection, transaction

from embedded.programs import wait_until

T = TypeVar("T")


def waiting_for_a_lock() -> bool:
    """Whether a connection to this database waits for another."""
    return waiting_for_locks() > 0


def waiting_for_locks() -> int:
    """How many connections to this database wait for another."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connection.cursor() as cursor:
        # Within a transaction the view would go on showing the connections that there were at the first look.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(waiting)
        [(number,)] = cursor.fetchall()
    return int(number)


@contextmanager
def kept_waiting(action: Callable[[], T]) -> Iterator[Future[T]]:
    """A transaction that is committed as soon as the action, on a connection of its own, waits for what it holds.

    What came of the action is in the future afterwards. Fails if it does not wait.
    """
    held = Event()

    def act() -> T:
        held.wait(10)
        try:
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        try:
            with transaction.atomic():
                yield acting
                held.set()
                assert wait_until(waiting_for_a_lock, 10), "nobody waits"
        finally:
            held.set()
