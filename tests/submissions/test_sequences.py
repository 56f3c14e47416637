from __future__ import annotations

import gzip
import io
import re
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ErrorList
from submissions.models import Organism
from submissions.sequences import Fasta, Requirement, SequenceRecord, match_sequences, parse_fasta
from submissions.tables import MAX_ID_CHARACTERS, MAX_PROBLEMS, Row

MIB = 1 << 20


def read(content: bytes, *, max_records: int = 100, chunk_bytes: int = MIB) -> tuple[Fasta, ErrorList]:
    errors = ErrorList()
    stream = io.BytesIO(content)
    fasta = parse_fasta(stream, errors=errors, limit=64 * MIB, max_records=max_records, chunk_bytes=chunk_bytes)
    return fasta, errors


def records_of(content: bytes) -> list[SequenceRecord]:
    """The records of a file in which nothing is wrong."""
    fasta, errors = read(content)
    assert [error.detail for error in errors.errors] == []
    assert fasta.complete
    return fasta.records


def problems_of(content: bytes) -> list[tuple[str, int | None]]:
    """Code and line of every problem, after a look at what all of them have in common."""
    _, errors = read(content)
    assert all(error.location.field == "sequenceFile" for error in errors.errors)
    assert all(f"ine {error.location.line}" in error.detail for error in errors.errors if error.location.line)
    return [(error.code, error.location.line) for error in errors.errors]


FASTA = b">s1 Sudan 2025\nACGT\nAC\n>s2\nNNNN-RYSWKMBDHVUacgturyswkmbdhvn\n"
RECORDS = [SequenceRecord("s1", 6, 1), SequenceRecord("s2", 32, 4)]


@pytest.mark.parametrize(
    "content",
    [
        FASTA,
        FASTA.rstrip(b"\n"),
        FASTA.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + FASTA,
        gzip.compress(FASTA),
        FASTA + b"\n\r\n\n",
        FASTA.replace(b">s1 ", b">s1\t"),
        FASTA.replace(b">s1 ", ">s1\u00a0".encode()),
        FASTA.replace(b"Sudan", b"Z\xfcrich > Bern"),
    ],
    ids=["plain", "no last line end", "CRLF", "BOM", "gzip", "blank lines", "tab", "no-break space", "latin-1 behind"],
)
def test_sequences_are_read_with_id_length_and_line(content: bytes) -> None:
    assert records_of(content) == RECORDS


