"""Reading checksum files, and which submitted file a path means; without database."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import subprocess
import unicodedata
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from common.errors import DomainError, ErrorList
from submissions.checksums import MAX_LINE_BYTES, MAX_LINES, Checksum, SubmittedPaths, at_line, read_checksums
from submissions.errors import ChecksumUnmatchedError, IdMissingError
from submissions.mapping import MappedFile, pointer_to

SHA = hashlib.sha256(b"x").hexdigest()
MD5 = hashlib.md5(b"x", usedforsecurity=False).hexdigest()
MIB = 1 << 20


def read(data: bytes, limit: int = MIB) -> tuple[list[Checksum], list[DomainError]]:
    errors = ErrorList()
    found = list(read_checksums(io.BytesIO(data), errors=errors, limit=limit))
    return found, errors.errors


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{SHA}  a.txt", ("sha256", SHA, "a.txt")),
        (f"{SHA} *a.txt", ("sha256", SHA, "a.txt")),
        (f"{SHA} a.txt", ("sha256", SHA, "a.txt")),
        (f"{SHA}\ta.txt", ("sha256", SHA, "a.txt")),
        (f"  {MD5}  ./a b/ü.txt", ("md5", MD5, "./a b/ü.txt")),
        (f"{SHA.upper()}  a.txt", ("sha256", SHA, "a.txt")),
        (f"{SHA}  * a", ("sha256", SHA, "* a")),
        (f"SHA256 (a) b (1).txt) = {SHA}", ("sha256", SHA, "a) b (1).txt")),
        (f"MD5 (a.txt) = {MD5}", ("md5", MD5, "a.txt")),
        (f"SHA2-256(a.txt)= {SHA}", ("sha256", SHA, "a.txt")),
        (f"\\{SHA}  a\\\\b\\nc\\rd", ("sha256", SHA, "a\\b\nc\rd")),
        (f"\\SHA256 (a\\\\b) = {SHA}", ("sha256", SHA, "a\\b")),
        (f"{SHA}  a\\nb", ("sha256", SHA, "a\\nb")),
        (f"{SHA}  a.txt ", ("sha256", SHA, "a.txt ")),
    ],
)
def test_a_line_is_read_as_coreutils_and_the_bsds_write_it(line: str, expected: tuple[str, str, str]) -> None:
    for end in ("", "\n", "\r\n"):
        assert read(f"{line}{end}".encode()) == ([Checksum(1, *expected)], [])


@pytest.mark.parametrize("options", [[], ["--binary"], ["--tag"]])
@pytest.mark.parametrize(("program", "algorithm"), [("sha256sum", "sha256"), ("md5sum", "md5")])
def test_what_the_programs_themselves_write_is_read(
    tmp_path: Path, program: str, algorithm: str, options: Sequence[str]
) -> None:
    names = ["a.txt", "with space", "ü (1) = x", "back\\slash", "line\nend", "#hash"]
    for name in names:
        (tmp_path / name).write_text(name)
    done = subprocess.run([program, *options, *names], cwd=tmp_path, capture_output=True, check=True)
    found, errors = read(done.stdout)
    expected = [hashlib.new(algorithm, name.encode()).hexdigest() for name in names]
    assert errors == []
    assert [(line.path, line.algorithm, line.digest) for line in found] == [
        (name, algorithm, digest) for name, digest in zip(names, expected, strict=True)
    ]


def test_comments_and_blank_lines_are_passed_over_and_counted_and_a_mark_is_tolerated() -> None:
    found, errors = read(f"\ufeff# of Monday\n\n{SHA}  a\n \t\r\n#{SHA}  b\n{SHA}  c\n".encode())
    assert [(checksum.line, checksum.path) for checksum in found] == [(3, "a"), (6, "c")]
    assert errors == []


def test_a_packed_file_is_unpacked() -> None:
    assert read(gzip.compress(f"{SHA}  a\n".encode())) == ([Checksum(1, "sha256", SHA, "a")], [])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "has no line with a checksum"),
        (b"# nothing but words\n\n", "has no line with a checksum"),
        (b"reads.fastq\n", "Line 1 is no line of sha256sum or md5sum: “reads.fastq”."),
        (SHA.encode(), "is no line of"),
        (SHA.encode() + b"  \n", "is no line of"),
        (b"3610a686  a.txt\n", "is no line of"),
        (b"SHA512 (a) = " + b"0" * 128, "is no line of"),
        (b"0" * 40 + b"  a\n", "has 40 digits, which looks like SHA-1; a sha256 has 64"),
        (b"0" * 128 + b"  a\n", "which looks like SHA-512"),
        (b"0" * 63 + b"  a\n", "has 63 digits; a sha256"),
        (b"MD5 (a) = " + SHA.encode(), "has 64 digits; a sha256 has 64, an MD5 has 32."),
        (b"\\" + SHA.encode() + b"  a\\tb", "has another escape"),
        (b"\\" + SHA.encode() + b"  a\\", "has another escape"),
        (SHA.encode() + b"  \xfc.txt\n", "Line 1 is not UTF-8 (its byte 67)."),
        (f"{SHA}  a\n".encode("utf-16"), "is UTF-16"),
        (b"x" * (MAX_LINE_BYTES + 1), "Line 1 has more than 32,768 bytes."),
        (f"{SHA}  a\n".encode() * 20_000, "holds more than 1,048,576 bytes"),
    ],
)
def test_what_is_no_checksum_file_is_refused_in_words(data: bytes, words: str) -> None:
    _, [error] = read(data)
    assert error.code == "checksum_invalid"
    assert words in error.detail
    assert error.location.field == "checksumFile"


def test_every_bad_line_is_told_with_its_number_and_the_good_ones_are_read() -> None:
    found, errors = read(f"{SHA}  a\nwhat\n{SHA}  b\n".encode() + b"\xff\n" + b"0" * 40 + b"  c\n")
    assert [checksum.path for checksum in found] == ["a", "b"]
    assert [error.location.line for error in errors] == [2, 4, 5]


def test_lines_are_counted_also_where_nothing_stands_in_them() -> None:
    packed = bz2.compress(f"{SHA}  a\n".encode() + b"\n" * MAX_LINES)
    found, [error] = read(packed)
    assert len(packed) < 300
    assert [checksum.path for checksum in found] == ["a"]
    assert (error.code, error.location.line) == ("checksum_invalid", MAX_LINES + 1)
    assert "may have 500,000" in error.detail


def test_reading_ends_behind_as_many_bad_lines_as_are_listed_and_says_so() -> None:
    errors = ErrorList()
    errors.add(IdMissingError("Line 2 has no submission ID."))
    lines = io.BytesIO(f"what\n{SHA}  a\n".encode() * 2_000)
    for checksum in read_checksums(lines, errors=errors, limit=MIB):
        # What the caller finds wrong counts, too.
        errors.add(ChecksumUnmatchedError("It is about no submitted file.", at_line(checksum.line)))
    assert errors.count == len(errors.errors) + 1 == 1_001
    assert errors.errors[-1].location.line == 999

    _, errors_alone = read(b"what\n" * 2_000)
    assert (len(errors_alone), errors_alone[-1].location.line) == (1_000, 999)
    assert errors_alone[-1].detail == "999 lines of the checksum file are wrong; it was read up to line 999."


def test_broken_compression_has_the_code_that_it_has_elsewhere() -> None:
    packed = gzip.compress(f"{SHA}  a\n".encode() * 100)
    _, [error] = read(packed[:-9])
    assert (error.code, error.location.field) == ("compression_invalid", "checksumFile")


# --- which file a path means -------------------------------------------------------------------------

READS1, READS2, NOTES, PHOTO = (uuid.uuid4() for _ in range(4))


def mapped(submission_id: str, category: str, file_id: uuid.UUID, name: str) -> MappedFile:
    return MappedFile(submission_id, category, file_id, name, pointer_to(submission_id, category, 0))


FILES = [
    mapped("s1", "rawReads", READS1, "reads.fastq"),
    mapped("s2", "rawReads", READS2, "reads.fastq"),
    mapped("s1", "supplementary", NOTES, "notes.txt"),
    mapped("s2", "supplementary", NOTES, "notes.txt"),
    mapped("b/2", "supplementary", PHOTO, "gel é.png"),
]
PATHS = SubmittedPaths(
    FILES,
    documents={"metadataFile": "metadata.tsv", "sequenceFile": "data"},
    submission_ids=["s1", "s2", "s3", "b/2"],
    categories=["rawReads", "supplementary"],
)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("rawReads/s1/reads.fastq", {READS1}),
        ("s2/rawReads/reads.fastq", {READS2}),
        ("s1/reads.fastq", {READS1}),
        ("./s1//./reads.fastq", {READS1}),
        ("/home/alice/run 7/s2/reads.fastq", {READS2}),
        ("../rawReads/s1/reads.fastq", {READS1}),
        ("reads.fastq", {READS1, READS2}),
        ("run7/reads.fastq", {READS1, READS2}),
        ("notes.txt", {NOTES}),
        ("anything/at all/notes.txt", {NOTES}),
        ("supplementary/notes.txt", {NOTES}),
        ("b/2/gel é.png", {PHOTO}),
        ("supplementary/b/2/gel é.png", {PHOTO}),
        (unicodedata.normalize("NFD", "gel é.png"), {PHOTO}),
        ("metadata.tsv", {"metadataFile"}),
        ("run7/metadata.tsv", {"metadataFile"}),
        # A folder that is a submission ID binds, whatever is below it.
        ("s1/lane 1/notes.txt", {NOTES}),
        ("s2/lane 1/reads.fastq", {READS2}),
        ("s3/notes.txt", set()),
        ("s3/rawReads/notes.txt", set()),
        ("s3/metadata.tsv", set()),
        # Of a submission ID that is not submitted, told by the category beside it.
        ("rawReads/s9/notes.txt", set()),
        ("s9/supplementary/notes.txt", set()),
        # The wrong category, and what is no whole component.
        ("supplementary/s1/reads.fastq", set()),
        ("s1/supplementary/reads.fastq", set()),
        ("supplementary/lane 1/s1/reads.fastq", {READS1}),
        ("xs1/rawReads/reads.fastq", set()),
        ("xnotes.txt", set()),
        ("Notes.txt", set()),
        ("notes.txt/", {NOTES}),
        ("", set()),
        ("/", set()),
    ],
)
def test_a_path_means_what_its_last_components_say(path: str, meant: set[object]) -> None:
    assert set(PATHS.meaning_of(path)) == meant


def test_a_name_that_a_file_and_a_part_of_the_form_have_is_not_told_apart() -> None:
    files = [mapped("s1", "supplementary", NOTES, "data")]
    documents = {"metadataFile": "data", "sequenceFile": "data"}
    paths = SubmittedPaths(files, documents=documents, submission_ids=["s1"], categories=["supplementary"])
    assert set(paths.meaning_of("data")) == {NOTES, "metadataFile", "sequenceFile"}
    assert set(paths.meaning_of("s1/data")) == {NOTES}


def test_without_files_nothing_is_meant() -> None:
    paths = SubmittedPaths([], documents={}, submission_ids=["s1"], categories=[])
    assert paths.meaning_of("s1/reads.fastq") == {}
