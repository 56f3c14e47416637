"""Submitting a table, sequences and folders of files: planned and looked at first, then sent, then submitted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from satchel.api import Submitted
from satchel.bodies import FileMapping, Organism
from satchel.cli import watching
from satchel.cli.checking import problems_in_documents, problems_in_files, refuse_if_any
from satchel.cli.ending import UsageError
from satchel.cli.plans import plan_body, say_plan
from satchel.cli.session import Session, category_named
from satchel.cli.uploading import Sending, say_left_out, send_all
from satchel.documents import FILES, Table, read_table, sequence_problems, table_without_files
from satchel.errors import ApiError, Problem, RefusedError
from satchel.fingerprint import fingerprint_of
from satchel.folders import Found, files_below
from satchel.planning import Plan, holds_file_ids, mapping_of_pairs, plan
from satchel.transfer import LocalFile
from satchel.words import quoted


@dataclass(frozen=True, slots=True)
class SubmitWishes:
    """What is to be submitted, and how; `files` as on the command line, `DIR` or `CATEGORY=DIR`.

    With `revising` it is the next versions of released entries, which keep the files that are not named.
    """

    table: Path
    sequences: Path | None
    files: Sequence[str]
    organism: str | None
    group: int | None
    checksums: Path | None = None
    leave_out_unmatched: bool = False
    dry_run: bool = False
    again: bool = False
    wait: bool = False
    parallel: int = 8
    revising: bool = False


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What will be submitted, in which nothing was found wrong; `mapping` has the files that are uploaded already."""

    organism: Organism
    group_id: int
    plan: Plan
    mapping: FileMapping = field(default_factory=dict)
    table: bytes | None = None


def submit(session: Session, wishes: SubmitWishes) -> None:
    """Plan, look, send, submit or revise, and wait if that is wished. Raises `RefusedError`, mostly before sending."""
    prepared = _prepare(session, wishes)
    say_plan(session.output, prepared.plan)
    refuse_if_any(_problems(session, prepared, wishes), "Nothing was sent:")
    if wishes.dry_run:
        session.output.say("A dry run: nothing was sent.")
        session.output.result({"plan": plan_body(prepared.plan)})
        return
    mapping = _send(session, prepared, wishes.parallel)
    with _Form(wishes, prepared.table, mapping) as form:
        submitted = _submit(session, prepared, form.parts, wishes)
    _say_submitted(session, submitted)
    if wishes.wait:
        watching.follow(session, submitted.number)
        return
    entries = submitted.entries
    header = ("ACCESSION", "SUBMISSION ID", "STATUS")
    rows = [(f"{entry['accession']}.{entry['version']}", entry["submissionId"], entry["status"]) for entry in entries]
    session.output.table(header, rows)
    document = {"submission": submitted.number, "entries": entries, "isRepeated": submitted.is_repeated}
    session.output.result(document)


def _problems(session: Session, prepared: _Prepared, wishes: SubmitWishes) -> list[Problem]:
    """What the files show, and what the server says of table and sequences, before it is sent what takes long."""
    files, organism = prepared.plan.files, prepared.organism
    problems = problems_in_files(files, organism)
    if not files and not wishes.dry_run:
        return problems  # the call that submits says the same, and stores nothing either
    with _Form(wishes) as form:
        problems += problems_in_documents(
            session.api, organism, prepared.group_id, form.documents, revising=wishes.revising
        )
    return problems


def _say_submitted(session: Session, submitted: Submitted) -> None:
    number = submitted.number
    address = f"{session.login.url}/submissions/{number}"
    if submitted.is_repeated:
        text = f"Nothing new: the same table, sequences and files were submission {number}, within the last 24 hours"
        session.output.say(f"{text} ({address}). Add --again to submit them anew.")
    else:
        session.output.say(f"Submitted as submission {number}: {address}")


# --- planning ----------------------------------------------------------------------------------------


def _prepare(session: Session, wishes: SubmitWishes) -> _Prepared:
    """Everything that can be found wrong with table, sequences and folders, without reading the files in them."""
    organism = session.organism(wishes.organism)
    found = _found(organism, wishes.files)
    table = read_table(wishes.table)
    problems = [*table.problems, *sequence_problems(table, wishes.sequences, organism["sequences"])]
    problems += _unknown_columns(table, organism)
    made = plan(
        table,
        organism["fileCategories"] if organism["fileSharing"] else (),
        found,
        leave_out_unmatched=wishes.leave_out_unmatched,
        revising=wishes.revising,
    )
    say_left_out(session, made.left_out)
    refuse_if_any([*problems, *made.problems], "Nothing was sent:")
    group_id = session.group_id(wishes.group)
    if not made.files or not table.file_categories:
        return _Prepared(organism, group_id, made)
    # A mapping beside `files.` columns would be one too many, so all of them go into the mapping.
    return _Prepared(organism, group_id, made, _mapping_of_columns(table, organism), table_without_files(wishes.table))


def _found(organism: Organism, given: Sequence[str]) -> dict[str, Found]:
    """What is in the folders, by category."""
    found: dict[str, Found] = {}
    for category, folder in _folders(organism, given):
        below, together = files_below(folder), found.setdefault(category, Found())
        together.files.extend(below.files)
        together.hidden.extend(below.hidden)
    return found


def _folders(organism: Organism, given: Sequence[str]) -> list[tuple[str, Path]]:
    """Category and folder of each `--files`; a folder of folders named like categories is one for each of them."""
    names = [category["name"] for category in organism["fileCategories"]]
    if given and not (organism["fileSharing"] and names):
        raise UsageError(f"“{organism['slug']}” takes no extra files; leave --files out.", "file_sharing_disabled")
    folders: list[tuple[str, Path]] = []
    for value in given:
        category, equals, folder = value.partition("=")
        if equals and (category in names or not Path(value).is_dir()):
            folders.append((category_named(organism, category)["name"], _folder(folder)))
        else:
            folders.extend(_folders_of_all(names, _folder(value)))
    return folders


