"""The FASTQ check, held against a plain reading of its rules, record by record."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.content import CheckOutcome, Limits
from files.content.fastq import FastqCheck
from tests.content_checks import fed, gzip_faults

RECORD = b"@read1\nACGT\n+\nII!~\n"


def check(data: bytes, cuts: tuple[int, ...] = (), limits: Limits | None = None) -> CheckOutcome:
    """The outcome for this file, fed in chunks that end at `cuts`."""
    return fed(FastqCheck(len(data), limits or Limits()), data, cuts)


def names_digest(*names: bytes) -> str:
    return hashlib.sha256(b"".join(b"@" + name + b"\n" for name in names)).hexdigest()


# For each: the text, the code without "fastq_", the line.
FAULTS = {
    "no bytes": (b"", "empty", None),
    "FASTA": (b">read1\nACGT\n", "header", 1),
    "no @ in the second record": (RECORD + b"read2\nACGT\n+\nIIII\n", "header", 5),
    "binary, without a line end": (bytes(range(256)), "header", 1),
    "blank line first": (b"\n" + RECORD, "blank_line", 1),
    "blank line between records": (RECORD + b"\n" + RECORD, "blank_line", 5),
    "blank line last": (RECORD + b"\n", "blank_line", 5),
    "blank line with CRLF": (RECORD + b"\r\n", "blank_line", 5),
    "no name": (b"@\nACGT\n+\nIIII\n", "name_missing", 1),
    "a comment, but no name": (RECORD + b"@ read2\nACGT\n+\nIIII\n", "name_missing", 5),
    "a tab, but no name": (b"@\tread2\nACGT\n+\nIIII\n", "name_missing", 1),
    "a letter that is no IUPAC code": (RECORD + b"@read2\nACJT\n+\nIIII\n", "sequence_letters", 6),
    "a space in the sequence": (b"@read1\nACG \n+\nIIII\n", "sequence_letters", 2),
    "colours": (b"@read1\nT0123\n+\nIIIII\n", "sequence_letters", 2),
    "a stray carriage return": (b"@read1\nAC\rT\n+\nIIII\n", "sequence_letters", 2),
    "wrapped sequence": (b"@read1\nACGT\nACGT\n+\nIIII\nIIII\n", "separator", 3),
    "no + line": (RECORD + b"@read2\nACGT\nIIII\n", "separator", 7),
    "blank line for +": (b"@read1\nACGT\n\nIIII\n", "separator", 3),
    "another name behind +": (RECORD + b"@read2\nACGT\n+read1\nIIII\n", "name_differs", 7),
    "another comment behind +": (b"@read1 one\nACGT\n+read1 two\nIIII\n", "name_differs", 3),
    "a quality below !": (RECORD + b"@read2\nACGT\n+\nII I\n", "quality_letters", 8),
    "a quality above ~": (b"@read1\nACGT\n+\nII\x7fI\n", "quality_letters", 4),
    "too few qualities": (RECORD + b"@read2\nACGT\n+\nIII\n" + RECORD, "quality_length", 8),
    "too many qualities": (b"@read1\nACGT\n+\nIIIII\n", "quality_length", 4),
    "too many qualities, without a line end": (b"@read1\nACGT\n+\nIIIII", "quality_length", 4),
    "no qualities": (b"@read1\nACGT\n+\n\n", "quality_length", 4),
    "ends in a title": (RECORD + b"@rea", "truncated", 5),
    "ends behind a title": (RECORD + b"@read2\n", "truncated", 5),
    "ends in a sequence": (RECORD + b"@read2\nAC", "truncated", 6),
    "ends behind a sequence": (RECORD + b"@read2\nACGT\n", "truncated", 6),
    "ends in the + line": (RECORD + b"@read2\nACGT\n+rea", "truncated", 7),
    "ends behind the + line": (RECORD + b"@read2\nACGT\n+\n", "truncated", 7),
    "ends in the qualities": (RECORD + b"@read2\nACGT\n+\nIII", "truncated", 8),
}

# For each: the text, its number of reads and of bases.
SOUND = {
    "one record": (RECORD, 1, 4),
    "no line end at the end": (RECORD[:-1], 1, 4),
    "CRLF": ((RECORD * 2).replace(b"\n", b"\r\n"), 2, 8),
    "CRLF, but for the last": (RECORD.replace(b"\n", b"\r\n")[:-1], 1, 4),
    "LF and CRLF": (RECORD + RECORD.replace(b"\n", b"\r\n"), 2, 8),
    "every IUPAC code": (b"@r\nACGTURYSWKMBDHVNacgturyswkmbdhvn.-\n+\n" + b"I" * 34 + b"\n", 1, 34),
    "every quality": (b"@r\n" + b"A" * 94 + b"\n+\n" + bytes(range(33, 127)) + b"\n", 1, 94),
    "qualities that begin with @ and +": (b"@r\nAC\n+\n@+\n@s\nAC\n+\n+@\n", 2, 4),
    "the title again": (b"@read1 a comment\nAC\n+read1 a comment\nII\n", 1, 2),
    "the name again": (b"@read1 a comment\nAC\n+read1\nII\n", 1, 2),
    "the name again in some": (b"@read1\nAC\n+read1\nII\n" + RECORD, 2, 6),
    "reads trimmed to nothing": (b"@r\n\n+\n\n" + RECORD, 2, 4),
    "a last read trimmed to nothing": (RECORD + b"@r\n\n+\n", 2, 4),
    "titles beyond ASCII": ("@lecture è\nAC\n+\nII\n".encode(), 1, 2),
}


@pytest.mark.parametrize(("text", "problem", "line"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_code_and_line(text: bytes, problem: str, line: int | None) -> None:
    outcome = check(text)
    assert (outcome.passed, outcome.code, outcome.line) == (False, f"fastq_{problem}", line)
    assert outcome.offset is None
    assert outcome.data == {}
    assert outcome.detail.endswith(".")
    assert check(text, tuple(range(len(text)))) == outcome


@pytest.mark.parametrize(("text", "problem", "line"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_alike_within_gzip_and_behind_many_records(text: bytes, problem: str, line: int | None) -> None:
    outcome = check(gzip.compress(RECORD * 30_000) + gzip.compress(text))
    if text:
        assert (outcome.code, outcome.line) == (f"fastq_{problem}", 120_000 + (line or 0))
    else:
        assert outcome.passed


@pytest.mark.parametrize(("text", "reads", "bases"), SOUND.values(), ids=SOUND)
def test_a_sound_file_passes_and_tells_its_reads_and_bases(text: bytes, reads: int, bases: int) -> None:
    outcome = check(text)
    assert (outcome.passed, outcome.code, outcome.detail) == (True, "", "")
    assert (outcome.data["reads"], outcome.data["bases"]) == (reads, bases)
    assert check(text, tuple(range(len(text)))) == outcome
    assert check(gzip.compress(text)) == outcome


def test_a_detail_says_where_and_what_and_what_to_do() -> None:
    outcome = check(RECORD + b"@read2\nACJT\n+\nIIII\n")
    assert outcome == CheckOutcome(
        check="fastq",
        version=2,
        passed=False,
        code="fastq_sequence_letters",
        detail="Line 6, in record 2, has “J” at position 3; sequences are written in IUPAC codes, as in ACGTN.",
        line=6,
    )
    assert "the byte 0xff at position 2" in check(b"@r\nAC\n+\nI\xff\n").detail


def test_a_position_counts_from_the_start_of_a_line_that_came_in_pieces() -> None:
    outcome = check(b"@r\nACGTACGJACGT\n", tuple(range(99)), Limits(block=1))
    assert "“J” at position 8;" in outcome.detail


GZIP_FAULTS = gzip_faults(RECORD)


@pytest.mark.parametrize(("data", "problem", "offset"), GZIP_FAULTS.values(), ids=GZIP_FAULTS)
def test_a_fault_of_the_gzip_layer_is_told_with_its_offset(data: bytes, problem: str, offset: int) -> None:
    outcome = check(data)
    assert (outcome.code, outcome.offset, outcome.line) == (f"fastq_gzip_{problem}", offset, None)
    assert check(data, tuple(range(len(data)))) == outcome


def test_text_that_unpacks_too_far_is_refused() -> None:
    data = gzip.compress(b"@r\n" + b"A" * 4000 + b"\n+\n" + b"I" * 4000 + b"\n")
    limits = Limits(free_output=1000, ratio=20)
    assert check(data, limits=limits).code == "fastq_gzip_bomb"
    assert check(data).passed


def test_what_is_wrong_in_the_text_before_damage_to_gzip_is_told_first() -> None:
    data = gzip.compress(b"@r\nAJ\n+\nII\n")
    assert check(data[:-8] + bytes(8)).code == "fastq_sequence_letters"
    assert check(data[:-3]).code == "fastq_sequence_letters"


PACKED = {
    "bzip2": bz2.compress(RECORD),
    "xz": lzma.compress(RECORD),
    "Zstandard": bytes.fromhex("28b52ffd") + RECORD,
    "zip": b"PK\x03\x04" + RECORD,
    "gzip and, within that, with gzip": gzip.compress(gzip.compress(RECORD)),
    "gzip and, within that, with xz": gzip.compress(lzma.compress(RECORD)),
}


@pytest.mark.parametrize("programs", PACKED)
def test_another_compression_is_refused_by_its_name(programs: str) -> None:
    data = PACKED[programs]
    outcome = check(data)
    assert (outcome.code, outcome.offset) == ("fastq_compression_unsupported", 0)
    assert f"packed with {programs}:" in outcome.detail
    assert check(data, tuple(range(len(data)))) == outcome


def test_gzip_with_another_method_is_not_told_to_be_packed_with_gzip() -> None:
    outcome = check(b"\x1f\x8b\x07" + bytes(20))
    assert (outcome.code, outcome.offset) == ("fastq_compression_unsupported", 0)
    assert outcome.detail.startswith("The file begins as gzip files do, but does not go on so:")


def test_an_empty_gzip_file_is_an_empty_fastq_file() -> None:
    assert check(gzip.compress(b"")).code == "fastq_empty"


def test_every_code_has_an_example() -> None:
    told = {f"fastq_{problem}" for _, problem, _ in FAULTS.values()}
    told |= {f"fastq_gzip_{problem}" for _, problem, _ in GZIP_FAULTS.values()}
    # These three have tests of their own.
    told |= {"fastq_compression_unsupported", "fastq_gzip_bomb", "fastq_line_too_long"}
    assert told == set(FastqCheck.problems)


def test_the_two_files_of_a_pair_have_the_same_names_digest() -> None:
    def digest(*titles: bytes) -> object:
        return check(b"".join(b"@" + title + b"\nA\n+\nI\n" for title in titles)).data["namesDigest"]

    assert digest(b"r1/1", b"r2/1") == digest(b"r1/2", b"r2/2") == names_digest(b"r1", b"r2")
    assert digest(b"r1 1:N:0:ACGT") == digest(b"r1 2:N:0:ACGT") == digest(b"r1\tlength=1") == names_digest(b"r1")
    assert digest(b"r1/1 comment") == digest(b"r1/2\tanother") == names_digest(b"r1")
    assert digest(b"r1/1/2") == names_digest(b"r1/1")
    assert digest(b"r1", b"r2") != digest(b"r2", b"r1")


def test_a_read_of_megabases_passes_in_little_memory() -> None:
    bases = 24 << 20
    chunks = [b"@long\n", *[b"ACGT" * (1 << 18)] * 24, b"\n+\n", *[b"IIII" * (1 << 18)] * 24, b"\n"]
    fastq_check = FastqCheck()
    tracemalloc.start()
    try:
        for chunk in chunks:
            fastq_check.feed(chunk)
        outcome = fastq_check.finish()
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert outcome.data == {"reads": 1, "bases": bases, "namesDigest": names_digest(b"long"), "mate": None}


LONG_LINES = {
    "title": (b"@" + b"r" * 10 + b"\nACGT\n+\nIIII\n", 1),
    "+ line": (b"@r\nACGT\n+" + b"r" * 10 + b"\nIIII\n", 3),
    "sequence": (RECORD + b"@r\n" + b"A" * 21 + b"\n+\n" + b"I" * 21 + b"\n", 6),
    "qualities": (RECORD + b"@r\n" + b"A" * 20 + b"\n+\n" + b"I" * 21 + b"\n", 8),
}


@pytest.mark.parametrize("block", [1, 1000])
@pytest.mark.parametrize(("text", "line"), LONG_LINES.values(), ids=LONG_LINES)
def test_a_line_over_the_bound_is_refused(text: bytes, line: int, block: int) -> None:
    outcome = check(text, limits=Limits(line=20, title=10, block=block))
    assert (outcome.code, outcome.line) == ("fastq_line_too_long", line)


def test_lines_at_the_bound_pass() -> None:
    text = (b"@rrrrrrrrr\n" + b"A" * 20 + b"\n+\n" + b"I" * 20 + b"\n") * 3
    assert check(text, limits=Limits(line=20, title=10, block=1)).passed
    assert check(text, limits=Limits(line=20, title=10)).passed


def test_after_a_fault_further_bytes_are_ignored() -> None:
    fastq_check = FastqCheck()
    fastq_check.feed(b"x" * (1 << 20))
    assert fastq_check.failed
    fastq_check.feed(RECORD)
    assert fastq_check.finish().line == 1


# The oracle: the rules written down once more, in the plainest way.

Verdict = tuple[str, int | None, tuple[int, int, str] | None]


def reference(text: bytes) -> Verdict:
    """Code, line, and for a sound text the number of reads and of bases and the digest of the names."""
    lines = [line.removesuffix(b"\r") for line in text.split(b"\n")]
    names: list[bytes] = []
    bases = 0
    for first in range(0, len(lines), 4):
        record = lines[first : first + 4]
        if first + 1 == len(lines) and not record[0]:
            break
        for step, line in enumerate(record):
            problem = line_problem(record, step, ended=first + step + 1 < len(lines))
            if problem:
                before = problem == "truncated" and not line
                return f"fastq_{problem}", first + step + (0 if before else 1), None
        name = re.split(rb"[ \t]", record[0][1:])[0]
        names.append(re.sub(rb"/[12]\Z", b"", name))
        bases += len(record[1])
    if not names:
        return "fastq_empty", None, None
    return "", None, (len(names), bases, names_digest(*names))


def line_problem(record: list[bytes], step: int, *, ended: bool) -> str:
    """What is wrong with this line of a record; `ended` tells whether a line end follows it."""
    line = record[step]
    title, sequence = record[0], record[min(step, 1)]
    name = re.split(rb"[ \t]", title)[0]
    rules = [
        [
            (not line, "blank_line"),
            (line[:1] != b"@", "header"),
            (not ended, "truncated"),
            (name == b"@", "name_missing"),
        ],
        [
            (not re.fullmatch(rb"[ACGTURYSWKMBDHVN.-]*", line, re.IGNORECASE), "sequence_letters"),
            (not ended, "truncated"),
        ],
        [
            ((line or ended) and line[:1] != b"+", "separator"),
            (not ended, "truncated"),
            (line[1:] not in (b"", title[1:], name[1:]), "name_differs"),
        ],
        [
            (not re.fullmatch(rb"[!-~]*", line), "quality_letters"),
            (len(line) > len(sequence), "quality_length"),
            (len(line) < len(sequence), "quality_length" if ended else "truncated"),
        ],
    ]
    return next((problem for found, problem in rules[step] if found), "")


@st.composite
def records(draw: st.DrawFn, *, sound: bool) -> bytes:
    """One record with an end of its own to each line; unless `sound`, any of its lines may be wrong."""
    name = draw(st.sampled_from([b"r", b"read1/1", b"read1/2", b"r/1/2", b"@", b"+"]))
    comment = draw(st.sampled_from([b"", b"", b" 1:N:0:ACGT", b"\tlength=3", b" "]))
    length = draw(st.integers(0, 12))
    lines = [
        b"@" + name + comment,
        bytes(draw(st.lists(st.sampled_from(b"ACGTNacgtnRYu.-"), min_size=length, max_size=length))),
        b"+" + draw(st.sampled_from([b"", b"", name, name + comment])),
        bytes(draw(st.lists(st.sampled_from(b"!+@I~"), min_size=length, max_size=length))),
    ]
    if not sound:
        odd = st.sampled_from([b"", b"@", b"@ x", b"+", b"+x", b"x", b"\r", b"ACGJ", b"I I", b"\xff"])
        replaced = draw(st.integers(0, 3))
        lines[replaced] = draw(odd | st.just(lines[replaced] + b"A") | st.just(lines[replaced][:-1]))
    ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n"])
    return b"".join(line + draw(ends) for line in lines)


texts = st.one_of(
    st.lists(records(sound=True), max_size=6).map(b"".join),
    st.tuples(st.lists(records(sound=True), max_size=4).map(b"".join), records(sound=False)).map(b"".join),
    st.binary(max_size=40).map(lambda rest: b"@r\n" + rest),
).flatmap(lambda text: st.just(text) | st.integers(0, len(text)).map(lambda end: text[:end]))


# No deadline: a busy machine is no fault of the check.
@settings(max_examples=500, deadline=None)
@given(
    text=texts,
    cuts=st.lists(st.integers(0, 9999), max_size=8).map(tuple),
    block=st.sampled_from([1, 2, 8, 20, 64, 1 << 18]),
    members=st.sampled_from([0, 0, 1, 3]),
)
def test_the_check_agrees_with_a_plain_reading_of_the_rules(
    text: bytes, cuts: tuple[int, ...], block: int, members: int
) -> None:
    step = max(1, -(-len(text) // members)) if members else 0
    packed = b"".join(gzip.compress(text[at : at + step]) for at in range(0, len(text), step)) if members else b""
    outcome = check(packed or text, cuts, Limits(block=block))
    data = outcome.data
    found = (data["reads"], data["bases"], data["namesDigest"]) if outcome.passed else None
    assert (outcome.code, outcome.line, found) == reference(text)


@pytest.mark.parametrize(
    ("titles", "mate"),
    [
        ((b"r1/1", b"r2/1"), "1"),
        ((b"r1/2 words", b"r2/2"), "2"),
        ((b"r1 1:N:0:ACGT", b"r2 1:Y:18:ACGT"), "1"),
        ((b"r1 2:N:0:ACGT", b"r2 2:N:0:1"), "2"),
        ((b"r1/1", b"r1/2"), "mixed"),
        ((b"r1 1:N:0:ACGT", b"r1 2:N:0:ACGT"), "mixed"),
        ((b"r1", b"r2"), None),
        ((b"r1/1", b"r2"), None),
        ((b"r1/3", b"r2/1x"), None),
        ((b"r1 1:30 1:A:0", b"r2 ch=1"), None),
    ],
)
@pytest.mark.parametrize("times", [1, 5_000])
def test_titles_tell_which_read_of_its_pair_a_file_has(
    titles: tuple[bytes, bytes], mate: str | None, times: int
) -> None:
    text = b"".join(b"@%s\nACGT\n+\nIIII\n" % title for title in titles * times)
    assert check(text).data["mate"] == mate
