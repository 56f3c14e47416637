"""The FASTA check, held against a plain reading of its rules, line by line."""

from __future__ import annotations

import gzip
import lzma
import re
import tempfile
import tracemalloc
from itertools import pairwise

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.content import CheckOutcome, Limits
from files.content.fasta import FastaCheck
from tests.content_checks import fed, gzip_faults

RECORD = b">segment1 a title\nACGT\nACG\n"


def check(data: bytes, cuts: tuple[int, ...] = (), limits: Limits | None = None) -> CheckOutcome:
    """The outcome for this file, fed in chunks that end at `cuts`."""
    return fed(FastaCheck(len(data), limits or Limits()), data, cuts)


# For each: the text, the code without "fasta_", the line.
FAULTS = {
    "no bytes": (b"", "empty", None),
    "only blank lines": (b"\n\r\n\n", "empty", None),
    "FASTQ": (b"@read1\nACGT\n+\nIIII\n", "header", 1),
    "a sequence without a title": (b"ACGT\nACGT\n", "header", 1),
    "a sequence before the first title": (b"\nACGT\n" + RECORD, "header", 2),
    "binary, without a line end": (bytes(range(256)), "header", 1),
    "no name": (b">\nACGT\n", "name_missing", 1),
    "no name in the second record": (RECORD + b">\nACGT\n", "name_missing", 4),
    "a space, but no name": (RECORD + b"> segment2\nACGT\n", "name_missing", 4),
    "a tab, but no name": (b">\tsegment2\nACGT\n", "name_missing", 1),
    "no name at the end": (RECORD + b">", "name_missing", 4),
    "no sequence": (b">one\n" + RECORD, "sequence_missing", 1),
    "no sequence in the second record": (RECORD + b">two\n>three\nACGT\n", "sequence_missing", 4),
    "blank lines for a sequence": (RECORD + b">two\n\n\n" + RECORD, "sequence_missing", 4),
    "no sequence at the end": (RECORD + b">two\n", "sequence_missing", 4),
    "only blank lines at the end": (RECORD + b">two\n\n\n", "sequence_missing", 4),
    "a title without a line end": (RECORD + b">two", "sequence_missing", 4),
    "one long title": (b">one\rACGT\r", "sequence_missing", 1),
    "digits": (RECORD + b">two\nACGT\nAC9T\n", "sequence_letters", 6),
    "a space in the sequence": (b">one\nACGT ACGT\n", "sequence_letters", 2),
    "a space behind the sequence": (RECORD + b">two\nACGT \n", "sequence_letters", 5),
    "a stray carriage return": (b">one\nAC\rGT\n", "sequence_letters", 2),
    "a second > in a sequence": (RECORD + b">two\nACGT>three\nACGT\n", "sequence_letters", 5),
    "a byte beyond ASCII": (b">one\nAC\xffGT", "sequence_letters", 2),
    "a comment": (RECORD + b";comment\nACGT\n", "sequence_letters", 4),
    "a blank line in a sequence": (RECORD + b">two\nACGT\n\nACGT\n", "blank_line", 6),
    "two blank lines in a sequence": (b">one\nACGT\n\n\nACGT", "blank_line", 3),
    "a blank line before a sequence": (RECORD + b">two\n\nACGT\n", "blank_line", 5),
    "a blank line with CRLF": (b">one\r\nACGT\r\n\r\nACGT\r\n", "blank_line", 3),
}

# For each: the text, its number of records and of letters.
SOUND = {
    "one record": (RECORD, 1, 7),
    "no line end at the end": (RECORD[:-1], 1, 7),
    "CRLF": ((RECORD * 2).replace(b"\n", b"\r\n"), 2, 14),
    "CRLF, but for the last LF": (RECORD.replace(b"\n", b"\r\n")[:-1], 1, 7),
    "LF and CRLF": (RECORD + RECORD.replace(b"\n", b"\r\n"), 2, 14),
    "every letter": (b">r\nABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.*\n", 1, 55),
    "lines of any length": (b">one\nA\nACGTACGT\nAC\n", 1, 11),
    "blank lines before, between and behind": (b"\n\n" + RECORD + b"\n\n" + RECORD + b"\n" + RECORD + b"\n\n", 3, 21),
    "the same name twice": (RECORD + RECORD, 2, 14),
    "a > in a title": (b">one A->G >two\nACGT\n>three\nAC\n", 2, 6),
    "a title that ends in >": (b">one >\nACGT\n>two >\nAC\n", 2, 6),
    "two > before the name": (b">>one\nACGT\n", 1, 4),
    "a letter for a name and a sequence": (b">a\nA", 1, 1),
    "titles beyond ASCII": (">Fièvre\nACGT\n".encode(), 1, 4),
}


