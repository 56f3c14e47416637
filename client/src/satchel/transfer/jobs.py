"""What the pieces of a run of uploads share: its files, its terms, and who is told what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from satchel.api import Api
from satchel.errors import Problem
from satchel.patience import Patience
from satchel.transfer.events import Event, LocalFile, Recognised, Retrying, Sent, Started
from satchel.transfer.reading import Snapshot

ATTEMPTS = 30  # about eight minutes: a server or store that is started anew ends no upload


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The run has ended, and whoever still works for it stops."""


@dataclass(eq=False)
class Job:
    """A file on its way.

    `index` is its place among those of the run, `attempt` how often it was begun anew. `is_new`: whatever the server
    has is not to be used. `held` are the file IDs that no other job of the run may send to meanwhile.
    """

    index: int
    file: LocalFile
    attempt: int = 0
    counted: int = 0
    is_new: bool = False
    is_started: bool = False
    held: set[str] = field(default_factory=set)

    @cached_property
    def source(self) -> Snapshot:
        """The file as it was when it was first looked at. Raises `FileProblemError`."""
        return Snapshot.of(self.file)

    @cached_property
    def fingerprint(self) -> str:
        """Raises `FileProblemError`."""
        return self.source.fingerprint()


class Terms:
    """What holds for all files of a run, and what they tell."""

    def __init__(
        self, api: Api, group_id: int, organism: str | None, parallel: int, on_event: Callable[[Event], None]
    ) -> None:
        self.group_id = group_id
        self.organism = organism
        self.parallel = parallel
        self.patience = Patience(ATTEMPTS, self.sleep)
        self.api = api.patient(self.patience, lambda problem, pause: self.tell(Retrying(None, problem, pause)))
        self._on_event = on_event
        self._telling = threading.Lock()
        self._stopped = threading.Event()

    @property
    def is_stopped(self) -> bool:
        """Whether the run has ended."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """The run has ended."""
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run has ended or does so meanwhile: then `Stopped`."""
        if self._stopped.wait(seconds):
            raise Stopped

    def tell(self, event: Event) -> None:
        """Pass on an event; none comes once the run has ended."""
        with self._telling:
            if not self.is_stopped:
                self._on_event(event)

    def start(self, job: Job) -> None:
        """Tell that the job's turn has come, once."""
        with self._telling:
            is_first, job.is_started = not job.is_started, True
        if is_first:
            self.tell(Started(job.file))

    def count(self, job: Job, number_bytes: int) -> None:
        """Tell of bytes sent, or, if negative, of bytes that count no longer."""
        if number_bytes:
            with self._telling:
                job.counted += number_bytes
            self.tell(Sent(job.file, number_bytes))

    def recognise(self, job: Job, number_bytes: int) -> None:
        """Tell of bytes that need no sending."""
        if number_bytes:
            with self._telling:
                job.counted += number_bytes
            self.tell(Recognised(job.file, number_bytes))

    def retrying(self, job: Job) -> Callable[[Problem, float], None]:
        """What tells that something of the job is tried again."""
        return lambda problem, pause: self.tell(Retrying(job.file, problem, pause))
