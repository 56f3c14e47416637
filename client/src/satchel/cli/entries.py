"""Entries by the names that people write, `SAT_00000001.2`: looking at one, and withdrawing some."""

from __future__ import annotations

import re
from collections.abc import Sequence

from satchel.bodies import AccessionVersion, Entry
from satchel.cli.ending import UsageError
from satchel.cli.session import Session
from satchel.errors import ApiError, Problem
from satchel.output import RefusedError
from satchel.words import listed, many, quoted, visible

_NAME = re.compile(r"(?P<accession>[^\s./]+)(?:\.(?P<version>[1-9][0-9]*))?")


def named_version(text: str) -> AccessionVersion:
    """Read `ACCESSION.VERSION`; raises `UsageError`, also without a version."""
    accession, version = _read(text)
    if version is None:
        raise UsageError(f"Say which version of {text}: {text}.1, for example.")
    return {"accession": accession, "version": version}


def entry_named(session: Session, text: str, organism: str | None) -> Entry:
    """The entry, of the latest version that one may see if none is named."""
    accession, version = _read(text)
    slug = session.organism_of(accession, version or 1, organism)
    entry = session.api.entry(slug, accession, version or 1)
    while version is None:
        try:
            entry = session.api.entry(slug, accession, entry["version"] + 1)
        except ApiError as error:
            if error.status not in (401, 403, 404):
                raise
            return entry
    return entry


def names_of(entries: Sequence[AccessionVersion]) -> str:
    """How many they are, and the names of the first."""
    names = listed([f"{entry['accession']}.{entry['version']}" for entry in entries], most=5)
    return f"{many(len(entries), 'entry', 'entries')} ({names})"


def show(session: Session, text: str, organism: str | None) -> None:
    """An entry with its metadata and files."""
    entry, output = entry_named(session, text, organism), session.output
    released = f", released {entry['releasedAt']}" if entry["releasedAt"] else ""
    name = f"{entry['accession']}.{entry['version']}"
    output.say(f"{name} of {entry['organism']}, {quoted(entry['submissionId'])}, is {entry['status']}{released}.")
    for column, value in entry["metadata"].items():
        output.say(f"  {visible(column)}: {visible(value)}")
    header = ("CATEGORY", "NAME", "STATUS", "SIZE", "SHA256")
    rows = [
        (file["category"], file["name"], file["status"], "-" if file["size"] is None else file["size"], file["sha256"])
        for file in entry["files"]
    ]
    output.table(header, [(*row[:-1], row[-1] or "-") for row in rows])
    output.result(entry)


def withdraw(session: Session, texts: Sequence[str], organism: str | None, *, yes: bool) -> None:
    """Withdraw entries, one after another. Raises `RefusedError` with those that were not."""
    entries = [named_version(text) for text in texts]
    session.confirm(f"Withdraw {names_of(entries)}? They are deleted, for good.", yes=yes)
    withdrawn: list[AccessionVersion] = []
    problems: list[Problem] = []
    for text, entry in zip(texts, entries, strict=True):
        try:
            slug = session.organism_of(entry["accession"], entry["version"], organism)
            session.api.withdraw(slug, entry["accession"], entry["version"])
        except ApiError as error:
            if error.status not in (403, 404, 409):
                raise
            problems.append(Problem(error.code, error.problem.detail, error.status, {"name": text}))
        else:
            withdrawn.append(entry)
    session.output.say(f"{many(len(withdrawn), 'entry', 'entries')} withdrawn.")
    document = {"withdrawn": withdrawn}
    if problems:
        text = f"{many(len(problems), 'entry', 'entries')} not withdrawn:"
        raise RefusedError(text, problems, "not_withdrawn", document)
    session.output.result(document)


def _read(text: str) -> tuple[str, int | None]:
    if not (found := _NAME.fullmatch(text)):
        raise UsageError(f"“{text}” is no accession; they look like SAT_00000001 or SAT_00000001.1.")
    return found["accession"], int(found["version"]) if found["version"] else None
