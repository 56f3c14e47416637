"""What is wrong with files and documents, before a byte is sent: what a look shows, and what the server says."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from satchel.api import Api, Form
from satchel.bodies import FileCategory, Organism
from satchel.errors import ApiError, Problem, RefusedError
from satchel.folders import FoundFile
from satchel.planning import PlannedFile
from satchel.prechecks import Look, look_at
from satchel.rules import FILES_OF_A_PAIR, file_problems, pair_problem
from satchel.words import many

LOOKERS = 4


def refuse_if_any(problems: Sequence[Problem], summary: str) -> None:
    """Raise `RefusedError` with all of them, if there are any."""
    if problems:
        raise RefusedError(f"{summary} {many(len(problems), 'problem')}.", problems)


def problems_in_documents(api: Api, organism: Organism, group_id: int, form: Form, *, revising: bool) -> list[Problem]:
    """All that the server finds wrong with table and sequences.

    Raises `ApiError` for any other refusal, and for more problems than it lists: the error knows how many.
    """
    try:
        api.check(organism["slug"], group_id, form, revising=revising)
    except ApiError as error:
        if error.status not in (400, 422) or len(error.errors) != error.error_count:
            raise
        return list(error.errors)
    return []


def problems_of_category(files: Sequence[FoundFile], category: FileCategory) -> list[Problem]:
    """What keeps each of these files by itself from being one of the category: its name, its size, a look at it."""
    problems = [problem for file in files for problem in file_problems(file, category)]
    looks = _look_at_all([(file, category["contentCheck"] or "") for file in files])
    faults = [_fault_problem(file, category["name"], look) for file, look in zip(files, looks, strict=True)]
    return [*problems, *filter(None, faults)]


def problems_in_files(files: Sequence[PlannedFile], organism: Organism) -> list[Problem]:
    """What the beginnings of the files show."""
    categories = {category["name"]: category for category in organism["fileCategories"]}
    checks = [categories[planned.category]["contentCheck"] or "" for planned in files]
    looks = _look_at_all([(planned.file, check) for planned, check in zip(files, checks, strict=True)])
    looked = list(zip(files, looks, strict=True))
    faults = [_fault_problem(planned.file, planned.category, look) for planned, look in looked]
    paired = [(planned, look) for planned, look in looked if categories[planned.category]["pairing"]]
    return [*filter(None, faults), *_problems_of_pairs(paired)]


def _look_at_all(files: Sequence[tuple[FoundFile, str]]) -> list[Look]:
    """A look at each file for the content check of its category, several at once: disks and networks take their time.

    Raises `OSError` for a file that cannot be read.
    """
    with ThreadPoolExecutor(LOOKERS) as pool:
        return list(pool.map(lambda one: look_at(one[0].path, one[1]), files))


def _fault_problem(file: FoundFile, category: str, look: Look) -> Problem | None:
    """What a look has found wrong, with its place."""
    fault = look.fault
    if fault is None:
        return None
    numbers = {"line": fault.line, "offset": fault.offset}
    where = {"path": file.relative, "category": category, **{key: n for key, n in numbers.items() if n is not None}}
    return Problem(fault.code, fault.detail, where=where)


def _problems_of_pairs(looked: Sequence[tuple[PlannedFile, Look]]) -> list[Problem]:
    problems = []
    entries: dict[tuple[str, str], list[tuple[PlannedFile, Look]]] = {}
    for planned, look in looked:
        entries.setdefault((planned.submission_id, planned.category), []).append((planned, look))
    for (submission_id, category), files in entries.items():
        reads = [(planned.file.name, look.first_read) for planned, look in files if look.first_read]
        if len(reads) != FILES_OF_A_PAIR:
            continue
        if (problem := pair_problem(*reads)) is not None:
            where = {"submissionId": submission_id, "category": category}
            problems.append(Problem(problem.code, problem.detail, where=where))
    return problems
