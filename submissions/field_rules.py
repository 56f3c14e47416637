"""What an organism asks of a metadata field, and whether a value fulfils it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from submissions.errors import quoted

DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class FieldKind(StrEnum):
    """The kinds of `MetadataField`."""

    TEXT = "TEXT"
    DATE = "DATE"
    NUMBER = "NUMBER"
    CHOICE = "CHOICE"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One metadata field: `name` is its column, `shown_name` what people call it, `choices` for a choice
    alone."""

    name: str
    shown_name: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()


def check_value(rule: FieldRule, value: str) -> str | None:
    """What is wrong with a value, as a sentence that does not name the field; None if nothing is. White space
    around a value does not count.

    Dates are ISO 8601 calendar dates, `YYYY-MM-DD`, or as much of one as is known: `YYYY-MM` or `YYYY`, since
    the day of sampling is often withheld or lost. Numbers are decimal, with a point and no grouping.
    """
    value = value.strip()
    if not value:
        return "A value is required." if rule.required else None
    return CHECKS[rule.kind](rule, value)


def _check_text(_rule: FieldRule, _value: str) -> str | None:
    return None


def _check_date(_rule: FieldRule, value: str) -> str | None:
    found = DATE.fullmatch(value)
    if not found:
        return f"{quoted(value)} is no date. Write YYYY-MM-DD, or YYYY-MM or YYYY if no more is known."
    year, month, day = (int(part or 1) for part in found.groups())
    try:
        dt.date(year, month, day)
    except ValueError:
        return f"There is no {quoted(value)} in the calendar. Write YYYY-MM-DD."
    return None


def _check_number(_rule: FieldRule, value: str) -> str | None:
    if NUMBER.fullmatch(value):
        return None
    return f"{quoted(value)} is no number. Write digits with a decimal point, such as 12.5."


def _check_choice(rule: FieldRule, value: str) -> str | None:
    if value in rule.choices:
        return None
    return f"{quoted(value)} is none of {', '.join(rule.choices)}."


CHECKS: dict[FieldKind, Callable[[FieldRule, str], str | None]] = {
    FieldKind.TEXT: _check_text,
    FieldKind.DATE: _check_date,
    FieldKind.NUMBER: _check_number,
    FieldKind.CHOICE: _check_choice,
}
