"""What PostgreSQL and SQLite do each in its own way, and letting go of the connection where work is long."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from django.db import connection
from django.db.models import BooleanField, F, Func, Model, Value


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


def as_table(
    columns: Mapping[str, Literal["bigint", "text"]], rows: Mapping[uuid.UUID, Sequence[int | str]]
) -> tuple[str, list[Any]]:
    """A table expression for the FROM of raw SQL, called `given`, and its parameters.

    It has a row for each of `rows`: the key as `id`, then the values, as many as there are `columns`, which name them.
    """
    if connection.vendor == "postgresql":
        kinds = ", ".join(f"%s::{kind}[]" for kind in ("uuid", *columns.values()))
        by_column = ([values[place] for values in rows.values()] for place in range(len(columns)))
        return f"unnest({kinds}) AS given ({', '.join(('id', *columns))})", [list(rows), *by_column]
    selected = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(("id", *columns)))
    table = f"(SELECT {selected} FROM json_each(%s)) AS given"  # noqa: S608 - the names are the caller's own
    return table, [json.dumps([(pk.hex, *rows[pk]) for pk in rows])]


def update_each(
    model: type[Model], rows: Mapping[uuid.UUID, Mapping[str, int | str]], same: Mapping[str, object] | None = None
) -> None:
    """Write fields of many rows in one query: to each its own, of the same names, and to all the `same`.

    `bulk_update` builds a CASE for each field, which for some ten thousand rows takes a minute, and for fifty small
    files longer than to read them.
    """
    if not rows:
        return
    own = next(iter(rows.values()))
    kinds: dict[str, Literal["bigint", "text"]] = {n: "bigint" if isinstance(own[n], int) else "text" for n in own}
    given, parameters = as_table(kinds, {key: [values[name] for name in own] for key, values in rows.items()})
    to_all = [_stored(value) for value in (same or {}).values()]
    assignments = ", ".join([*(f"{name} = given.{name}" for name in own), *(f"{name} = %s" for name in same or {})])
    table = model._meta.db_table  # noqa: SLF001 - documented (Django, "Model _meta API")
    # Names of tables and fields are the code's own; what comes from outside is among the parameters.
    update = f"UPDATE {table} SET {assignments} FROM {given} WHERE {table}.id = given.id"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(update, to_all + parameters)


def _stored(value: object) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def let_go_of_connection() -> None:
    """Give the connection back before something that takes minutes or hours; the next query takes another.

    What stands between us and the database cuts connections that are idle for long, and what was read would be lost
    with it. Within a transaction it does nothing.
    """
    if not connection.in_atomic_block:
        connection.close()
