"""The whole product as real processes, with stores and a database of its own, for the end-to-end tests."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from embedded.place import Place
from embedded.programs import Lifeline, Program, RunningProgram
from embedded.services import prepare, programs
from embedded.stores import http_ok, running_stores
from tests import static_files, web
from tests.postgres import execute
from tests.servers import SEAWEEDFS_FLAGS

# Short enough that a test sees a lease run out and the sweeper come; long enough for a busy machine.
SETTINGS = {
    "VERIFICATION_LEASE_SECONDS": "8",
    "VERIFICATION_HEARTBEAT_SECONDS": "1",
    "SWEEP_EVERY_SECONDS": "3",
}
READY_WITHIN = 60.0  # seconds
PASSWORD = "satchel-demo"


@dataclass(frozen=True)
class Product:
    """A running Satchel with its demo loaded.

    `processes` has web, worker, worker-large, beat, valkey and seaweedfs by name; `environment` is that of its
    programs, for `manage.py` and the like; users and passwords are the demo's.
    """

    place: Place
    processes: MutableMapping[str, RunningProgram]
    lifeline: Lifeline

    @property
    def base_url(self) -> str:
        """Its address, without a slash at the end."""
        return self.place.base_url

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its programs."""
        return self.place.environment()

    @property
    def logs(self) -> dict[str, Path]:
        """The log file of each process."""
        return {name: process.log for name, process in self.processes.items()}

    def token(self, username: str = "alice") -> str:
        """A token of one of the demo's people, for an hour."""
        credentials = {"username": username, "password": PASSWORD}
        answer = web.post(f"{self.base_url}/api/auth/token", json=credentials).raise_for_status()
        return str(answer.json()["access"])

    @contextmanager
    def api(self, username: str = "alice", *, timeout: float = web.PATIENCE) -> Iterator[httpx.Client]:
        """Its API as one of the demo's people calls it; `timeout` in seconds."""
        headers = {"Authorization": f"Bearer {self.token(username)}"}
        with web.client(f"{self.base_url}/api", headers=headers, timeout=timeout) as client:
            yield client

    def pids(self, name: str) -> list[int]:
        """The process IDs of one of its programs and of all that it has started, its guard apart."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        guard = self.processes[name]._guard.pid
        family = {guard}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return sorted(family - {guard})

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """One of its processes is ended, as by an administrator, and started again afterwards."""
        self.processes[name].stop()
        try:
            yield
        finally:
            self.start_again(name)

    def start_again(self, name: str) -> None:
        """Start one of its processes that has ended."""
        self.processes[name] = start(self.processes[name].program, self.place, self.lifeline)

    def tails(self, lines: int = 40) -> str:
        """The end of what web, workers and beat have logged."""
        named = [(name, self.processes[name].tail(lines)) for name in ("web", "worker", "worker-large", "beat")]
        return "\n".join(f"--- {name}\n{text}" for name, text in named if text)


def memory(pid: int, field: str) -> int:
    """Bytes that a process takes, by a field of its status (proc(5)): `VmRSS` now, `VmHWM` at most so far."""
    status = (Path("/proc") / str(pid) / "status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def forget_peak(pid: int) -> None:
    """Let the `VmHWM` of a process begin anew."""
    (Path("/proc") / str(pid) / "clear_refs").write_text("5")


@contextmanager
def running_product(
    folder: Path,
    *,
    database_url: str,
    settings: Mapping[str, str] | None = None,
    seaweedfs_flags: Sequence[str] = (),
) -> Iterator[Product]:
    """Start a product in `folder` and wait until it is ready; end it at the end.

    `database_url` is that of the session: on PostgreSQL a fresh database is made beside it; on SQLite it gets a file
    of its own. Of two SeaweedFS flags of one name the later counts.
    """
    with ExitStack() as stack:
        database = stack.enter_context(_own_database(database_url))
        place = Place.at_free_ports(folder / "var", database_url=database, settings={**SETTINGS, **(settings or {})})
        place.make_folders()
        lifeline = Lifeline(folder / "product.lock")
        flags = (*SEAWEEDFS_FLAGS, *seaweedfs_flags)
        stores = stack.enter_context(running_stores(place, lifeline, flags=flags))
        processes = {store.program.name: store for store in stores}
        stack.callback(_stop_all, processes)
        stack.callback(lifeline.release)  # kills all of them: nobody needs what they would save at the end
        static_files.lend(place)
        prepare(place)
        static_files.keep(place)
        for program in programs(place):
            processes[program.name] = start(program, place, lifeline)
        _wait_until_ready(place, processes["web"])
        yield Product(place, processes, lifeline)


def start(program: Program, place: Place, lifeline: Lifeline) -> RunningProgram:
    """One of the product's processes, its output in the place's logs."""
    return RunningProgram(program, log=place.logs / f"{program.name}.log", lifeline=lifeline)


def _stop_all(processes: Mapping[str, RunningProgram]) -> None:
    """Also those that were started again."""
    for process in processes.values():
        process.stop()


def _wait_until_ready(place: Place, web_process: RunningProgram) -> None:
    web_process.wait_until_ready(lambda: http_ok(f"{place.base_url}/readyz"), seconds=READY_WITHIN)


@contextmanager
def _own_database(session_url: str) -> Iterator[str]:
    """A database under a name of its own: two products of a session must not share, or drop, each other's data."""
    parts = urlsplit(session_url)
    if parts.scheme == "sqlite":
        yield ""
        return
    name = f"{parts.path.lstrip('/')}_product_{secrets.token_hex(4)}"
    execute(session_url, f'CREATE DATABASE "{name}"', database="postgres")
    yield parts._replace(path=f"/{name}").geturl()
    execute(session_url, f'DROP DATABASE "{name}" WITH (FORCE)', database="postgres")
