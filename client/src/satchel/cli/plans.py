"""A plan in words and as JSON: which files go to which entry."""

from __future__ import annotations

from typing import Any

from satchel.output import Output
from satchel.planning import Plan, PlannedFile
from satchel.words import listed, many, quoted, size_words

SHOWN_ENTRIES = 30
"""Of a larger plan the rest is counted; `--dry-run --json` has all of it."""
SHOWN_IDS = 10


def say_plan(output: Output, made: Plan) -> None:
    """Which files go to which entry, and which entries have none, or keep those of the version before."""
    by_category: dict[str, dict[str, list[PlannedFile]]] = {}
    for planned in made.files:
        by_category.setdefault(planned.category, {}).setdefault(planned.submission_id, []).append(planned)
    for category, entries in by_category.items():
        files = [planned.file for own in entries.values() for planned in own]
        size = size_words(sum(file.size for file in files))
        number = many(len(entries), "entry", "entries")
        output.say(f"{category}: {many(len(files), 'file')} of {number}, {size}")
        for submission_id, own in list(entries.items())[:SHOWN_ENTRIES]:
            paths = listed([planned.file.relative for planned in own], most=4)
            output.say(f"  {quoted(submission_id)}: {paths}")
        if (more := len(entries) - SHOWN_ENTRIES) > 0:
            output.say(f"  and {many(more, 'entry', 'entries')} more")
        if missing := made.missing.get(category):
            output.say(f"  without files: {_ids(missing)}")
    for category, carried in made.carried.items():
        output.say(f"{category}: carried over, as far as the version before has files: {_ids(carried)}")


def _ids(submission_ids: list[str]) -> str:
    return listed([quoted(one) for one in submission_ids], most=SHOWN_IDS)


def plan_body(made: Plan) -> dict[str, Any]:
    """The plan as JSON has it."""
    files = [
        {
            "submissionId": planned.submission_id,
            "category": planned.category,
            "name": planned.file.name,
            "path": str(planned.file.path),
            "size": planned.file.size,
        }
        for planned in made.files
    ]
    return {
        "files": files,
        "bytes": made.size,
        "leftOut": made.left_out,
        "withoutFiles": made.missing,
        "carriedOver": made.carried,
    }
