"""Who waits for whom in PostgreSQL."""

from __future__ import annotations

from django.db import connection


def waiting_for_a_lock() -> bool:
    """Whether a connection to this database waits for another."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connection.cursor() as cursor:
        cursor.execute(waiting)
        return bool(cursor.fetchone() != (0,))
