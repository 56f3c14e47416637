"""What PostgreSQL and SQLite do each in its own way, and letting go of the connection where work is long."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from django.db import connection
from django.db.models import BooleanField, F, Func, Value


def is_one_of(
    field: str, values: Iterable[uuid.UUID | int | str], kind: Literal["uuid", "bigint", "text"] = "uuid"
) -> Func:
    """A condition for `filter()`: the field has one of these values of one kind, however many they are.

    They go into one parameter: with a placeholder for each, Django and the driver take a second for some ten
    thousand, and SQLite takes no more than 32,766. `= ANY` and not a subquery: PostgreSQL looks all values up in an
    index or a hash, while it may join a subquery's rows one by one with each row where it expects few.
    """
    if connection.vendor == "postgresql":
        before, after, given = " = ANY(", f"::{kind}[])", Value(list(values))
    else:
        plain = [value.hex if isinstance(value, uuid.UUID) else value for value in values]
        before, after, given = " IN (SELECT value FROM json_each(", "))", Value(json.dumps(plain))
    return Func(F(field), given, template=f"%(expressions)s{after}", arg_joiner=before, output_field=BooleanField())


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
