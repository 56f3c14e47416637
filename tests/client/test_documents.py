"""Tables and sequences as they come: packed in every way, as workbooks, and damaged."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from satchel import documents
from satchel.documents import read_table, sequence_problems, table_without_files

from common.errors import ErrorList
from submissions.tables import parse_table
from tests.workbooks import DATE, row, workbook

TABLE = b'id\tfastaIds\tfiles.rawReads\tnote\ns1\tL S\t"a\tb"\tx\n\ns2\t\t\t\n'
FASTA = b">L x\nAC\n>S\nAC\n>s2\nAC\n"
SHEET = "".join(
    [
        row(3, "id", "fastaIds", "files.rawReads", "note"),
        row(4, "s1", "L S", "a\tb", "x"),
        row(6, 7, "", "", (45747, DATE)),
        row(7, 1.5, "", "2.0", True),
        row(8, (45747, DATE), "", "", 1e20),
    ]
)


def zipped(content: bytes, name: str = "t.tsv", more: str = "__MACOSX/._t.tsv", *, method: int = 0) -> bytes:
    """A zip archive of one file, and of what macOS adds to it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr(more, b"x")
        archive.writestr(name, content)
    return packed.getvalue()


def zstd(content: bytes) -> bytes:
    return zstandard.compress(content)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "two gzip members": lambda content: gzip.compress(content[:9]) + gzip.compress(content[9:]),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "Zstandard": zstd,
    "two Zstandard frames": lambda content: zstd(content[:9]) + zstd(content[9:]),
    "Zstandard behind a frame to be skipped": lambda content: b"\x50\x2a\x4d\x18\x02\0\0\0xy" + zstd(content),
    "zip": zipped,
    "deflated zip": lambda content: zipped(content, method=zipfile.ZIP_DEFLATED),
}
TABLES = {
    **{name: pack(TABLE) for name, pack in PACKED.items()},
    "a workbook": workbook(SHEET),
    "a workbook whose first sheet is hidden": workbook(row(1, "other"), SHEET, hidden=[0]),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_has_the_rows_that_the_server_finds_in_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "table"
    path.write_bytes(TABLES[kind])
    errors = ErrorList()
    of_server = parse_table(io.BytesIO(TABLES[kind]), fields=[], errors=errors, limit=1 << 20)
    errors.raise_if_any()
    table = read_table(path)
    assert table.problems == []
    assert table.file_categories == of_server.file_categories
    assert [(one.submission_id, one.line, one.files, one.fasta_ids) for one in table.rows] == [
        (one.submission_id, one.line, one.file_columns, one.fasta_ids) for one in of_server.rows
    ]


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_without_its_file_columns_is_text_with_the_same_rows(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "table"
    path.write_bytes(TABLES[kind])
    before = parse_table(io.BytesIO(TABLES[kind]), fields=[], errors=ErrorList(), limit=1 << 20)
    errors = ErrorList()
    after = parse_table(io.BytesIO(table_without_files(path)), fields=[], errors=errors, limit=1 << 20)
    errors.raise_if_any()
    assert after.file_categories == ()
    assert [(one.submission_id, one.line, one.metadata) for one in after.rows] == [
        (one.submission_id, one.line, one.metadata) for one in before.rows
    ]


@pytest.mark.parametrize("kind", PACKED)
def test_sequences_are_compared_with_the_table_however_they_are_packed(tmp_path: Path, kind: str) -> None:
    table, fasta = tmp_path / "table", tmp_path / "fasta"
    table.write_bytes(TABLE)
    fasta.write_bytes(PACKED[kind](FASTA))
    assert sequence_problems(read_table(table), fasta, "REQUIRED") == []
    fasta.write_bytes(PACKED[kind](FASTA.replace(b">S\n", b">T\n")))
    found = sequence_problems(read_table(table), fasta, "REQUIRED")
    assert [problem.code for problem in found] == ["ids_unmatched"] * 2


def locked(content: bytes) -> bytes:
    """A zip archive of one file that says it has a password."""
    packed = bytearray(zipped(content))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = packed.rfind(sign)
        packed[start + at] |= 1
    return bytes(packed)


def of_unknown_method(content: bytes) -> bytes:
    """A zip archive packed by a method that no program here knows."""
    packed = bytearray(zipped(content))
    for sign, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = packed.rfind(sign)
        packed[start + at] = 99
    return bytes(packed)


def damaged(packed: bytes) -> bytes:
    """The same with what is behind its first third changed."""
    third = len(packed) // 3
    return packed[:third] + bytes(byte ^ 0x5A for byte in packed[third:])


def of_another_checksum(packed: bytes) -> bytes:
    """The same zip archive with another checksum for its last member."""
    changed = bytearray(packed)
    changed[packed.rfind(b"PK\x01\x02") + 16] ^= 1
    return bytes(changed)


MANY_LINES = b"".join(b"s%d\t%d\n" % (n, n * n) for n in range(1000))
DAMAGED = {
    "a gzip file cut short": gzip.compress(TABLE)[:-9],
    "a damaged gzip file": damaged(gzip.compress(b"id\tnote\n" + MANY_LINES)),
    "a gzip file with something behind it": gzip.compress(TABLE) + b"more",
    "an xz file cut short": lzma.compress(TABLE)[:-9],
    "a damaged xz file": damaged(lzma.compress(b"id\tnote\n" + MANY_LINES)),
    "a bzip2 file cut short": bz2.compress(TABLE)[:-9],
    "a damaged bzip2 file": damaged(bz2.compress(b"id\tnote\n" + MANY_LINES)),
    "a Zstandard file cut short": zstd(TABLE)[:-3],
    "a damaged Zstandard file": damaged(zstd(b"id\tnote\n" + MANY_LINES)),
    "a zip archive with a password": locked(TABLE),
    "a zip archive of an unknown method": of_unknown_method(TABLE),
    "a zip archive cut short": zipped(TABLE)[:-9],
    "a damaged zip archive": of_another_checksum(zipped(TABLE, method=zipfile.ZIP_DEFLATED)),
    "a zip archive of nothing": zipped(b"", name=".hidden"),
    "a zip archive without members": b"PK\x05\x06" + bytes(18),
    "a zip archive of two files": zipped(TABLE, more="x"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_cannot_be_unpacked_is_a_problem_that_names_the_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "plate-4.tsv"
    path.write_bytes(DAMAGED[kind])
    [problem] = read_table(path).problems
    assert problem.code == "compression_invalid"
    assert "“plate-4.tsv” cannot be unpacked" in problem.detail
    good = tmp_path / "table"
    good.write_bytes(TABLE)
    [problem] = sequence_problems(read_table(good), path, "REQUIRED")
    assert (problem.code, "“plate-4.tsv” cannot be unpacked" in problem.detail) == ("compression_invalid", True)


FAR = '<row r="4000001"><c r="A4000001"><v>1</v></c></row>'
UNREADABLE = {
    "text that is not UTF-8": ("id\nsé\n".encode("latin-1"), "Line 2 of “plate-4” is not UTF-8"),
    "a workbook of the old kind": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "of the old kind (.xls)"),
    "a workbook without a sheet": (workbook(SHEET, hidden=[0]), "“plate-4” has no sheet with a table"),
    "a workbook with a cell far away": (workbook(SHEET + FAR), "more than 4,000,000 cells"),
    "a damaged workbook": (
        workbook(SHEET, more={"xl/worksheets/sheet1.xml": "<worksheet"}),
        "cannot be read as an Excel",
    ),
    "an empty table": (b"\n \n", "The metadata table is empty"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_a_problem_in_words(tmp_path: Path, kind: str) -> None:
    content, words = UNREADABLE[kind]
    path = tmp_path / "plate-4"
    path.write_bytes(content)
    [problem] = read_table(path).problems
    assert problem.code == "metadata_invalid"
    assert words in problem.detail


def test_a_document_that_is_not_there_is_no_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        documents.read_table(tmp_path / "nowhere")
