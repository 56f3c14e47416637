"""Small files do not wait for large ones: the order of events, in the running product."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from embedded.programs import wait_until
from tests import web
from tests.fixtures import FASTQ, put
from tests.product import Product

pytestmark = pytest.mark.timeout(240)

LARGE = bytes(settings.LARGE_FILE_BYTES)


@pytest.fixture
def alice(product: Product) -> Iterator[httpx.Client]:
    """The API as alice calls it."""
    with web.client(f"{product.base_url}/api") as client:
        credentials = {"username": "alice", "password": "satchel-demo"}
        token = client.post("/auth/token", json=credentials).json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
def busy(product: Product) -> Iterator[Callable[[], None]]:
    """The worker for large files gets no further until what this gives is called, or until the test is over."""
    guard = product.processes["worker-large"]._guard.pid
    group = int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])
    os.killpg(group, signal.SIGSTOP)
    yield lambda: os.killpg(group, signal.SIGCONT)
    os.killpg(group, signal.SIGCONT)


def _uploaded(alice: httpx.Client, *contents: bytes) -> list[str]:
    requested = alice.post("/files/request-upload", params={"groupId": 1, "numberFiles": len(contents)}).json()
    for each, content in zip(requested, contents, strict=True):
        assert put(each["url"], content).status_code == 200
    return [each["fileId"] for each in requested]


def _file(alice: httpx.Client, file_id: str) -> Any:
    return alice.get(f"/files/{file_id}").json()


def test_a_small_file_is_verified_while_large_ones_that_came_before_it_wait(
    alice: httpx.Client, busy: Callable[[], None]
) -> None:
    *large, small = ids = _uploaded(alice, LARGE, LARGE, FASTQ)
    for file_id in ids:
        assert alice.post("/files/complete-upload", json=[{"fileId": file_id}]).status_code == 200
    assert wait_until(lambda: _file(alice, small)["status"] == "VERIFIED", 60)
    assert [_file(alice, file_id)["status"] for file_id in large] == ["UPLOADED", "UPLOADED"]
    busy()
    assert wait_until(lambda: all(_file(alice, file_id)["status"] == "VERIFIED" for file_id in large), 60)
