"""The client's look at files beside the verifier's reading of them: what it refuses, the verifier refuses.

For the same reason, in the same words, at the same place. The files are those that the browser is held against, too.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from satchel.errors import Problem
from satchel.folders import FoundFile
from satchel.prechecks import Fault, kinds, look_at
from satchel.rules import entry_problems, file_problems, name_key, pair_problem

from benchmarks.corpus.registry import cases
from common.errors import DomainError, Location
from files.category_rules import count_error, ending_error, name_errors, pair_names_error, size_error
from files.content import kinds as kinds_of_the_server
from files.pairs import FILES_OF_A_PAIR
from files.rules import RecordedRules
from submissions.errors import quoted
from submissions.names import name_key as name_key_of_the_server
from tests.files.test_prechecks import PAIRS_REFUSED, SOURCES, Given, by_the_verifier, problem_of

# The end of these is missing whatever else is wrong with it, which takes reading the whole file to tell.
ENDS_MISSING = {"bam_eof_missing", "cram_eof_missing"}
# What follows the end of a file that has one is for the verifier to name.
LEFT_TO_THE_VERIFIER = {"bam_trailing_bytes", "cram_trailing_bytes"}

# Packed and plain FASTQ have the property test below, and of FASTA the client looks at the first line alone.
HELD = [source for source in SOURCES if source not in ("fastq.gz of the corpus", "fasta of the corpus")]


def body_of(fault: Fault | None) -> dict[str, object] | None:
    if fault is None:
        return None
    found = {"code": fault.code, "detail": fault.detail, "line": fault.line, "offset": fault.offset}
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize("source", HELD)
def test_the_client_says_of_every_file_what_the_verifier_says_or_nothing(source: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    for one in SOURCES[source]():
        path.write_bytes(one.content)
        said, expected = body_of(look_at(path, one.check).fault), by_the_verifier(one)
        if said is not None and said["code"] in ENDS_MISSING:
            assert expected is not None, one.words
        else:
            assert said in (None, expected), one.words
        if one.head and one.head not in LEFT_TO_THE_VERIFIER:
            assert said is not None, one.words
        if one.check in ("fastq", "gzip") and len(one.content) <= 200_000:
            assert said == expected, one.words


RECORDS = [b"@r1/1\nACGTN\n+\nIIIII\n", b"@r2 1:N:0:A\nA\n+r2\n!\n", b"@r3\n\n+\n\n"]
PIECES = [
    *RECORDS,
    b"@r4\r\nAC\r\n+\r\nII\r\n",
    b"\n",
    b"\r",
    b"@",
    b"@ x\n",
    b"+",
    b"A!\n",
    b"ACGT\n",
    b"\x80",
    b"~~\n",
]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=8), cut=st.integers(0, 20), packing=st.sampled_from("pgm"))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_small_fastq_file_holds_the_client_says_what_the_verifier_says(
    tmp_path: Path, pieces: list[bytes], cut: int, packing: str
) -> None:
    text = b"".join(pieces)
    members = {"p": [], "g": [text], "m": [text[:9], text[9:]]}[packing]
    content = b"".join(gzip.compress(member, mtime=0) for member in members) or text
    content = content[: max(0, len(content) - cut)]
    path = tmp_path / "file"
    path.write_bytes(content)
    assert body_of(look_at(path, "fastq").fault) == by_the_verifier(Given("", "fastq", content))


def test_the_client_refuses_no_pair_that_the_verifier_accepts(tmp_path: Path) -> None:
    refused = {}
    for case in cases(["pairs"]):
        if len(case.files) != FILES_OF_A_PAIR:
            continue
        reads = []
        for number, file in enumerate(case.files):
            path = tmp_path / str(number)
            path.write_bytes(file.content)
            if (first_read := look_at(path, "fastq").first_read) is not None:
                reads.append((file.name, first_read))
        problem = pair_problem(*reads) if len(reads) == FILES_OF_A_PAIR else None
        if problem is None:
            continue
        refused[case.name] = problem.code
        assert case.expected & {problem.code, "pair_read_count"}, case.name
        one, other = (Given(case.name, "fastq", file.content, file.name) for file in case.files)
        if problem.code != "pair_read_names" and one.content != other.content:
            assert {"code": problem.code, "detail": problem.detail} == problem_of(one, other), case.name
    assert refused.items() >= PAIRS_REFUSED.items()


RULES = RecordedRules(
    name="rawReads",
    shown_name="Raw reads",
    content_check="fastq",
    pairing=False,
    required=True,
    min_files=2,
    max_files=3,
    max_file_size=1_000,
    extensions=(".fastq", ".fastq.gz"),
)
PAIRS = RecordedRules.from_json({**RULES.as_json(), "pairing": True})


@pytest.mark.parametrize("rules", [RULES, PAIRS])
@pytest.mark.parametrize(
    "names",
    [
        (),
        ("a.fastq",),
        ("a_1.fastq", "a_2.FASTQ.gz"),
        ("a_1.fastq", "a_2.fastq"),
        ("a_1.fastq", "b_2.fastq"),
        ("a.fastq", "A.FASTQ", "ß.fastq", "SS.fastq"),
        ("a?.fastq", "a\t.fastq", " a.fastq", "a\u202e.fastq", "a.bam", "x" * 300 + ".fastq"),
    ],
)
def test_names_sizes_and_numbers_are_judged_as_the_server_judges_them(
    rules: RecordedRules, names: tuple[str, ...]
) -> None:
    files = [FoundFile(Path(name), f"run/{name}", 500 * number) for number, name in enumerate(names, start=1)]
    category = rules.as_json()
    said = chain(
        *(file_problems(file, category) for file in files),  # type: ignore[arg-type]  # JSON as it comes from the server
        entry_problems("s1", files, category),  # type: ignore[arg-type]
    )
    assert sorted(map(told, said)) == sorted(map(told, of_the_server(rules, files)))


def of_the_server(rules: RecordedRules, files: list[FoundFile]) -> Iterator[DomainError]:
    nowhere = Location()
    names = [file.name for file in files]
    yield from name_errors((name, nowhere) for name in names)
    for file in files:
        yield from filter(
            None, [ending_error(rules, file.name, nowhere), size_error(rules, file.name, file.size, nowhere)]
        )
    found = [
        count_error(rules, len(files), quoted("s1"), nowhere),
        pair_names_error(rules, names, quoted("s1"), nowhere),
    ]
    yield from filter(None, found)


def told(problem: Problem | DomainError) -> tuple[str, str]:
    """Code and first sentence; the client adds which two files have one name."""
    return problem.code, problem.detail.split(" The folder is no part")[0]


@given(st.text(max_size=8))
def test_names_count_as_the_same_where_they_do_on_the_server(name: str) -> None:
    assert name_key(name) == name_key_of_the_server(name)


def test_a_file_looks_like_the_same_to_the_client_and_to_the_server() -> None:
    assert [*kinds._KINDS.items()] == [*kinds_of_the_server._KINDS.items()], "in this order, too"
