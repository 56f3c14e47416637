"""Folders of files to be handed in: what is in them, as a tree, and which of them are those of entries.

The rules are those of the page for many entries: one folder with a subfolder for each submission ID, whatever the outer
folder is called; names are compared after NFC, since macOS takes accented letters apart and tables have them whole.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from satchel.errors import FileProblemError, Problem
from satchel.words import quoted


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file below a folder: where it is, its size in bytes, and its path from there, with `/` between the parts.

    The first part of `relative` is the name of the folder itself.
    """

    path: Path
    relative: str
    size: int

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.relative.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Found:
    """What is below a folder: the files in the order in which people look for them, and the hidden ones left out."""

    files: list[FoundFile] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


def files_below(folder: Path) -> Found:
    """All files below a folder, also by links; raises `FileProblemError` for what cannot be read, or is no file."""
    name = folder.resolve().name
    found = Found()
    for path, relative in _walk(folder, name, frozenset({os.path.realpath(folder)})):
        if is_hidden(relative.removeprefix(f"{name}/")):
            found.hidden.append(relative)
        else:
            found.files.append(file_at(path, relative))
    found.files.sort(key=lambda file: natural_key(file.relative))
    return found


def file_at(path: Path, relative: str) -> FoundFile:
    """A file by its path; raises `FileProblemError` where there is none, or something else, or it cannot be read."""
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(relative, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise FileProblemError(Problem("file_unreadable", f"{quoted(relative)} is no regular file.", where=_at(path)))
    if not os.access(path, os.R_OK):
        detail = f"{quoted(relative)} cannot be read: permission denied."
        raise FileProblemError(Problem("file_unreadable", detail, where=_at(path)))
    return FoundFile(path, relative, status.st_size)


def is_hidden(relative: str) -> bool:
    """Files that computers make for themselves: `Thumbs.db`, dot files, and all below a dot folder."""
    parts = relative.split("/")
    return any(part.startswith(".") for part in parts) or parts[-1].lower() == "thumbs.db"


def natural_key(path: str) -> str:
    """A key to sort by as people do, `lane2` before `lane10`."""
    return re.sub(r"\d+", lambda digits: digits[0].rjust(15, "0"), path.lower())


def nfc(text: str) -> str:
    """The text with accented letters in one piece."""
    return unicodedata.normalize("NFC", text)


def _walk(folder: Path, relative: str, around: frozenset[str]) -> Iterator[tuple[Path, str]]:
    """Paths of all files; `around` are the real folders above, into which a link must not lead back."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(relative, error) from error
    for entry in entries:
        path, below = Path(entry.path), f"{relative}/{entry.name}"
        if not entry.is_dir():
            yield path, below
            continue
        real = os.path.realpath(path)
        if real in around:
            detail = f"{quoted(below)} is a link to a folder around it."
            raise FileProblemError(Problem("file_unreadable", detail, where=_at(path)))
        yield from _walk(path, below, around | {real})


def _unreadable(relative: str, error: OSError) -> FileProblemError:
    reason = error.strerror or type(error).__name__
    detail = f"{quoted(relative)} cannot be read: {reason.lower()}."
    return FileProblemError(Problem("file_unreadable", detail, where=_at(relative)))


def _at(path: Path | str) -> dict[str, str]:
    return {"path": str(path)}


@dataclass(slots=True)
class Node:
    """A folder in the tree; `folders` and `files` by name after NFC. Two files may have one name there."""

    name: str
    path: str
    folders: dict[str, Node] = field(default_factory=dict)
    files: dict[str, list[FoundFile]] = field(default_factory=dict)

    def child(self, name: str) -> Node:
        """The folder of that name, made where there is none yet."""
        key = nfc(name)
        if key not in self.folders:
            self.folders[key] = Node(name, f"{self.path}/{name}" if self.path else name)
        return self.folders[key]

    def all_files(self) -> Iterator[FoundFile]:
        """The files in it and below it."""
        for files in self.files.values():
            yield from files
        for folder in self.folders.values():
            yield from folder.all_files()

    @property
    def only_folder(self) -> Node | None:
        """The one thing in it, if that is a folder."""
        return next(iter(self.folders.values())) if not self.files and len(self.folders) == 1 else None


def tree_of(files: Iterable[FoundFile]) -> Node:
    """The tree above these files; its root has no name."""
    root = Node("", "")
    for file in files:
        *folders, name = file.relative.split("/")
        node = root
        for folder in folders:
            node = node.child(folder)
        node.files.setdefault(nfc(name), []).append(file)
    return root


def holders_of(root: Node, is_known: Callable[[str], bool]) -> list[Node]:
    """The folders that hold entries' folders; `is_known` tells whether a folder of this name is expected.

    One folder around all others is such a holder, unless it is an entry's folder itself; so is each folder around
    entries' folders where several were given.
    """
    only = root.only_folder
    if only and _is_around(only, is_known):
        return [_deepest(only, is_known)]
    around = [node for name, node in root.folders.items() if not is_known(name) and _leads_to_known(node, is_known)]
    return [root, *[_deepest(node, is_known) for node in around]]


def entry_folders_in(holders: list[Node]) -> tuple[list[tuple[Node, Node]], list[FoundFile]]:
    """The entries' folders of these holders, each once and with its holder, and the files that lie beside them."""
    inside = {id(holder) for holder in holders}

    def leads_inside(node: Node) -> bool:
        return id(node) in inside or any(map(leads_inside, node.folders.values()))

    folders = [(holder, node) for holder in holders for node in holder.folders.values() if not leads_inside(node)]
    return folders, [file for holder in holders for files in holder.files.values() for file in files]


def _is_around(node: Node, is_known: Callable[[str], bool]) -> bool:
    if any(map(is_known, node.folders)):
        return True
    return bool(node.folders) and not is_known(nfc(node.name))


def _leads_to_known(node: Node, is_known: Callable[[str], bool]) -> bool:
    """Whether entries' folders are in this folder, or in the only folder in it, as unpacking an archive makes them."""
    if any(map(is_known, node.folders)):
        return True
    only = node.only_folder
    return only is not None and _leads_to_known(only, is_known)


def _deepest(node: Node, is_known: Callable[[str], bool]) -> Node:
    only = node.only_folder
    if only and not is_known(nfc(only.name)) and _leads_to_known(only, is_known):
        return _deepest(only, is_known)
    return node
