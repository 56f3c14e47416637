from __future__ import annotations

import bz2
import csv
import gzip
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ErrorList
from submissions.field_rules import FieldKind, FieldRule
from submissions.tables import MAX_LINE_BYTES, MAX_LINES, MAX_PROBLEMS, Row, Table, parse_table

COUNTRY = FieldRule("country", "Country")
DATE = FieldRule("date", "Collection date", FieldKind.DATE)
FIELDS = (COUNTRY, DATE)

Problem = tuple[str, int | None]


def read(
    content: str | bytes, *, fields: tuple[FieldRule, ...] = FIELDS, max_rows: int = 200, limit: int = 1 << 22
) -> tuple[Table, ErrorList]:
    data = content.encode() if isinstance(content, str) else content
    errors = ErrorList()
    return parse_table(io.BytesIO(data), fields=fields, errors=errors, limit=limit, max_rows=max_rows), errors


def rows_of(content: str | bytes, *, fields: tuple[FieldRule, ...] = FIELDS) -> list[Row]:
    """The rows of a table in which nothing is wrong."""
    table, errors = read(content, fields=fields)
    assert [error.detail for error in errors.errors] == []
    assert table.complete
    return table.rows


def problems_of(content: str | bytes, *, fields: tuple[FieldRule, ...] = FIELDS) -> list[Problem]:
    """Code and line of every problem; where it is one of a row, its sentence names the line, too."""
    _, errors = read(content, fields=fields)
    assert all(error.location.field == "metadataFile" for error in errors.errors)
    assert all(
        f"ine {error.location.line}" in error.detail for error in errors.errors if (error.location.line or 1) > 1
    )
    return [(error.code, error.location.line) for error in errors.errors]


def sentence_of(content: str | bytes, *, fields: tuple[FieldRule, ...] = FIELDS) -> str:
    """The sentence of the one problem that the table has."""
    _, errors = read(content, fields=fields)
    (error,) = errors.errors
    return error.detail


TABLE = "id\tcountry\tdate\tlab\ns1\tSudan\t2025-01-31\tA\ns2\tUganda\t2025-02\tB\n"
ROWS = [
    Row("s1", 2, {"country": "Sudan", "date": "2025-01-31", "lab": "A"}),
    Row("s2", 3, {"country": "Uganda", "date": "2025-02", "lab": "B"}),
]


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        TABLE.rstrip("\n").encode(),
        TABLE.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + TABLE.encode(),
        gzip.compress(TABLE.encode()),
        TABLE.replace("id\t", "submissionId\t").encode(),
        (TABLE + "\n\t\t\t\r\n  \n").encode(),
        TABLE.replace("id\t", ' id \t"').replace("\tdate", '"\tdate').encode(),
    ],
    ids=["plain", "no last line end", "CRLF", "BOM", "gzip", "submissionId", "blank lines", "quoted header"],
)
def test_a_table_is_read_row_by_row(content: bytes) -> None:
    assert rows_of(content) == ROWS


def test_lines_are_counted_with_the_blank_ones_between() -> None:
    assert [(row.submission_id, row.line) for row in rows_of("id\n\ns1\n\n\ns2\n")] == [("s1", 3), ("s2", 6)]


def test_quotes_are_read_as_excel_and_r_write_them() -> None:
    content = '"id"\t"lab"\tnote\n"s1"\t"Lab ""North"", Khartoum"\t5" tube\ns2\t"a\tb"\t\n'

    assert [row.metadata for row in rows_of(content)] == [
        {"lab": 'Lab "North", Khartoum', "note": '5" tube'},
        {"lab": "a\tb"},
    ]


@pytest.mark.parametrize("cell", ['"open', '"quoted" and more', '"', '"""'])
def test_a_quotation_mark_out_of_place_is_refused_instead_of_swallowing_rows(cell: str) -> None:
    table, errors = read(f'id\tlab\ns1\t{cell}\ns2\tclosed"\ns3\tC\n')

    assert [(error.code, error.location.line) for error in errors.errors] == [("metadata_invalid", 2)]
    assert [row.submission_id for row in table.rows] == ["s2", "s3"]
    assert not table.complete


