"""The client's fingerprint is that of docs/api.md, and so the browser's."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from satchel.fingerprint import fingerprint_of

from embedded.programs import ROOT

MIB = 1024 * 1024
EXAMPLES = {
    "empty": b"",
    "the 12 bytes": b"hello world\n",
    "3 MiB": bytes(number % 251 for number in range(3 * MIB)),
}


@pytest.mark.parametrize("start", EXAMPLES)
def test_the_examples_of_the_documentation_hold(start: str, tmp_path: Path) -> None:
    table = (ROOT / "docs/api.md").read_text()
    [documented] = re.findall(rf"^\| {start}[^|]*\| `([0-9a-f]{{64}})` \|$", table, re.MULTILINE)
    content = EXAMPLES[start]
    (tmp_path / "file").write_bytes(content)
    assert fingerprint_of(tmp_path / "file", len(content)) == documented


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(size=st.one_of(*(st.integers(max(0, at - 2), at + 2) for at in (0, MIB, 2 * MIB, 3 * MIB))), seed=st.integers())
def test_it_is_the_sha256_of_size_first_and_last_mebibyte(tmp_path: Path, size: int, seed: int) -> None:
    content = Random(seed).randbytes(size)
    (tmp_path / "file").write_bytes(content)
    expected = hashlib.sha256(str(size).encode() + content[:MIB] + content[max(0, size - MIB) :]).hexdigest()
    assert fingerprint_of(tmp_path / "file", size) == expected
