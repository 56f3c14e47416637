"""Reads the table of an Excel workbook, in a process of its own: `spreadsheets.py` runs this file.

calamine holds a sheet as a rectangle up to its last cell, which a workbook of one kilobyte can put so far away that
no machine has the memory. Where memory ends, Rust ends the process, and nothing can catch that: so it is not that of
the web server. The workbook comes in through the standard input; its rows go out as JSON, `[line, text]`, a line each.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from typing import IO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

UNREADABLE, NO_TABLE, TOO_MUCH, TOO_FAR = 3, 4, 5, 6
"""How the process ends where the workbook is broken, shows no sheet, has more text or more cells than it may have."""
MAX_CELLS = 4_000_000
"""Rows times columns up to the last cell in use; calamine holds them all, the empty ones too. `tables.py` takes no more
of a text, though there only what the lines have counts: 100,000 rows of 40 columns."""
PLACE = re.compile(rb"""(?<![\w:])r\s*=\s*["']([A-Z]{0,3})(\d{1,7})["']""")
"""Where a row or a cell stands: `r="7"`, `r="AB7"`."""
LONGEST_PLACE = 32
CHUNK_BYTES = 1 << 20
MEMORY_BYTES = 2 << 30
CPU_SECONDS = 60

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def main(limit: int) -> None:
    """Write the rows of the first visible sheet that are not empty; at most `limit` bytes of text."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    data = sys.stdin.buffer.read()
    if any(rows * columns > MAX_CELLS for rows, columns in _extents(data)):
        sys.exit(TOO_FAR)
    try:
        sheet = _first_sheet(data)
    except CalamineError:
        sys.exit(UNREADABLE)
    if sheet is None:
        sys.exit(NO_TABLE)
    written = 0
    for line, text in _lines(sheet):
        written += len(text.encode())
        if written > limit:
            sys.exit(TOO_MUCH)
        sys.stdout.write(json.dumps([line, text]) + "\n")


def _extents(data: bytes) -> Iterator[tuple[int, int]]:
    """The last row and the last column that the XML of each sheet names.

    It is there to tell in words of a cell forgotten at the end of a sheet. Who hides one from this ends the process.
    """
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                with archive.open(name) as sheet:
                    yield _extent(sheet)


def _extent(sheet: IO[bytes]) -> tuple[int, int]:
    rows, columns, rest = 0, 1, b""
    while chunk := sheet.read(CHUNK_BYTES):
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


def _first_sheet(data: bytes) -> CalamineSheet | None:
    workbook = CalamineWorkbook.from_filelike(BytesIO(data))
    for sheet in workbook.sheets_metadata:
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible:
            return workbook.get_sheet_by_name(sheet.name)
    return None


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


if __name__ == "__main__":
    main(int(sys.argv[1]))
