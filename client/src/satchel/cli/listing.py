"""The group's files: listing them, and discarding those that no entry has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from satchel.bodies import File, FileStatus
from satchel.cli.ending import UsageError
from satchel.cli.session import Session
from satchel.errors import ApiError, Problem, RefusedError
from satchel.words import many, size_words


def list_files(session: Session, group: int | None, statuses: Sequence[FileStatus], *, unattached: bool) -> None:
    """The group's files, newest first."""
    attached = False if unattached else None
    files = list(session.api.files(session.group_id(group), statuses=statuses, attached=attached))
    header = ("FILE ID", "STATUS", "SIZE", "ATTACHED TO", "NAME")
    session.output.table(header, [_row(file) for file in files])
    for file in files:
        if (problem := file["problem"]) is not None:
            session.output.say(f"  {file['fileId']}: {problem['detail']} [{problem['code']}]")
    session.output.result({"files": files})


def discard(session: Session, file_ids: Sequence[str], group: int | None, *, unattached: bool, yes: bool) -> None:
    """Discard files by their file IDs, or all that no entry has. Raises `RefusedError` if some could not be."""
    if bool(file_ids) == unattached:
        raise UsageError("Name file IDs, or say --unattached.")
    if unattached:
        files = list(session.api.files(session.group_id(group), attached=False))
        if files:
            session.confirm(_question(files), yes=yes)
        file_ids = [file["fileId"] for file in files]
    discarded, problems = [], []
    for file_id in file_ids:
        try:
            session.api.discard(file_id)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            problems.append(Problem(error.code, error.problem.detail, error.status, {"fileId": file_id}))
        else:
            discarded.append(file_id)
    session.output.say(f"{many(len(discarded), 'file')} discarded.")
    document = {"discarded": discarded}
    if problems:
        raise RefusedError(f"{many(len(problems), 'file')} not discarded:", problems, "not_discarded", document)
    session.output.result(document)


def _question(files: Sequence[File]) -> str:
    size = sum(file["size"] or file["claims"]["size"] or 0 for file in files)
    states = ", ".join(f"{number:,} {status}" for status, number in Counter(file["status"] for file in files).items())
    return f"Discard {many(len(files), 'file')} that no entry has ({size_words(size)}; {states})?"


def _row(file: File) -> tuple[str, str, str, str, str]:
    size = file["size"] if file["size"] is not None else file["claims"]["size"]
    places = " ".join(f"{place['accession']}.{place['version']}" for place in file["attachedTo"])
    return (
        file["fileId"],
        file["status"],
        "-" if size is None else str(size),
        places or "-",
        file["claims"]["name"] or "-",
    )
