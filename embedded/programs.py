"""Programs that must not outlive the process that started them (`guard.py` sees to that)."""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
GUARD = Path(__file__).with_name("guard.py")
LOCK_PATIENCE = 5.0  # seconds; guards of a runner that was killed are gone well before


class EmbeddedError(Exception):
    """The stack cannot run; the text is a sentence for the person who started it."""


@dataclass(frozen=True)
class Program:
    """What to run: `name` is for messages and logs; SIGKILL follows `grace` seconds after the wish to stop."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)  # holds secrets
    grace: float = 4.0
    stop_signal: signal.Signals = signal.SIGTERM
    user: str = ""

    def guarded(self, lifeline: Lifeline) -> list[str]:
        """The command that runs the program under its guard."""
        guard = [sys.executable, "-I", "-S", str(GUARD)]
        settings = [self.name, str(lifeline.path), str(self.grace), str(int(self.stop_signal)), self.user]
        return [*guard, *settings, "--", *self.command]

    def guarded_line(self, lifeline: Lifeline) -> str:
        """The same as a line for the shell, which replaces itself with it."""
        return "exec " + shlex.join(self.guarded(lifeline))


class Lifeline:
    """A POSIX lock on a file, held while this process lives: what the guards wait for.

    It also keeps two runs out of one folder. A POSIX lock is not inherited by forked processes, and goes with
    the process that holds it.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock; raises EmbeddedError when another living process has it."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a+")
        if not wait_until(self._locked, LOCK_PATIENCE):
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise EmbeddedError(
                f"Satchel runs from {path.parent} already (process {owner}); end that, or set SATCHEL_VAR."
            )
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def _locked(self) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX allows either for "held by another"
            return False
        return True

    def release(self) -> None:
        """Let go; every program still guarded by it is killed."""
        self._file.close()


class RunningProgram:
    """A program under its guard, its output in a log file."""

    def __init__(self, program: Program, *, log: Path, lifeline: Lifeline) -> None:
        self.program = program
        self.log = log
        self.told_to_stop = False
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                program.guarded(lifeline),
                cwd=ROOT,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Whether the program and its guard are gone."""
        return self._guard.poll() is not None

    def wait(self) -> int:
        """Wait for its end, however long; the exit status."""
        return self._guard.wait()

    def ask_to_stop(self) -> None:
        """Begin to end it, without waiting; again, or after its end, it changes nothing."""
        self.told_to_stop = True
        if not self.ended:
            self._guard.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it and wait until it is gone, at most its grace and a moment."""
        self.ask_to_stop()
        self._guard.wait()

    def wait_until_ready(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready()`; raises EmbeddedError when the program ends before, or time runs out."""
        wait_until(lambda: self.ended or ready(), seconds)
        if self.ended or not ready():
            reason = "ended at once" if self.ended else f"was not ready after {seconds:.0f} s"
            raise EmbeddedError(f"{self.program.name} {reason}. Its log, {self.log}, ends with:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll `condition` until it is true, for at most so many seconds; whether it became true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
