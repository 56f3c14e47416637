"""Read 1 and read 2 of a pair: their names, and what keeps two files from being a pair."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.pairs import Reads, are_names_of_pair, compare, problem_of_names
from files.problem import FileProblem

FIRST = Reads("a_1.fq", "1" * 64, 1_000, "d" * 64, "1")
SECOND = Reads("a_2.fq", "2" * 64, 1_000, "d" * 64, "2")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a_R1.fastq.gz", "a_R2.fastq.gz"),
        ("s_2.fq", "s_1.fq"),
        ("S1_L001_R1_001.fastq.gz", "S1_L001_R2_001.fastq.gz"),
        ("1.fq", "2.fq"),
        ("12.fq", "22.fq"),
    ],
)
def test_names_that_differ_in_one_1_and_2_are_those_of_a_pair(one: str, other: str) -> None:
    assert are_names_of_pair(one, other)
    assert problem_of_names(one, other) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a_R1.fastq", "a_R1.fastq"),
        ("a_R1.fastq", "b_R2.fastq"),
        ("a_R1.fastq", "a_R3.fastq"),
        ("a_R0.fastq", "a_R1.fastq"),
        ("a_R1.fastq", "a_R2.fastq.gz"),
        ("a_R1.fastq", "a_R2.FASTQ"),
        ("S1_R1.fastq", "S2_R2.fastq"),
        ("a_12.fastq", "a_21.fastq"),
        ("a_R1.fastq", "a_R12.fastq"),
        ("a.fastq", "a_2.fastq"),
        ("", ""),
    ],
)
def test_other_names_are_not(one: str, other: str) -> None:
    assert not are_names_of_pair(one, other)
    problem = problem_of_names(other, one)
    assert problem is not None
    assert f"“{other}” and “{one}”" in problem


@given(st.text(), st.text())
def test_whatever_stands_around_the_1_and_the_2_the_order_of_the_names_does_not_matter(before: str, after: str) -> None:
    first, second = f"{before}1{after}", f"{before}2{after}"
    assert are_names_of_pair(first, second)
    assert are_names_of_pair(second, first)


NO_MATES = (replace(FIRST, mate=None), replace(SECOND, mate=None))


@pytest.mark.parametrize(
    ("one", "other"),
    [(FIRST, SECOND), NO_MATES, (FIRST, NO_MATES[1]), (NO_MATES[0], SECOND)],
    ids=["both say so", "neither says so", "the first says so", "the second says so"],
)
def test_two_files_with_the_same_names_in_the_same_order_are_a_pair(one: Reads, other: Reads) -> None:
    assert compare(one, other) is None
    assert compare(other, one) is None


@pytest.mark.parametrize(
    ("one", "other", "code", "sentence"),
    [
        (
            FIRST,
            replace(SECOND, number=999, names_digest="e" * 64),
            "pair_read_count",
            (
                "“a_1.fq” has 1,000 reads and “a_2.fq” 999, but every read 1 needs its read 2; see whether "
                "one file was cut short, or filtered without the other."
            ),
        ),
        (
            FIRST,
            replace(SECOND, names_digest="e" * 64),
            "pair_read_names",
            (
                "“a_1.fq” and “a_2.fq” both have 1,000 reads, but not of the same names in the same order; "
                "see whether they are of one sample, and whether one was sorted without the other."
            ),
        ),
        (
            replace(FIRST, mate="2"),
            replace(SECOND, mate="1"),
            "pair_swapped",
            (
                "The reads of “a_1.fq” say of themselves that they are read 2, and those of “a_2.fq” that "
                "they are read 1; exchange the two names."
            ),
        ),
        (
            FIRST,
            replace(SECOND, mate="1"),
            "pair_same_mate",
            (
                "The reads of both “a_1.fq” and “a_2.fq” say of themselves that they are read 1; put the "
                "file with read 2 in the place of one."
            ),
        ),
        (
            replace(FIRST, mate="2"),
            SECOND,
            "pair_same_mate",
            (
                "The reads of both “a_1.fq” and “a_2.fq” say of themselves that they are read 2; put the "
                "file with read 1 in the place of one."
            ),
        ),
        (
            NO_MATES[0],
            replace(NO_MATES[1], sha256=FIRST.sha256),
            "pair_same_mate",
            ("“a_1.fq” and “a_2.fq” are one and the same file; upload the file with read 2 for the second."),
        ),
        (
            replace(FIRST, mate="mixed"),
            SECOND,
            "pair_mixed",
            "“a_1.fq” has read 1 and read 2 in one file; divide them into a file of each.",
        ),
        (
            replace(FIRST, mate="mixed"),
            replace(SECOND, mate="mixed"),
            "pair_mixed",
            ("“a_1.fq” and “a_2.fq” each have read 1 and read 2 in one file; divide them into a file of each."),
        ),
    ],
)
def test_what_keeps_two_files_from_being_a_pair_is_told(one: Reads, other: Reads, code: str, sentence: str) -> None:
    assert compare(one, other) == FileProblem(code, sentence)
    assert compare(other, one) == FileProblem(code, sentence)


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        (replace(FIRST, mate="mixed", number=2_000), SECOND, "pair_mixed"),
        (FIRST, replace(SECOND, mate="1", number=7, names_digest="e" * 64), "pair_same_mate"),
        (replace(FIRST, mate="2"), replace(SECOND, mate="1", number=7), "pair_read_count"),
        (replace(FIRST, mate="2"), replace(SECOND, mate="1", names_digest="e" * 64), "pair_read_names"),
        (replace(FIRST, mate="mixed"), replace(SECOND, mate="mixed", sha256=FIRST.sha256), "pair_same_mate"),
    ],
)
def test_of_several_things_wrong_the_one_that_explains_the_others_is_told(one: Reads, other: Reads, code: str) -> None:
    problem = compare(one, other)
    assert problem is not None
    assert problem.code == code


def test_a_result_of_a_check_that_did_not_look_for_mates_says_nothing_of_them() -> None:
    data = {"reads": 4, "bases": 20, "namesDigest": "d" * 64}
    assert Reads.of("a_1.fq", "1" * 64, data) == Reads("a_1.fq", "1" * 64, 4, "d" * 64, None)
    assert Reads.of("a_1.fq", "1" * 64, {**data, "mate": "2"}).mate == "2"
