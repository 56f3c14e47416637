"""The run: stores first, then web, workers and beat under honcho; all of it ends when one of them does.

honcho shows their output and ends them together; it knows no order, so the stores, which must outlive the
others, are held around it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from types import FrameType

from honcho.manager import Manager
from honcho.printer import Printer

from embedded.guard import PR_SET_PDEATHSIG
from embedded.place import Place
from embedded.programs import ROOT, Lifeline, RunningProgram, wait_until
from embedded.services import prepare, programs
from embedded.stores import http_ok, running_stores

READY_PATIENCE = 90.0  # seconds
ASKED = {128 + signal.SIGINT, 128 + signal.SIGTERM}


def run() -> int:
    """Start everything and stay until a signal or the end of a process; 0 when it was a signal.

    Raises EmbeddedError when a port is taken, another run has the folder, or something does not come up.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    place = Place.from_environment()
    lifeline = Lifeline(place.var / "runner.lock")
    place.refuse_taken_ports()
    place.make_folders()
    say("Starting the object store and the broker …")
    with running_stores(place, lifeline) as stores:
        say("Preparing database, static files and demo …")
        prepare(place)
        say("Starting web, workers and beat …")
        status = supervise(place, lifeline, stores)
        if status:
            say("A process ended by itself, as told above, so everything is ended.")
        say("Ending the object store and the broker …")
    return status


def supervise(place: Place, lifeline: Lifeline, stores: list[RunningProgram]) -> int:
    """Run web, workers and beat until we are told to stop, which is 0, or one of them or a store ends, 1."""
    manager = Manager(Printer(sys.stdout))
    for program in programs(place):
        manager.add_process(program.name, program.guarded_line(lifeline), env=dict(program.environment), cwd=str(ROOT))
    for store in stores:
        threading.Thread(target=_end_with_store, args=(store,), daemon=True).start()
    threading.Thread(target=_announce, args=(place,), daemon=True).start()
    manager.loop()
    store_ended = any(store.ended for store in stores)
    return 1 if store_ended or manager.returncode not in ASKED else 0


def end_with(parent: int) -> None:
    """Have the kernel send us SIGTERM when our parent ends, also by `kill -9`; without effect off Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("The process that started this run is gone.")


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, flush=True)


def _leave(signal_number: int, _frame: FrameType | None) -> None:
    """Before honcho takes the signals over: unwind, which ends the stores."""
    sys.exit(128 + signal_number)


def _end_with_store(store: RunningProgram) -> None:
    """A store that ends by itself takes everything with it."""
    status = store.wait()
    if store.told_to_stop:
        return
    say(f"{store.program.name} ended by itself with status {status}. Its log: {store.log}")
    os.kill(os.getpid(), signal.SIGTERM)


def _announce(place: Place) -> None:
    if not wait_until(lambda: http_ok(f"{place.base_url}/readyz"), READY_PATIENCE):
        say(f"Satchel is not ready after {READY_PATIENCE:.0f} s; {place.base_url}/readyz says why.")
        return
    say(
        f"\nSatchel runs at {place.origins[0]}\n"
        "Log in as alice (group Demo Lab), bob (Other Lab) or admin; the password is satchel-demo.\n"
        f"Its data and logs are in {place.var}. Ctrl-C ends it.\n"
    )