def test_a_short_row_is_filled_up_with_empty_cells() -> None:
    assert rows_of("id\tcountry\tdate\ns1\ns2\tSudan\n") == [Row("s1", 2, {}), Row("s2", 3, {"country": "Sudan"})]


def test_values_of_own_fields_lose_the_white_space_around_them_and_others_do_not() -> None:
    (row,) = rows_of("id\tcountry\tlab\ns1\t  South Sudan \t A \n")

    assert row.metadata == {"country": "South Sudan", "lab": " A "}


def test_columns_that_the_table_uses_itself_are_no_metadata() -> None:
    table, errors = read("id\tfastaIds\tfiles.rawReads\tfiles.supplementary\ns1\tL  M S\ta:1 b:2\t\ns2\t\t\t\n")

    assert not errors
    assert table.file_categories == ("rawReads", "supplementary")
    assert table.rows == [Row("s1", 2, {}, ("L", "M", "S"), {"rawReads": "a:1 b:2"}), Row("s2", 3, {}, None, {})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (gzip.compress(b""), "empty"),
        (b"id\tcountry\n", "no rows"),
        (b"id\tcountry\n\n\t\n", "no rows"),
    ],
)
def test_a_table_without_rows_is_refused(content: bytes, said: str) -> None:
    assert problems_of(content) == [("metadata_invalid", None)]
    assert said in sentence_of(content)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("country", "no column “id”"),
        ("ID\tcountry", "no column “id”"),
        ("id\tsubmissionId", "both"),
        ("id\t\tcountry", "Column 2 has no name"),
        ("id\tcountry\t", "Column 3 has no name"),
        ("id\tfiles.", "Column 2 has no name"),
        ("id\tlab\tlab", "“lab” stands 2 times"),
        ("id\tid", "“id” stands 2 times"),
        ("id\tlab \t lab", "“lab” stands 2 times"),
        ('id\t"lab', "quotation mark"),
    ],
)
def test_a_header_that_leaves_doubt_is_refused(header: str, said: str) -> None:
    content = f"{header}\ns1\n"

    assert problems_of(content) == [("metadata_invalid", 1)]
    assert said in sentence_of(content)


def test_a_header_without_an_id_column_leaves_the_rows_unknown() -> None:
    table, _ = read("country\nSudan\n")

    assert (table.rows, table.complete) == ([], False)


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("country", "Its only column is “country”."),
        ("@A00123:45:HJ 1:N:0:ATCACG", "Its only column is “@A00123:45:HJ 1:N:0:ATCACG”."),
        ("x" * 80, f"Its only column is “{'x' * 59}…”."),
        ("a\tb,c", "Its columns are “a”, “b,c”."),
        ("a\tb\tc\td\te", "Its columns are “a”, “b”, “c”, “d”, “e”."),
        ("a\tb\tc\td\te\tf\tg", "Its columns are “a”, “b”, “c”, “d”, “e” and 2 more."),
    ],
)
def test_a_header_without_an_id_column_is_told_with_the_columns_that_it_has(header: str, columns: str) -> None:
    said = f"The table has no column “id” for the submission IDs. {columns}"

    assert sentence_of(f"{header}\ns1\n") == said


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("id,country,date", "comma"),
        ('"id","country","date"', "comma"),
        ("id;country;date", "semicolon"),
        ("id;date (from, to);country", "semicolon"),
    ],
)
def test_a_table_with_another_separator_is_told_how_to_be_saved(header: str, kind: str) -> None:
    required = FieldRule("country", "Country", required=True)
    content = f"{header}\ns1,Sudan,2024\n"

    assert problems_of(content, fields=(required,)) == [("metadata_invalid", 1)]
    said = f"The table looks {kind}-separated. Save it as tab-separated text or as .xlsx."
    assert sentence_of(content, fields=(required,)) == said


def test_a_required_column_that_is_missing_is_told_once() -> None:
    rule = FieldRule("country", "Country", required=True)

    assert problems_of("id\tlab\ns1\tA\ns2\tB\n", fields=(rule,)) == [("metadata_invalid", 1)]
    assert "“country” (Country) is required" in sentence_of("id\ns1\n", fields=(rule,))


