"""What PostgreSQL and SQLite do each in its own way, and letting go of the connection where work is long."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from django.db import connection
from django.db.models.expressions import RawSQL


def in_one_parameter(keys: Iterable[uuid.UUID | int | str], kind: Literal["uuid", "bigint", "text"] = "uuid") -> RawSQL:
    """Values of one kind for a filter `…__in`, as one parameter of the query however many they are.

    With a placeholder for each, Django and the driver take a second for some ten thousand, and SQLite takes no more
    than 32,766.
    """
    if connection.vendor == "postgresql":
        return RawSQL(f"SELECT unnest(%s::{kind}[])", [list(keys)])  # noqa: S611  # the kind is one of three words
    values = [key.hex if isinstance(key, uuid.UUID) else key for key in keys]
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(values)])


def as_table(numbers: Mapping[uuid.UUID, int]) -> tuple[str, list[Any]]:
    """A table expression for the FROM of raw SQL, with the columns `id` and `number`, and its parameters."""
    if connection.vendor == "postgresql":
        return "unnest(%s::uuid[], %s::bigint[]) AS given (id, number)", [list(numbers), list(numbers.values())]
    by_hex = json.dumps({key.hex: number for key, number in numbers.items()})
    return "(SELECT key AS id, value AS number FROM json_each(%s)) AS given", [by_hex]


def let_go_of_connection() -> None:
    """Give the connection back before something that takes minutes or hours; the next query takes another.

    What stands between us and the database cuts connections that are idle for long, and what was read would be lost
    with it. Within a transaction it does nothing.
    """
    if not connection.in_atomic_block:
        connection.close()
