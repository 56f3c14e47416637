"""The guard: what it runs never outlives it, its runner, or its grace."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from embedded.programs import ROOT, EmbeddedError, Lifeline, Program, RunningProgram, wait_until

# Starts a child that shrugs off SIGTERM, as a pool process may, says both IDs, and waits.
FAMILY = """
import os, signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", deaf])
signal.signal(signal.SIGTERM, {reaction})
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
HOLDER = """
import sys, time
from pathlib import Path
from embedded.programs import Lifeline
lifeline = Lifeline(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""
OBEDIENT = "lambda *_: sys.exit(7)"
STUBBORN = "signal.SIG_IGN"


@pytest.fixture
def lifeline(tmp_path: Path) -> Iterator[Lifeline]:
    """A lifeline that this process holds."""
    held = Lifeline(tmp_path / "lock")
    yield held
    held.release()


def test_a_program_that_obeys_ends_with_its_status_and_takes_its_children_along(
    tmp_path: Path, lifeline: Lifeline
) -> None:
    running, family = start_family(tmp_path, lifeline, OBEDIENT)
    running.ask_to_stop()
    assert running.wait() == 7
    assert_gone(family)
    assert "ended by itself" not in running.tail()


def test_being_told_to_stop_many_times_at_once_is_no_more_than_being_told(tmp_path: Path, lifeline: Lifeline) -> None:
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        running, family = start_family(folder, lifeline, OBEDIENT)
        for _ in range(300):
            with contextlib.suppress(ProcessLookupError):
                os.kill(running._guard.pid, signal.SIGTERM)
        assert wait_until(partial(getattr, running, "ended"), 10)
        assert_gone(family)


def test_a_program_that_ignores_the_signal_is_killed_after_its_grace(tmp_path: Path, lifeline: Lifeline) -> None:
    running, family = start_family(tmp_path, lifeline, STUBBORN, grace=0.5)
    asked = time.monotonic()
    running.stop()
    assert time.monotonic() - asked >= 0.5
    assert running.wait() == 128 + signal.SIGKILL
    assert_gone(family)


def test_a_program_that_dies_is_named_and_its_children_are_killed(tmp_path: Path, lifeline: Lifeline) -> None:
    running, family = start_family(tmp_path, lifeline, STUBBORN)
    os.kill(family[0], signal.SIGKILL)
    assert running.wait() == 137
    assert "family ended by itself with status 137." in running.tail()
    assert_gone(family)


def test_letting_go_of_the_lifeline_kills_all_at_once(tmp_path: Path, lifeline: Lifeline) -> None:
    running, family = start_family(tmp_path, lifeline, STUBBORN)
    lifeline.release()
    running.wait()
    assert_gone(family)


def test_a_program_started_after_its_runner_has_died_is_killed(tmp_path: Path, lifeline: Lifeline) -> None:
    lifeline.release()
    running = RunningProgram(program(STUBBORN, grace=60), log=tmp_path / "family.log", lifeline=lifeline)
    assert running.wait() == 137


def test_killing_the_guard_kills_the_program(tmp_path: Path, lifeline: Lifeline) -> None:
    running, family = start_family(tmp_path, lifeline, STUBBORN)
    guard = int(Path(f"/proc/{family[0]}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(guard, signal.SIGKILL)
    running.wait()
    assert_gone(family[:1])
    os.kill(family[1], signal.SIGKILL)  # orphaned by this test alone: the guard could no longer see to it


def test_a_lifeline_is_held_by_one_process_and_freed_by_its_death(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    holder = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(EmbeddedError, match=rf"\(process {holder.pid}\)"):
        Lifeline(tmp_path / "lock")
    holder.kill()
    holder.communicate()
    Lifeline(tmp_path / "lock").release()


def program(reaction: str, *, grace: float) -> Program:
    """The family as a program."""
    code = FAMILY.replace("{reaction}", reaction)
    return Program("family", (sys.executable, "-c", code), os.environ, grace=grace)


def start_family(
    tmp_path: Path, lifeline: Lifeline, reaction: str, *, grace: float = 30
) -> tuple[RunningProgram, list[int]]:
    """A running family and the process IDs of parent and child."""
    running = RunningProgram(program(reaction, grace=grace), log=tmp_path / "family.log", lifeline=lifeline)
    assert wait_until(lambda: len(running.tail().split()) == 2, 20), running.tail()
    return running, [int(pid) for pid in running.tail().split()]


def assert_gone(pids: list[int]) -> None:
    """None of the processes lives on; one that is dead and waits to be collected is gone."""
    assert wait_until(lambda: not any(map(lives, pids)), 10), pids


def lives(pid: int) -> bool:
    """Whether there is such a process and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
