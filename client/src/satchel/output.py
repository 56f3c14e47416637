"""What commands say: results on stdout, as text or as JSON; words and progress on stderr.

Text on a terminal is for people; where stdout is no terminal, columns are separated by tabs, for `cut` and the like.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from satchel.errors import ApiError, Problem, RefusedError, SatchelError
from satchel.words import many, visible

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command writes; with `as_json`, stdout gets one JSON document and nothing else."""

    as_json: bool = False

    def say(self, text: str = "") -> None:
        """A line for whoever watches, on stderr."""
        print(text, file=sys.stderr, flush=True)

    def print(self, text: str) -> None:
        """A line of the result, on stdout, unless that is JSON."""
        if not self.as_json:
            print(text)

    def result(self, document: object) -> None:
        """The result as JSON, if that was asked for."""
        if self.as_json:
            print(json.dumps(document, ensure_ascii=False, indent=2))

    def table(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Columns on stdout, aligned and with their names for people, with tabs and without for programs."""
        if self.as_json:
            return
        cells = [[visible(str(cell)) for cell in row] for row in rows]
        if not sys.stdout.isatty():
            for row in cells:
                print("\t".join(row))
            return
        widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
        for row in [list(header), *cells]:
            line = _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print(line.rstrip())

    def problems(self, problems: Iterable[Problem]) -> None:
        """Each problem with its place, on stderr."""
        for problem in problems:
            self.say(f"  {sentence_of(problem)}")

    def failure(self, error: SatchelError) -> None:
        """Why the command failed: all of it on stderr, and as JSON on stdout if that was asked for."""
        problems = problems_of(error)
        self.say(f"satchel: {visible(error.problem.detail)}{_code(error.problem)}")
        self.problems(problems)
        more = error.error_count - len(problems) if isinstance(error, ApiError) else 0
        if more > 0:
            self.say(f"  and {many(more, 'more problem')}")
        errors = [problem_body(problem) for problem in problems]
        done = error.document if isinstance(error, RefusedError) else {}
        self.result({**done, "error": {**problem_body(error.problem), "errors": errors}})


def problems_of(error: SatchelError) -> Sequence[Problem]:
    """All that is wrong by itself, where an error is the sum of several."""
    if isinstance(error, ApiError):
        return error.errors
    return error.problems if isinstance(error, RefusedError) else ()


def problem_body(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    status = {"status": problem.status} if problem.status else {}
    return {"code": problem.code, "detail": problem.detail, **status, **problem.where}


def sentence_of(problem: Problem) -> str:
    """A problem in one line: where it is, what it is, and its code."""
    place = _place(problem.where, problem.detail)
    return f"{place}{visible(problem.detail)}{_code(problem)}"


def _code(problem: Problem) -> str:
    return f" [{problem.code}]"


def _place(where: Mapping[str, Any], detail: str) -> str:
    """File, submission ID, category and line, as far as they are known and the sentence does not have them."""
    named = [str(where[key]) for key in ("path", "name", "fileId", "submissionId", "category") if where.get(key)]
    place = [visible(name) for name in named if f"“{name}”" not in detail]
    for key, word in (("line", "line"), ("offset", "byte")):
        number = where.get(key)
        if number is not None and f"{word} {number:,}" not in detail.lower():
            place.append(f"{word} {number:,}")
    return f"{', '.join(place)}: " if place else ""
