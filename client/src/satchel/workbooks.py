"""Reads Excel workbooks (.xlsx) as the server does: the first sheet that can be seen, as it would be saved as text.

The client is installed without the server; a test holds what both make of a workbook against each other.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from satchel.unpacking import UNREADABLE, BrokenError
from satchel.words import quoted

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_WORKBOOK = "xl/workbook.xml"
_MOST_CELLS = 4_000_000
"""Rows times columns up to the last cell in use, which is what the server takes, and what calamine holds in memory."""
_PLACE = re.compile(rb"""(?<![\w:])r\s*=\s*["']([A-Z]{0,3})(\d{1,7})["']""")
"""Where a row or a cell stands: `r="7"`, `r="AB7"`."""

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook, of the kind that can be read or of the old one. Raises `OSError`."""
    with path.open("rb") as file:
        head = file.read(len(_OLD))
    if not head.startswith(_ZIP):
        return head == _OLD
    try:
        with zipfile.ZipFile(path) as archive:
            return _WORKBOOK in archive.NameToInfo
    except UNREADABLE:
        return False


def rows_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of each row that is not empty, from 1, and its cells. Raises `BrokenError`."""
    with path.open("rb") as file:
        if file.read(len(_OLD)) == _OLD:
            text = (
                f"{quoted(path.name)} is an Excel workbook of the old kind (.xls), or has a password. Save it as .xlsx."
            )
            raise BrokenError("metadata_invalid", text)
    try:
        _check_extent(path)
        sheet = _first_sheet(path)
    except (CalamineError, *UNREADABLE) as error:
        text = f"{quoted(path.name)} cannot be read as an Excel workbook. Save it anew, or as tab-separated text."
        raise BrokenError("metadata_invalid", text) from error
    if sheet is None:
        raise BrokenError("metadata_invalid", f"{quoted(path.name)} has no sheet with a table.")
    first_row = sheet.start[0] + 1 if sheet.start else 1
    # From the first cell in use, so that a table need not begin in A1.
    for line, row in enumerate(sheet.to_python(skip_empty_area=True), start=first_row):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield line, cells


def _first_sheet(path: Path) -> CalamineSheet | None:
    workbook = CalamineWorkbook.from_path(path)
    for sheet in workbook.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
            return workbook.get_sheet_by_name(sheet.name)
    return None


def _check_extent(path: Path) -> None:
    """Refuse a cell forgotten far behind the table: calamine takes memory up to there, and we end where that ends."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.startswith("xl/worksheets/") or name.endswith("/"):
                continue
            rows, columns = 0, 1
            for place in _PLACE.finditer(archive.read(name)):
                rows, columns = max(rows, int(place[2])), max(columns, _column_number(place[1]))
            if rows * columns > _MOST_CELLS:
                what = (
                    f"A sheet of {quoted(path.name)} has more than {_MOST_CELLS:,} cells up to its last row and column."
                )
                remedy = "Delete the rows and columns behind the table, and save it anew."
                raise BrokenError("metadata_invalid", f"{what} {remedy}")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


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
