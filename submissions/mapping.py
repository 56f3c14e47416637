"""Parses the file mapping: which files belong to which entry, in which category, under which file name.

    {submissionID: {<fileCategory>: [{"fileId": <fileId>, "name": <fileName>}]}}

Where the files of one entry are replaced, it is what stands behind the submission ID. Only the shape is judged
here; whether IDs, categories and files exist, and whether names are allowed, is decided where these are known.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn
from uuid import UUID

from common.errors import ErrorList, Location, RequestTooLargeError
from submissions.errors import FileMappingInvalidError, quoted
from submissions.names import SURROGATE

FIELD = "fileMapping"
SHAPE = '{submissionID: {fileCategory: [{"fileId": …, "name": …}]}}'
ENTRY_SHAPE = '{fileCategory: [{"fileId": …, "name": …}]}'
MAX_BYTES = 8 << 20
"""In UTF-8. Some 50,000 files, where 10,000 entries with two files each have 3 MB; as a document of nothing but empty
lists, which takes most, it comes to 180 MB of memory before anything about its shape is known."""
MAX_FILES = 100_000
"""In one mapping, or in the `files.` columns of one table: one for each row that a table may have."""
FILE_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""The one form that RFC 9562 writes; `uuid.UUID` would also take braces, `urn:uuid:` and bare digits."""


@dataclass(frozen=True, slots=True)
class MappedFile:
    """One file of one category of one entry; `pointer` is its JSON Pointer in the mapping."""

    submission_id: str
    category: str
    file_id: UUID
    name: str
    pointer: str

    @property
    def location(self) -> Location:
        """Where an error about this file is."""
        return Location(
            field=FIELD,
            pointer=self.pointer,
            submission_id=self.submission_id,
            category=self.category,
            file_id=str(self.file_id),
            name=self.name,
        )


@dataclass(frozen=True, slots=True)
class FileMapping:
    """Files by submission ID and category, all in the order they were sent; a category may be named with
    none."""

    entries: dict[str, dict[str, tuple[MappedFile, ...]]] = field(default_factory=dict)

    def files(self) -> Iterator[MappedFile]:
        """Every file, in the order it was sent."""
        for categories in self.entries.values():
            for files in categories.values():
                yield from files

    @property
    def has_files(self) -> bool:
        """Whether any file is mapped at all: `{"s1": {"rawReads": []}}` maps none."""
        return any(True for _ in self.files())


