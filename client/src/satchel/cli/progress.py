"""How far an upload is: bars on a terminal, now and then a line elsewhere. Always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from satchel.output import Output
from satchel.transfer import Done, Event, Failed, LocalFile, Recognised, Retrying, Sent, Settled, Started
from satchel.words import duration_words, many, size_words, visible

LARGE = 8_000_000
"""In bytes; smaller files are over before a bar of their own could be read."""
EVERY = 15.0
"""Seconds between two lines where there is no terminal."""


class _Bars(Protocol):
    """What shows the numbers."""

    def begin(self, file: LocalFile) -> None:
        """The file's turn has come."""

    def end(self, file: LocalFile) -> None:
        """The file is done, or has failed."""

    def moved(self, file: LocalFile, number_bytes: int) -> None:
        """So many bytes more are there; perhaps fewer."""

    def say(self, text: str) -> None:
        """A line above the bars."""

    def close(self) -> None:
        """Nothing more comes."""


class Progress:
    """Counts what an `Uploader` tells, and shows it; a listener for its events."""

    def __init__(self, bars: _Bars) -> None:
        self._bars = bars
        self._told: set[str] = set()
        self.sent = 0
        self.recognised = 0

    def __call__(self, event: Event) -> None:
        match event:
            case Started(file):
                self._bars.begin(file)
            case Sent(file, number_bytes):
                self.sent += number_bytes
                self._bars.moved(file, number_bytes)
            case Recognised(file, number_bytes):
                self.recognised += number_bytes
                self._bars.moved(file, number_bytes)
            case Done(file, _):
                self._bars.end(file)
            case Failed(file, problem):
                self._bars.end(file)
                self._bars.say(f"{visible(file.name)}: {visible(problem.detail)}")
            case Settled(file, _, problem) if problem is not None:
                self._bars.say(f"{visible(file.name)}: {visible(problem.detail)}")
            case Retrying():
                self._tell_retry(event)
            case _:
                pass  # what was verified is counted at the end

    def _tell_retry(self, event: Retrying) -> None:
        """Each kind of trouble once: with 2,000 files the same outage is told of 2,000 times."""
        if event.problem.code in self._told:
            return
        self._told.add(event.problem.code)
        self._bars.say(f"{visible(event.problem.detail)} Going on by itself …")


@contextmanager
def progress_of(files: Sequence[LocalFile], output: Output) -> Iterator[Progress]:
    """Show the upload of these files for as long as the block lasts."""
    total = sum(file.size for file in files)
    bars: _Bars = _TerminalBars(len(files), total) if sys.stderr.isatty() else _Lines(len(files), total, output)
    try:
        yield Progress(bars)
    finally:
        bars.close()


class _TerminalBars:
    """One bar for all, and one for each large file that is on its way."""

    def __init__(self, number: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TaskID,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._number = number
        self._ended = 0
        self._all = self._progress.add_task(self._description(), total=total)
        self._tasks: dict[LocalFile, TaskID] = {}
        self._progress.start()

    def _description(self) -> str:
        return f"{self._ended:,} of {many(self._number, 'file')}"

    def begin(self, file: LocalFile) -> None:
        """The file's turn has come."""
        if file.size >= LARGE:
            self._tasks[file] = self._progress.add_task(visible(file.name)[-40:], total=file.size)

    def end(self, file: LocalFile) -> None:
        """The file is done, or has failed."""
        self._ended += 1
        self._progress.update(self._all, description=self._description())
        if (task := self._tasks.pop(file, None)) is not None:
            self._progress.remove_task(task)

    def moved(self, file: LocalFile, number_bytes: int) -> None:
        """So many bytes more are there; perhaps fewer."""
        self._progress.advance(self._all, number_bytes)
        if (task := self._tasks.get(file)) is not None:
            self._progress.advance(task, number_bytes)

    def say(self, text: str) -> None:
        """A line above the bars."""
        self._progress.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Nothing more comes."""
        self._progress.stop()


class _Lines:
    """A line now and then, for logs."""

    def __init__(self, number: int, total: int, output: Output) -> None:
        self._number = number
        self._total = total
        self._output = output
        self._ended = 0
        self._bytes = 0
        self._began = self._last = time.monotonic()

    def begin(self, file: LocalFile) -> None:
        """The file's turn has come."""

    def end(self, file: LocalFile) -> None:
        """The file is done, or has failed."""
        self._ended += 1

    def moved(self, file: LocalFile, number_bytes: int) -> None:
        """So many bytes more are there; perhaps fewer."""
        self._bytes += number_bytes
        now = time.monotonic()
        if now - self._last < EVERY:
            return
        self._last = now
        speed = self._bytes / (now - self._began)
        done = (
            f"{self._ended:,} of {many(self._number, 'file')}, {size_words(self._bytes)} of {size_words(self._total)}"
        )
        left = f", {duration_words((self._total - self._bytes) / speed)} left" if speed > 0 else ""
        self._output.say(f"{done}, {size_words(speed)}/s{left}")

    def say(self, text: str) -> None:
        """A line between the others."""
        self._output.say(text)

    def close(self) -> None:
        """Nothing more comes."""
