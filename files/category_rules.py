"""The rules of a file category that can be judged without reading a file: its name, its size, how many there are.

Each is written once, here: for what is submitted, and for the administration, where the rules are tried before they
are saved. Knows neither models nor storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from common.errors import DomainError, Location
from files.errors import (
    ExtensionNotAllowedError,
    FileTooLargeError,
    PairFileNamesError,
    TooFewFilesError,
    TooManyFilesError,
)
from files.pairs import FILES_OF_A_PAIR, problem_of_names
from submissions.errors import FileNameDuplicateError, FileNameInvalidError, quoted
from submissions.names import check_file_name, name_key


class CategoryRules(Protocol):
    """What a file category asks for; `str` of it is the name that people read."""

    @property
    def pairing(self) -> bool:
        """Whether the files of an entry are read 1 and read 2 of a pair; then there are two, whatever the numbers."""

    @property
    def required(self) -> bool:
        """Whether each entry must have files here."""

    @property
    def min_files(self) -> int:
        """The fewest files of an entry that has any here."""

    @property
    def max_files(self) -> int | None:
        """The most files of an entry; None for no limit."""

    @property
    def max_file_size(self) -> int | None:
        """The largest file, in bytes; None for no limit."""

    @property
    def extensions(self) -> Sequence[str]:
        """The endings that file names may have; empty for any."""


def name_errors(named: Iterable[tuple[str, Location]]) -> Iterator[DomainError]:
    """Names that no file can have, and names that stand twice among the files of one entry and category."""
    seen: set[str] = set()
    for name, where in named:
        if (reason := check_file_name(name)) is not None:
            yield FileNameInvalidError(reason, where)
            continue
        key = name_key(name)
        if key in seen:
            text = f"The file name {quoted(name)} stands twice here; upper and lower case count as the same."
            yield FileNameDuplicateError(text, where)
        seen.add(key)


def ending_error(rules: CategoryRules, name: str, where: Location) -> DomainError | None:
    """Why a file of this name has the wrong ending, if it has; upper and lower case count as the same."""
    endings = tuple(ending.casefold() for ending in rules.extensions)
    if not endings or name.casefold().endswith(endings):
        return None
    text = f"{quoted(name)} does not end in {', '.join(rules.extensions)}, as “{rules}” asks."
    return ExtensionNotAllowedError(text, where)


def size_error(rules: CategoryRules, name: str, size: int, where: Location) -> DomainError | None:
    """Why a file of `size` bytes is too large, if it is."""
    limit = rules.max_file_size
    if limit is None or size <= limit:
        return None
    return FileTooLargeError(f"{quoted(name)} has {size:,} bytes; “{rules}” allows {limit:,}.", where)


def count_error(rules: CategoryRules, count: int, owner: str, where: Location) -> DomainError | None:
    """Why an entry with `count` files here has too few or too many, if it has; `owner` begins the sentence."""
    has = f"{owner} has {count} {'file' if count == 1 else 'files'} in “{rules}”"
    fewest, most = rules.min_files, rules.max_files
    fewest_words, most_words = f"it needs at least {fewest}", f"it may have at most {most}"
    if rules.pairing:
        fewest = most = FILES_OF_A_PAIR
        fewest_words = most_words = "it needs two, read 1 and read 2 of a pair"
    if count < fewest and (count > 0 or rules.required):
        return TooFewFilesError(f"{has}; {fewest_words}.", where)
    if most is not None and count > most:
        return TooManyFilesError(f"{has}; {most_words}.", where)
    return None


def pair_names_error(rules: CategoryRules, names: Sequence[str], owner: str, where: Location) -> DomainError | None:
    """Why the two files of an entry are not named as a pair, if the category wants one and they are not.

    Another number of files is `count_error`'s to tell, and names that cannot be or stand twice `name_errors`'.
    """
    told_elsewhere = any(check_file_name(name) for name in names) or len(set(map(name_key, names))) < len(names)
    if not rules.pairing or len(names) != FILES_OF_A_PAIR or told_elsewhere:
        return None
    if (problem := problem_of_names(*names)) is None:
        return None
    return PairFileNamesError(f"{owner} has in “{rules}” {problem}.", where)
