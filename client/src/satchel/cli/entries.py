"""Entries by the names that people write, `SAT_00000001.2`: looking at one, and withdrawing some."""

from __future__ import annotations

import re
from collections.abc import Sequence

from satchel.bodies import AccessionVersion, Entry, SubmissionEntry
from satchel.cli.ending import UsageError
from satchel.cli.session import Session
from satchel.errors import ApiError, Problem, RefusedError
from satchel.output import Output
from satchel.words import listed, many, quoted, visible

WITHDRAWN_IN_A_ROW = 5
"""So many versions may be missing before the next; few people withdraw more corrections of one entry."""
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
    entry = session.entry(accession, version or 1, organism)
    return entry if version else _latest(session, entry)


def _latest(session: Session, entry: Entry) -> Entry:
    """The last version that one may see: the API has no call for it, and versions that were withdrawn are left out."""
    latest, number = entry, entry["version"]
    while number < latest["version"] + WITHDRAWN_IN_A_ROW:
        number += 1
        try:
            latest = session.api.entry(entry["organism"], entry["accession"], number)
        except ApiError as error:
            if error.status not in (401, 403, 404):
                raise
    return latest


def names_of(entries: Sequence[AccessionVersion]) -> str:
    """How many they are, and the names of the first."""
    return f"{many(len(entries), 'entry', 'entries')} ({listed([name_of(entry) for entry in entries], most=5)})"


def name_of(entry: AccessionVersion | SubmissionEntry) -> str:
    """The entry as people write it."""
    return f"{entry['accession']}.{entry['version']}"


def show(session: Session, text: str, organism: str | None) -> None:
    """An entry with its metadata and files."""
    entry, output = entry_named(session, text, organism), session.output
    say(output, entry)
    output.result(entry)


def say(output: Output, entry: Entry) -> None:
    """An entry in words, its files as columns."""
    released = f", released {entry['releasedAt']}" if entry["releasedAt"] else ""
    submission_id = quoted(entry["submissionId"])
    output.say(f"{name_of(entry)} of {entry['organism']}, {submission_id}, is {entry['status']}{released}.")
    for column, value in entry["metadata"].items():
        output.say(f"  {visible(column)}: {visible(value)}")
    rows = [
        (file["category"], file["name"], file["status"], "-" if file["size"] is None else file["size"], file["sha256"])
        for file in entry["files"]
    ]
    output.table(("CATEGORY", "NAME", "STATUS", "SIZE", "SHA256"), [(*row[:-1], row[-1] or "-") for row in rows])


def problems_of(entry: SubmissionEntry) -> list[Problem]:
    """Why an entry was rejected: the reason of each of its files that has one, with its place; of others nothing.

    What holds up the verifying of a file is no refusal.
    """
    problems = []
    for file in entry["files"] if entry["status"] == "REJECTED" else ():
        if (reason := file["problem"]) is None:
            continue
        where = {"name": file["name"], "submissionId": entry["submissionId"], "category": file["category"]}
        places = {key: value for key in ("line", "offset") if (value := reason.get(key)) is not None}
        problems.append(Problem(reason["code"], reason["detail"], where={**where, **places}))
    return problems


def withdraw(session: Session, texts: Sequence[str], organism: str | None, *, yes: bool) -> None:
    """Withdraw entries, one after another. Raises `RefusedError` with those that were not."""
    entries = [named_version(text) for text in texts]
    session.confirm(f"Withdraw {names_of(entries)}? They are deleted, for good.", yes=yes)
    withdrawn: list[AccessionVersion] = []
    problems: list[Problem] = []
    for text, entry in zip(texts, entries, strict=True):
        try:
            session.api.withdraw(session.organism_of(entry, organism), entry["accession"], entry["version"])
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
