"""How a submission stands, now or until it is settled."""

from __future__ import annotations

import time

from satchel.bodies import Submission, SubmissionEntry, SubmissionPage
from satchel.cli.entries import name_of, problems_of
from satchel.cli.session import Session
from satchel.errors import RefusedError
from satchel.words import many

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two looks: small submissions are settled at once, large ones need not be asked about all the time."""


def status(session: Session, number: int, *, watch: bool) -> None:
    """Show a submission. Raises `RefusedError` if it is settled and entries of it were rejected, or none is left."""
    if watch:
        follow(session, number)
    else:
        show(session, session.api.submission(number))


def follow(session: Session, number: int) -> None:
    """Wait until nothing of it is being verified, and show it. Raises as `status`."""
    pause, told = FIRST_PAUSE, ""
    state = session.api.submission_state(number)
    while state["status"] == "VERIFYING":
        if (words := _counts(state)) != told:
            session.output.say(f"Verifying: {words} …")
            told = words
            pause = FIRST_PAUSE
        time.sleep(pause)  # the API tells nobody by itself that something has changed
        pause = min(2 * pause, LONGEST_PAUSE)
        state = session.api.submission_state(number)
    show(session, session.api.submission(number))


def show(session: Session, page: SubmissionPage) -> None:
    """The submission with its entries, and why those that were rejected were."""
    output = session.output
    output.say(f"Submission {page['id']} is {page['status']}: {_counts(page)}.")
    output.table(("ACCESSION", "SUBMISSION ID", "STATUS", "FILES"), [_row(entry) for entry in page["entries"]])
    document = {**page}
    del document["nextCursor"]
    rejected = page["counts"]["rejected"]
    if page["status"] == "WITHDRAWN":
        raise RefusedError("All of its entries were withdrawn.", (), "entries_withdrawn", document)
    problems = [problem for entry in page["entries"] for problem in problems_of(entry)]
    if page["status"] == "VERIFYING" or not rejected:
        output.problems(problems)
        output.result(document)
        return
    text = f"{many(rejected, 'entry', 'entries')} of {page['counts']['entries']:,} rejected:"
    raise RefusedError(text, problems, "entries_rejected", document)


def _row(entry: SubmissionEntry) -> tuple[str, str, str, int]:
    return name_of(entry), entry["submissionId"], entry["status"], len(entry["files"])


def _counts(state: Submission | SubmissionPage) -> str:
    counts = state["counts"]
    parts = (("accepted", counts["accepted"]), ("rejected", counts["rejected"]), ("verifying", counts["verifying"]))
    told = ", ".join(f"{number:,} {word}" for word, number in (*parts, ("withdrawn", counts["withdrawn"])) if number)
    return f"{many(counts['entries'], 'entry', 'entries')}{', ' if told else ''}{told}"
