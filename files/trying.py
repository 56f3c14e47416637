"""What a category's rules would make of files, without taking any of them in: for rules that are being written.

Names, sizes and numbers are judged by `category_rules`, bytes by the content checks, as they are for what is
submitted. Knows neither models nor storage, and stores nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from common.errors import DomainError, Location
from common.words import size_words
from files.category_rules import (
    CategoryRules,
    count_error,
    ending_error,
    name_errors,
    pair_names_error,
    size_error,
)
from files.content import CheckOutcome, run_of
from files.pairs import FILES_OF_A_PAIR, Reads, are_names_of_pair, compare

NO_CHECK: Final = "none"
OWNER: Final = "An entry with what was chosen"


class Rules(CategoryRules, Protocol):
    """A file category's rules, saved or not, with what they ask of the bytes."""

    @property
    def content_check(self) -> str:
        """The name of a check in `files.content.CHECKS`, or `NO_CHECK`."""


@dataclass(frozen=True, slots=True)
class TriedFile:
    """A file as it would be uploaded: its name, its size in bytes, its bytes, which are read once and in order."""

    name: str
    size: int
    chunks: Iterable[bytes]


class Verdict(StrEnum):
    """What the rules make of it."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the rules say about a file, or about all files together where `name` is None.

    `code` is that of the problem, empty where there is none; `detail` is a sentence. `line` counts from 1 in the
    unpacked text, `offset` in bytes from 0 in the file.
    """

    name: str | None
    verdict: Verdict
    detail: str
    code: str = ""
    line: int | None = None
    offset: int | None = None


def findings(
    rules: Rules, files: Sequence[TriedFile], *, time_is_up: Callable[[], bool] = lambda: False
) -> list[Finding]:
    """Everything that the rules say about an entry with these files: of each file, then of all together.

    Reads each file once, in chunks, keeping none; when `time_is_up`, what was not read to its end is UNDECIDED.
    Raises `KeyError` for a content check that we do not have, and what reading the files raises.
    """
    read = [_read(rules, file, time_is_up) for file in files]
    places = [Location(pointer=f"/{position}") for position in range(len(files))]
    named = ((file.name, place) for file, place in zip(files, places, strict=True))
    wrong_names = {error.location: error for error in name_errors(named)}
    found: list[Finding] = []
    for file, place, content in zip(files, places, read, strict=True):
        found += _of_file(rules, file, wrong_names.get(place), content.outcome)
    return [*found, _of_number(rules, len(files)), *_of_pair(rules, files, read)]


@dataclass(frozen=True, slots=True)
class _Content:
    """What the content check found, None where there is none or no time for it; the sha256 where there are pairs."""

    outcome: CheckOutcome | None = None
    sha256: str = ""


def _read(rules: Rules, file: TriedFile, time_is_up: Callable[[], bool]) -> _Content:
    if rules.content_check == NO_CHECK:
        return _Content()
    run, digest = run_of([rules.content_check], file.size), hashlib.sha256()
    for chunk in file.chunks:
        if time_is_up():
            return _Content()
        run.feed(chunk)
        if rules.pairing:
            digest.update(chunk)
    return _Content(run.finish()[0], digest.hexdigest())


def _of_file(
    rules: Rules, file: TriedFile, wrong_name: DomainError | None, outcome: CheckOutcome | None
) -> Iterator[Finding]:
    where = Location()
    errors = (wrong_name, ending_error(rules, file.name, where), size_error(rules, file.name, file.size, where))
    refusals = [_refusal(file.name, error) for error in errors if error is not None]
    if outcome is not None and not outcome.passed:
        failure = Finding(
            file.name, Verdict.REFUSED, outcome.detail, outcome.code, line=outcome.line, offset=outcome.offset
        )
        refusals.append(failure)
    yield from refusals
    if outcome is None and rules.content_check != NO_CHECK:
        text = "Reading it took longer than a try may take, so its content is not judged. Try a smaller file."
        yield Finding(file.name, Verdict.UNDECIDED, text)
    elif not refusals:
        yield Finding(file.name, Verdict.ACCEPTED, f"{_size_words(file.size)}. {_content_words(outcome)}")


def _refusal(name: str | None, error: DomainError) -> Finding:
    return Finding(name, Verdict.REFUSED, error.detail, error.code)


def _size_words(size: int) -> str:
    """“16.4 MB (16,430,000 bytes)”: the number, too, for who is about to type a limit."""
    return size_words(size) if size < 1000 else f"{size_words(size)} ({size:,} bytes)"


def _content_words(outcome: CheckOutcome | None) -> str:
    if outcome is None:
        return "No content check is set, so its content was not read."
    counts = [
        _count_words(key, number)
        for key, number in outcome.data.items()
        if isinstance(number, int) and not isinstance(number, bool)
    ]
    return f"The content check passed: {', '.join(counts)}." if counts else "The content check passed."


def _count_words(key: str, number: int) -> str:
    """What a check counted, in words: “1 read”, “2 members”, and for `unpackedSize` “unpacked size 16.4 MB”."""
    words = re.sub(r"(?<=[a-z])[A-Z]", lambda letter: f" {letter[0].lower()}", key)
    if words.endswith("size"):
        return f"{words} {size_words(number)}"
    return f"{number:,} {words.removesuffix('s') if number == 1 else words}"


def _of_number(rules: Rules, count: int) -> Finding:
    error = count_error(rules, count, OWNER, Location())
    if error is not None:
        return _refusal(None, error)
    return Finding(None, Verdict.ACCEPTED, f"An entry may have {count} {'file' if count == 1 else 'files'} here.")


def _of_pair(rules: Rules, files: Sequence[TriedFile], read: Sequence[_Content]) -> Iterator[Finding]:
    """Whether two files are a pair, where a pair is wanted and there are two; their reads once both are readable."""
    if not rules.pairing or len(files) != FILES_OF_A_PAIR:
        return
    names = [file.name for file in files]
    reads = [
        Reads.of(name, content.sha256, content.outcome.data)
        for name, content in zip(names, read, strict=True)
        if content.outcome is not None and content.outcome.passed
    ]
    if (wrong_names := pair_names_error(rules, names, OWNER, Location())) is not None:
        yield _refusal(None, wrong_names)
    elif are_names_of_pair(*names) and len(reads) == FILES_OF_A_PAIR:
        problem = compare(*reads)
        if problem is None:
            yield Finding(None, Verdict.ACCEPTED, "The two files are a pair: the same reads in the same order.")
        else:
            yield Finding(None, Verdict.REFUSED, problem.detail, problem.code)
