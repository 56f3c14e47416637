"""Releasing entries: showing them to everybody."""

from __future__ import annotations

from collections.abc import Sequence

from satchel.bodies import AccessionVersion
from satchel.cli.ending import UsageError
from satchel.cli.entries import named_version, names_of
from satchel.cli.session import Session
from satchel.errors import RefusedError
from satchel.words import many


def release(session: Session, texts: Sequence[str], submission: int | None, organism: str | None, *, yes: bool) -> None:
    """Release entries by accession and version, or the accepted ones of a submission; all or none of them."""
    if bool(texts) == (submission is not None):
        raise UsageError("Name entries as ACCESSION.VERSION, or say --submission NUMBER.")
    if submission is not None:
        slug, entries = _of_submission(session, submission)
    else:
        entries = [named_version(text) for text in texts]
        slug = session.organism_of(entries[0], organism)
    session.confirm(f"Release {names_of(entries)}? Everybody can see them then, for good.", yes=yes)
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
