"""Releasing entries: showing them to everybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from satchel.bodies import AccessionVersion
from satchel.cli.ending import UsageError
from satchel.cli.session import Session
from satchel.output import RefusedError
from satchel.words import listed, many

_ACCESSION = re.compile(r"(?P<accession>[^\s./]+)(?:\.(?P<version>[1-9][0-9]*))?")


@dataclass(frozen=True, slots=True)
class Named:
    """An entry as a person writes it, `SAT_00000001.2` or without the version."""

    accession: str
    version: int | None


def named(text: str) -> Named:
    """Read `ACCESSION` or `ACCESSION.VERSION`; raises `UsageError`."""
    if not (found := _ACCESSION.fullmatch(text)):
        raise UsageError(f"“{text}” is no accession; they look like SAT_00000001 or SAT_00000001.1.")
    return Named(found["accession"], int(found["version"]) if found["version"] else None)


def release(session: Session, texts: Sequence[str], submission: int | None, organism: str | None, *, yes: bool) -> None:
    """Release entries by accession and version, or the accepted ones of a submission; all or none of them."""
    if bool(texts) == (submission is not None):
        raise UsageError("Name entries as ACCESSION.VERSION, or say --submission NUMBER.")
    if submission is not None:
        slug, entries = _of_submission(session, submission)
    else:
        entries = [_with_version(text) for text in texts]
        slug = session.organism_of(entries[0]["accession"], entries[0]["version"], organism)
    names = listed([f"{entry['accession']}.{entry['version']}" for entry in entries], most=5)
    number = many(len(entries), "entry", "entries")
    session.confirm(f"Release {number} ({names})? Everybody can see them then, for good.", yes=yes)
    released = session.api.release(slug, entries)
    session.output.say(f"{many(len(released), 'entry', 'entries')} released.")
    header = ("ACCESSION", "RELEASED AT")
    session.output.table(header, [(f"{one['accession']}.{one['version']}", one["releasedAt"]) for one in released])
    session.output.result({"released": released})


def _of_submission(session: Session, number: int) -> tuple[str, list[AccessionVersion]]:
    """The accepted entries of a submission in which nothing is being verified any more."""
    page = session.api.submission(number)
    if page["status"] == "VERIFYING":
        text = (
            f"Submission {number} is still being verified; “satchel status {number} --watch” tells when it is settled."
        )
        raise RefusedError(text, (), "entry_not_accepted")
    accepted = [entry for entry in page["entries"] if entry["status"] == "ACCEPTED"]
    if not accepted:
        raise RefusedError(f"No entry of submission {number} is accepted.", (), "entry_not_accepted")
    if rejected := page["counts"]["rejected"]:
        session.output.say(f"{many(rejected, 'rejected entry', 'rejected entries')} left out.")
    return page["organism"], [{"accession": one["accession"], "version": one["version"]} for one in accepted]


def _with_version(text: str) -> AccessionVersion:
    entry = named(text)
    if entry.version is None:
        raise UsageError(f"Say which version of {text}: {text}.1, for example.")
    return {"accession": entry.accession, "version": entry.version}
