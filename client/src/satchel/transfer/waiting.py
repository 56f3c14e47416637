"""Waiting until the server has read what was sent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from satchel.api import bodies
from satchel.errors import Problem
from satchel.transfer.events import Settled, Uploaded
from satchel.transfer.jobs import Terms

FIRST_PAUSE, LONGEST_PAUSE = 0.3, 5.0  # seconds
MOST_IN_AN_ADDRESS = 50  # file IDs, with room to spare


def settled(terms: Terms, uploaded: Sequence[Uploaded]) -> list[Uploaded]:
    """The same once each is verified, or has the problem that was found with it; those without file ID as they are.

    Raises `ApiError` and `UnreachableError`.
    """
    waiting = {item.file_id for item in uploaded if item.file_id and not item.problem}
    files: dict[str, bodies.File | None] = {}
    pause = FIRST_PAUSE
    while waiting:
        decided = _decided(terms, sorted(waiting))
        for item in uploaded:
            if item.file_id in decided and not item.problem:
                terms.tell(Settled(item.file, item.file_id, _problem_with(item, decided[item.file_id], terms)))
        files |= decided
        waiting -= decided.keys()
        pause = FIRST_PAUSE if decided else min(2 * pause, LONGEST_PAUSE)
        if waiting:
            time.sleep(pause)  # the API tells nobody by itself that a file was read
    return [
        replace(item, problem=_problem_with(item, files[item.file_id], terms)) if item.file_id in files else item
        for item in uploaded
    ]


def _decided(terms: Terms, file_ids: Sequence[str]) -> dict[str, bodies.File | None]:
    """Those of the files of which nothing more is to be waited for; None for one that is no more."""
    decided: dict[str, bodies.File | None] = {}
    for start in range(0, len(file_ids), MOST_IN_AN_ADDRESS):
        some = file_ids[start : start + MOST_IN_AN_ADDRESS]
        found = {file["fileId"]: file for file in terms.api.files(terms.group_id, ids=some)}
        for file_id in some:
            file = found.get(file_id)
            if file is None or file["problem"] or file["status"] in {"VERIFIED", "REJECTED", "EXPIRED"}:
                decided[file_id] = file
    return decided


def _problem_with(item: Uploaded, file: bodies.File | None, terms: Terms) -> Problem | None:
    """What the server found: with the bytes, or by the content check of the category that they were sent for."""
    if item.problem:
        return item.problem
    if file is None or file["status"] == "EXPIRED":
        return Problem("file_not_found", "The server does not have this file any more.")
    if reason := file["problem"]:
        return Problem(reason["code"], reason["detail"])
    claims = file["claims"]
    if (claims["organism"], claims["category"]) != (terms.organism, item.file.category):
        return None  # its checks are those of other categories; this one's are done when it is attached
    failed = next((check for check in file["checks"] if check["status"] == "FAILED"), None)
    if failed is None:
        return None
    where = {name: failed[name] for name in ("line", "offset") if failed[name] is not None}
    return Problem(failed["code"] or "", failed["detail"] or "", where=where)
