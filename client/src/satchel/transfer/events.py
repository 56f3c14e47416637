"""What an `Uploader` tells while it works. Events come from several threads, but never two at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from satchel.errors import Problem


@dataclass(frozen=True)
class LocalFile:
    """A file to be handed in: where it is, under which name, how many bytes it has, and for which file category.

    The category (of the uploader's organism) is a claim only: it lets the content check run at once.
    """

    path: Path
    name: str
    category: str | None
    size: int


@dataclass(frozen=True)
class Started:
    """The file's turn has come."""

    file: LocalFile


@dataclass(frozen=True)
class Sent:
    """So many bytes more of the file are in the store; negative where some have to be sent again."""

    file: LocalFile
    number_bytes: int


@dataclass(frozen=True)
class Retrying:
    """Something failed that may pass, and is tried again in `pause` seconds; no file where it is a call."""

    file: LocalFile | None
    problem: Problem
    pause: float


@dataclass(frozen=True)
class Recognised:
    """`number_bytes` of the file are on the server from before, and need no sending."""

    file: LocalFile
    number_bytes: int


@dataclass(frozen=True)
class Done:
    """All of the file is on the server, as this file ID, and will be verified."""

    file: LocalFile
    file_id: str


@dataclass(frozen=True)
class Failed:
    """The file will not be sent; the others are."""

    file: LocalFile
    problem: Problem


@dataclass(frozen=True)
class Settled:
    """The server has read the file: verified, or `problem` says why not."""

    file: LocalFile
    file_id: str
    problem: Problem | None


Event = Started | Sent | Retrying | Recognised | Done | Failed | Settled


@dataclass(frozen=True)
class Uploaded:
    """What came of a file: its file ID, or the problem; both where the server has it and refuses it."""

    file: LocalFile
    file_id: str | None
    problem: Problem | None = None
