from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submissions.names import check_file_name, name_key


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "reads_R1.fastq.gz",
        "with space.txt",
        "...",
        ".hidden",
        "ü ß 试验 😀.txt",
        "a" * 255,
        "😀" * 255,
        "a;b&c'd%20",
    ],
)
def test_an_ordinary_name_is_allowed(name: str) -> None:
    assert check_file_name(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "empty"),
        ("a" * 256, "256 characters"),
        *((f"a{character}b", f"character {character}") for character in '<>:"/\\|?*'),
        ("a\x00b", "control character U+0000"),
        ("a\nb", "control character U+000A"),
        ("a\x7f", "control character U+007F"),
        ("a\x9fb", "control character U+009F"),
        *((f"a{chr(code)}b", f"override U+{code:04X}") for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
        ("a\ud800", "surrogate U+D800"),
        (" a", "white space"),
        ("a ", "white space"),
        ("\u3000a", "white space"),
        (" ", "white space"),
        (".", "folder"),
        ("..", "folder"),
    ],
)
def test_a_name_that_is_not_allowed_is_told_why(name: str, said: str) -> None:
    reason = check_file_name(name)

    assert reason is not None
    assert said in reason
    assert reason.encode()


@given(st.text())
def test_every_reason_is_one_readable_line(name: str) -> None:
    reason = check_file_name(name)

    assert reason is None or reason.isprintable()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Reads.FASTQ.gz", "reads.fastq.GZ"),
        ("e\u0301.txt", "É.txt"),
        ("straße", "STRASSE"),
        ("ΐ", "\u03aa\u0301"),
        ("ς", "Σ"),
        ("\u03b1\u0345\u0301", "\u1fb4"),
    ],
)
def test_names_that_differ_in_case_or_composition_are_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("a_1.gz", "a_2.gz"), ("a", "a "), ("ﬁle", "fi1e"), ("²", "2")])
def test_names_that_differ_otherwise_are_two(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text())
def test_all_compositions_of_a_name_are_the_same_name(name: str) -> None:
    assert name_key(unicodedata.normalize("NFD", name)) == name_key(unicodedata.normalize("NFC", name))
    assert unicodedata.is_normalized("NFC", name_key(name))
