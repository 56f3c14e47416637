"""What dies comes back: worker and broker, killed under the running product."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.programs import RunningProgram, wait_until
from tests import web
from tests.fixtures import FASTQ, mapping_of, put
from tests.product import Product

pytestmark = pytest.mark.timeout(240)

LARGE = bytes(range(256)) * (1 << 20)  # 256 MiB: seconds of reading


@pytest.fixture
def bob(fragile: Product) -> Iterator[httpx.Client]:
    """The API as bob calls it, whom no other test of this product touches."""
    with web.client(f"{fragile.base_url}/api") as client:
        credentials = {"username": "bob", "password": "satchel-demo"}
        token = client.post("/auth/token", json=credentials).json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def _upload(bob: httpx.Client, content: bytes) -> str:
    [requested] = bob.post("/files/request-upload", params={"groupId": 2}).json()
    assert put(requested["url"], content).status_code == 200
    return str(requested["fileId"])


def _status(bob: httpx.Client, file_id: str) -> Any:
    return bob.get(f"/files/{file_id}").json()["status"]


def _submit(bob: httpx.Client, file_id: str) -> httpx.Response:
    return bob.post(
        "/ebola-sudan/submit",
        params={"groupId": 2},
        data={"fileMapping": json.dumps(mapping_of("s", "supplementary", (file_id, "a.bin")))},
        files={"metadataFile": ("m.tsv", b"id\ns\n"), "sequenceFile": ("s.fasta", b">s\nACGT\n")},
    )


def _kill(program: RunningProgram) -> None:
    """`kill -9` for the program and all that it started, its guard apart."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    doomed: set[int] = set()
    found = {program._guard.pid}
    while found:
        doomed |= found
        found = {pid for pid, parent in parents.items() if parent in doomed} - doomed
    for pid in doomed - {program._guard.pid}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    program.wait()


def test_a_file_whose_worker_is_killed_while_reading_is_verified_by_the_next(
    fragile: Product, bob: httpx.Client
) -> None:
    file_id = _upload(bob, LARGE)
    bob.post("/files/complete-upload", json=[{"fileId": file_id}])
    assert wait_until(lambda: _status(bob, file_id) == "VERIFYING", 20)
    _kill(fragile.processes["worker-large"])
    assert _status(bob, file_id) == "VERIFYING"
    fragile.start_again("worker-large")
    assert wait_until(lambda: _status(bob, file_id) == "VERIFIED", 60)
    assert bob.get(f"/files/{file_id}").json()["sha256"] == hashlib.sha256(LARGE).hexdigest()


def test_a_submission_made_while_the_broker_is_down_is_accepted_once_it_is_back(
    fragile: Product, bob: httpx.Client
) -> None:
    file_id = _upload(bob, FASTQ)
    _kill(fragile.processes["valkey"])
    answer = _submit(bob, file_id)
    assert answer.status_code == 202, answer.text
    assert web.get(f"{fragile.base_url}/readyz").status_code == 503
    credentials = {"username": "bob", "password": "satchel-demo"}
    log_in = bob.post("/auth/token", json=credentials)
    assert (log_in.status_code, log_in.json()["code"]) == (503, "log_in_unavailable")
    fragile.start_again("valkey")
    location = answer.headers["Location"].removeprefix("/api")
    assert wait_until(lambda: bob.get(location).json()["status"] == "ACCEPTED", 60)
