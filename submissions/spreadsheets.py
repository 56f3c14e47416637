"""Reads metadata tables that are Excel workbooks (.xlsx: ECMA-376, Office Open XML) as lines of tab-separated text.

The first sheet that can be seen is the table. It is handed on as the tab-separated lines that it would be saved
as, so that one parser judges all tables; a line has the number of its row in the sheet. What the cells become:
- dates are written as ISO 8601 has them, with a time only where the cell has one;
- numbers as Excel shows them, in 15 digits at most, without `.0` behind whole ones;
- true and false as `TRUE` and `FALSE`;
- of a formula, its result as it was saved.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO, StringIO
from typing import BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from common.errors import Location
from submissions.errors import CompressionInvalidError, MetadataInvalidError

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORKBOOK = "xl/workbook.xml"
MAX_CELLS = 4_000_000
"""Rows times columns up to the last cell in use; calamine holds them all, the empty ones too."""
PLACE = re.compile(rb"""(?<![\w:])r\s*=\s*["']([A-Z]{0,3})(\d{1,7})["']""")
"""Where a row or a cell stands: `r="7"`, `r="AB7"`."""
LONGEST_PLACE = 32
CHUNK_BYTES = 1 << 20

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def is_workbook(stream: BinaryIO) -> bool:
    """Whether the stream, which can seek, holds an Excel workbook; it is put back to where it was."""
    start = stream.tell()
    try:
        head = stream.read(len(OLE_MAGIC))
        if head == OLE_MAGIC:
            return True
        if not head.startswith(ZIP_MAGIC):
            return False
        stream.seek(start)
        with zipfile.ZipFile(stream) as archive:
            return WORKBOOK in archive.NameToInfo
    except zipfile.BadZipFile:
        return False
    finally:
        stream.seek(start)


def lines_of_workbook(stream: BinaryIO, *, limit: int, field: str) -> Iterator[tuple[int, str]]:
    """The rows of the first visible sheet that are not empty, each with its number in the sheet.

    `limit` bounds the bytes of the workbook packed and unpacked, `field` is the form part that errors name. Raises
    `MetadataInvalidError` for a workbook that cannot be read, `CompressionInvalidError` for one that unpacks to too
    much. The workbook is held in memory while it is read.
    """
    data = stream.read(limit + 1)
    where = Location(field=field)
    if data.startswith(OLE_MAGIC):
        raise MetadataInvalidError(
            "This is an Excel workbook of the old kind (.xls), or one with a password. "
            "Save it as .xlsx without a password, or as tab-separated text.",
            where,
        )
    try:
        _check_sizes(data, limit, where)
        sheet = _first_sheet(data, where)
        yield from _lines(sheet)
    except (CalamineError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        text = "The Excel workbook cannot be read. Save it anew, or save the table as tab-separated text."
        raise MetadataInvalidError(text, where) from error


# --- what may be opened ----------------------------------------------------------------------------


def _check_sizes(data: bytes, limit: int, where: Location) -> None:
    """Refuse what would fill the memory: by the declared sizes, which are then held against what is there."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = archive.infolist()
        if len(data) > limit or sum(member.file_size for member in members) > limit:
            text = f"The Excel workbook holds more than {limit:,} bytes. Submit it in several pieces."
            raise CompressionInvalidError(text, where)
        for member in members:
            is_sheet = member.filename.startswith("xl/worksheets/")
            with archive.open(member) as file:
                # Read to its end: zipfile refuses a member that is longer than it declares, or damaged.
                rows, columns = _extent(lambda file=file: file.read(CHUNK_BYTES))  # type: ignore[misc]
            if is_sheet and rows * columns > MAX_CELLS:
                text = (
                    f"A sheet of the Excel workbook has {rows:,} rows and {columns:,} columns. "
                    "Delete the rows and columns behind the table, and save it anew."
                )
                raise MetadataInvalidError(text, where)


def _extent(read: Callable[[], bytes]) -> tuple[int, int]:
    """The last row and the last column that the XML of a sheet names."""
    rows, columns, rest = 0, 1, b""
    while chunk := read():
        text = rest + chunk
        for place in PLACE.finditer(text):
            rows = max(rows, int(place[2]))
            columns = max(columns, _column_number(place[1]))
        rest = text[-LONGEST_PLACE:]
    return rows, columns


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _first_sheet(data: bytes, where: Location) -> CalamineSheet:
    workbook = CalamineWorkbook.from_filelike(BytesIO(data))
    for sheet in workbook.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
            return workbook.get_sheet_by_name(sheet.name)
    raise MetadataInvalidError("The Excel workbook has no sheet with a table.", where)


# --- cells as text ---------------------------------------------------------------------------------


def _lines(sheet: CalamineSheet) -> Iterator[tuple[int, str]]:
    first_row = sheet.start[0] + 1 if sheet.start else 1
    # From the first cell in use, so that a table need not begin in A1.
    for line, row in enumerate(sheet.to_python(skip_empty_area=True), start=first_row):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield line, _joined(cells)


def _joined(cells: Iterable[str]) -> str:
    text = StringIO()
    csv.writer(text, dialect="excel-tab", lineterminator="\n").writerow(cells)
    return text.getvalue().removesuffix("\n")


def _text(cell: Cell) -> str:
    match cell:
        case bool():
            return str(cell).upper()
        case float():
            return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.15g}"
        case dt.datetime():
            return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat()
        case dt.date() | dt.time():
            return cell.isoformat()
        case _:
            return str(cell)
