"""Runs one program, and ends it and all that it started when it stops or when the runner is gone.

    python -I -S guard.py NAME LOCK GRACE STOP_SIGNAL USER -- COMMAND...

Started as a file of its own, with the standard library alone: it is up in some 20 ms.

- The runner holds an exclusive POSIX lock on the file LOCK for as long as it lives. The guard waits for that
  lock: when it gets it, the runner is dead, however it died (`kill -9` included), and the program's group is
  killed. The runner's end cannot be missed, whenever it comes, nor a process ID be mistaken for another's.
- SIGTERM or SIGINT sends STOP_SIGNAL to the program, and GRACE seconds later SIGKILL to its group.
- When the program ends, what it left in its group (pool processes of Celery, workers of gunicorn) is killed.
- On Linux the program is killed with the guard too (PR_SET_PDEATHSIG).

USER is the account to run as, or empty for the present one. Exits with the program's status, 128 + N for
signal N.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1


class Asked:
    """Whether the program was told to stop.

    No `threading.Event`: its lock is not taken twice, and a second signal in the middle of the first's handler
    would wait for itself.
    """

    to_stop = False


def main(arguments: list[str]) -> int:
    """Run the program to its end; see the module's text for the arguments."""
    name, lock, grace, stop_signal, user = arguments[:5]
    command = arguments[6:]
    asked = Asked()
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGALRM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until the program is there to be told
    program = start(command, user)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        asked.to_stop = True
        program.send_signal(int(stop_signal))
        signal.setitimer(signal.ITIMER_REAL, float(grace))

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGALRM, lambda _signal, _frame: kill_group(program.pid))
    threading.Thread(target=kill_when_alone, args=(lock, program.pid, asked), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

    status = program.wait()
    signal.setitimer(signal.ITIMER_REAL, 0)
    kill_group(program.pid)
    status = status if status >= 0 else 128 - status
    if not asked.to_stop:
        print(f"{name} ended by itself with status {status}.", flush=True)
    return status


def start(command: list[str], user: str) -> subprocess.Popen[bytes]:
    """The program in a session of its own, so that a Ctrl-C at the terminal reaches the runner alone."""
    guard = os.getpid()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:  # the guard died before the call above
                os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=prepare,  # noqa: PLW1509 - no thread runs yet
        user=user or None,
        group=user_group(user),
        extra_groups=[] if user else None,
    )


def user_group(user: str) -> int | None:
    """The main group of the account, or None for no change."""
    if not user:
        return None
    import pwd  # noqa: PLC0415 - needed for PostgreSQL in the tests only

    return pwd.getpwnam(user).pw_gid


def kill_when_alone(lock: str, group: int, asked: Asked) -> None:
    """Wait, without end, for the lock that the runner holds while it lives; then kill the group."""
    with Path(lock).open("rb") as file:
        fcntl.lockf(file, fcntl.LOCK_SH)
        asked.to_stop = True
        kill_group(group)


def kill_group(group: int) -> None:
    """SIGKILL for all processes of the group; fine when none is left."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
