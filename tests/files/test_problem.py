"""Why a file was refused, in words."""

from __future__ import annotations

import pytest

from files.problem import FileProblem


@pytest.mark.parametrize(
    ("detail", "line", "offset", "place"),
    [
        ("It is cut.", 1200, 3400, "Line 1,200. Byte 3,400."),
        ("It is cut.", None, 0, "Byte 0."),
        ("Line 1, in record 1, is long.", 1, None, ""),
        ("Line 12 is long.", 1, None, "Line 1."),
        ("It ends after 10,501 bytes.", None, 10_501, ""),
        ("It ends after 10,501 bytes.", None, 501, "Byte 501."),
        ("It is empty.", None, None, ""),
    ],
)
def test_the_place_is_told_unless_the_sentence_tells_it(
    detail: str, line: int | None, offset: int | None, place: str
) -> None:
    assert FileProblem("code", detail, line=line, offset=offset).place == place
