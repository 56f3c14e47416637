"""The example in docs/adding-a-format.md, taken out of the page and run as it stands."""

from __future__ import annotations

import re
import struct
import zlib
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path

import pytest

from files.content import CheckOutcome, CheckRun, ContentCheck

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "adding-a-format.md"


@pytest.fixture(scope="module")
def png_check(tmp_path_factory: pytest.TempPathFactory) -> type[ContentCheck]:
    """The check that the page shows."""
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(examples) == 1
    path = tmp_path_factory.mktemp("content") / "png.py"
    path.write_text(examples[0])
    spec = spec_from_file_location("png_of_the_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    check: type[ContentCheck] = module.PngCheck
    return check


def check(png_check: type[ContentCheck], data: bytes, *, step: int) -> CheckOutcome:
    run = CheckRun([png_check], len(data))
    for start, end in pairwise([*range(0, len(data), step), len(data)]):
        run.feed(data[start:end])
    (outcome,) = run.finish()
    return outcome


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


SIGNATURE = b"\x89PNG\r\n\x1a\n"
PICTURE = (
    SIGNATURE
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\x7f"))
    + chunk(b"IEND", b"")
)

FAULTS = {
    "no bytes": (b"", "not_png", 0),
    "JPEG": (b"\xff\xd8\xff\xe0" + PICTURE, "not_png", 0),
    "ends after the signature": (SIGNATURE, "truncated", 8),
    "ends in a chunk": (PICTURE[:30], "truncated", 30),
    "ends without the last chunk": (PICTURE[:-12], "truncated", len(PICTURE) - 12),
    "a byte changed": (PICTURE[:20] + b"\xff" + PICTURE[21:], "crc_mismatch", 8),
    "text behind": (PICTURE + b"\n", "trailing_bytes", len(PICTURE)),
}


@pytest.mark.parametrize("step", [1, 5, 1 << 20])
@pytest.mark.parametrize(("data", "problem", "offset"), FAULTS.values(), ids=FAULTS)
def test_the_example_tells_a_fault_with_its_code_and_offset(
    png_check: type[ContentCheck], data: bytes, problem: str, offset: int, step: int
) -> None:
    outcome = check(png_check, data, step=step)
    assert (outcome.passed, outcome.code, outcome.offset) == (False, f"png_{problem}", offset)
    assert outcome.detail.endswith(".")


@pytest.mark.parametrize("step", [1, 5, 1 << 20])
def test_the_example_passes_a_picture(png_check: type[ContentCheck], step: int) -> None:
    assert check(png_check, PICTURE, step=step) == CheckOutcome("png", 1, passed=True, data={"chunks": 3})


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "images").glob("*.png")), ids=lambda path: path.name)
def test_the_example_passes_the_pictures_of_the_documentation(png_check: type[ContentCheck], path: Path) -> None:
    assert check(png_check, path.read_bytes(), step=1 << 16).passed


def test_the_example_has_a_sentence_for_each_of_its_codes(png_check: type[ContentCheck]) -> None:
    assert {f"png_{problem}" for _, problem, _ in FAULTS.values()} == set(png_check.problems)


def test_the_places_that_the_page_names_exist() -> None:
    named = re.findall(r"`([\w./-]+(?:\.py|\.md|/))`", PAGE.read_text())
    inside = [name for name in named if "/" in name]
    assert inside
    assert [name for name in inside if not (ROOT / name).exists()] == []
    assert [name for name in named if "/" not in name and not (ROOT / "files" / "content" / name).exists()] == []
