"""Satchel's own processes as `make run` and the tests start them: web, two workers and beat."""

from __future__ import annotations

import subprocess
import sys

from embedded.place import Place
from embedded.programs import ROOT, EmbeddedError, Program

# On a developer's machine or in a container it may well be root; Celery's warning of that is ten lines long.
NO_ROOT_WARNING = ("-W", "ignore:You're running the worker with superuser")
CELERY = (sys.executable, *NO_ROOT_WARNING, "-m", "celery", "--app=config.celery:app", "--quiet")


def web(place: Place) -> Program:
    """The web server, on the place's port."""
    command = (
        sys.executable,
        "-m",
        "gunicorn",
        "config.wsgi:application",
        "--bind",
        f"127.0.0.1:{place.port}",
    )
    options = (
        "--worker-class=gthread",
        "--workers=2",
        "--threads=8",
        "--preload",
        "--graceful-timeout=2",
        "--keep-alive=75",
        "--limit-request-line=8190",  # a hundred fingerprints stand in an address
        "--no-control-socket",
    )
    return Program("web", (*command, *options, "--log-level=warning"), place.environment())


def worker(place: Place) -> Program:
    """The worker for all but large files; what takes longer than its grace is cut off and recovered by the sweeper."""
    return _worker(place, "worker", "--queues=satchel,satchel-sweeps", "--concurrency=2")


def large_worker(place: Place) -> Program:
    """The worker for large files, one at a time: they keep no small one waiting."""
    return _worker(place, "worker-large", "--queues=satchel-large", "--concurrency=1")


def _worker(place: Place, name: str, *options: str) -> Program:
    common = ("--pool=prefork", "--without-gossip", "--without-mingle", "--loglevel=WARNING", f"--hostname={name}@%h")
    return Program(name, (*CELERY, "worker", *options, *common), place.environment())


def programs(place: Place) -> list[Program]:
    """All of them; they may be started in any order and at once."""
    return [web(place), beat(place), worker(place), large_worker(place)]


def beat(place: Place) -> Program:
    """Celery's clock, which calls the sweeper; where it keeps its time is a setting."""
    return Program("beat", (*CELERY, "beat", "--pidfile=", "--loglevel=WARNING"), place.environment())


def prepare(place: Place) -> None:
    """Run `embedded.prepare` in the place; raises EmbeddedError with its output."""
    done = subprocess.run(
        [sys.executable, "-m", "embedded.prepare"],
        cwd=ROOT,
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EmbeddedError(f"Preparing database, static files and demo failed:\n{done.stdout}{done.stderr}")
