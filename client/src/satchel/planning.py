"""Which file goes to which entry, told before a byte is sent: folders, the table's rows and columns in, a plan out.

The rules are those of the page for many entries (docs/submitting.md), in its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from satchel.bodies import FileCategory
from satchel.documents import FILES, Row, Table
from satchel.errors import Problem
from satchel.folders import Found, FoundFile, Node, entry_folders_in, holders_of, nfc, tree_of
from satchel.rules import entry_problems, file_problems
from satchel.words import quoted

_PAIR = re.compile(r":[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that goes to an entry, in a category."""

    file: FoundFile
    submission_id: str
    category: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes where, and why nothing may be sent yet; `left_out` was found and is not sent.

    `missing` has the submission IDs without files, by category; where those are needed it is a problem, too. For a
    revision it is `carried` that has them: what the version before has is carried over.
    """

    files: list[PlannedFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)
    carried: dict[str, list[str]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """In bytes, all files together."""
        return sum(planned.file.size for planned in self.files)


def plan(
    table: Table,
    categories: Sequence[FileCategory],
    found: dict[str, Found],
    *,
    leave_out_unmatched: bool = False,
    revising: bool = False,
) -> Plan:
    """Plan the files `found` for each category; what matches nothing is a problem, unless it is to be left out."""
    made = Plan()
    for category in categories:
        below = found.get(category["name"])
        if below is None:
            _plan_without_folder(made, table, category, revising=revising)
            continue
        made.left_out.extend(below.hidden)
        placer = _Placer(table.rows, category["name"])
        placer.place(below.files)
        if leave_out_unmatched:
            made.left_out.extend(placer.unmatched_files())
        else:
            made.problems.extend(placer.unmatched)
        made.problems.extend(placer.problems)
        _judge(made, table, category, placer, revising=revising)
    if revising:
        _note_carried(made, table, categories)
    return made


def holds_file_ids(rows: Iterable[Row], category: str) -> bool:
    """Whether the column for the category names files that are uploaded already, as `fileName:fileId`."""
    cells = [row.files[category] for row in rows if category in row.files]
    return any(all(_PAIR.search(word) for word in cell.split()) for cell in cells)


def mapping_of_pairs(table: Table, category: str) -> Iterator[tuple[str, str, str]]:
    """Submission ID, file ID and name of each pair in the column."""
    for row in table.rows:
        for pair in row.files.get(category, "").split():
            name, _, file_id = pair.rpartition(":")
            yield row.submission_id, file_id, name


def _plan_without_folder(made: Plan, table: Table, category: FileCategory, *, revising: bool) -> None:
    """No folder was given for the category: its column names uploaded files, or nothing, or something is missing."""
    name = category["name"]
    if holds_file_ids(table.rows, name):
        return
    for row in table.rows:
        where = {"line": row.line, "submissionId": row.submission_id, "category": name}
        if text := row.files.get(name):
            named = f"The column {FILES}{name} names {quoted(text)}"
            detail = f"{named}, and no folder was given for it: add --files {name}=DIR."
            made.problems.append(Problem("file_mapping_invalid", detail, where=where))
        elif not revising:
            made.problems.extend(entry_problems(row.submission_id, (), category))


def _note_carried(made: Plan, table: Table, categories: Sequence[FileCategory]) -> None:
    """The rows that name nothing in a category, for each of them."""
    named = {(planned.submission_id, planned.category) for planned in made.files}
    for category in categories:
        name = category["name"]
        rows = [row.submission_id for row in table.rows if name not in row.files]
        if ids := [submission_id for submission_id in rows if (submission_id, name) not in named]:
            made.carried[name] = ids


def _judge(made: Plan, table: Table, category: FileCategory, placer: _Placer, *, revising: bool) -> None:
    name = category["name"]
    by_entry = placer.by_entry()
    for row in table.rows:
        files = by_entry.get(row.submission_id, [])
        made.files.extend(PlannedFile(file, row.submission_id, name) for file in files)
        for file in files:
            made.problems.extend(file_problems(file, category))
        if placer.has_file_ids or (revising and not files):
            continue
        if not files:
            made.missing.setdefault(name, []).append(row.submission_id)
        made.problems.extend(entry_problems(row.submission_id, files, category))


class _Placer:
    """Finds the entry of each file of one category.

    `unmatched` tells what belongs to no row, `problems` what is wrong beyond that.
    """

    def __init__(self, rows: Iterable[Row], category: str) -> None:
        self._category = category
        self._column = f"{FILES}{category}"
        rows = list(rows)
        self._ids = {nfc(row.submission_id): row.submission_id for row in rows}
        self._alike = {_without_case(row.submission_id): row.submission_id for row in rows}
        self._cells = {row.submission_id: row for row in rows if category in row.files}
        self.has_file_ids = holds_file_ids(rows, category)
        # Files by their identity, since two of one path may come from two folders; to no entry goes what has no place.
        self._entries: dict[int, str | None] = {}
        self._files: dict[int, FoundFile] = {}
        self.unmatched: list[Problem] = []
        self.problems: list[Problem] = []

    def by_entry(self) -> dict[str, list[FoundFile]]:
        """The files of each entry, in the order in which they were found."""
        found: dict[str, list[FoundFile]] = {}
        for key, file in self._files.items():
            if (entry := self._entries.get(key)) is not None:
                found.setdefault(entry, []).append(file)
        return found

    def unmatched_files(self) -> list[str]:
        """The relative paths of the files that belong to no row."""
        return [file.relative for key, file in self._files.items() if self._entries.get(key) is None]

    def place(self, files: Sequence[FoundFile]) -> None:
        """Find places for all of them."""
        self._files = {id(file): file for file in files}
        if self.has_file_ids:
            if files:
                self.problems.append(self._problem("file_mapping_invalid", self._by_file_id()))
            return
        root = tree_of(files)
        named = {
            parts[0] for row in self._cells.values() for token in _tokens(self._cell(row)) if (parts := _parts(token))
        }
        holders = holders_of(root, lambda name: name in self._ids or name in named)
        self._place_cells([*holders, root])
        folders, loose = entry_folders_in(holders)
        for holder, node in folders:
            shown = node.path if len(holders) > 1 and holder is not root else node.name
            self._place_folder(node, shown)
        self._place_loose(loose)

    def _cell(self, row: Row) -> str:
        return row.files[self._category]

    def _place_folder(self, node: Node, shown: str) -> None:
        free = [file for file in node.all_files() if id(file) not in self._entries]
        if not free:
            return
        entry, problem = self._entry_of_folder(node.name, shown)
        for file in free:
            self._entries[id(file)] = entry
        if problem:
            self.unmatched.append(problem)

    def _entry_of_folder(self, name: str, shown: str) -> tuple[str | None, Problem | None]:
        entry = self._ids.get(nfc(name))
        if entry is None:
            alike = self._alike.get(_without_case(name))
            meant = "" if alike is None else f" Did you mean {quoted(alike)}?"
            text = f"No row of the table has the ID {quoted(name)}.{meant} Rename the folder, or add the row."
            return None, self._problem("submission_id_unknown", text, path=shown)
        if entry not in self._cells:
            return entry, None
        text = (
            f"The column {self._column} gives {quoted(entry)} other files: {self._cell(self._cells[entry])}. Name this "
            "folder there too."
        )
        return None, self._problem("submission_id_unknown", text, path=shown)

    def _place_loose(self, loose: Sequence[FoundFile]) -> None:
        for file in loose:
            if id(file) in self._entries:
                continue
            self._entries[id(file)] = None
            text = "This file is in no subfolder. Move it into the folder of its entry."
            self.unmatched.append(self._problem("submission_id_unknown", text, path=file.relative))

    def _place_cells(self, roots: Sequence[Node]) -> None:
        """Link what the cells name, folders or files; a file of two entries is refused."""
        for row in self._cells.values():
            text = self._cell(row)
            whole = _files_named(text, roots)
            for token in [text] if whole else text.split():
                files = whole or _files_named(token, roots)
                if not files:
                    named = f"The column {self._column} names {quoted(token)} for {quoted(row.submission_id)}"
                    detail = f"{named}, and there is no such folder or file."
                    self.problems.append(self._problem("file_mapping_invalid", detail, line=row.line))
                for file in files:
                    self._place_named(file, row.submission_id)

    def _place_named(self, file: FoundFile, entry: str) -> None:
        before = self._entries.setdefault(id(file), entry)
        if before is None or before == entry:
            return
        detail = f"The table gives this file to {quoted(before)} and to {quoted(entry)}; here it can go to one only."
        self.problems.append(self._problem("file_mapping_invalid", detail, path=file.relative))
        self._entries[id(file)] = None

    def _by_file_id(self) -> str:
        return (
            f"The column {self._column} of the table names uploaded files by their file IDs, so no folder can be given "
            "for it. Leave the folder out, or empty the column."
        )

    def _problem(self, code: str, detail: str, **where: str | int) -> Problem:
        return Problem(code, detail, where={**where, "category": self._category})


def _without_case(name: str) -> str:
    return re.sub(r"\s+", "", nfc(name)).lower()


def _parts(token: str) -> list[str]:
    return [part for part in nfc(token).replace("\\", "/").split("/") if part not in ("", ".")]


def _tokens(text: str) -> list[str]:
    return [text, *text.split()]


def _files_named(token: str, roots: Sequence[Node]) -> list[FoundFile]:
    """The files that a token names below any of these folders: those of a folder, or one file."""
    parts = _parts(token)
    for root in roots if parts else ():
        parent: Node | None = root
        for name in parts[:-1]:
            parent = parent.folders.get(name) if parent else None
        if parent is None:
            continue
        if folder := parent.folders.get(parts[-1]):
            return list(folder.all_files())
        if files := parent.files.get(parts[-1]):
            return files
    return []
