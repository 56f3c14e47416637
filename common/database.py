"""The connection to the database, where work is long and the connection idle meanwhile."""

from __future__ import annotations

from django.db import connection


def let_go_of_connection() -> None:
    """Give the connection back before something that takes minutes or hours; the next query takes another.

    What stands between us and the database cuts connections that are idle for long, and what was read would be lost
    with it. Within a transaction it does nothing.
    """
    if not connection.in_atomic_block:
        connection.close()
