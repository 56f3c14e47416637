"""An upload that was ended, in whatever way, goes on where it was: nothing of it is kept but on the server."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from satchel.api import Api
from satchel.transfer import Recognised, Uploader

from embedded.programs import ROOT, wait_until
from tests.client.conftest import ALICES_GROUP, Events, logged_in, make_files, stored
from tests.link import Link
from tests.linked import Linked

MIB = 1024 * 1024
PARALLEL = 6
SIZES = [40 * MIB, *[200_000] * 20]


def is_verified(api: Api, file_id: str) -> bool:
    """Whether the server has read it."""
    return api.file(file_id)["status"] == "VERIFIED"


def sender(linked: Linked, folder: Path) -> subprocess.Popen[str]:
    """Another process that uploads the folder."""
    where = [linked.product.base_url, linked.product.token(), str(ALICES_GROUP), str(PARALLEL), str(folder)]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT}/client/src", "PATH": ""}
    command = [sys.executable, "-W", "error", "-m", "tests.client.sending", *where]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_after_an_end_at_half_only_what_was_in_flight_is_sent_twice(
    linked: Linked, link: Link, tmp_path: Path, ending: signal.Signals, events: Events
) -> None:
    files = make_files(tmp_path, SIZES)
    total = sum(SIZES)
    link.rates = (3e6, 4e6, 5e6, 6e6)
    process = sender(linked, tmp_path)
    assert wait_until(lambda: link.sent > total / 2 and any(put.part for put in stored(link)), 60)
    process.send_signal(ending)
    start = time.monotonic()
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - start < 5
    assert process.returncode == (130 if ending == signal.SIGINT else -ending), errors
    link.rates = ()
    before = len(link.puts)

    with logged_in(linked.product) as api:
        uploader = Uploader(api, group_id=ALICES_GROUP, parallel=PARALLEL, on_event=events)
        settled = uploader.wait(uploader.upload(files))
    assert [result.problem for result in settled] == [None] * len(files)
    cut = [put for put in link.puts if not put.succeeded]
    assert all(put.succeeded for put in link.puts[before:])
    assert len(cut) <= PARALLEL
    assert link.sent - total == sum(put.received for put in cut)
    assert events.total == total
    assert sum(event.number_bytes for event in events.seen if isinstance(event, Recognised)) > total / 4


def test_two_processes_that_send_the_same_at_once_both_succeed(linked: Linked, link: Link, tmp_path: Path) -> None:
    [large, small] = make_files(tmp_path, [20 * MIB, 500_000])
    link.rates = (6e6,)
    processes = [sender(linked, tmp_path) for _ in range(2)]
    outputs = [process.communicate(timeout=90) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    with logged_in(linked.product) as api:
        for output, _ in outputs:
            ids = output.split()
            for file_id, file in zip(ids, (large, small), strict=True):
                assert wait_until(partial(is_verified, api, file_id), 30)
                assert api.file(file_id)["sha256"] == hashlib.sha256(file.path.read_bytes()).hexdigest()
