"""What is wrong with files and documents, before a byte is sent: what a look shows, and what the server says."""

from __future__ import annotations

from collections.abc import Sequence

from satchel.api import Api, Form
from satchel.bodies import Organism
from satchel.cli.uploading import fault_problem, look_at_all
from satchel.errors import ApiError, Problem
from satchel.planning import PlannedFile
from satchel.prechecks import Look
from satchel.rules import FILES_OF_A_PAIR, pair_problem


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


def problems_in_files(files: Sequence[PlannedFile], organism: Organism) -> list[Problem]:
    """What the beginnings of the files show."""
    categories = {category["name"]: category for category in organism["fileCategories"]}
    checks = [categories[planned.category]["contentCheck"] or "" for planned in files]
    looks = look_at_all([(planned.file, check) for planned, check in zip(files, checks, strict=True)])
    looked = list(zip(files, looks, strict=True))
    faults = [fault_problem(planned.file, planned.category, look) for planned, look in looked]
    paired = [(planned, look) for planned, look in looked if categories[planned.category]["pairing"]]
    return [*filter(None, faults), *_problems_of_pairs(paired)]


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
