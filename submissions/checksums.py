"""Reads a checksum file, and tells which of the submitted files each of its lines means.

A checksum file is what `sha256sum` and `md5sum` of the GNU coreutils write, with `--tag` or without: one line a
file. Its paths are those of the submitter's disk, so they are compared by their ends with those that a file has
by the file mapping.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from common.errors import MOST_TOLD, DomainError, ErrorList, Location
from submissions.compression import open_unpacked
from submissions.errors import ChecksumInvalidError, quoted
from submissions.mapping import MappedFile

FIELD = "checksumFile"

MAX_LINE_BYTES = 32_768
"""A path of 4,096 bytes, which is what Linux takes, each of them escaped, and much more."""
MAX_LINES = 500_000
"""Two checksums for each of 100,000 files, and more lines than these for comments, blank lines and other files."""
MAX_BAD_LINES = MOST_TOLD - 1
"""More are not listed; and behind these it can still be told that the rest was not read."""
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

UNTAGGED = re.compile(r"[ \t]*([0-9A-Fa-f]{32,})[ \t][ *]?+(.+)")
"""`<checksum>  <path>`, an asterisk before the path for “binary”; `md5 -r` of the BSDs has one space."""
TAGGED = re.compile(r"(SHA256|SHA2-256|MD5) ?\((.+)\) ?= ?([0-9A-Fa-f]+)")
"""`SHA256 (<path>) = <checksum>`, as the BSDs write it; OpenSSL leaves out the spaces."""
TAGS = {"SHA256": "sha256", "SHA2-256": "sha256", "MD5": "md5"}
ALGORITHMS = {64: "sha256", 32: "md5"}
OTHER_ALGORITHMS = {40: "SHA-1", 56: "SHA-224", 96: "SHA-384", 128: "SHA-512"}
ESCAPE = re.compile(r"\\(.?)")
ESCAPED = {"\\": "\\", "n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Checksum:
    """One line: `algorithm` is `sha256` or `md5`, `digest` in lower-case hexadecimal; `line` counts from 1."""

    line: int
    algorithm: str
    digest: str
    path: str


def read_checksums(stream: BinaryIO, *, errors: ErrorList, limit: int) -> Iterator[Checksum]:
    """The lines of a checksum file, plain or packed, as they are read; adds every problem to `errors`.

    `limit` is in unpacked bytes. UTF-8, a byte order mark is tolerated, LF or CRLF. Blank lines and those that
    begin with `#` are passed over. Reading ends behind `MAX_LINES` lines, and `MAX_BAD_LINES` problems, of which
    those count, too, that the caller adds to `errors` meanwhile. Raises nothing for what a submitter
    can get wrong; memory is constant.
    """
    seen = False
    before = errors.count
    try:
        unpacked = open_unpacked(stream, limit=limit, field=FIELD, too_large=ChecksumInvalidError)
        for line, raw in _lines(unpacked):
            seen = True
            try:
                checksum = _parsed(line, raw)
            except ChecksumInvalidError as error:
                errors.add(error)
            else:
                yield checksum
            if errors.count - before >= MAX_BAD_LINES:
                sentence = f"{MAX_BAD_LINES:,} lines of the checksum file are wrong; it was read up to line {line}."
                raise ChecksumInvalidError(sentence, at_line(line))
        if not seen:
            raise ChecksumInvalidError("The checksum file has no line with a checksum.", at_line(None))
    except DomainError as error:
        errors.add(error)


def at_line(line: int | None) -> Location:
    """A line of the checksum file."""
    return Location(field=FIELD, line=line)


def _lines(unpacked: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Line numbers and lines without their ends, but for comments and blank lines."""
    line = 0
    while raw := unpacked.readline(MAX_LINE_BYTES + 1):
        line += 1
        if len(raw) > MAX_LINE_BYTES:
            raise ChecksumInvalidError(f"Line {line} has more than {MAX_LINE_BYTES:,} bytes.", at_line(line))
        if line > MAX_LINES:
            sentence = f"Line {line} is one too many: a checksum file may have {MAX_LINES:,}."
            raise ChecksumInvalidError(sentence, at_line(line))
        if line == 1 and raw.startswith(UTF16_MARKS):
            sentence = "The checksum file is UTF-16, as PowerShell writes it. Save it as UTF-8."
            raise ChecksumInvalidError(sentence, at_line(line))
        if line == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if raw.strip() and not raw.startswith(b"#"):
            yield line, raw.removesuffix(b"\n").removesuffix(b"\r")


