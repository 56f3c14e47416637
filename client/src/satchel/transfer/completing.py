"""Saying that files were sent, for many in one call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from satchel.api import ApiError, bodies
from satchel.errors import Problem, SatchelError
from satchel.transfer.jobs import Job
from satchel.transfer.puts import UploadGoneError

MOST_A_CALL = 500
# Seconds that the first of a call waits for others: to see what has come, the server lists all of the files that were
# requested together, each time. Completing 1,000 files took it 0.6 s by one call, 2.1 by twenty.
COMPANY = 1.0
LOOK_EVERY = 0.03  # seconds; nobody waits for company where no more is coming

# What has to begin anew, as another file or with what is missing of it.
GONE = frozenset({"upload_expired", "file_not_found", "file_not_uploaded", "part_not_found", "etags_differ"})

Complete = Callable[[Sequence[bodies.Completion]], list[bodies.FileState]]


class Completer:
    """A thread that calls `complete`; `on_done` and `on_error` are told what came of each job.

    `are_all` is asked whether so many jobs are all that are under way.
    """

    def __init__(
        self,
        complete: Complete,
        are_all: Callable[[int], bool],
        on_done: Callable[[Job, str], None],
        on_error: Callable[[Job, BaseException], None],
    ) -> None:
        self._complete = complete
        self._are_all = are_all
        self._on_done = on_done
        self._on_error = on_error
        self._sent: SimpleQueue[tuple[Job, bodies.Completion] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="satchel-completer", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def add(self, job: Job, item: bodies.Completion) -> None:
        """The job's bytes are in the store."""
        self._sent.put((job, item))

    def stop(self) -> None:
        """End the thread after the call that it makes just now, for which nobody waits."""
        self._sent.put(None)

    def _run(self) -> None:
        while batch := self._gathered():
            jobs = [job for job, _ in batch]
            items = [item for _, item in batch]
            for job, outcome in zip(jobs, self._outcomes(items), strict=True):
                if isinstance(outcome, BaseException):
                    self._on_error(job, outcome)
                else:
                    self._on_done(job, outcome)

    def _gathered(self) -> list[tuple[Job, bodies.Completion]]:
        """What has come, at least one; nothing at the end."""
        batch: list[tuple[Job, bodies.Completion]] = []
        deadline = float("inf")
        while len(batch) < MOST_A_CALL and time.monotonic() < deadline:
            try:
                sent = self._sent.get(timeout=LOOK_EVERY if batch else None)
            except Empty:
                if self._are_all(len(batch)):
                    break
                continue
            if sent is None:
                return []
            if not batch:
                deadline = time.monotonic() + COMPANY
            batch.append(sent)
        return batch

    def _outcomes(self, items: Sequence[bodies.Completion]) -> list[str | BaseException]:
        """For each item its file ID, or why it is not complete."""
        try:
            states = {state["fileId"]: state["status"] for state in self._complete(items)}
            refusals: dict[str, Problem] = {}
        except ApiError as error:
            if error.status != 422:
                return [error for _ in items]
            states = {result["fileId"]: result["status"] for result in error.results}
            refusals = {problem.where["fileId"]: problem for problem in error.errors if "fileId" in problem.where}
        except BaseException as error:
            return [error for _ in items]
        return [_outcome(item["fileId"], states, refusals) for item in items]


def _outcome(file_id: str, states: dict[str, bodies.FileStatus], refusals: dict[str, Problem]) -> str | BaseException:
    if problem := refusals.get(file_id):
        return UploadGoneError(problem) if problem.code in GONE else SatchelError(problem)
    if states.get(file_id) in {"REJECTED", "EXPIRED", None}:
        return UploadGoneError(Problem("upload_expired", "The server does not take this upload any more."))
    return file_id
