"""The corpus of `make corpus` is what it says, and the checks alone agree with it; the product is asked by that."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Final

import pytest

from benchmarks.corpus.case import STORE_REFUSES, Case, Category, SentFile
from benchmarks.corpus.organism import RULES
from benchmarks.corpus.registry import KINDS, cases
from benchmarks.corpus.table import Verdict, json_line, rows
from embedded.programs import ROOT
from files.content import run_of

HUGE: Final = " GB "
"""In the names of cases that take seconds each."""


@pytest.fixture(scope="module")
def everything() -> list[Case]:
    """All cases, but for the bytes that are never read here."""
    return list(cases())


def digest(kind: str) -> str:
    """What the cases of a kind have in common at every run."""
    found = hashlib.sha256()
    for case in cases([kind]):
        for file in case.files:
            found.update(repr((case.name, case.category, sorted(case.expected), file.name)).encode())
            found.update(file.content)
    return found.hexdigest()


def test_there_are_as_many_cases_as_promised_and_no_name_stands_twice(everything: list[Case]) -> None:
    assert sum(not case.good for case in everything) >= 300
    assert sum(case.good for case in everything) >= 100
    twice = [name for name, times in Counter((case.kind, case.name) for case in everything).items() if times > 1]
    assert twice == []


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"fastq.gz", "fasta"}))
def test_the_same_files_are_made_at_every_run(kind: str) -> None:
    assert digest(kind) == digest(kind)


def test_every_expected_code_is_in_the_documentation(everything: list[Case]) -> None:
    documented = set(re.findall(r"^### (\w+)$", (ROOT / "docs" / "problems.md").read_text(), re.MULTILINE))
    assert {code for case in everything for code in case.expected} - documented == {STORE_REFUSES}


def test_the_checks_alone_agree_with_the_corpus(everything: list[Case]) -> None:
    checked = {category: rules["content_check"] for category, rules in RULES.items() if "content_check" in rules}
    del checked[Category.PAIRS]
    wrong = []
    for case in everything:
        if case.category not in checked or HUGE in f"{case.name} " or case.files[0].claims or case.kind == "claim":
            continue
        run = run_of([checked[case.category]], len(case.files[0].content))
        run.feed(case.files[0].content)
        [outcome] = run.finish()
        if not case.fits({outcome.code} - {""}):
            wrong.append((case.kind, case.name, outcome.code))
    assert wrong == []


CUT: Final = frozenset({"gzip_truncated"})


@pytest.mark.parametrize(
    ("expected", "found", "as_expected"),
    [
        (CUT, CUT, True),
        (CUT, frozenset({"gzip_bomb"}), False),
        (CUT, CUT | {"gzip_bomb"}, False),
        (CUT, frozenset(), False),
        (frozenset(), frozenset(), True),
        (frozenset(), CUT, False),
    ],
)
def test_only_an_expected_code_counts_as_detected(
    expected: frozenset[str], found: frozenset[str], as_expected: bool
) -> None:
    verdict = Verdict(Case("gzip", "a | b", Category.GZIP, [SentFile("a.gz", b"")], expected), found)
    assert verdict.as_expected == as_expected
    assert json.loads(json_line([verdict])) == {
        "corrupted": int(bool(expected)),
        "detected": int(bool(expected) and as_expected),
        "good": int(not expected),
        "refused_wrongly": int(not expected and not as_expected),
    }
    assert ("WRONG" in "".join(rows([verdict]))) != as_expected