@pytest.mark.parametrize("value", ["", "  "])
def test_a_required_value_that_is_missing_is_told_with_its_line(value: str) -> None:
    rule = FieldRule("country", "Country", required=True)
    content = f"id\tcountry\ns1\tSudan\ns2\t{value}\n"

    assert problems_of(content, fields=(rule,)) == [("metadata_invalid", 3)]
    assert sentence_of(content, fields=(rule,)) == "Line 3, column “country”: A value is required."


@pytest.mark.parametrize("cell", ["", " ", "\u00a0"])
def test_a_row_without_an_id_is_refused(cell: str) -> None:
    assert problems_of(f"id\tcountry\n{cell}\tSudan\ns2\tSudan\n") == [("id_missing", 2)]


@pytest.mark.parametrize("cell", [" s1", "s1 ", "s 1", "s1\u00a0", "s\u20281", '"s\t1"'])
def test_an_id_with_white_space_is_refused(cell: str) -> None:
    _, errors = read(f"id\tcountry\n{cell}\tSudan\n")

    (error,) = errors.errors
    assert (error.code, error.location.line) == ("id_whitespace", 2)
    assert error.location.submission_id == cell.strip('"').strip()


def test_an_id_that_stands_twice_is_refused_with_both_lines() -> None:
    content = "id\ns1\ns2\ns1\ns1\n"
    table, errors = read(content)

    assert problems_of(content) == [("id_duplicate", 4), ("id_duplicate", 5)]
    assert [error.location.submission_id for error in errors.errors] == ["s1", "s1"]
    assert "in line 2 and in line 4" in errors.errors[0].detail
    assert [row.line for row in table.rows] == [2, 3]


def test_ids_that_differ_in_case_are_two() -> None:
    assert len(rows_of("id\ns1\nS1\n")) == 2


def test_an_id_may_have_255_characters_and_no_more() -> None:
    assert rows_of(f"id\n{'ü' * 255}\n")[0].submission_id == "ü" * 255
    assert problems_of(f"id\n{'a' * 256}\n") == [("metadata_invalid", 2)]


def test_a_row_that_is_longer_than_the_header_is_refused() -> None:
    content = "id\tcountry\ns1\tSudan\tmore\n"

    assert problems_of(content) == [("metadata_invalid", 2)]
    assert "3 cells" in sentence_of(content)


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1f", "\x7f", "\x85", "\r"])
def test_a_control_character_is_refused_and_the_row_still_read(character: str) -> None:
    table, errors = read(f'id\tlab\tnote\ns1\tA{character}B\t"x"\ns2\tB\n')

    (error,) = errors.errors
    assert (error.code, error.location.line) == ("metadata_invalid", 2)
    assert f"U+{ord(character):04X}" in error.detail
    assert [row.submission_id for row in table.rows] == ["s1", "s2"]


def test_line_ends_of_an_old_mac_are_named() -> None:
    _, errors = read("id\tlab\rs1\tA\r")

    assert "carriage return" in errors.errors[0].detail


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("id\tlab\ns1\tZürich\n".encode("latin-1"), 2, "not UTF-8 (its byte 5)"),
        (b"id\tl\xff\ns1\tA\n", 1, "not UTF-8"),
        ("id\tlab\ns1\tA\n".encode("utf-16"), 1, "UTF-16"),
        ("\ufeffid\tlab\ns1\tA\n".encode("utf-16-be"), 1, "UTF-16"),
    ],
)
def test_what_is_not_utf8_is_refused(content: bytes, line: int, said: str) -> None:
    assert problems_of(content) == [("metadata_invalid", line)]
    assert said in sentence_of(content)
    assert not read(content)[0].complete


def test_a_compression_that_cannot_be_read_is_told_with_the_rest() -> None:
    content = "id\ns1\ns1\n" + "".join(f"{number:x}x\n" for number in range(100_000))
    packed = gzip.compress(content.encode())
    table, errors = read(packed[:-20], max_rows=200_000)

    assert [error.code for error in errors.errors] == ["id_duplicate", "compression_invalid"]
    assert not table.complete


def test_a_line_may_be_long_but_not_without_end() -> None:
    longest = "a" * (MAX_LINE_BYTES - len("s1\t\n"))

    assert rows_of(f"id\tlab\ns1\t{longest}\n")[0].metadata["lab"] == longest
    assert problems_of(f"id\tlab\ns1\t{longest}a\n") == [("metadata_invalid", 2)]
    assert rows_of(f'id\tlab\ns1\t"{longest[2:]}"\n')[0].metadata["lab"] == longest[2:]


