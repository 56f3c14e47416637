"""Downloading the files of entries: by range where a part is here already, and compared with their sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import httpx

from satchel.api import TIMEOUT
from satchel.bodies import Entry, EntryFile
from satchel.cli.ending import UsageError
from satchel.cli.entries import entry_named
from satchel.cli.session import Session
from satchel.errors import Problem, RefusedError, UnreachableError
from satchel.patience import Patience, is_passing
from satchel.rules import name_fault
from satchel.words import many, size_words

CHUNK = 1 << 20
PARTIAL = ".part"
"""The folder beside the categories, none of which is called so, for files that are not all there."""


def download(session: Session, texts: Sequence[str], to: Path, organism: str | None) -> None:
    """Download all files of the entries into `to/ACCESSION.VERSION/CATEGORY/`. Again fetches what is missing.

    Raises `RefusedError` with every file that could not be had, or is not what the server says it is.
    """
    entries = [entry_named(session, text, organism) for text in texts]
    problems: list[Problem] = []
    documents = []
    for entry in entries:
        for file in entry["files"]:
            place = _place(to, entry, file)
            try:
                how = _Download(session, entry, file, place).run()
            except RefusedError as error:
                problems.append(error.problem)
                continue
            session.output.say(f"{place}: {how}")
            documents.append({"path": str(place), "accession": entry["accession"], "version": entry["version"], **file})
    for document in documents:
        session.output.print(f"{document['sha256']}  {document['path']}")  # as `sha256sum -c` takes it
    result = {"files": documents}
    if problems:
        raise RefusedError(f"{many(len(problems), 'file')} not downloaded:", problems, "not_downloaded", result)
    if not documents:
        session.output.say("There are no files.")
    session.output.result(result)


def _place(to: Path, entry: Entry, file: EntryFile) -> Path:
    """Where a file goes; the names come from a server, which must not choose another folder."""
    for part in (entry["accession"], file["category"], file["name"]):
        if not part or part in {".", ".."} or name_fault(part):
            raise UsageError(f"The server names a file “{part}”, which can be no file here.", "file_name_invalid")
    return to / f"{entry['accession']}.{entry['version']}" / file["category"] / file["name"]


class _Download:
    """One file. What has come is kept under another name until all of it is here and has been compared."""

    def __init__(self, session: Session, entry: Entry, file: EntryFile, place: Path) -> None:
        self._session = session
        self._entry = entry
        self._file = file
        self._place = place
        self._partial = place.parent.parent / PARTIAL / file["category"] / file["name"]
        self._patience = Patience()

    def run(self) -> str:
        """Fetch what is missing; in words, what was done. Raises `RefusedError` and `UnreachableError`."""
        sha256 = self._file["sha256"]
        if sha256 is None:
            raise self._refused("file_not_available", "The file is not verified, so it cannot be downloaded yet.")
        if self._place.exists():
            if _sha256(self._place) == sha256:
                return "here already"
            raise self._refused("file_exists", "Another file of this name is here; move it away.")
        for folder in (self._place.parent, self._partial.parent):
            folder.mkdir(parents=True, exist_ok=True)
        begun = self._here()
        self._fetch_with_patience()
        if _sha256(self._partial) != sha256:
            self._partial.unlink()
            raise self._refused("sha256_mismatch", "What came is not what was verified; the same command tries again.")
        self._partial.replace(self._place)
        for folder in (self._partial.parent, self._partial.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()
        size = size_words(self._place.stat().st_size)
        return f"{size}, sha256 compared" + (f", {size_words(begun)} were here already" if begun else "")

    def _fetch_with_patience(self) -> None:
        """Fetch, and go on where it broke off; attempts count only as long as nothing comes."""
        attempt = 0
        while True:
            before = self._here()
            try:
                self._fetch()
            except (httpx.HTTPError, _PassingError) as error:
                attempt = 0 if self._here() > before else attempt + 1
                if not self._patience.allows(attempt):
                    raise UnreachableError(
                        Problem("unreachable", f"The object store does not answer: {error}")
                    ) from error
                self._patience.sleep(self._patience.pause_before(attempt))
            else:
                return

    def _here(self) -> int:
        return self._partial.stat().st_size if self._partial.exists() else 0

    def _fetch(self) -> None:
        """The rest of the file, by a URL that is made anew: the last may have expired."""
        size = self._file["size"] or 0
        here = self._here()
        if here > size:
            self._partial.unlink()
            here = 0
        if here == size and self._partial.exists():
            return
        entry, file = self._entry, self._file
        url = self._session.api.download_url(entry["accession"], entry["version"], file["category"], file["name"])
        headers = {"Range": f"bytes={here}-"} if here else {}
        with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT) as answer:
            if is_passing(answer.status_code) or answer.status_code == 403:
                raise _PassingError(f"status {answer.status_code}")
            if not answer.is_success:
                raise self._refused("download_failed", f"The object store answers with status {answer.status_code}.")
            # A store that does not know ranges sends all of it.
            with self._partial.open("ab" if answer.status_code == 206 else "wb") as target:
                _copy(answer, target)

    def _refused(self, code: str, detail: str) -> RefusedError:
        return RefusedError(detail, (), code, where={"path": str(self._place)})


class _PassingError(Exception):
    """An answer that may be another one in a moment."""


def _copy(answer: httpx.Response, target: BinaryIO) -> None:
    for chunk in answer.iter_raw(CHUNK):
        target.write(chunk)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