@pytest.mark.parametrize("content", [b"", b"\n\r\n", gzip.compress(b""), b"\xef\xbb\xbf"])
def test_a_file_without_sequences_is_refused(content: bytes) -> None:
    fasta, errors = read(content)

    (error,) = errors.errors
    assert (error.code, error.location.field) == ("sequence_invalid", "sequenceFile")
    assert "empty" in error.detail
    assert (fasta.records, fasta.complete) == ([], False)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"ACGT\n", 1, "before the first header"),
        (b"\n\nACGT\n>s1\nA\n", 3, "before the first header"),
        (b"; old comment\n>s1\nA\n", 1, "before the first header"),
        (b">\nACGT\n", 1, "no ID"),
        (b"> s1\nACGT\n", 1, "no ID"),
        (b">s\xff\nACGT\n", 1, "not UTF-8"),
        (b">s1\n", 1, "no letters"),
        (b">s1", 1, "no letters"),
        (b">s1\n\n>s2\nA\n", 1, "no letters"),
        (b">s1\nA\n>s2\n", 3, "no letters"),
        (b">s1\nACGT\nACXGT\n", 3, "“X”"),
        (b">s1\nACGT\n\nAC GT\n", 4, "“ ”"),
        (b">s1\nAC.GT\n", 2, "“.”"),
        (b">s1\nMKV*\n", 2, "“*”"),
        (b">s1\nAC>GT\n", 2, "“>”"),
        (b">s1\nAC\xc3\xbcGT\n", 2, "0xc3"),
        (b">s1\nACGT\rACGT\n", 2, "“\\r”"),
        (b">s1\nA\0C\n", 2, "“\\x00”"),
        (b">s1\rACGT\r>s2\rACGT\r", 1, "carriage return"),
        (b">s1\nA\n>s2\nC\n>s1 again\nG\n", 5, "in line 1 and in line 5"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(content: bytes, line: int, said: str) -> None:
    _, errors = read(content)

    assert problems_of(content) == [("sequence_invalid", line)]
    assert said in errors.errors[0].detail


def test_letters_without_a_header_leave_doubt() -> None:
    assert read(b"ACGT\n")[0] == Fasta([], complete=False)


def test_each_sequence_tells_its_first_problem() -> None:
    content = b">s1\nAXC\nX\n>s2\n>\nX\n>s3\nACGT\n>s4\nZ\n"

    assert [line for _, line in problems_of(content)] == [2, 4, 5, 6, 10]
    assert [record.fasta_id for record in read(content)[0].records] == ["s1", "s2", "s3", "s4"]


def test_of_a_repeated_id_the_first_is_kept() -> None:
    fasta, _ = read(b">s1\nA\n>s1\nAC\n")

    assert fasta == Fasta([SequenceRecord("s1", 1, 1)], complete=True)


def test_a_compression_that_cannot_be_read_is_told_and_leaves_doubt() -> None:
    fasta, errors = read(gzip.compress(FASTA)[:-1])

    assert [(error.code, error.location.field) for error in errors.errors] == [("compression_invalid", "sequenceFile")]
    assert not fasta.complete


def test_a_plain_file_over_the_limit_is_refused() -> None:
    errors = ErrorList()
    parse_fasta(io.BytesIO(b">s1\n" + b"A" * 100), errors=errors, limit=100)

    assert [error.code for error in errors.errors] == ["sequence_invalid"]


def test_there_may_be_as_many_sequences_as_allowed() -> None:
    fasta, errors = read(b"".join(b">s%d\nA\n" % number for number in range(11)), max_records=10)

    assert [(error.code, error.location.line) for error in errors.errors] == [("sequence_invalid", 21)]
    assert (len(fasta.records), fasta.complete) == (10, False)


def test_an_id_may_be_long_but_not_without_end() -> None:
    longest = "\U0001f9ec" * MAX_ID_CHARACTERS
    assert records_of(f">{longest} Sudan\nA\n".encode())[0].fasta_id == longest
    # What follows behind another space than that of ASCII is no part of it, wherever its bytes are cut.
    for words in ("ü" * 1_000, "x" + "ü" * 1_000):
        assert records_of(f">s1\u00a0{words}\nA\n".encode())[0].fasta_id == "s1"

    fasta, errors = read(f">{longest}x\nA\n>s2\nC\n".encode())

    assert [(error.code, error.location.line) for error in errors.errors] == [("sequence_invalid", 1)]
    assert "more than 255 characters" in errors.errors[0].detail
    assert [record.fasta_id for record in fasta.records] == ["s2"]


def test_all_ids_of_a_file_together_may_have_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submissions.sequences.MAX_IDS_BYTES", 5)
    fasta, errors = read(">s1\nA\n>sü\nC\n>s3\nG\n".encode())

    assert [(error.code, error.location.line) for error in errors.errors] == [("sequence_invalid", 5)]
    assert "more than 5 bytes" in errors.errors[0].detail
    assert (len(fasta.records), fasta.complete) == (2, False)


def test_reading_ends_behind_very_many_problems() -> None:
    fasta, errors = read(b">\n" * MAX_PROBLEMS, max_records=MAX_PROBLEMS)

    assert (errors.count, fasta.complete) == (MAX_PROBLEMS + 1, False)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b""])
def test_a_header_line_may_be_long_but_not_without_end(line_end: bytes) -> None:
    header = b">s1 " + b"x" * 58
    assert read(b">a\nA\n" + header + line_end, chunk_bytes=64)[0].complete

    fasta, errors = read(b">a\nA\n" + header + b"xx" + line_end + b"A" * 200, chunk_bytes=64)

    assert [(error.code, error.location.line) for error in errors.errors] == [("sequence_invalid", 3)]
    assert not fasta.complete


