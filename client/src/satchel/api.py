"""The HTTP API of a Satchel server, one typed method for each call of docs/api.md.

Calls are repeated while they fail for reasons that pass, where repeating them is safe; `httpx` is the library. Any
thread may use an `Api`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from types import TracebackType
from typing import IO, Any, NamedTuple, Self, cast
from urllib.parse import quote, urlsplit

import httpx

from satchel import bodies
from satchel.errors import ApiError, Problem, SatchelError, UnreachableError
from satchel.patience import Patience, is_passing, retry_after_of

__all__ = ["Api", "ApiError", "Problem", "SatchelError", "Submitted", "UnreachableError", "bodies"]

TIMEOUT = httpx.Timeout(60.0, connect=15.0)  # seconds
SUBMITTING = httpx.Timeout(900.0, connect=15.0)  # a submission of many thousand rows is checked before it is answered
CONNECTIONS = 16
ATTEMPT = "attempt"
"""Which attempt an answer is for, from 0, in its `extensions`."""

Form = Mapping[str, tuple[str, bytes | IO[bytes]]]
"""Form parts: file name and content by field name."""


class Submitted(NamedTuple):
    """The entries in table order, and the number of the submission; `is_repeated` if an earlier call had made it."""

    entries: list[bodies.SubmittedEntry]
    number: int
    is_repeated: bool


class Api:
    """The API of the server at `base_url`, with or without `/api` at its end.

    `token` is a personal API token or what `log_in` gave. `on_retry` is told the problem and the pause in seconds
    before a call is repeated. Methods raise `ApiError` for what the server refuses and `UnreachableError` when no
    server answers.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        on_retry: Callable[[Problem, float], None] | None = None,
    ) -> None:
        self.base_url = _without_api(base_url)
        self.patience = patience or Patience()
        self.on_retry = on_retry
        self._client = httpx.Client(
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            headers={"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})},
        )

    def patient(self, patience: Patience, on_retry: Callable[[Problem, float], None]) -> Api:
        """The same API over the same connections, with another patience."""
        other = copy(self)
        other.patience, other.on_retry = patience, on_retry
        return other

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # Who is asking

    def log_in(self, username: str, password: str) -> bodies.Token:
        """A token for username and password; it lives for an hour, as the server is set."""
        return cast("bodies.Token", self._call("POST", "auth/token", body={"username": username, "password": password}))

    def groups(self) -> list[bodies.Group]:
        """The groups that the account is in."""
        return [cast("bodies.Group", item) for item in self._items("groups", {})]

    def organisms(self) -> list[bodies.Organism]:
        """What can be submitted to."""
        return [cast("bodies.Organism", item) for item in self._items("organisms", {})]

    # Files

    def request_upload(self, group_id: int, claims: Sequence[bodies.Claim]) -> list[bodies.RequestedUpload]:
        """New files for one PUT each, one for each claim, at most 1,000; a repeated call makes other files."""
        query = {"groupId": group_id, "numberFiles": len(claims)}
        return cast("list[bodies.RequestedUpload]", self._call("POST", "files/request-upload", query, claims))

    def request_multipart_upload(
        self, group_id: int, claims: Sequence[bodies.Claim], *, number_parts: int
    ) -> list[bodies.RequestedMultipartUpload]:
        """New files in `number_parts` parts each; at most 1,000 files and 20,000 parts in all."""
        query = {"groupId": group_id, "numberFiles": len(claims), "numberParts": number_parts}
        answer = self._call("POST", "files/request-multipart-upload", query, claims)
        return cast("list[bodies.RequestedMultipartUpload]", answer)

    def complete_upload(self, items: Sequence[bodies.Completion]) -> list[bodies.FileState]:
        """Simple uploads are sent: have them verified. Again is the same answer; one bad item undoes no other."""
        return cast("list[bodies.FileState]", self._call("POST", "files/complete-upload", body=items))

    def complete_multipart_upload(self, items: Sequence[bodies.Completion]) -> list[bodies.FileState]:
        """Have the parts put together. Again is the same answer; one bad item undoes no other."""
        return cast("list[bodies.FileState]", self._call("POST", "files/complete-multipart-upload", body=items))

    def renew(self, file_id: str, part_numbers: Sequence[int] | None = None) -> bodies.RenewedUpload:
        """New URLs for what is not there yet, or for `part_numbers`, and which parts are there."""
        body = {} if part_numbers is None else {"partNumbers": list(part_numbers)}
        return cast("bodies.RenewedUpload", self._call("POST", f"files/{file_id}/renew", body=body))

    def file(self, file_id: str) -> bodies.File:
        """A file as it is now."""
        return cast("bodies.File", self._call("GET", f"files/{file_id}"))

    def files(
        self,
        group_id: int,
        *,
        statuses: Sequence[bodies.FileStatus] = (),
        attached: bool | None = None,
        ids: Sequence[str] = (),
        fingerprints: Sequence[str] = (),
        limit: int | None = None,
    ) -> Iterator[bodies.File]:
        """The group's files, newest first; at most 100 `ids` and `fingerprints`. `limit` is that of a page."""
        query: dict[str, str | int] = {"groupId": group_id}
        lists = {"status": statuses, "ids": ids, "fingerprints": fingerprints}
        query |= {name: ",".join(values) for name, values in lists.items() if values}
        if attached is not None:
            query["attached"] = "true" if attached else "false"
        if limit is not None:
            query["limit"] = limit
        return (cast("bodies.File", item) for item in self._items("files", query))

    def discard(self, file_id: str) -> None:
        """Discard an unattached file, in whatever state."""
        self._call("DELETE", f"files/{file_id}", gone_if_repeated=True)

    # Submitting

    def check(self, organism: str, group_id: int, form: Form, *, revising: bool = False) -> int:
        """How many entries `metadataFile` and `sequenceFile` would make; raises `ApiError` with all that is wrong."""
        query: dict[str, str | int] = {"groupId": group_id, **({"revise": "true"} if revising else {})}
        path = f"{_quoted(organism)}/check"
        return int(self._send("POST", path, query, files=_read(form), timeout=SUBMITTING).json()["rows"])

    def submit(self, organism: str, group_id: int, form: Form, *, idempotency_key: str | None = None) -> Submitted:
        """Submit `metadataFile`, `sequenceFile`, `fileMapping`, ….

        Repeated with the same `idempotency_key` (a new one if None) within 24 hours it is the same submission.
        """
        return self._submit(f"{_quoted(organism)}/submit", group_id, form, idempotency_key)

    def revise(self, organism: str, group_id: int, form: Form, *, idempotency_key: str | None = None) -> Submitted:
        """As `submit`, for released entries: the table has an `accession` column; each becomes a new version."""
        return self._submit(f"{_quoted(organism)}/revise", group_id, form, idempotency_key)

    def submissions(self, group_id: int) -> Iterator[bodies.Submission]:
        """The group's submissions without their entries, newest first."""
        return (cast("bodies.Submission", item) for item in self._items("submissions", {"groupId": group_id}))

    def submission(self, number: int) -> bodies.SubmissionPage:
        """A submission with all of its entries, put together from as many calls as it takes."""
        page = cast("bodies.SubmissionPage", self._call("GET", f"submissions/{number}"))
        while (cursor := page["nextCursor"]) is not None:
            following = cast("bodies.SubmissionPage", self._call("GET", f"submissions/{number}", {"cursor": cursor}))
            page["entries"] += following["entries"]
            page["nextCursor"] = following["nextCursor"]
        return page

    def submission_state(self, number: int) -> bodies.Submission:
        """A submission's status and counts as they are now: one call, however many entries."""
        return cast("bodies.Submission", self._call("GET", f"submissions/{number}"))

    def receipt(self, number: int, *, form: str = "text") -> bytes:
        """The receipt as it is to be kept; `form` is `text` or `json`."""
        return self._send("GET", f"submissions/{number}/receipt", {"as": form}, headers={"Accept": "*/*"}).content

    # Sequence entries

    def entry(self, organism: str, accession: str, version: int) -> bodies.Entry:
        """A sequence entry with its metadata, sequences and files."""
        return cast("bodies.Entry", self._call("GET", _entry_path(organism, accession, version)))

    def replace_files(self, organism: str, accession: str, version: int, files: bodies.FilesByCategory) -> bodies.Entry:
        """Replace the files of an entry that is not released; it is verified again."""
        return cast("bodies.Entry", self._call("PUT", f"{_entry_path(organism, accession, version)}/files", body=files))

    def withdraw(self, organism: str, accession: str, version: int) -> None:
        """Withdraw an entry that is not released, and free its files."""
        self._call("DELETE", _entry_path(organism, accession, version), gone_if_repeated=True)

    def release(self, organism: str, entries: Sequence[bodies.AccessionVersion]) -> list[bodies.ReleasedEntry]:
        """Show accepted entries to everybody, all or none of them; again is the same answer."""
        body = {"accessionVersions": list(entries)}
        return cast("list[bodies.ReleasedEntry]", self._call("POST", f"{_quoted(organism)}/release", body=body))

    def download_url(self, accession: str, version: int, category: str, name: str) -> str:
        """Where a file of an entry can be had for a while, without a token, by GET alone; `Range` works."""
        path = f"files/get/{_quoted(accession)}/{version}/{_quoted(category)}/{_quoted(name)}"
        return self._send("GET", path, headers={"Accept": "*/*"}).headers["Location"]

    # How

    def _items(self, path: str, query: Mapping[str, str | int]) -> Iterator[Any]:
        """All items of a list, page by page."""
        cursor: str | int | None = None
        while True:
            page = self._call("GET", path, query if cursor is None else {**query, "cursor": cursor})
            yield from page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return

    def _submit(self, path: str, group_id: int, form: Form, idempotency_key: str | None) -> Submitted:
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        query = {"groupId": group_id}
        answer = self._send("POST", path, query, headers=headers, files=_read(form), timeout=SUBMITTING)
        # What is repeated for a second attempt may be the first attempt's own.
        is_repeated = "Idempotent-Replayed" in answer.headers and not answer.extensions[ATTEMPT]
        return Submitted(answer.json(), int(answer.headers["Location"].rsplit("/", 1)[1]), is_repeated)

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        *,
        gone_if_repeated: bool = False,
    ) -> Any:
        """The answer's JSON, None where it has none."""
        content = {} if body is None else {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
        answer = self._send(method, path, query, gone_if_repeated=gone_if_repeated, **content)
        return answer.json() if answer.content else None

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        gone_if_repeated: bool = False,
        **request: Any,
    ) -> httpx.Response:
        """A 2xx or 3xx answer, after as many attempts as the patience allows.

        With `gone_if_repeated`, a 404 for a repeated call means that an earlier one did it, its answer being lost.
        """
        attempt = 0
        while True:
            try:
                answer = self._client.request(method, f"{self.base_url}/api/{path}", params=query, **request)
            except httpx.HTTPError as error:
                failure: SatchelError = UnreachableError(_unreachable(self.base_url, error))
                retry_after = None
            else:
                answer.extensions[ATTEMPT] = attempt
                if answer.status_code < 400 or (answer.status_code == 404 and gone_if_repeated and attempt):
                    return answer
                failure = error_of(answer)
                retry_after = retry_after_of(answer.headers.get("Retry-After"))
                if not _may_change(answer.status_code, failure.problem.code):
                    raise failure
            if not self.patience.allows(attempt, retry_after):
                raise failure
            pause = self.patience.pause_before(attempt, retry_after)
            if self.on_retry:
                self.on_retry(failure.problem, pause)
            self.patience.sleep(pause)
            attempt += 1


