"""Excel workbooks written by hand, so that a test can put into them what no spreadsheet program would."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from xml.sax.saxutils import escape

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

DATE, DATE_TIME = 1, 2
"""Styles of cells."""


def workbook(*sheets: str, hidden: Sequence[int] = (), more: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """An .xlsx with these sheets, each given as the XML of its rows; those at `hidden` cannot be seen.

    `more` are members beyond those that are made here, by their names.
    """
    states = ['state="hidden"' if at in hidden else "" for at in range(len(sheets))]
    listed = "".join(
        f'<sheet name="Sheet{n}" sheetId="{n}" {state} r:id="r{n}"/>' for n, state in enumerate(states, start=1)
    )
    related = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    members = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": (
            f'<Relationships xmlns="{PACKAGE}/relationships">'
            f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        "xl/styles.xml": (
            f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/></cellXfs>'
            "</styleSheet>"
        ),
    }
    for number, rows in enumerate(sheets, start=1):
        sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        members[f"xl/worksheets/sheet{number}.xml"] = sheet
    members |= more
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return packed.getvalue()


def row(number: int, *cells: str | float | bool | tuple[float, int]) -> str:
    """A row of a sheet; a pair is a number and the style that it is shown in."""
    return f'<row r="{number}">{"".join(_cell(f"{chr(65 + at)}{number}", cell) for at, cell in enumerate(cells))}</row>'


def _cell(place: str, cell: str | float | bool | tuple[float, int]) -> str:
    match cell:
        case bool():
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        case str():
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
        case (value, style):
            return f'<c r="{place}" s="{style}"><v>{value}</v></c>'
        case _:
            return f'<c r="{place}"><v>{cell}</v></c>'
