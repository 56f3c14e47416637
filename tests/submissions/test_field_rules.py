"""The rules of metadata fields: what a value of each kind may be, and what is said of one that may not."""

from __future__ import annotations

import pytest

from submissions.field_rules import FieldKind, FieldRule, check_value
from submissions.models import MetadataField

COUNTRY = FieldRule("country", "Country")
DATE = FieldRule("date", "Collection date", FieldKind.DATE)
AGE = FieldRule("age", "Age", FieldKind.NUMBER)
SAMPLE = FieldRule("sample", "Sample", FieldKind.CHOICE, choices=("blood", "serum"))


@pytest.mark.parametrize("value", ["2025-01-31", "2024-02-29", "2025-01", "2025", "1899-12-31", " 2025-01-31 ", ""])
def test_a_date_may_end_with_what_is_known(value: str) -> None:
    assert check_value(DATE, value) is None


@pytest.mark.parametrize(
    "value",
    [
        "2025-02-29",
        "2025-13",
        "2025-00-01",
        "0000",
        "31.1.2025",
        "1/31/2025",
        "20250131",
        "2025-1-1",
        "25-01-01",
        "2025-01-31T10:00",
        "2025-W05",
        "2025-",
        "٢٠٢٥",
        "unknown",
    ],
)
def test_what_is_no_date_of_the_calendar_is_refused(value: str) -> None:
    sentence = check_value(DATE, value)

    assert sentence is not None
    assert "Collection date" not in sentence
    assert "YYYY-MM-DD" in sentence


@pytest.mark.parametrize("value", ["0", "-1", "+1.5", ".5", "5.", "1e6", "1.5E-3", " 7 ", ""])
def test_a_decimal_number_is_a_number(value: str) -> None:
    assert check_value(AGE, value) is None


@pytest.mark.parametrize("value", ["1,5", "1 000", "NaN", "inf", "0x10", "1e", ".", "-", "٣", "5 years"])
def test_what_is_no_decimal_number_is_refused(value: str) -> None:
    sentence = check_value(AGE, value)

    assert sentence == f"“{value}” is no number. Write digits with a decimal point, such as 12.5."


def test_a_choice_is_one_of_its_values_to_the_letter() -> None:
    assert check_value(SAMPLE, " serum ") is None
    assert check_value(SAMPLE, "Serum") == "“Serum” is none of blood, serum."


def test_a_text_may_be_anything() -> None:
    assert check_value(COUNTRY, "Côte d'Ivoire: 5 < 6") is None


def test_the_kinds_of_fields_are_those_of_the_model() -> None:
    assert {kind.value for kind in FieldKind} == set(MetadataField.Kind.values)
