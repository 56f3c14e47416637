"""What dies comes back: worker and broker, killed under the running product."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.programs import Lifeline, Program, RunningProgram, wait_until
from embedded.services import large_worker
from embedded.stores import valkey
from tests.fixtures import FASTQ, mapping_of, put
from tests.product import Product, running_product, start

pytestmark = pytest.mark.timeout(240)

LARGE = bytes(range(256)) * (1 << 20)  # 256 MiB: seconds of reading


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that may be broken, apart from the one that other tests share."""
    with running_product(tmp_path_factory.mktemp("fragile"), database_url=os.environ["DATABASE_URL"]) as running:
        yield running


@pytest.fixture
def alice(fragile: Product) -> Iterator[httpx.Client]:
    """The API as alice calls it."""
    with httpx.Client(base_url=f"{fragile.base_url}/api", timeout=60) as client:
        credentials = {"username": "alice", "password": "satchel-demo"}
        token = client.post("/auth/token", json=credentials).json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture(scope="module")
def again(fragile: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Program], None]]:
    """Starts a program of the product again; it then lives as long as the product."""
    lifeline = Lifeline(tmp_path_factory.mktemp("again") / "lock")
    started: list[RunningProgram] = []
    yield lambda program: started.append(start(program, fragile.place, lifeline))
    for program in started:
        program.stop()
    lifeline.release()


def _upload(alice: httpx.Client, content: bytes) -> str:
    [requested] = alice.post("/files/request-upload", params={"groupId": 1}).json()
    assert put(requested["url"], content).status_code == 200
    return str(requested["fileId"])


def _status(alice: httpx.Client, file_id: str) -> Any:
    return alice.get(f"/files/{file_id}").json()["status"]


def _submit(alice: httpx.Client, file_id: str) -> httpx.Response:
    return alice.post(
        "/ebola-sudan/submit",
        params={"groupId": 1},
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
    fragile: Product, alice: httpx.Client, again: Callable[[Program], None]
) -> None:
    file_id = _upload(alice, LARGE)
    alice.post("/files/complete-upload", json=[{"fileId": file_id}])
    assert wait_until(lambda: _status(alice, file_id) == "VERIFYING", 20)
    _kill(fragile.processes["worker-large"])
    assert _status(alice, file_id) == "VERIFYING"
    again(large_worker(fragile.place))
    assert wait_until(lambda: _status(alice, file_id) == "VERIFIED", 60)
    assert alice.get(f"/files/{file_id}").json()["sha256"] == hashlib.sha256(LARGE).hexdigest()


def test_a_submission_made_while_the_broker_is_down_is_accepted_once_it_is_back(
    fragile: Product, alice: httpx.Client, again: Callable[[Program], None]
) -> None:
    file_id = _upload(alice, FASTQ)
    _kill(fragile.processes["valkey"])
    answer = _submit(alice, file_id)
    assert answer.status_code == 202, answer.text
    assert httpx.get(f"{fragile.base_url}/readyz").status_code == 503
    credentials = {"username": "alice", "password": "satchel-demo"}
    log_in = alice.post("/auth/token", json=credentials)
    assert (log_in.status_code, log_in.json()["code"]) == (503, "log_in_unavailable")
    again(valkey(fragile.place))
    location = answer.headers["Location"].removeprefix("/api")
    assert wait_until(lambda: alice.get(location).json()["status"] == "ACCEPTED", 60)
