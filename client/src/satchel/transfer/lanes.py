"""The threads that send, each over a connection of its own, and what they have to do, in the order of the files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count
from queue import PriorityQueue

import httpx

from satchel.transfer.connections import Connection
from satchel.transfer.jobs import Job

Work = Callable[[Connection], None]
"""What a lane does for a job, over its connection to the object store."""

ENDING = 2.0  # seconds that the lanes are given to stop


class Lanes:
    """As many threads as PUTs may go at once; `on_error` is told what a job's work raised."""

    def __init__(self, number: int, on_error: Callable[[Job, BaseException], None]) -> None:
        tls = httpx.create_ssl_context()
        self._on_error = on_error
        self._tasks: PriorityQueue[tuple[int, int, int, Job | None, Work | None]] = PriorityQueue()
        self._serial = count()
        self._connections = [Connection(tls) for _ in range(number)]
        self._threads = [
            threading.Thread(target=self._run, args=(connection,), name="satchel-lane", daemon=True)
            for connection in self._connections
        ]

    @property
    def waiting(self) -> int:
        """How many pieces of work nobody has begun."""
        return self._tasks.qsize()

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def add(self, job: Job, number: int, work: Work) -> None:
        """Have it done once a lane is free: earlier files first, and of a file lower numbers first."""
        self._tasks.put((job.index, number, next(self._serial), job, work))

    def stop(self) -> None:
        """Cut off what is going on and end the threads, shortly; may be called at any time, once."""
        for _ in self._threads:
            self._tasks.put((-1, 0, next(self._serial), None, None))
        deadline = time.monotonic() + ENDING
        for thread, connection in zip(self._threads, self._connections, strict=True):
            connection.abort()
            if thread.ident:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, connection: Connection) -> None:
        while True:
            _, _, _, job, work = self._tasks.get()
            if job is None or work is None:
                connection.close()
                return
            try:
                work(connection)
            except BaseException as error:
                self._on_error(job, error)