def test_a_table_may_have_as_many_rows_as_allowed() -> None:
    table, errors = read("id\n" + "".join(f"s{number}\n" for number in range(11)), max_rows=10)

    assert [(error.code, error.location.line) for error in errors.errors] == [("metadata_invalid", 12)]
    assert (len(table.rows), table.complete) == (10, False)


def test_lines_are_counted_also_where_nothing_stands_in_them() -> None:
    packed = bz2.compress(b"id\ns1\n" + b"\n" * MAX_LINES)
    table, errors = read(packed)

    assert len(packed) < 200
    assert [(error.code, error.location.line) for error in errors.errors] == [("metadata_invalid", MAX_LINES + 1)]
    assert "may have 1,048,576, blank ones counted" in errors.errors[0].detail
    assert ([row.submission_id for row in table.rows], table.complete) == (["s1"], False)


def test_reading_ends_behind_very_many_problems() -> None:
    table, errors = read("id\tlab\n" + "\tA\n" * (MAX_PROBLEMS + 9), max_rows=2 * MAX_PROBLEMS)

    assert (errors.count, table.complete) == (MAX_PROBLEMS + 1, False)
    assert {error.code for error in errors.errors} == {"id_missing"}


@pytest.mark.parametrize(
    ("header", "cells", "rows_read", "words"),
    [
        ("id" + "\tc" * 39_999, "\t" * 39_999, 99, "more than 4,000,000 cells up to line 101"),
        ("id\tfastaIds", "\t" + "a " * 40_000, 25, "more than 1,000,000 FASTA IDs"),
    ],
    ids=["cells, which may be empty", "FASTA IDs"],
)
def test_a_table_may_hold_only_so_much(header: str, cells: str, rows_read: int, words: str) -> None:
    content = "\n".join([header, *(f"s{number}{cells}" for number in range(110))])
    table, errors = read(gzip.compress(content.encode()), limit=1 << 24)

    error = errors.errors[-1]
    assert (error.code, error.location.line) == ("metadata_invalid", rows_read + 2)
    assert words in error.detail
    assert (len(table.rows), table.complete) == (rows_read, False)


def test_all_problems_are_told_in_one_go_in_the_order_of_the_lines() -> None:
    content = "id\tcountry\tdate\tlab\tlab\n\tSudan\nx y\t\t31.1.2025\ns1\ns1\t\t2025-13\n"

    assert problems_of(content) == [
        ("metadata_invalid", 1),
        ("id_missing", 2),
        ("id_whitespace", 3),
        ("metadata_invalid", 3),
        ("id_duplicate", 5),
        ("metadata_invalid", 5),
    ]


def test_empty_cells_of_a_wide_table_take_no_memory() -> None:
    header = "\t".join(["id", *(f"c{number}" for number in range(10_000))])
    content = f"{header}\n" + "".join(f"s{number}\n" for number in range(5_000))

    tracemalloc.start()
    table, _ = read(content, max_rows=5_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(table.rows) == 5_000
    assert peak < 20 * (1 << 20)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
ids = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.tuples(ids, st.lists(cells, min_size=width, max_size=width)),
        min_size=1,
        max_size=5,
        unique_by=lambda r: r[0],
    )
)


@given(tables, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_the_csv_module_writes_is_read_as_it_was(
    rows: list[tuple[str, list[str]]], quoting: int, line_end: str, packed: bool
) -> None:
    names = [f"c{number}" for number in range(len(rows[0][1]))]
    written = io.StringIO(newline="")
    writer = csv.writer(written, dialect="excel-tab", quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
    writer.writerows([["id", *names], *([submission_id, *values] for submission_id, values in rows)])
    content = written.getvalue().encode()

    found = rows_of(gzip.compress(content) if packed else content)

    assert found == [
        Row(submission_id, line, {name: value for name, value in zip(names, values, strict=True) if value})
        for line, (submission_id, values) in enumerate(rows, start=2)
    ]


@given(st.binary(max_size=60))
def test_no_input_breaks_the_parser(content: bytes) -> None:
    table, errors = read(b"id\tcountry\n" + content)

    assert bool(table.rows) or bool(errors)
