"""Local files while they are sent: read in pieces, and watched for changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from satchel.errors import FileProblemError, Problem
from satchel.fingerprint import fingerprint_of
from satchel.transfer.events import LocalFile

CHUNK = 1024 * 1024  # bytes; fits into a processor's cache between hashing and sending


class Digest(Protocol):
    """What takes bytes in."""

    def update(self, data: memoryview, /) -> object:
        """Take in some more."""


@dataclass(frozen=True)
class Snapshot:
    """A file as it was when it was first looked at; whatever it is then, is sent, or nothing."""

    file: LocalFile
    modified_ns: int

    @classmethod
    def of(cls, file: LocalFile) -> Snapshot:
        """As it is now. Raises `FileProblemError`, also where it has another size than it was listed with."""
        try:
            found = file.path.stat()
        except OSError as error:
            raise _unreadable(file, error) from error
        if found.st_size != file.size:
            raise _changed(file)
        return cls(file, found.st_mtime_ns)

    def check(self) -> None:
        """Raises `FileProblemError` if the file is not the same any more."""
        if Snapshot.of(self.file) != self:
            raise _changed(self.file)

    def fingerprint(self) -> str:
        """As docs/api.md has it. Raises `FileProblemError`."""
        try:
            return fingerprint_of(self.file.path, self.file.size)
        except OSError as error:
            raise _unreadable(self.file, error) from error

    def chunks(self, start: int, end: int, digest: Digest | None = None) -> Iterator[memoryview]:
        """The bytes from `start` to `end`, each view good until the next is asked for; `digest` takes them in.

        Raises `FileProblemError`, also where the file has changed meanwhile.
        """
        buffer = memoryview(bytearray(min(CHUNK, end - start)))
        try:
            with self.file.path.open("rb", buffering=0) as file:
                file.seek(start)
                left = end - start
                while left:
                    number = file.readinto(buffer[:left])
                    if not number:
                        raise _changed(self.file)
                    if digest:
                        digest.update(buffer[:number])
                    yield buffer[:number]
                    left -= number
        except OSError as error:
            raise _unreadable(self.file, error) from error
        self.check()

    def sha256(self) -> str:
        """Of all of it. Raises `FileProblemError`."""
        digest = hashlib.sha256()
        for _ in self.chunks(0, self.file.size, digest):
            pass
        return digest.hexdigest()


def _changed(file: LocalFile) -> FileProblemError:
    detail = f"{file.path} has changed since it was listed. Send it when nothing writes to it any more."
    return FileProblemError(Problem("file_changed", detail))


def _unreadable(file: LocalFile, error: OSError) -> FileProblemError:
    return FileProblemError(Problem("file_unreadable", f"{file.path} cannot be read: {error.strerror or error}."))