@pytest.mark.parametrize(("text", "problem", "line"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_code_and_line(text: bytes, problem: str, line: int | None) -> None:
    outcome = check(text)
    assert (outcome.passed, outcome.code, outcome.line) == (False, f"fasta_{problem}", line)
    assert outcome.offset is None
    assert outcome.data == {}
    assert outcome.detail.endswith(".")
    assert check(text, tuple(range(len(text)))) == outcome


@pytest.mark.parametrize(("text", "problem", "line"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_alike_within_gzip_and_behind_many_records(text: bytes, problem: str, line: int | None) -> None:
    outcome = check(gzip.compress(RECORD * 30_000) + gzip.compress(text))
    if problem == "empty":
        assert outcome.passed
    elif problem == "header":
        # What stands before the first title continues a record here, unless a blank line is between.
        assert outcome.code in ("fasta_sequence_letters", "fasta_blank_line") or outcome.passed
    else:
        assert (outcome.code, outcome.line) == (f"fasta_{problem}", 90_000 + (line or 0))


@pytest.mark.parametrize(("text", "records", "letters"), SOUND.values(), ids=SOUND)
def test_a_sound_file_passes_and_tells_its_records_and_letters(text: bytes, records: int, letters: int) -> None:
    outcome = check(text)
    assert (outcome.passed, outcome.detail) == (True, "")
    assert outcome.data == {"records": records, "letters": letters}
    assert check(text, tuple(range(len(text)))) == outcome
    assert check(gzip.compress(text)) == outcome


def test_a_detail_says_where_and_what_and_what_to_do() -> None:
    assert check(RECORD + b">two\nACGT\nAC9T\n") == CheckOutcome(
        check="fasta",
        version=1,
        passed=False,
        code="fasta_sequence_letters",
        detail=(
            "Line 6, in record 2, has “9” at position 3; sequences are written in letters, with - for gaps and * for "
            "stops."
        ),
        line=6,
    )
    assert "the byte 0xff at position 3;" in check(b">one\nAC\xffGT").detail
    assert "Line 1 begins with @, as FASTQ does; a FASTA record begins with >" in check(b"@r\nA\n+\nI\n").detail
    assert "Line 1 begins with “A”; " in check(b"ACGT").detail


def test_a_position_counts_from_the_start_of_a_line_that_came_in_pieces() -> None:
    assert "“9” at position 8;" in check(b">r\nACGTACG9ACGT\n", tuple(range(99)), Limits(block=1)).detail


GZIP_FAULTS = gzip_faults(RECORD)


@pytest.mark.parametrize(("data", "problem", "offset"), GZIP_FAULTS.values(), ids=GZIP_FAULTS)
def test_a_fault_of_the_gzip_layer_is_told_with_its_offset(data: bytes, problem: str, offset: int) -> None:
    outcome = check(data)
    assert (outcome.code, outcome.offset, outcome.line) == (f"fasta_gzip_{problem}", offset, None)
    assert check(data, tuple(range(len(data)))) == outcome


def test_what_is_wrong_in_the_text_before_damage_to_gzip_is_told_first() -> None:
    data = gzip.compress(b">one\nA9\n")
    assert check(data[:-8] + bytes(8)).code == "fasta_sequence_letters"
    assert check(data[:-3]).code == "fasta_sequence_letters"


def test_text_that_unpacks_too_far_is_refused() -> None:
    data = gzip.compress(b">one\n" + b"A" * 4000)
    assert check(data, limits=Limits(free_output=1000, ratio=20)).code == "fasta_gzip_bomb"
    assert check(data).passed


def test_another_compression_is_refused_by_its_name() -> None:
    outcome = check(lzma.compress(RECORD))
    assert (outcome.code, outcome.offset) == ("fasta_compression_unsupported", 0)
    assert "packed with xz:" in outcome.detail


def test_every_code_has_an_example() -> None:
    told = {f"fasta_{problem}" for _, problem, _ in FAULTS.values()}
    told |= {f"fasta_gzip_{problem}" for _, problem, _ in GZIP_FAULTS.values()}
    # These three have tests of their own.
    told |= {"fasta_compression_unsupported", "fasta_gzip_bomb", "fasta_line_too_long"}
    assert told == set(FastaCheck.problems)


def test_a_chromosome_on_one_line_passes_in_little_memory() -> None:
    chunks = [b">long\n", *[b"ACGT" * (1 << 18)] * 24, b"\n", *[b"ACGT" * 20 + b"\n"] * 1000]
    fasta_check = FastaCheck()
    tracemalloc.start()
    try:
        for chunk in chunks:
            fasta_check.feed(chunk)
        outcome = fasta_check.finish()
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert outcome.data == {"records": 1, "letters": (24 << 20) + 80_000}


LONG_LINES = {
    "title": (RECORD + b">rrrrrrrrrr\nACGT\n", 4),
    "sequence": (b">r\nAC\n" + b"A" * 21 + b"\n", 3),
    "sequence without a line end": (b">r\nAC\n" + b"A" * 21, 3),
}


@pytest.mark.parametrize("block", [1, 1000])
@pytest.mark.parametrize(("text", "line"), LONG_LINES.values(), ids=LONG_LINES)
def test_a_line_over_the_bound_is_refused(text: bytes, line: int, block: int) -> None:
    text = text.replace(b"segment1 a title", b"segment1")
    # One bound is far off, so that it is the other that is kept.
    of_titles = text.startswith(RECORD[:9])
    limits = Limits(line=1000, title=10, block=block) if of_titles else Limits(line=20, title=1000, block=block)
    outcome = check(text, limits=limits)
    assert (outcome.code, outcome.line) == ("fasta_line_too_long", line)


@pytest.mark.parametrize("block", [1, 1000])
def test_lines_at_the_bound_pass(block: int) -> None:
    text = (b">rrrrrrrrr\n" + b"A" * 20 + b"\n") * 3
    assert check(text, limits=Limits(line=20, title=10, block=block)).passed


def test_after_a_fault_further_bytes_are_ignored() -> None:
    fasta_check = FastaCheck()
    fasta_check.feed(b"x" * (1 << 20))
    assert fasta_check.failed
    fasta_check.feed(RECORD)
    assert fasta_check.finish().line == 1


# The oracle: the rules written down once more, in the plainest way.

Verdict = tuple[str, int | None, tuple[int, int] | None]


def reference(text: bytes) -> Verdict:
    """Code, line, and for a sound text the number of records and of letters."""
    lines = [line.removesuffix(b"\r") for line in text.split(b"\n")]
    titles = [number for number, line in enumerate(lines, 1) if line.startswith(b">")]
    first = min(titles, default=len(lines) + 1)
    for number, line in enumerate(lines[: first - 1], 1):
        if line:
            return "fasta_header", number, None
    letters = 0
    for title, end in pairwise([*titles, len(lines) + 1]):
        if not re.match(rb">[^ \t]", lines[title - 1]):
            return "fasta_name_missing", title, None
        found = sequence_problem(lines[title : end - 1], title)
        if found:
            return found[0], found[1], None
        letters += sum(map(len, lines[title : end - 1]))
    return ("", None, (len(titles), letters)) if titles else ("fasta_empty", None, None)


def sequence_problem(lines: list[bytes], title: int) -> tuple[str, int] | None:
    """What is wrong with the lines below the title on that line, and on which line."""
    while lines and not lines[-1]:
        lines = lines[:-1]
    if not lines:
        return "fasta_sequence_missing", title
    blank = lines.index(b"") if b"" in lines else len(lines)
    for number, line in enumerate(lines[:blank], title + 1):
        if not re.fullmatch(rb"[A-Za-z.*-]+", line):
            return "fasta_sequence_letters", number
    return ("fasta_blank_line", title + 1 + blank) if blank < len(lines) else None


lines_of_text = st.sampled_from(
    [
        b">",
        b"> a",
        b">\ta",
        b">one",
        b">two more",
        b">a>b",
        b">c>",
        b"ACGT",
        b"acgtn-",
        b"MKV*",
        b"A",
        b"",
        b"",
        b"AC GT",
        b"A>C",
        b"9",
        b"\r",
        b"A\r",
        b"A\r\r",
        b"\xff",
        b"@r",
    ]
)
sound_lines = st.sampled_from([b">one", b">two more\nACGT", b">a>b\nA", b"ACGT", b"AC", b"A", b"\n>x\nACGT", b">y"])
texts = st.tuples(
    st.lists(sound_lines, max_size=12), st.lists(lines_of_text, max_size=8), st.sampled_from([b"\n", b"\n", b"\r\n"])
).flatmap(
    lambda parts: st.sampled_from([parts[2], b""]).map(
        lambda end: parts[2].join([line.replace(b"\n", parts[2]) for line in [*parts[0], *parts[1]]]) + end
    )
)


# No deadline: a busy machine is no fault of the check.
@settings(max_examples=1000, deadline=None)
@given(
    text=texts | texts.map(lambda text: b">first\n" + text),
    cuts=st.lists(st.integers(0, 9999), max_size=8).map(tuple),
    block=st.sampled_from([1, 2, 8, 20, 64, 1 << 18]),
    packed=st.booleans(),
)
def test_the_check_agrees_with_a_plain_reading_of_the_rules(
    text: bytes, cuts: tuple[int, ...], block: int, packed: bool
) -> None:
    outcome = check(gzip.compress(text) if packed else text, cuts, Limits(block=block))
    data = outcome.data
    found = (data["records"], data["letters"]) if outcome.passed else None
    assert (outcome.code, outcome.line, found) == reference(text)


@pytest.mark.parametrize(("text", "records", "letters"), SOUND.values(), ids=SOUND)
def test_samtools_reads_what_passes(text: bytes, records: int, letters: int) -> None:
    with tempfile.NamedTemporaryFile(suffix=".fa") as file:
        file.write(text)
        file.flush()
        with pysam.FastxFile(file.name) as read:
            sequences = [len(record.sequence or "") for record in read]
    assert (len(sequences), sum(sequences)) == (records, letters)
