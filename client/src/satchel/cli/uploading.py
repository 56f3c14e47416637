"""Uploading files by themselves, and what uploading has in common with submitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from satchel.bodies import FileCategory, Organism
from satchel.cli.checking import problems_of_category, refuse_if_any
from satchel.cli.ending import UsageError
from satchel.cli.progress import progress_of
from satchel.cli.session import Session, category_named
from satchel.errors import Problem, RefusedError
from satchel.folders import FoundFile, file_at, files_below
from satchel.output import problem_body
from satchel.transfer import LocalFile, Uploaded, Uploader
from satchel.words import listed, many, size_words


@dataclass(frozen=True, slots=True)
class UploadWishes:
    """What is to be uploaded, and for what."""

    paths: Sequence[Path]
    group: int | None
    organism: str | None
    category: str | None
    wait: bool
    parallel: int


def upload(session: Session, wishes: UploadWishes) -> None:
    """Look at the files, send them, and print their file IDs. Raises `RefusedError` if not all could be taken."""
    target = _target(session, wishes)
    found = found_files(session, wishes.paths)
    if target is not None:
        refuse_if_any(problems_of_category(found, target[1]), "Nothing was sent:")
    group_id = session.group_id(wishes.group)
    organism, category = (target[0]["slug"], target[1]["name"]) if target else (None, None)
    files = [LocalFile(file.path, file.name, category, file.size) for file in found]
    uploaded = send(session, files, Sending(group_id, organism, wishes.parallel, wait=wishes.wait))
    session.output.table(
        ("FILE ID", "SIZE", "PATH"), [(one.file_id or "-", one.file.size, one.file.path) for one in uploaded]
    )
    document = {"files": [_body(one) for one in uploaded]}
    if failed := failures(uploaded):
        raise RefusedError(
            f"{many(len(failed), 'file')} of {len(uploaded):,} failed:", failed, "upload_failed", document
        )
    session.output.result(document)


@dataclass(frozen=True, slots=True)
class Sending:
    """For whom files are sent, how many requests at once, and whether to wait until they are verified."""

    group_id: int
    organism: str | None
    parallel: int
    wait: bool = False


def send(session: Session, files: Sequence[LocalFile], how: Sending) -> list[Uploaded]:
    """Send the files, showing how far that is; what came of each, in their order."""
    with progress_of(files, session.output) as progress:
        uploader = Uploader(
            session.api,
            group_id=how.group_id,
            organism=how.organism,
            parallel=how.parallel,
            on_event=progress,
        )
        uploaded = uploader.upload(files)
        if how.wait:
            uploaded = uploader.wait(uploaded)
    here = f", {size_words(progress.recognised)} were there already" if progress.recognised else ""
    done = [one for one in uploaded if not one.problem]
    verified = " and verified" if how.wait else ""
    session.output.say(f"{many(len(done), 'file')} uploaded{verified}, {size_words(progress.sent)} sent{here}.")
    return uploaded


def send_all(session: Session, files: Sequence[LocalFile], how: Sending) -> list[str]:
    """Send the files of something that needs all of them; their file IDs. Raises `RefusedError` if some failed."""
    uploaded = send(session, files, how)
    if failed := failures(uploaded):
        text = f"{many(len(failed), 'file')} failed, so nothing else was done. The same command sends what is missing:"
        raise RefusedError(text, failed, "upload_failed")
    return [one.file_id or "" for one in uploaded]


def failures(uploaded: Sequence[Uploaded]) -> list[Problem]:
    """The problems of files that failed, each with its path."""
    return [
        replace(one.problem, where={**one.problem.where, "path": str(one.file.path)})
        for one in uploaded
        if one.problem is not None
    ]


def found_files(session: Session, paths: Sequence[Path]) -> list[FoundFile]:
    """The files that paths name, those in folders included; each once. Raises `UsageError` where there is none."""
    found: dict[Path, FoundFile] = {}
    hidden: list[str] = []
    for path in paths:
        below = files_below(path) if path.is_dir() else None
        if below is not None:
            hidden.extend(below.hidden)
        for file in below.files if below else [file_at(path, path.name)]:
            found.setdefault(file.path.resolve(), file)
    say_left_out(session, hidden)
    if not found:
        raise UsageError("There is no file to be sent there.", "nothing_to_send")
    return list(found.values())


def say_left_out(session: Session, paths: Sequence[str]) -> None:
    """Nothing is left out without a word."""
    if paths:
        session.output.say(f"{many(len(paths), 'file')} left out: {listed(paths)}.")


def _target(session: Session, wishes: UploadWishes) -> tuple[Organism, FileCategory] | None:
    if wishes.category is None:
        if wishes.organism is not None:
            raise UsageError("Say --category too, or leave --organism out.")
        return None
    organism = session.organism(wishes.organism)
    return organism, category_named(organism, wishes.category)


def _body(one: Uploaded) -> dict[str, Any]:
    return {
        "path": str(one.file.path),
        "name": one.file.name,
        "size": one.file.size,
        "fileId": one.file_id,
        "problem": one.problem and problem_body(one.problem),
    }
