"""What a file category takes, told before a byte is sent, with the codes and in the words of the server."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from satchel.bodies import FileCategory
from satchel.errors import Problem
from satchel.folders import FoundFile
from satchel.prechecks import FirstRead
from satchel.words import quoted

LONGEST_NAME = 255
FILES_OF_A_PAIR = 2
_NOT_ALLOWED = (
    (re.compile(r'[<>:"/\\|?*]'), "character"),
    (re.compile(r"[\x00-\x1f\x7f-\x9f]"), "control character"),
    (re.compile("[\u202a-\u202e\u2066-\u2069]"), "bidirectional override"),
    (re.compile("[\ud800-\udfff]"), "lone surrogate"),
)


def name_fault(name: str) -> str | None:
    """Why a file cannot have this name, as a sentence; None if it can."""
    if len(name) > LONGEST_NAME:
        return f"The file name has {len(name)} characters; at most {LONGEST_NAME} are allowed."
    for pattern, kind in _NOT_ALLOWED:
        if found := pattern.search(name):
            character = found[0] if found[0].isprintable() else f"U+{ord(found[0]):04X}"
            return f"The file name {quoted(name)} contains the {kind} {character}, which is not allowed."
    if name != name.strip():
        return f"The file name {quoted(name)} begins or ends with white space."
    return None


def name_key(name: str) -> str:
    """What two names have in common when they count as the same: equal after NFC and case folding."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def file_problems(file: FoundFile, category: FileCategory) -> Iterator[Problem]:
    """What is wrong with one file by itself, its bytes apart."""
    where = {"path": file.relative, "category": category["name"]}
    if (fault := name_fault(file.name)) is not None:
        yield Problem("file_name_invalid", fault, where=where)
    endings = tuple(ending.casefold() for ending in category["extensions"])
    if endings and not file.name.casefold().endswith(endings):
        asked = f"{', '.join(category['extensions'])}, as “{category['shownName']}” asks"
        yield Problem("extension_not_allowed", f"{quoted(file.name)} does not end in {asked}.", where=where)
    limit = category["maxFileSize"]
    if limit is not None and file.size > limit:
        text = f"{quoted(file.name)} has {file.size:,} bytes; “{category['shownName']}” allows {limit:,}."
        yield Problem("file_too_large", text, where=where)


def entry_problems(submission_id: str, files: Sequence[FoundFile], category: FileCategory) -> Iterator[Problem]:
    """What is wrong with the files that an entry has in a category, taken together: names, numbers, pairs."""
    where = {"submissionId": submission_id, "category": category["name"]}
    seen: dict[str, FoundFile] = {}
    for file in files:
        first = seen.setdefault(name_key(file.name), file)
        if first is not file:
            text = (
                f"The file name {quoted(file.name)} stands twice here; upper and lower case count as the same. The "
                f"folder is no part of it: {first.relative} and {file.relative}."
            )
            yield Problem("file_name_duplicate", text, where={**where, "path": file.relative})
    yield from _number_problems(quoted(submission_id), len(files), category, where)
    names = [file.name for file in files]
    are_named = len(seen) == len(files) and not any(map(name_fault, names))
    if category["pairing"] and len(files) == FILES_OF_A_PAIR and are_named and not _are_names_of_pair(*names):
        one, other = names
        text = (
            f"{quoted(submission_id)} has in “{category['shownName']}” “{one}” and “{other}”, which are not named as "
            "read 1 and read 2 of a pair: one has a 1 where the other has a 2, and all else is the same, as in "
            "“a_R1.fastq.gz” and “a_R2.fastq.gz”."
        )
        yield Problem("pair_file_names", text, where=where)


def _number_problems(owner: str, count: int, category: FileCategory, where: dict[str, str]) -> Iterator[Problem]:
    has = f"{owner} has {count} {'file' if count == 1 else 'files'} in “{category['shownName']}”"
    fewest, most = category["minFiles"] or 1, category["maxFiles"]
    fewest_words, most_words = f"it needs at least {fewest}", f"it may have at most {most}"
    if category["pairing"]:
        fewest = most = FILES_OF_A_PAIR
        fewest_words = most_words = "it needs two, read 1 and read 2 of a pair"
    if count < fewest and (count > 0 or category["required"]):
        yield Problem("too_few_files", f"{has}; {fewest_words}.", where=where)
    if most is not None and count > most:
        yield Problem("too_many_files", f"{has}; {most_words}.", where=where)


def _are_names_of_pair(one: str, other: str) -> bool:
    """Whether the names differ in one place alone, where one has a 1 and the other a 2."""
    if len(one) != len(other):
        return False
    differing = [{here, there} for here, there in zip(one, other, strict=True) if here != there]
    return differing == [{"1", "2"}]


def pair_problem(one: tuple[str, FirstRead], other: tuple[str, FirstRead]) -> Problem | None:
    """What keeps two files with names of a pair from being one, as far as their first reads show it.

    Each comes as its name and its first read; their order does not matter. Names are `entry_problems`' to tell.
    """
    (name_1, read_1), (name_2, read_2) = sorted((one, other), key=lambda each: each[0])
    if not _are_names_of_pair(name_1, name_2):
        return None
    mixed = [f"“{name}”" for name, read in ((name_1, read_1), (name_2, read_2)) if read.mate == "mixed"]
    if mixed:
        has = "has" if len(mixed) == 1 else "each have"
        text = f"{' and '.join(mixed)} {has} read 1 and read 2 in one file; divide them into a file of each."
        return Problem("pair_mixed", text)
    if read_1.mate is not None and read_1.mate == read_2.mate:
        missing = "2" if read_1.mate == "1" else "1"
        text = (
            f"The reads of both “{name_1}” and “{name_2}” say of themselves that they are read {read_1.mate}; put the "
            f"file with read {missing} in the place of one."
        )
        return Problem("pair_same_mate", text)
    if read_1.name != read_2.name:
        text = (
            f"“{name_1}” begins with the read “{read_1.name}” and “{name_2}” with “{read_2.name}”, but both need the "
            "same names in the same order; see whether they are of one sample, and whether one was sorted without the "
            "other."
        )
        return Problem("pair_read_names", text)
    if (read_1.mate, read_2.mate) == ("2", "1"):
        text = (
            f"The reads of “{name_1}” say of themselves that they are read 2, and those of “{name_2}” that they are "
            "read 1; exchange the two names."
        )
        return Problem("pair_swapped", text)
    return None
