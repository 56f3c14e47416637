"""The registry of content checks."""

from __future__ import annotations

import pytest

from files.content import CHECKS, check_for
from files.models import ContentCheck


def test_a_check_is_found_by_its_name() -> None:
    names = ["gzip", "fastq", "bam", "cram", "fasta"]
    assert [check_for(name).name for name in CHECKS] == list(CHECKS) == names


def test_every_choice_of_a_category_but_none_is_a_check() -> None:
    assert {ContentCheck.NONE.value, *CHECKS} == set(ContentCheck.values)


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        check_for("vcf")


@pytest.mark.parametrize("name", CHECKS)
def test_codes_begin_with_the_checks_name_and_are_told_in_sentences(name: str) -> None:
    problems = check_for(name).problems
    assert problems
    assert all(code.startswith(f"{name}_") for code in problems)
    assert all(sentence.endswith(".") for sentence in problems.values())