def _read(form: Form) -> dict[str, tuple[str, bytes]]:
    """The form with its contents in memory, so that it can be sent again."""
    return {name: (file, part if isinstance(part, bytes) else part.read()) for name, (file, part) in form.items()}


def _may_change(status: int, code: str) -> bool:
    """Whether the same call may be answered otherwise in a while, without anybody doing anything about it."""
    waits_for_a_person = code in {"quota_exceeded", "too_many_open_uploads", "too_many_attempts"}
    return code == "idempotency_key_running" or (is_passing(status) and not waits_for_a_person)


def error_of(answer: httpx.Response) -> ApiError:
    """What an answer says is wrong, in our words where whoever answered was not our API."""
    status = answer.status_code
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "code" not in body:
        detail = f"The server answered with an error that is not Satchel's ({status}). Is the address right?"
        return ApiError(
            Problem("request_failed", detail, status), retry_after=retry_after_of(answer.headers.get("Retry-After"))
        )
    errors = [_problem_of(item, status) for item in body.get("errors", [])]
    return ApiError(
        _problem_of(body, status),
        errors=errors,
        error_count=body.get("errorCount", len(errors)),
        results=body.get("results", []),
        retry_after=retry_after_of(answer.headers.get("Retry-After")),
    )


def _problem_of(item: Mapping[str, Any], status: int) -> Problem:
    places = ("field", "pointer", "line", "submissionId", "category", "fileId", "name")
    where = {name: item[name] for name in places if item.get(name) is not None}
    return Problem(item["code"], item.get("detail") or item.get("title") or item["code"], status, where)


def _unreachable(base_url: str, error: httpx.HTTPError) -> Problem:
    reason = str(error) or type(error).__name__
    return Problem("unreachable", f"{urlsplit(base_url).netloc} cannot be reached: {reason}")


def _without_api(base_url: str) -> str:
    return base_url.strip().rstrip("/").removesuffix("/api").rstrip("/")


def _entry_path(organism: str, accession: str, version: int) -> str:
    return f"{_quoted(organism)}/entries/{_quoted(accession)}/{version}"


def _quoted(segment: str) -> str:
    return quote(segment, safe="")