def pointer_to(*keys: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a place in the mapping."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def check_size(number_of_bytes: int) -> None:
    """Raise `RequestTooLargeError` for a file mapping of more than `MAX_BYTES`; to be asked before it is read."""
    if number_of_bytes > MAX_BYTES:
        sentence = f"The file mapping has more than {MAX_BYTES:,} bytes. Submit in several pieces."
        raise RequestTooLargeError(sentence, Location(field=FIELD))


def parse_mapping(text: str) -> FileMapping:
    """Parse the JSON text (RFC 8259) of a file mapping; an empty text is an empty mapping.

    A byte order mark before it and unknown keys in the file objects are ignored: scripts for other systems
    send them. File IDs may be in any case. Raises `ValidationFailedError` with a `FileMappingInvalidError` for
    every place that is wrong: no JSON (`NaN` is none), another shape, a file ID that is no UUID, a key twice,
    a string with half a surrogate pair, more than `MAX_FILES` files. Raises `RequestTooLargeError` for more than
    `MAX_BYTES`.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        return FileMapping()
    problems = ErrorList()
    mapping = FileMapping()
    try:
        mapping = _Walk(problems).entries(_load(text))
    except FileMappingInvalidError as error:
        problems.add(error)
    problems.raise_if_any()
    return mapping


def parse_entry_mapping(text: str, submission_id: str) -> FileMapping:
    """Parse the JSON text of the files of one entry, `{<fileCategory>: [{"fileId", "name"}]}`.

    What it returns, and the pointers in it, are those of a file mapping with this entry alone. An empty text is
    refused: all files of the entry are taken away by `{}`, and by nothing less. Otherwise as `parse_mapping`.
    """
    problems = ErrorList()
    mapping = FileMapping()
    try:
        walk = _Walk(problems, ENTRY_SHAPE)
        mapping = FileMapping({submission_id: walk.categories(submission_id, _load(text.removeprefix("\ufeff")))})
    except FileMappingInvalidError as error:
        problems.add(error)
    problems.raise_if_any()
    return mapping


@dataclass(frozen=True, slots=True)
class _Object:
    """A JSON object with its members as they stand, so that a key that stands twice can be seen."""

    members: tuple[tuple[str, object], ...]


def _object(members: list[tuple[str, object]]) -> _Object:
    # A tuple takes less than a list, and nothing at all where it is empty.
    return _Object(tuple(members))


def _load(text: str) -> object:
    """The JSON document. Integers come as floats: none is used, and a float may have any number of digits."""
    check_size(len(text.encode()))
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=float)
    except json.JSONDecodeError as error:
        sentence = f"The file mapping is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        raise FileMappingInvalidError(sentence, Location(field=FIELD)) from error
    except RecursionError as error:
        sentence = f"The file mapping is nested too deeply; it should be {SHAPE}."
        raise FileMappingInvalidError(sentence, Location(field=FIELD)) from error


def _refuse_constant(constant: str) -> NoReturn:
    sentence = f"The file mapping is not JSON: {constant} is no JSON number."
    raise FileMappingInvalidError(sentence, Location(field=FIELD))


class _Place(NamedTuple):
    """A place of the mapping, given as far as it goes; where nothing is wrong there, it never becomes a `Location`."""

    submission_id: str | None = None
    category: str | None = None
    position: int | None = None

    def location(self, below: str | None = None) -> Location:
        """Where an error in this place is, or in what stands below it under a key."""
        keys = [key for key in (*self, below) if key is not None]
        return Location(
            field=FIELD, pointer=pointer_to(*keys), submission_id=self.submission_id, category=self.category
        )


@dataclass(slots=True)
class _Walk:
    """Walks through the document level by level, notes what is wrong and keeps what is right."""

    problems: ErrorList
    shape: str = SHAPE
    number_of_files: int = 0

    def entries(self, document: object) -> FileMapping:
        what = f"The file mapping is not an object; it should be {self.shape}."
        members = self._members(document, _Place(), what)
        return FileMapping({sid: self.categories(sid, value) for sid, value in members})

    def categories(self, submission_id: str, value: object) -> dict[str, tuple[MappedFile, ...]]:
        what = f"The value of {quoted(submission_id)} is not an object of file categories; it should be {self.shape}."
        members = self._members(value, _Place(submission_id), what)
        return {category: self._files(submission_id, category, files) for category, files in members}

    def _files(self, submission_id: str, category: str, value: object) -> tuple[MappedFile, ...]:
        if not isinstance(value, list):
            what = f"The files of {quoted(category)} are not a list; it should be {self.shape}."
            self._note(what, _Place(submission_id, category))
            return ()
        self.number_of_files += len(value)
        if self.number_of_files > MAX_FILES:
            sentence = f"The file mapping has more than {MAX_FILES:,} files. Submit in several pieces."
            raise FileMappingInvalidError(sentence, _Place(submission_id, category).location())
        read = (self._file(submission_id, category, index, item) for index, item in enumerate(value))
        return tuple(file for file in read if file is not None)

    def _file(self, submission_id: str, category: str, index: int, value: object) -> MappedFile | None:
        here = _Place(submission_id, category, index)
        members = dict(self._members(value, here, 'A file is not an object {"fileId": …, "name": …}.'))
        if not isinstance(value, _Object):
            return None
        file_id = self._file_id(members, here)
        name = self._text(members, "name", here)
        if file_id is None or name is None:
            return None
        return MappedFile(submission_id, category, file_id, name, pointer_to(submission_id, category, index))

    def _file_id(self, members: dict[str, object], here: _Place) -> UUID | None:
        text = self._text(members, "fileId", here)
        if text is None:
            return None
        if FILE_ID.fullmatch(text):
            return UUID(text)
        what = f"{quoted(text)} is no file ID. A file ID is a UUID, as in the answer to the upload request."
        self._note(what, here, "fileId")
        return None

    def _text(self, members: dict[str, object], key: str, here: _Place) -> str | None:
        if key not in members:
            self._note(f"A file has no “{key}”.", here)
        elif not isinstance(value := members[key], str):
            self._note(f"The “{key}” of a file is not a text.", here, key)
        elif SURROGATE.search(value):
            what = f"The “{key}” {quoted(value)} of a file contains half a surrogate pair."
            self._note(what, here, key)
        else:
            return value
        return None

    def _members(self, value: object, here: _Place, otherwise: str) -> Sequence[tuple[str, object]]:
        """The members of a JSON object whose keys can be written as UTF-8; a key that stands twice is
        noted."""
        if not isinstance(value, _Object):
            self._note(otherwise, here)
            return []
        names = {key for key, _ in value.members}
        if len(names) == len(value.members) and not SURROGATE.search("".join(names)):
            return value.members
        times = Counter(key for key, _ in value.members)
        usable = {key for key in times if not SURROGATE.search(key)}
        for key, count in times.items():
            if key not in usable:
                self._note(f"The key {quoted(key)} contains half a surrogate pair.", here)
            elif count > 1:
                what = f"The key {quoted(key)} stands {count} times in one object; it may stand once."
                self._note(what, here, key)
        return [(key, member) for key, member in value.members if key in usable]

    def _note(self, sentence: str, place: _Place, below: str | None = None) -> None:
        self.problems.add(FileMappingInvalidError(sentence, place.location(below)))
