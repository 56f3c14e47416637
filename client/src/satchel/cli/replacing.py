"""Correcting an entry: other files in the place of those that it has in a category."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from satchel.bodies import Entry, FileName, FilesByCategory, Organism
from satchel.cli.checking import problems_in_files, refuse_if_any
from satchel.cli.entries import name_of, named_version, problems_of, say
from satchel.cli.session import Session, category_named
from satchel.cli.uploading import Sending, found_files, send_all
from satchel.cli.watching import FIRST_PAUSE, LONGEST_PAUSE
from satchel.errors import Problem, RefusedError
from satchel.planning import PlannedFile
from satchel.rules import entry_problems, file_problems
from satchel.transfer import LocalFile


@dataclass(frozen=True, slots=True)
class ReplaceWishes:
    """Which entry gets which files, in which category."""

    name: str
    paths: Sequence[Path]
    category: str
    organism: str | None
    wait: bool
    parallel: int


def replace(session: Session, wishes: ReplaceWishes) -> None:
    """Look at the files, send them, and put them in the place of those of their category; the others stay.

    Raises `RefusedError`, mostly before sending, and for an entry that is rejected with these files too. Again sends
    nothing twice.
    """
    named = named_version(wishes.name)
    entry = session.entry(named["accession"], named["version"], wishes.organism)
    _require_replaceable(entry)
    organism = session.organism(entry["organism"])
    category = category_named(organism, wishes.category)["name"]
    files = [PlannedFile(file, entry["submissionId"], category) for file in found_files(session, wishes.paths)]
    refuse_if_any(list(_problems(files, organism, category)), "Nothing was sent:")
    local = [LocalFile(one.file.path, one.file.name, category, one.file.size) for one in files]
    uploaded = send_all(session, local, Sending(entry["groupId"], organism["slug"], wishes.parallel))
    new: list[FileName] = [{"fileId": file_id, "name": one.name} for one, file_id in zip(local, uploaded, strict=True)]
    entry = _put(session, entry, category, new)
    session.output.say(f"The files of {name_of(entry)} in {category} are replaced.")
    _show(session, _settled(session, entry) if wishes.wait else entry)


def _require_replaceable(entry: Entry) -> None:
    """What the server would say only after the files were sent."""
    name = name_of(entry)
    if entry["releasedAt"]:
        text = f"{name} is released; its files can no longer be replaced. “satchel revise” makes its next version."
        raise RefusedError(text, (), "entry_released")
    if entry["status"] == "VERIFYING":
        text = f"{name} is being verified; its files can be replaced once it is accepted or rejected."
        raise RefusedError(text, (), "entry_verifying")


def _problems(files: Sequence[PlannedFile], organism: Organism, category: str) -> Iterator[Problem]:
    rules = category_named(organism, category)
    for one in files:
        yield from file_problems(one.file, rules)
    yield from entry_problems(files[0].submission_id, [one.file for one in files], rules)
    yield from problems_in_files(files, organism)


def _put(session: Session, seen: Entry, category: str, new: list[FileName]) -> Entry:
    """Replace the files, unless somebody else has done so since the entry was looked at, which may be hours ago."""
    slug, accession, version = seen["organism"], seen["accession"], seen["version"]
    entry = session.api.entry(slug, accession, version)
    if entry["settledAt"] != seen["settledAt"]:
        text = f"Somebody has replaced files of {name_of(seen)} meanwhile. Look at it; the same command replaces them."
        raise RefusedError(text, (), "entry_changed")
    files: FilesByCategory = {category: new}
    for file in entry["files"]:
        if file["category"] != category:
            files.setdefault(file["category"], []).append({"fileId": file["fileId"], "name": file["name"]})
    return session.api.replace_files(slug, accession, version, files)


def _settled(session: Session, entry: Entry) -> Entry:
    """The entry once it is accepted or rejected."""
    pause = FIRST_PAUSE
    while entry["status"] == "VERIFYING":
        time.sleep(pause)  # the API tells nobody by itself that something has changed
        pause = min(2 * pause, LONGEST_PAUSE)
        entry = session.api.entry(entry["organism"], entry["accession"], entry["version"])
    return entry


def _show(session: Session, entry: Entry) -> None:
    say(session.output, entry)
    if entry["status"] == "REJECTED":
        raise RefusedError(f"{name_of(entry)} is rejected:", problems_of(entry), "entries_rejected", {**entry})
    session.output.result(entry)