def _folder(text: str) -> Path:
    if not (folder := Path(text)).is_dir():
        raise UsageError(f"{quoted(text)} is no folder.")
    return folder


def _folders_of_all(names: Sequence[str], folder: Path) -> list[tuple[str, Path]]:
    inside = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if inside and all(name in names for name in inside):
        return [(name, _folder(str(folder / name))) for name in names if name in inside]
    if len(names) == 1:
        return [(names[0], folder)]
    ways = " ".join(f"--files {name}=DIR" for name in names)
    text = f"Say which file category {quoted(str(folder))} is for: {ways}. Or give a folder with a folder for each."
    raise UsageError(text, "category_missing")


def _unknown_columns(table: Table, organism: Organism) -> list[Problem]:
    names = [category["name"] for category in organism["fileCategories"]]
    shown = ", ".join(FILES + name for name in names) or "none"
    return [
        Problem("category_unknown", f"There is no file category for the column “{FILES}{name}”; there are: {shown}.")
        for name in table.file_categories
        if name not in names
    ]


def _mapping_of_columns(table: Table, organism: Organism) -> FileMapping:
    """What columns of `fileName:fileId` pairs say."""
    mapping: FileMapping = {}
    for category in organism["fileCategories"]:
        if holds_file_ids(table.rows, category["name"]):
            for submission_id, file_id, name in mapping_of_pairs(table, category["name"]):
                _add(mapping, submission_id, category["name"], file_id, name)
    return mapping


# --- sending and submitting --------------------------------------------------------------------------


def _send(session: Session, prepared: _Prepared, parallel: int) -> FileMapping:
    """Send the planned files; the file mapping with all of them."""
    planned = prepared.plan.files
    mapping = prepared.mapping
    if not planned:
        return mapping
    files = [LocalFile(one.file.path, one.file.name, one.category, one.file.size) for one in planned]
    uploaded = send_all(session, files, Sending(prepared.group_id, prepared.organism["slug"], parallel))
    for one, file_id in zip(planned, uploaded, strict=True):
        _add(mapping, one.submission_id, one.category, file_id, one.file.name)
    return mapping


def _add(mapping: FileMapping, submission_id: str, category: str, file_id: str, name: str) -> None:
    mapping.setdefault(submission_id, {}).setdefault(category, []).append({"fileId": file_id, "name": name})


class _Form:
    """The parts of the form, the documents open for as long as the block lasts."""

    def __init__(self, wishes: SubmitWishes, table: bytes | None = None, mapping: FileMapping | None = None) -> None:
        self.parts: dict[str, tuple[str, bytes | BufferedReader]] = {}
        self._stack = ExitStack()
        self._wishes = wishes
        self._table = table
        self._mapping = mapping

    @property
    def documents(self) -> dict[str, tuple[str, bytes | BufferedReader]]:
        """Table and sequences alone."""
        return {name: part for name, part in self.parts.items() if name in ("metadataFile", "sequenceFile")}

    def __enter__(self) -> _Form:
        wishes = self._wishes
        self.parts["metadataFile"] = self._opened(wishes.table)
        if self._table is not None:
            self.parts["metadataFile"] = (f"{wishes.table.name.split('.')[0]}.tsv", self._table)
        if wishes.sequences is not None:
            self.parts["sequenceFile"] = self._opened(wishes.sequences)
        if wishes.checksums is not None:
            self.parts["checksumFile"] = self._opened(wishes.checksums)
        if self._mapping:
            text = json.dumps(self._mapping, ensure_ascii=False)
            self.parts["fileMapping"] = ("mapping.json", text.encode())
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _opened(self, path: Path) -> tuple[str, BufferedReader]:
        return path.name, self._stack.enter_context(path.open("rb"))


def _idempotency_key(prepared: _Prepared, wishes: SubmitWishes) -> str:
    """The same for the same documents and files, from whichever folder: so that a lost answer submits nothing twice.

    Documents count as they were given, the table with the file IDs in it. Files from folders count by their
    fingerprints, with the entry and category that they go to: another upload of the same bytes is the same submission.
    """
    digest = hashlib.sha256(f"{prepared.organism['slug']}\n{prepared.group_id}\n".encode())
    for path in (wishes.table, wishes.sequences, wishes.checksums):
        digest.update(f"{_sha256(path) if path else None}\n".encode())
    lines = [
        json.dumps([one.submission_id, one.category, one.file.name, fingerprint_of(one.file.path, one.file.size)])
        for one in prepared.plan.files
    ]
    digest.update("\n".join(sorted(lines)).encode())
    return f"satchel-{digest.hexdigest()}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _submit(
    session: Session, prepared: _Prepared, parts: Mapping[str, tuple[str, bytes | BufferedReader]], wishes: SubmitWishes
) -> Submitted:
    call = session.api.revise if wishes.revising else session.api.submit
    key = None if wishes.again else _idempotency_key(prepared, wishes)
    try:
        return call(prepared.organism["slug"], prepared.group_id, parts, idempotency_key=key)
    except ApiError as error:
        if error.code != "idempotency_key_reused":
            raise
        text = (
            "The same table, sequences and files were submitted within the last 24 hours. See what became of it with "
            "“satchel status”, or submit it once more with --again."
        )
        raise RefusedError(text, (), "submitted_already") from error