def _parsed(line: int, raw: bytes) -> Checksum:
    """The checksum of a line; raises `ChecksumInvalidError` where it is none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ChecksumInvalidError(f"Line {line} is not UTF-8 (its byte {error.start + 1}).", at_line(line)) from error
    is_escaped = text.startswith("\\")
    tag, path, digest = _parts(line, text.removeprefix("\\"))
    algorithm = ALGORITHMS.get(len(digest))
    if algorithm is None or (tag and TAGS[tag] != algorithm):
        raise _wrong_length(line, len(digest), tag)
    return Checksum(line, algorithm, digest.lower(), _unescaped(line, path) if is_escaped else path)


def _parts(line: int, text: str) -> tuple[str, str, str]:
    """Tag, which may be empty, path and checksum of a line."""
    if found := TAGGED.fullmatch(text):
        return found[1], found[2], found[3]
    if found := UNTAGGED.fullmatch(text):
        return "", found[2], found[1]
    raise ChecksumInvalidError(f"Line {line} is no line of sha256sum or md5sum: {quoted(text)}.", at_line(line))


def _wrong_length(line: int, length: int, tag: str) -> ChecksumInvalidError:
    other = f", which looks like {OTHER_ALGORITHMS[length]}" if length in OTHER_ALGORITHMS and not tag else ""
    sentence = f"The checksum in line {line} has {length} digits{other}; a sha256 has 64, an MD5 has 32."
    return ChecksumInvalidError(sentence, at_line(line))


def _unescaped(line: int, path: str) -> str:
    """A path without coreutils' escapes, in a line that begins with a backslash."""
    if any(found not in ESCAPED for found in ESCAPE.findall(path)):
        sentence = f"Line {line} begins with a backslash, and {quoted(path)} has another escape than \\\\, \\n and \\r."
        raise ChecksumInvalidError(sentence, at_line(line))
    return ESCAPE.sub(lambda found: ESCAPED[found[1]], path)


# --- which file a path means -------------------------------------------------------------------------

Target = UUID | str
"""What a line can mean: a file, by its file ID, or a part of the form, by its name (`metadataFile`)."""
Meaning = Mapping[Target, MappedFile | None]
"""What a path can mean; for a file with the first place where it is mapped under such a path."""


class SubmittedPaths:
    """The paths under which a checksum file can name what was submitted.

    A path means a file of the mapping if its last components are, the longest first,
    `<category>/<submissionID>/<name>`, `<submissionID>/<category>/<name>`, `<submissionID>/<name>` or
    `<name>`; for a part of the form they are the name of the file that was sent. Compared after NFC.

    A shorter form could be anybody's, so it does not count against what the folders say: with a category as one
    of the last two folders only the first two forms count, and a folder that is named like a submission ID of
    the table binds the path to it.
    """

    def __init__(
        self,
        files: Iterable[MappedFile],
        *,
        documents: Mapping[str, str],
        submission_ids: Iterable[str],
        categories: Iterable[str],
    ) -> None:
        """`documents` has the names of the files that were sent as parts of the form, by part."""
        self._with_category: dict[str, dict[Target, MappedFile | None]] = defaultdict(dict)
        self._without: dict[str, dict[Target, MappedFile | None]] = defaultdict(dict)
        self._submission_ids = {_normal(submission_id) for submission_id in submission_ids}
        self._categories = frozenset(categories)
        for mapped in files:
            category, submission_id, name = mapped.category, mapped.submission_id, mapped.name
            for form in (f"{category}/{submission_id}/{name}", f"{submission_id}/{category}/{name}"):
                self._with_category[_normal(form)].setdefault(mapped.file_id, mapped)
            for form in (f"{submission_id}/{name}", name):
                self._without[_normal(form)].setdefault(mapped.file_id, mapped)
        for part, name in documents.items():
            self._without[_normal(name)][part] = None
        self._most_folders = max((form.count("/") for form in self._with_category), default=0)

    def meaning_of(self, path: str) -> Meaning:
        """What the path means: nothing, one thing, or several that it does not tell apart."""
        *folders, name = _normal(path).split("/")
        near = folders[-self._most_folders :] if self._most_folders else []
        ends = ["/".join([*near[start:], name]) for start in range(len(near))]
        for end in ends:
            if end in self._with_category:
                return self._with_category[end]
        if len(folders) > 1 and not self._categories.isdisjoint(folders[-2:]):
            return {}
        for end in ends:
            if end in self._without:
                return self._without[end]
        for folder in reversed(folders):
            if folder in self._submission_ids:
                return self._without.get(f"{folder}/{name}", {})
        return self._without.get(name, {})


def _normal(path: str) -> str:
    """A path in NFC, without `./`, doubled slashes and one at its beginning."""
    components = unicodedata.normalize("NFC", path).split("/")
    return "/".join(component for component in components if component not in {"", "."})
