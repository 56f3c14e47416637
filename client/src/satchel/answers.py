"""What an answer says: what was asked for, why our API refuses it, or that whoever answered is not our API.

A captive portal, a login page or another server at the address answers too, often with 200: only the status and the
body that a call is to have count as its success.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import httpx

from satchel.errors import STRANGE, ApiError, Problem
from satchel.patience import retry_after_of

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SUBMISSION = re.compile(r"/submissions/([0-9]+)$")


def object_in(answer: httpx.Response, *names: str) -> Any:
    """The JSON object of an answer, if it has at least these names; raises `ApiError` for anything else."""
    body = _json_of(answer)
    if not _has(body, names):
        raise strange(answer)
    return body


def list_in(answer: httpx.Response, *names: str) -> Any:
    """The JSON list of an answer, if each of its objects has at least these names; raises `ApiError` otherwise."""
    body = _json_of(answer)
    if not isinstance(body, list) or not all(_has(item, names) for item in body):
        raise strange(answer)
    return body


def text_in(answer: httpx.Response, media_type: str) -> bytes:
    """The bytes of an answer of this media type; raises `ApiError` for another."""
    if _media_type_of(answer) != media_type:
        raise strange(answer)
    return answer.content


def submission_in(answer: httpx.Response) -> int:
    """The number of the submission that an answer names as its place; raises `ApiError` where it names none."""
    found = _SUBMISSION.search(answer.headers.get("Location", ""))
    if found is None:
        raise strange(answer)
    return int(found[1])


def error_of(answer: httpx.Response) -> ApiError:
    """What an answer says is wrong, in our words where whoever answered was not our API."""
    status = answer.status_code
    body = _json_of(answer)
    errors = body.get("errors", []) if isinstance(body, dict) else []
    if status < 400 or not _has(body, ("code",)) or not all(_has(item, ("code",)) for item in errors):
        return strange(answer)
    return ApiError(
        _problem_of(body, status),
        errors=[_problem_of(item, status) for item in errors],
        error_count=body.get("errorCount", len(errors)),
        results=body.get("results", []),
        retry_after=retry_after_of(answer.headers.get("Retry-After")),
    )


def strange(answer: httpx.Response) -> ApiError:
    """An answer that Satchel does not give: which address, what came, and what to do."""
    status, retry_after = answer.status_code, retry_after_of(answer.headers.get("Retry-After"))
    asked = str(answer.request.url.copy_with(query=None))
    if status in _REDIRECTS and (to := answer.headers.get("Location")):
        to = urljoin(asked, to)
        detail = f"{asked} leads on to {to} ({status}), where nothing was sent. If Satchel is there, give that address."
    else:
        came = f"{status}, {_media_type_of(answer) or 'of no kind'}"
        detail = f"{asked} gave an answer that is not Satchel's ({came}). Is this Satchel's address?"
    return ApiError(Problem(STRANGE, detail, status), retry_after=retry_after)


def _json_of(answer: httpx.Response) -> Any:
    """The JSON of an answer; None where it has none."""
    try:
        return answer.json()
    except ValueError:
        return None


def _has(body: object, names: tuple[str, ...]) -> bool:
    return isinstance(body, dict) and body.keys() >= set(names)


def _media_type_of(answer: httpx.Response) -> str:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _problem_of(item: Mapping[str, Any], status: int) -> Problem:
    places = ("field", "pointer", "line", "submissionId", "category", "fileId", "name")
    where = {name: item[name] for name in places if item.get(name) is not None}
    return Problem(item["code"], item.get("detail") or item.get("title") or item["code"], status, where)
