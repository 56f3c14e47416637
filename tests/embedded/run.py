"""A run of the embedded stack as `make run` starts it, watched from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from embedded.place import Place
from embedded.programs import ROOT, wait_until
from embedded.stores import http_ok

READY_WITHIN = 60.0  # seconds
GONE_WITHIN = 15.0  # seconds


class Run:
    """The runner started in a place: its process, what it prints, and all the processes that belong to it."""

    def __init__(self, place: Place, *, through: tuple[str, ...] = ()) -> None:
        self.place = place
        self.through = through
        self.output = place.var.with_name(f"output-{place.port}")
        environment = {
            **os.environ,
            "SATCHEL_VAR": str(place.var),
            "PORT": str(place.port),
            "S3_PORT": str(place.s3_port),
            "VALKEY_PORT": str(place.valkey_port),
        }
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*through, sys.executable, "-m", "embedded"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        """All that it has printed so far."""
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        """Wait for the lines that it prints once `/readyz` answers 200."""
        wait_until(lambda: self.process.poll() is not None or "Satchel runs at" in self.printed, READY_WITHIN)
        assert http_ok(f"{self.place.base_url}/readyz"), self.printed

    def interrupt(self) -> int:
        """Ctrl-C, as a terminal does it: SIGINT for the whole foreground group; the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)

    def processes(self) -> dict[int, str]:
        """The command lines of all living processes of the place by process ID; the runner is one of them."""
        mark = f"SATCHEL_VAR={self.place.var}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # ended in between, or another account's
            if mark in environment and command:
                found[int(folder.name)] = command
        return found

    def guarded_process(self, argument: str) -> int:
        """The ID of the one process that runs directly under its guard with that in its command line."""
        found = [
            pid
            for pid, command in self.processes().items()
            if argument in command and "guard.py" not in command and self._is_under_guard(pid)
        ]
        assert len(found) == 1, self.processes()
        return found[0]

    def _is_under_guard(self, pid: int) -> bool:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return b"guard.py" in Path(f"/proc/{parent}/cmdline").read_bytes()

    def assert_nothing_left(self) -> None:
        """No process of the place lives on."""
        assert wait_until(lambda: not self.processes(), GONE_WITHIN), self.processes()


class Runs:
    """The runs of a place, one after another; a test that ends its run leaves the next one to start another."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._last: Run | None = None

    def ready(self, *, through: tuple[str, ...] = ()) -> Run:
        """A run that is ready: the last one if it still runs and was started the same way, else a new one."""
        if self._last is None or self._last.process.poll() is not None or self._last.through != through:
            self.end()
            self._last = Run(self.place, through=through)
            self._last.wait_until_ready()
        return self._last

    def end(self) -> None:
        """Kill whatever is left of the last run."""
        if self._last is not None:
            for pid in self._last.processes():
                with suppress(ProcessLookupError):  # it may end by itself just then, as its neighbours do
                    os.kill(pid, signal.SIGKILL)
            self._last.process.wait()
