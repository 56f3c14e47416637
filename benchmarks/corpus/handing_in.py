"""Handing in cases as a submitter's script does: by the API, and by nothing else."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx

from benchmarks.corpus.case import Case, SentFile
from benchmarks.corpus.organism import SLUG

GROUP = 1
CASES_AT_ONCE = 60
UPLOADS_AT_ONCE = 4
PATIENCE = 300.0  # seconds

_S3_CODE = re.compile(r"<Code>(\w+)</Code>")


@dataclass(slots=True)
class HandedIn:
    """A case on its way: its submission ID, the file IDs, and the codes that it was refused with so far."""

    case: Case
    submission_id: str
    file_ids: list[str] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)


class Submitter:
    """A member of the group, with a token."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        # A connection for each call: between two calls the server may close one that is idle.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(base_url=f"{base_url}/api", timeout=120, limits=limits)
        answer = self._client.post("/auth/token", json={"username": username, "password": password})
        self._client.headers["Authorization"] = f"Bearer {_good(answer)['access']}"

    def verdicts(self, cases: Iterator[Case]) -> Iterator[HandedIn]:
        """Each case with the codes that it was refused with, none if it was accepted; in their order."""
        everything: list[HandedIn] = []
        submissions: list[str] = []
        numbered = enumerate(cases, start=1)
        while batch := [HandedIn(case, f"case-{number:04}") for number, case in islice(numbered, CASES_AT_ONCE)]:
            self._upload(batch)
            submissions += self._submit([handed for handed in batch if not handed.codes])
            everything += batch
        by_id = {handed.submission_id: handed for handed in everything}
        for submission in submissions:
            self._settle(submission, by_id)
        yield from everything

    def _upload(self, batch: Sequence[HandedIn]) -> None:
        sent = [(handed, file) for handed in batch for file in handed.case.files]
        claims = [file.claims for _, file in sent]
        uploads = _good(self._client.post("/files/request-upload", params={"groupId": GROUP}, json=claims))
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            refusals = pool.map(_put, [upload["url"] for upload in uploads], [file for _, file in sent])
            for (handed, file), upload, refusal in zip(sent, uploads, refusals, strict=True):
                handed.file_ids.append(upload["fileId"])
                handed.codes |= refusal
                if file.late_claims:
                    completed = [{"fileId": upload["fileId"], **file.late_claims}]
                    _good(self._client.post("/files/complete-upload", json=completed))

    def _submit(self, batch: Sequence[HandedIn]) -> list[str]:
        """Submit the cases, and again without those that were refused; the submissions that were made."""
        if not batch:
            return []
        answer = self._client.post(f"/{SLUG}/submit", params={"groupId": GROUP}, files=_form(batch))
        if answer.status_code == 422:
            self._note_refusals(answer.json(), batch)
            return self._submit([handed for handed in batch if not handed.codes])
        _good(answer)
        return [answer.headers["Location"].rsplit("/", 1)[-1]]

    def _note_refusals(self, problem: Mapping[str, Any], batch: Sequence[HandedIn]) -> None:
        by_id = {handed.submission_id: handed for handed in batch}
        for error in problem["errors"]:
            handed = by_id[error["submissionId"]]
            handed.codes |= self._reasons(handed) if error["code"] == "file_rejected" else {error["code"]}

    def _reasons(self, handed: HandedIn) -> set[str]:
        """Why files were rejected before they were submitted."""
        files = [_good(self._client.get(f"/files/{file_id}")) for file_id in handed.file_ids]
        return {file["problem"]["code"] for file in files if file["problem"]} or {"file_rejected"}

    def _settle(self, submission: str, by_id: Mapping[str, HandedIn]) -> None:
        """Wait for the end of a submission, and note what was found in its entries."""
        path = f"/submissions/{submission}"
        deadline = time.monotonic() + PATIENCE
        while (answer := self._client.get(path)).headers.get("Retry-After"):
            if time.monotonic() > deadline:
                message = f"Submission {submission} is still being verified after {PATIENCE:.0f} seconds."
                raise RuntimeError(message)
            time.sleep(float(answer.headers["Retry-After"]))
        cursor = None
        while True:
            page = _good(self._client.get(path, params={"cursor": cursor} if cursor is not None else None))
            for entry in page["entries"]:
                handed = by_id[entry["submissionId"]]
                handed.codes |= {file["problem"]["code"] for file in entry["files"] if file["problem"]}
                if (entry["status"] == "ACCEPTED") == bool(handed.codes):
                    handed.codes.add(f"but the entry is {entry['status']}")
            cursor = page["nextCursor"]
            if cursor is None:
                return


def _put(url: str, file: SentFile) -> set[str]:
    """A bare PUT; the store's own code where it refuses."""
    answer = httpx.put(url, content=file.content, timeout=120)
    return set() if answer.is_success else set(_S3_CODE.findall(answer.text) or [f"HTTP {answer.status_code}"])


def _form(batch: Sequence[HandedIn]) -> dict[str, tuple[str, bytes]]:
    """The parts of the form: table, file mapping, and the checksum file where there are lines for it."""
    table = "".join(["id\n", *[f"{handed.submission_id}\n" for handed in batch]])
    mapping = {
        handed.submission_id: {
            handed.case.category: [
                {"fileId": file_id, "name": file.name}
                for file_id, file in zip(handed.file_ids, handed.case.files, strict=True)
            ]
        }
        for handed in batch
    }
    form = {
        "metadataFile": ("metadata.tsv", table.encode()),
        "fileMapping": ("mapping.json", json.dumps(mapping).encode()),
    }
    lines = [
        f"{digest}  {handed.case.category}/{handed.submission_id}/{file.name}\n"
        for handed in batch
        for file in handed.case.files
        for digest in file.listed
    ]
    return {**form, "checksumFile": ("checksums.txt", "".join(lines).encode())} if lines else form


def _good(answer: httpx.Response) -> Any:
    """The JSON of an answer that must be a success; its body is in the message where it is not."""
    if not answer.is_success:
        message = f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text}"
        raise RuntimeError(message)
    return answer.json()
