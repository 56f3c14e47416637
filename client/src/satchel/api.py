"""The HTTP API of a Satchel server, one typed method for each call of docs/api.md.

Calls are repeated while they fail for reasons that pass, where repeating them is safe; `httpx` is the library. Any
thread may use an `Api`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from copy import copy
from types import TracebackType
from typing import IO, Any, NamedTuple, Self, cast
from urllib.parse import quote, urlsplit

import httpx

from satchel import bodies
from satchel.answers import error_of, list_in, object_in, strange, submission_in, text_in
from satchel.config import normal_url
from satchel.errors import ApiError, Problem, SatchelError, UnreachableError
from satchel.patience import Patience, is_passing

__all__ = ["Api", "ApiError", "Problem", "SatchelError", "Submitted", "UnreachableError", "bodies"]

TIMEOUT = httpx.Timeout(60.0, connect=15.0)  # seconds
SUBMITTING = httpx.Timeout(900.0, connect=15.0)  # a submission of many thousand rows is checked before it is answered
CONNECTIONS = 16
DONE, GONE = range(200, 300), (204,)
ELSEWHERE = (307,)
"""What the one call answers that says where a file is; anywhere else, whoever redirects is not our API."""
FILE_STATE = ("fileId", "status")
ENTRY = ("accession", "version", "status", "files")
"""Names by which an answer is known to be what was asked for."""
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
    before a call is repeated. Methods raise `ApiError` for what the server refuses, also for answers that Satchel does
    not give, and `UnreachableError` when no server answers. Raises `ConfigError` for what is no address.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        on_retry: Callable[[Problem, float], None] | None = None,
    ) -> None:
        self.base_url = normal_url(base_url)
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
        answer = self._call("POST", "auth/token", body={"username": username, "password": password})
        return cast("bodies.Token", object_in(answer, "access", "expiresIn"))

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
        answer = self._call("POST", "files/request-upload", query, claims)
        return cast("list[bodies.RequestedUpload]", list_in(answer, "fileId", "url"))

    def request_multipart_upload(
        self, group_id: int, claims: Sequence[bodies.Claim], *, number_parts: int
    ) -> list[bodies.RequestedMultipartUpload]:
        """New files in `number_parts` parts each; at most 1,000 files and 20,000 parts in all."""
        query = {"groupId": group_id, "numberFiles": len(claims), "numberParts": number_parts}
        answer = self._call("POST", "files/request-multipart-upload", query, claims)
        return cast("list[bodies.RequestedMultipartUpload]", list_in(answer, "fileId", "urls"))

    def complete_upload(self, items: Sequence[bodies.Completion]) -> list[bodies.FileState]:
        """Simple uploads are sent: have them verified. Again is the same answer; one bad item undoes no other."""
        answer = self._call("POST", "files/complete-upload", body=items)
        return cast("list[bodies.FileState]", list_in(answer, *FILE_STATE))

    def complete_multipart_upload(self, items: Sequence[bodies.Completion]) -> list[bodies.FileState]:
        """Have the parts put together. Again is the same answer; one bad item undoes no other."""
        answer = self._call("POST", "files/complete-multipart-upload", body=items)
        return cast("list[bodies.FileState]", list_in(answer, *FILE_STATE))

    def renew(self, file_id: str, part_numbers: Sequence[int] | None = None) -> bodies.RenewedUpload:
        """New URLs for what is not there yet, or for `part_numbers`, and which parts are there."""
        body = {} if part_numbers is None else {"partNumbers": list(part_numbers)}
        answer = self._call("POST", f"files/{_quoted(file_id)}/renew", body=body)
        return cast("bodies.RenewedUpload", object_in(answer, *FILE_STATE))

    def file(self, file_id: str) -> bodies.File:
        """A file as it is now."""
        return cast("bodies.File", object_in(self._call("GET", f"files/{_quoted(file_id)}"), *FILE_STATE))

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
        self._send("DELETE", f"files/{_quoted(file_id)}", wants=GONE, gone_if_repeated=True)

    # Submitting

    def check(self, organism: str, group_id: int, form: Form, *, revising: bool = False) -> int:
        """How many entries `metadataFile` and `sequenceFile` would make; raises `ApiError` with all that is wrong."""
        query: dict[str, str | int] = {"groupId": group_id, **({"revise": "true"} if revising else {})}
        path = f"{_quoted(organism)}/check"
        answer = self._send("POST", path, query, files=_read(form), timeout=SUBMITTING)
        return int(object_in(answer, "rows")["rows"])

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
        page = self._submission_page(number)
        while (cursor := page["nextCursor"]) is not None:
            following = self._submission_page(number, {"cursor": cursor})
            page["entries"] += following["entries"]
            page["nextCursor"] = following["nextCursor"]
        return page

    def submission_state(self, number: int) -> bodies.Submission:
        """A submission's status and counts as they are now: one call, however many entries."""
        return self._submission_page(number)

    def receipt(self, number: int, *, form: str = "text") -> bytes:
        """The receipt as it is to be kept; `form` is `text` or `json`."""
        answer = self._send("GET", f"submissions/{number}/receipt", {"as": form}, headers={"Accept": "*/*"})
        if form == "json":
            object_in(answer, "submission", "entries")
            return answer.content
        return text_in(answer, "text/plain")

    # Sequence entries

    def entry(self, organism: str, accession: str, version: int) -> bodies.Entry:
        """A sequence entry with its metadata, sequences and files."""
        answer = self._call("GET", _entry_path(organism, accession, version))
        return cast("bodies.Entry", object_in(answer, *ENTRY))

    def replace_files(self, organism: str, accession: str, version: int, files: bodies.FilesByCategory) -> bodies.Entry:
        """Replace all files of an entry that is not released; it is verified again."""
        answer = self._call("PUT", f"{_entry_path(organism, accession, version)}/files", body=files)
        return cast("bodies.Entry", object_in(answer, *ENTRY))

    def withdraw(self, organism: str, accession: str, version: int) -> None:
        """Withdraw an entry that is not released, and free its files."""
        self._send("DELETE", _entry_path(organism, accession, version), wants=GONE, gone_if_repeated=True)

    def release(self, organism: str, entries: Sequence[bodies.AccessionVersion]) -> list[bodies.ReleasedEntry]:
        """Show accepted entries to everybody, all or none of them; again is the same answer."""
        body = {"accessionVersions": list(entries)}
        answer = self._call("POST", f"{_quoted(organism)}/release", body=body)
        return cast("list[bodies.ReleasedEntry]", list_in(answer, "accession", "version", "releasedAt"))

    def download_url(self, accession: str, version: int, category: str, name: str) -> str:
        """Where a file of an entry can be had for a while, without a token, by GET alone; `Range` works."""
        path = f"files/get/{_quoted(accession)}/{version}/{_quoted(category)}/{_quoted(name)}"
        answer = self._send("GET", path, wants=ELSEWHERE, headers={"Accept": "*/*"})
        if (url := answer.headers.get("Location")) is None:
            raise strange(answer)
        return str(url)

    # How

    def _items(self, path: str, query: Mapping[str, str | int]) -> Iterator[Any]:
        """All items of a list, page by page."""
        cursor: str | int | None = None
        while True:
            answer = self._call("GET", path, query if cursor is None else {**query, "cursor": cursor})
            page = object_in(answer, "items", "nextCursor")
            yield from page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return

    def _submission_page(self, number: int, query: Mapping[str, str | int] | None = None) -> bodies.SubmissionPage:
        answer = self._call("GET", f"submissions/{number}", query)
        return cast("bodies.SubmissionPage", object_in(answer, "id", "status", "counts", "entries", "nextCursor"))

    def _submit(self, path: str, group_id: int, form: Form, idempotency_key: str | None) -> Submitted:
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        query = {"groupId": group_id}
        answer = self._send("POST", path, query, headers=headers, files=_read(form), timeout=SUBMITTING)
        # What is repeated for a second attempt may be the first attempt's own.
        is_repeated = "Idempotent-Replayed" in answer.headers and not answer.extensions[ATTEMPT]
        entries = list_in(answer, "accession", "version", "submissionId", "status")
        return Submitted(entries, submission_in(answer), is_repeated)

    def _call(
        self, method: str, path: str, query: Mapping[str, str | int] | None = None, body: object = None
    ) -> httpx.Response:
        """The 2xx answer to a call that sends JSON, or nothing."""
        if body is None:
            return self._send(method, path, query)
        headers = {"Content-Type": "application/json"}
        return self._send(method, path, query, content=json.dumps(body), headers=headers)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        wants: Container[int] = DONE,
        gone_if_repeated: bool = False,
        **request: Any,
    ) -> httpx.Response:
        """An answer of a status that is wanted, after as many attempts as the patience allows.

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
                if answer.status_code in wants:
                    return answer
                failure = refusal = error_of(answer)
                if gone_if_repeated and attempt and refusal.is_not_found:
                    return answer
                retry_after = refusal.retry_after
                if not _may_change(refusal):
                    raise refusal
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


def _may_change(refusal: ApiError) -> bool:
    """Whether the same call is worth repeating by itself: in a while the answer may be another.

    Too many open uploads, and too many bytes, stay so until somebody finishes or discards some. Who is kept from
    logging in sits there and is told, rather than left waiting without a word.
    """
    is_for_a_person = refusal.code in {"quota_exceeded", "too_many_open_uploads", "too_many_attempts"}
    return refusal.code == "idempotency_key_running" or (is_passing(refusal.status) and not is_for_a_person)


def _unreachable(base_url: str, error: httpx.HTTPError) -> Problem:
    reason = str(error) or type(error).__name__
    return Problem("unreachable", f"{urlsplit(base_url).netloc} cannot be reached: {reason}")


def _entry_path(organism: str, accession: str, version: int) -> str:
    return f"{_quoted(organism)}/entries/{_quoted(accession)}/{version}"


def _quoted(segment: str) -> str:
    return quote(segment, safe="")
