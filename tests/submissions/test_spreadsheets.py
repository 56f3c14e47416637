"""Metadata tables that are Excel workbooks: what becomes of their cells, and which are refused."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from common.errors import ErrorList
from submissions.errors import MetadataInvalidError
from submissions.field_rules import FieldKind, FieldRule
from submissions.spreadsheets import lines_of_workbook
from submissions.tables import Table, parse_table
from tests.workbooks import DATE, DATE_TIME, MAIN, row, workbook

FIELDS = (FieldRule("country", "Country"), FieldRule("date", "Collection date", FieldKind.DATE))
LIMIT = 1 << 20
HEADER = row(1, "id", "country", "date")
FAR = row(1, "id") + '<row><c r="{}"><v>1</v></c></row>'
SHEET = "xl/worksheets/sheet1.xml"
LISTED = b"PK\x01\x02"
"""How the entry of a member begins in the list at the end of a ZIP archive."""
OLD_KIND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_END = b"PK\x05\x06"


def read(content: bytes, limit: int = LIMIT) -> tuple[Table, ErrorList]:
    errors = ErrorList()
    return parse_table(io.BytesIO(content), fields=FIELDS, errors=errors, limit=limit), errors


def problem_of(content: bytes, limit: int = LIMIT) -> tuple[str, str]:
    """Code and sentence of the one problem that the workbook has."""
    table, errors = read(content, limit)
    (error,) = errors.errors
    assert error.location.field == "metadataFile"
    assert not table.complete
    return error.code, error.detail


def without(content: bytes, member: str) -> bytes:
    """The workbook without one of its members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(packed, "w") as after:
        for name in before.namelist():
            if name != member:
                after.writestr(name, before.read(name))
    return packed.getvalue()


