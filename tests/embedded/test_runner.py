"""`make run`: how it starts, how it ends, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import socket
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from celery import Celery

from embedded.place import Place
from embedded.ports import free_port
from embedded.programs import wait_until
from tests import web
from tests.embedded.run import Run, Runs

# A start takes seconds, but on a machine that does other things as well it may take many.
pytestmark = pytest.mark.timeout(300)
FASTQ = b"@read1\nACGTN\n+\nIIII!\n"
TABLE = ("table.tsv", b"id\nsample1\n")
SEQUENCES = ("sequences.fasta", b">sample1\nACGT\n")


def test_ctrl_c_ends_all_of_it_the_next_run_finds_the_same_data_and_ends_when_a_worker_dies(
    place: Place, runs: Runs
) -> None:
    run = runs.ready()
    assert "alice" in run.printed
    assert "satchel-demo" in run.printed
    with alice(place) as client:
        [upload] = client.post("/files/request-upload", params={"groupId": 1}).json()
    assert web.put(upload["url"], content=FASTQ).status_code == 200
    assert run.interrupt() == 0
    run.assert_nothing_left()

    again = runs.ready()
    assert submitted_with(place, upload["fileId"]) == "ACCEPTED"
    assert_ends_with(again, "worker-large", "--queues=satchel-large")


def test_killing_the_runner_leaves_no_process_also_while_a_task_runs(place: Place, runs: Runs) -> None:
    run = runs.ready()
    assert keep_a_worker_busy(place) in run.processes()
    run.process.kill()
    run.process.wait()
    run.assert_nothing_left()


def test_killing_the_process_that_started_the_runner_ends_all_of_it_as_sigterm_does(place: Place, runs: Runs) -> None:
    run = runs.ready(through=("sh", "-c", '"$@" --parent $$ & wait', "make"))
    run.process.kill()  # has the kernel send the runner SIGTERM
    run.process.wait()
    run.assert_nothing_left()
    assert "Ending the object store and the broker" in run.printed
    assert "ended by itself" not in run.printed  # which goes with any exit status but 0
    assert list(Path("/tmp").glob(f"seaweedfs-*-{place.s3_port}.sock")) == []  # noqa: S108


def test_a_store_that_dies_ends_the_run(runs: Runs) -> None:
    assert_ends_with(runs.ready(), "seaweedfs", "-s3.config=")


def test_a_run_listens_on_loopback_alone_and_refuses_a_second_in_its_folder(place: Place, runs: Runs) -> None:
    run = runs.ready()
    # Web, Valkey, and ten of SeaweedFS, the last of which comes late.
    assert wait_until(lambda: len(listening_addresses(run)) == 12, 20), listening_addresses(run)
    assert {address.rpartition(":")[0] for address in listening_addresses(run)} == {"0100007F"}  # 127.0.0.1
    second = Run(replace(place, port=free_port()))
    assert second.process.wait(timeout=30) == 1
    assert f"Satchel runs from {place.var} already (process {run.process.pid})" in second.printed
    assert run.process.poll() is None


@pytest.mark.parametrize(
    ("variable", "field", "offset"),
    [("PORT", "port", 0), ("VALKEY_PORT", "valkey_port", 0), ("S3_PORT", "s3_port", 0), ("S3_PORT", "s3_port", 8)],
)
def test_a_taken_port_is_told_with_the_variable_that_moves_it(
    tmp_path: Path, variable: str, field: str, offset: int
) -> None:
    place = Place.at_free_ports(tmp_path / "var")
    port = getattr(place, field) + offset
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        run = Run(place)
        assert run.process.wait(timeout=30) == 1
    assert f"Port {port} is taken by another program. Set {variable} to move ours" in run.printed
    assert "Starting" not in run.printed


def assert_ends_with(run: Run, name: str, argument: str) -> None:
    """The run ends when its program with that argument dies, and names it."""
    os.kill(run.guarded_process(argument), signal.SIGKILL)
    assert run.process.wait(timeout=30) != 0
    assert f"{name} ended by itself with status 137" in run.printed
    run.assert_nothing_left()


def alice(place: Place) -> httpx.Client:
    """The API as alice."""
    credentials = {"username": "alice", "password": "satchel-demo"}
    answer = web.post(f"{place.base_url}/api/auth/token", json=credentials)
    headers = {"Authorization": f"Bearer {answer.json()['access']}"}
    return web.client(f"{place.base_url}/api", headers=headers)


def submitted_with(place: Place, file_id: str) -> str:
    """Submit one entry with the file as its raw reads; the status that the submission comes to."""
    with alice(place) as client:
        mapping = f'{{"sample1": {{"rawReads": [{{"fileId": "{file_id}", "name": "reads.fastq"}}]}}}}'
        answer = client.post(
            "/ebola-sudan/submit",
            params={"groupId": 1},
            files={"metadataFile": TABLE, "sequenceFile": SEQUENCES},
            data={"fileMapping": mapping},
        )
        assert answer.status_code == 202, answer.text
        address = f"{place.base_url}{answer.headers['Location']}"
        wait_until(lambda: client.get(address).json()["status"] != "VERIFYING", 30)
        return str(client.get(address).json()["status"])


def keep_a_worker_busy(place: Place) -> int:
    """Give the worker a task that takes minutes; the ID of the pool process that is at it."""
    celery = Celery(broker=f"redis://127.0.0.1:{place.valkey_port}/0")
    nobodys = [(str(uuid.uuid4()),) for _ in range(100_000)]
    task = {"task": "files.tasks.verify_file", "args": (), "kwargs": {}}
    celery.send_task("celery.starmap", args=(task, nobodys), queue="satchel")
    busy: list[int] = []

    def found() -> bool:
        answers = celery.control.inspect(timeout=1).active() or {}
        busy.extend(
            each["worker_pid"] for tasks in answers.values() for each in tasks if each["name"] == "celery.starmap"
        )
        return bool(busy)

    assert wait_until(found, 20)
    celery.close()
    return busy[0]


def listening_addresses(run: Run) -> set[str]:
    """Where the run's processes listen for TCP: address and port in hexadecimal, as the kernel shows them."""
    inodes = {inode for pid in run.processes() for inode in sockets_of(pid)}
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return {fields[1] for fields in lines if fields[3] == "0A" and fields[9] in inodes}


def sockets_of(pid: int) -> Iterator[str]:
    """The inodes of the sockets that a process has open."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in between
            link = str(descriptor.readlink())
            if link.startswith("socket:["):
                yield link[len("socket:[") : -1]