@pytest.mark.parametrize("chunk_bytes", range(10, 135))
def test_a_line_is_one_line_wherever_the_chunks_end(chunk_bytes: int) -> None:
    content = b">s1\r\n" + b"ACGT" * 30 + b"A\r\n>s2\r\n" + b"ACGT" * 10 + b">" + b"ACGT" * 10 + b"\r\n"
    fasta, errors = read(content, chunk_bytes=chunk_bytes)

    assert fasta.records == [SequenceRecord("s1", 121, 1), SequenceRecord("s2", 81, 3)]
    assert [(error.detail.split()[0], error.location.line) for error in errors.errors] == [("“>”", 4)]


def test_a_genome_in_one_line_is_counted_without_being_held() -> None:
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(b">s1\n"), *(packer.compress(b"ACGT" * (MIB // 4)) for _ in range(40)), packer.flush()]
    content = b"".join(parts)

    tracemalloc.start()
    fasta, errors = read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert not errors
    assert fasta.records == [SequenceRecord("s1", 40 * MIB, 1)]
    assert peak < 12 * MIB


def read_slowly(lines: list[bytes]) -> tuple[list[SequenceRecord], list[int]]:
    """The records and the lines of the problems once more, line by line and letter by letter."""
    records: dict[bytes, SequenceRecord] = {}
    bad_lines: list[int] = []
    sequences: list[tuple[int, bytes, list[tuple[int, bytes]]]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith(b">"):
            sequences.append((number, line, []))
        elif sequences:
            sequences[-1][2].append((number, line))
        elif line and not bad_lines:
            bad_lines.append(number)
    for number, header, letters in sequences:
        bad_letters = [at for at, line in letters if re.search(rb"[^ACGTURYSWKMBDHVN-]", line.upper())]
        length = sum(len(line) for _, line in letters)
        fasta_id = re.match(rb">(\S*)", header).group(1)  # type: ignore[union-attr]
        bad_lines += [number] * ((not fasta_id) + (not length) + (fasta_id in records)) + bad_letters[:1]
        if fasta_id:
            records.setdefault(fasta_id, SequenceRecord(fasta_id.decode(), length, number))
    return list(records.values()), sorted(bad_lines)


some_lines = st.sampled_from(
    [b">a", b">b x > y", b">c\tx", b">", b"> a", b"ACGT", b"ac-n", b"", b"ACXGT", b"AC>GT", b"A C", b"ACGT" * 30]
)


@given(
    st.lists(some_lines, min_size=1, max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.integers(12, 60),
    st.booleans(),
)
def test_it_reads_what_a_slow_reader_reads_wherever_the_chunks_end(
    lines: list[bytes], line_end: bytes, ended: bool, chunk_bytes: int, packed: bool
) -> None:
    content = line_end.join(lines) + (line_end if ended else b"")
    fasta, errors = read(gzip.compress(content) if packed else content, chunk_bytes=chunk_bytes)
    records, bad_lines = read_slowly(lines)

    assert fasta.records == records
    if records or bad_lines:
        assert sorted(error.location.line or 0 for error in errors.errors) == bad_lines
    else:
        assert [error.detail for error in errors.errors] == ["The sequence file is empty."]


@given(st.binary(max_size=80))
def test_no_input_breaks_the_parser(content: bytes) -> None:
    fasta, errors = read(content)

    assert bool(fasta.records) or bool(errors)


def match(
    rows: list[Row], records: list[SequenceRecord] | None, requirement: Requirement = Requirement.REQUIRED
) -> tuple[dict[str, tuple[SequenceRecord, ...]], list[tuple[str, str | None, int | None]]]:
    errors = ErrorList()
    matched = match_sequences(rows, records, requirement=requirement, errors=errors)
    return matched, [(error.code, error.location.field, error.location.line) for error in errors.errors]


S1, S2 = SequenceRecord("s1", 6, 1), SequenceRecord("s2", 4, 4)


def test_sequences_find_their_rows_by_submission_id() -> None:
    assert match([Row("s2", 2), Row("s1", 3)], [S1, S2]) == ({"s2": (S2,), "s1": (S1,)}, [])


def test_segments_find_their_row_by_its_fasta_ids_in_the_order_of_the_row() -> None:
    rows = [Row("one", 2, fasta_ids=("s2", "s1")), Row("s3", 3)]
    s3 = SequenceRecord("s3", 1, 7)

    assert match(rows, [S1, S2, s3]) == ({"one": (S2, S1), "s3": (s3,)}, [])


@pytest.mark.parametrize("requirement", [Requirement.REQUIRED, Requirement.OPTIONAL])
def test_a_sequence_that_no_row_names_is_told_with_its_line(requirement: Requirement) -> None:
    assert match([Row("s1", 2)], [S1, S2], requirement)[1] == [("ids_unmatched", "sequenceFile", 4)]


def test_a_row_with_fasta_ids_is_not_found_by_its_own_id() -> None:
    rows = [Row("s1", 2, fasta_ids=("s2",))]

    assert match(rows, [S1, S2])[1] == [("ids_unmatched", "sequenceFile", 1)]


def test_a_row_without_its_sequence_is_told_with_its_line_where_sequences_are_required() -> None:
    rows = [Row("s1", 2), Row("s3", 3)]

    assert match(rows, [S1])[1] == [("ids_unmatched", "metadataFile", 3)]
    assert match(rows, [S1], Requirement.OPTIONAL) == ({"s1": (S1,), "s3": ()}, [])


@pytest.mark.parametrize("records", [[S1], None])
@pytest.mark.parametrize("requirement", [Requirement.OPTIONAL, Requirement.FORBIDDEN])
def test_a_fasta_id_that_is_named_but_not_there_is_told_even_where_sequences_are_not_required(
    requirement: Requirement, records: list[SequenceRecord] | None
) -> None:
    rows = [Row("s1", 2, fasta_ids=("s1", "s9"))]
    _, problems = match(rows, records, requirement)

    if requirement is Requirement.FORBIDDEN and records:
        assert problems == [("sequence_invalid", "sequenceFile", None)]
    else:
        assert problems == [("ids_unmatched", "metadataFile", 2)] * (1 if records else 2)


@pytest.mark.parametrize(
    "rows",
    [
        [Row("one", 2, fasta_ids=("s1", "s2")), Row("two", 3, fasta_ids=("s1",))],
        [Row("one", 2, fasta_ids=("s1", "s2")), Row("s1", 3)],
        [Row("s1", 2), Row("two", 3, fasta_ids=("s2", "s1"))],
        [Row("one", 3, fasta_ids=("s1", "s2", "s1"))],
    ],
)
def test_a_sequence_that_is_named_twice_is_refused(rows: list[Row]) -> None:
    errors = ErrorList()
    match_sequences(rows, [S1, S2], requirement=Requirement.REQUIRED, errors=errors)

    (error,) = errors.errors
    assert (error.code, error.location.line) == ("metadata_invalid", 3)
    assert error.location.submission_id == rows[-1].submission_id
    assert "“s1”" in error.detail


def test_a_fasta_id_that_is_named_twice_and_not_there_is_missing_once() -> None:
    assert [code for code, _, _ in match([Row("one", 2, fasta_ids=("s9", "s9"))], [])[1]] == [
        "ids_unmatched",
        "metadata_invalid",
    ]


def test_sequences_that_an_organism_does_not_take_are_refused_once() -> None:
    assert match([Row("s1", 2)], [S1, S2], Requirement.FORBIDDEN)[1] == [("sequence_invalid", "sequenceFile", None)]
    assert match([Row("s1", 2)], None, Requirement.FORBIDDEN) == ({"s1": ()}, [])


def test_sequences_that_an_organism_needs_and_does_not_get_are_told_once() -> None:
    assert match([Row("s1", 2), Row("s2", 3)], None) == ({}, [("sequence_invalid", "sequenceFile", None)])


def test_the_requirements_are_those_of_the_model() -> None:
    assert {requirement.value for requirement in Requirement} == set(Organism.Sequences.values)