def changed(content: bytes, words: dict[str, str]) -> bytes:
    """The workbook with other words in its members and in their names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(packed, "w") as after:
        for name in before.namelist():
            text = before.read(name).decode()
            for old, new in words.items():
                text = text.replace(old, new)
            after.writestr(words.get(name, name), text)
    return packed.getvalue()


def damaged(content: bytes, behind: bytes, distance: int, by: bytes = b"\xff" * 40) -> bytes:
    """The archive with other bytes that far behind the beginning of the first place of these."""
    at = content.index(behind) + distance
    return content[:at] + by + content[at + len(by) :]


def listing_more(content: bytes, number: int, comment: bytes = b"") -> bytes:
    """The archive with so many more members in its list, the last of them with a comment."""
    begin, end = content.index(LISTED), content.rindex(ZIP_END)
    one = content[begin : begin + 28] + b"\1\0\0\0\0\0" + content[begin + 34 : begin + 46] + b"x"
    last = one[:32] + len(comment).to_bytes(2, "little") + one[34:] + comment
    members = content[begin:end] + one * (number - 1) + last
    return (
        content[:begin] + members + content[end : end + 12] + len(members).to_bytes(4, "little") + content[end + 16 :]
    )


def test_cells_become_the_text_that_the_sheet_would_be_saved_as() -> None:
    header = row(1, "id", "country", "date", "n", "share", "when", "checked", "words")
    cells = ("s1", "Uganda", (45000, DATE), 12.0, 0.30000000000000004, (45000.5, DATE_TIME), True, 'say "a\tb"')
    table, errors = read(workbook(header + row(2, *cells)))
    assert errors.errors == []
    assert table.rows[0].metadata == {
        "country": "Uganda",
        "date": "2023-03-15",
        "n": "12",
        "share": "0.3",
        "when": "2023-03-15T12:00:00",
        "checked": "TRUE",
        "words": 'say "a\tb"',
    }


def test_numbers_are_submission_ids_too_and_lines_are_rows_of_the_sheet() -> None:
    rows = row(3, "id", "files.rawReads") + row(5, 17.0, "run 17") + row(6, "", "") + row(9, "x")
    table, errors = read(workbook(rows))
    assert errors.errors == []
    assert [(found.submission_id, found.line, found.file_columns) for found in table.rows] == [
        ("17", 5, {"rawReads": "run 17"}),
        ("x", 9, {}),
    ]


def test_one_parser_judges_all_tables() -> None:
    rows = HEADER + row(2, "s1", "Uganda", "soon") + row(3, "s1", "one\ntwo") + row(4, "", "Sudan")
    _, errors = read(workbook(rows))
    found = [(error.code, error.location.line) for error in errors.errors]
    assert found == [("metadata_invalid", 2), ("metadata_invalid", 3), ("id_duplicate", 3), ("id_missing", 4)]


def test_the_first_sheet_that_can_be_seen_is_the_table() -> None:
    table, errors = read(workbook(row(1, "notes"), row(1, "id") + row(2, "s1"), row(1, "other"), hidden=[0]))
    assert errors.errors == []
    assert [found.submission_id for found in table.rows] == ["s1"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(workbook(""), "empty", id="an empty sheet"),
        pytest.param(workbook(HEADER, hidden=[0]), "no sheet with a table", id="all sheets hidden"),
        pytest.param(workbook("<row"), "cannot be read", id="broken XML"),
        pytest.param(without(workbook(HEADER), SHEET), "cannot be read", id="its sheet missing"),
        pytest.param(OLD_KIND + bytes(600), "(.xls), or one with a password", id="xls"),
        pytest.param(
            workbook(row(1, "id") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
            "more than 4,000,000 cells up to its last row and column",
            id="a cell at the other end",
        ),
        pytest.param(
            workbook(row(1, "id") + '<row r="1048576"><c><v>1</v></c><c/><c/><c r="H9"/></row>'),
            "Delete the rows and columns behind the table",
            id="a row at the other end",
        ),
        # Each of these asks for hundreds of gigabytes, which ends a process; this one goes on.
        pytest.param(workbook(FAR.format("xfd1048576")), "cannot be read", id="a far cell in small letters"),
        pytest.param(workbook(FAR.format("XFD0001048576")), "cannot be read", id="a far cell behind zeros"),
        pytest.param(
            changed(
                workbook(FAR.format("XFD1048576")),
                {"worksheets/sheet1.xml": "far/sheet1.xml", SHEET: "xl/far/sheet1.xml"},
            ),
            "cannot be read",
            id="a far cell in a sheet that lies elsewhere",
        ),
        pytest.param(damaged(workbook(HEADER), SHEET.encode(), len(SHEET)), "cannot be read", id="damaged"),
        pytest.param(
            damaged(workbook(HEADER), ZIP_END, 16, b"\xff" * 3), "cannot be read", id="members before its begin"
        ),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused_in_words(content: bytes, words: str) -> None:
    code, sentence = problem_of(content)
    assert code == "metadata_invalid"
    assert words in sentence


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is() -> None:
    bomb = workbook(HEADER + row(2, "s1", "x" * LIMIT))
    assert len(bomb) < LIMIT // 100
    assert problem_of(bomb) == (
        "compression_invalid",
        "The Excel workbook holds more than 1,048,576 bytes. Submit it in several pieces.",
    )


def test_a_workbook_is_read_no_further_than_it_takes_to_refuse_it() -> None:
    old = io.BytesIO(OLD_KIND + bytes(LIMIT))
    with pytest.raises(MetadataInvalidError, match="old kind"):
        next(lines_of_workbook(old, limit=LIMIT, field="metadataFile"))
    assert old.tell() == len(OLD_KIND)
    as_it_is = changed(workbook(HEADER), {})  # not deflated, and so longer than what it holds
    with zipfile.ZipFile(io.BytesIO(as_it_is)) as archive:
        held = sum(member.file_size for member in archive.infolist())
    assert problem_of(as_it_is, limit=held)[0] == "compression_invalid"


def test_a_workbook_that_declares_less_than_it_holds_is_refused() -> None:
    bomb = bytearray(workbook(HEADER + row(2, "s1", "x" * LIMIT)))
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    declared = size.to_bytes(4, "little")
    assert bomb.count(declared) == 2
    assert "cannot be read" in problem_of(bytes(bomb.replace(declared, (1000).to_bytes(4, "little"))))[1]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(without(workbook(HEADER), "xl/workbook.xml"), id="no workbook in it"),
        pytest.param(damaged(workbook(HEADER), LISTED, 6, b"\x63"), id="a version of ZIP that nobody knows"),
        pytest.param(
            damaged(damaged(workbook(HEADER), LISTED, 9, b"\x08"), LISTED, 46, b"\xff"), id="a name not in UTF-8"
        ),
        pytest.param(listing_more(workbook(HEADER), 30_000), id="more members than any workbook has"),
        pytest.param(
            listing_more(workbook(HEADER), 30_000, ZIP_END + bytes(4)),
            id="more members, and before the end what begins like one and reaches into it",
        ),
    ],
)
def test_a_zip_that_is_no_workbook_is_not_taken_for_one(content: bytes) -> None:
    assert problem_of(content)[0] == "compression_invalid"


def test_a_workbook_whose_text_is_longer_than_its_xml_is_refused() -> None:
    strings = f'<sst xmlns="{MAIN}"><si><t>{"x" * 1000}</t></si></sst>'
    rows = HEADER + "".join(f'<row><c><v>{n}</v></c><c t="s"><v>0</v></c></row>' for n in range(1200))
    assert problem_of(workbook(rows, more={"xl/sharedStrings.xml": strings}))[0] == "compression_invalid"


def readers() -> list[Path]:
    """The processes of ours that read workbooks."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            is_ours = f"PPid:\t{os.getpid()}\n" in (process / "status").read_text()
            if is_ours and b"workbook_reader" in (process / "cmdline").read_bytes():
                found.append(process)
    return found


def test_a_table_that_is_given_up_early_leaves_no_process_behind() -> None:
    rows = "".join(row(number, f"s{number}", "x" * 200) for number in range(1, 5_000))
    lines = lines_of_workbook(io.BytesIO(workbook(rows)), limit=8 * LIMIT, field="metadataFile")
    assert next(lines)[0] == 1
    assert len(readers()) == 1
    lines.close()
    assert readers() == []
