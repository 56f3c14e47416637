"""Who and what most tests need: the demo's people and organisms, the API as one of them, and uploaded files."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import User
from accounts.services import issue_token
from files import sweeping, tasks
from submissions.models import Group, Organism
from tests import web
from tests.demo import put_into_database, rows_of_load_demo
from tests.openapi import Answered, document

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

FASTQ = b"@read1\nACGTN\n+\nIIII!\n@read2\nTTGCA\n+\nFFFFF\n"
FASTQ_GZ = gzip.compress(FASTQ, mtime=0)
PART = 5_242_880


@pytest.fixture(scope="session", autouse=True)
def _api_is_as_described() -> Iterator[None]:
    """Every answer of the API to Django's test client, in whatever test, is held against the OpenAPI document."""
    send = Client.generic

    def sent_and_checked(client: Client, method: str, path: str, *args: Any, **kwargs: Any) -> Answer:
        answer = send(client, method, path, *args, **kwargs)
        if answer.wsgi_request.path.startswith("/api/"):
            assert described_wrongly(method, answer, args[0] if args else kwargs.get("data")) == []
        return answer

    with patch.object(Client, "generic", sent_and_checked):
        yield


def described_wrongly(method: str, answer: Answer, sent: object) -> list[str]:
    """What of an answer, and of the request if that succeeded, the OpenAPI document does not say."""
    request = answer.wsgi_request
    content = answer.getvalue()
    if answer.streaming:
        cast("StreamingHttpResponse", answer).streaming_content = [content]  # to be read again, by the test
    path = request.path.removeprefix("/api")
    wrong = document().check(method, path, Answered(answer.status_code, answer.headers, content))
    if answer.status_code < 300 and not wrong:
        is_json = request.content_type == "application/json" and sent
        body = json.loads(cast("bytes", sent)) if is_json else None
        wrong = document().check_taken(method, path, request.GET.dict(), body)
    return [f"{method} {path}, {answer.status_code}: {what}" for what in wrong]


@dataclass(frozen=True)
class Demo:
    """What `load_demo` makes."""

    alice: User
    bob: User
    admin: User
    group: Group
    other_group: Group
    organism: Organism
    organism_without_files: Organism


@pytest.fixture(scope="session")
def demo_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> list[list[Model]]:
    """The rows that `load_demo` makes, which takes more than many a test; the tests get copies."""
    with django_db_blocker.unblock():
        return rows_of_load_demo()


@pytest.fixture
def demo(demo_rows: list[list[Model]], db: None) -> Demo:
    """The demo's people, groups and organisms."""
    named = put_into_database(demo_rows)
    return Demo(
        alice=named["alice"],
        bob=named["bob"],
        admin=named["admin"],
        group=named["Demo Lab"],
        other_group=named["Other Lab"],
        organism=named["Ebola Sudan"],
        organism_without_files=named["West Nile"],
    )


@dataclass(frozen=True)
class Api:
    """The API as one person calls it, with a bearer token, or anonymously."""

    user: User | None

    @property
    def client(self) -> Client:
        """A client that sends the token."""
        headers = {"Authorization": f"Bearer {issue_token(self.user).access}"} if self.user else {}
        return Client(headers=headers, raise_request_exception=False)

    def get(self, path: str, **parameters: str | int) -> Answer:
        """GET under /api."""
        return self.client.get(f"/api/{path}", data=parameters)

    def post(self, path: str, body: object = None, **parameters: object) -> Answer:
        """POST under /api, with a JSON body if there is one."""
        query = {name: str(value) for name, value in parameters.items()}
        if body is None:
            return self.client.post(f"/api/{path}", query_params=query, content_type="application/json")
        return self.client.post(
            f"/api/{path}", data=json.dumps(body), query_params=query, content_type="application/json"
        )

    def request_upload(
        self, group: Group, number: int = 1, claims: Sequence[Mapping[str, object]] | None = None
    ) -> Any:
        """The answer to `request-upload`, which must succeed."""
        answer = self.post("files/request-upload", claims, groupId=group.pk, numberFiles=number)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def upload(self, group: Group, content: bytes, **claims: object) -> str:
        """Upload a file through its URL; its file ID."""
        [requested] = self.request_upload(group, claims=[claims] if claims else None)
        assert put(requested["url"], content).status_code == 200
        return str(requested["fileId"])

    def submit(
        self,
        organism: Organism | str,
        group: Group,
        *,
        table: bytes | None = b"id\tcountry\nsample1\tUganda\nsample2\t\n",
        fasta: bytes | None = b">sample1\nACGT\n>sample2\nGGCC\n",
        mapping: object = None,
        checksums: bytes | None = None,
        **parameters: object,
    ) -> Answer:
        """Submit; the mapping may be text or what becomes JSON."""
        slug = organism if isinstance(organism, str) else organism.slug
        form: dict[str, object] = {}
        if table is not None:
            form["metadataFile"] = SimpleUploadedFile("metadata.tsv", table)
        if fasta is not None:
            form["sequenceFile"] = SimpleUploadedFile("sequences.fasta", fasta)
        if mapping is not None:
            form["fileMapping"] = mapping if isinstance(mapping, str) else json.dumps(mapping)
        if checksums is not None:
            form["checksumFile"] = SimpleUploadedFile("SHA256SUMS", checksums)
        query = {"groupId": str(group.pk), **{name: str(value) for name, value in parameters.items()}}
        return self.client.post(f"/api/{slug}/submit", data=form, query_params=query)


@pytest.fixture
def api(demo: Demo) -> Api:
    """The API as alice calls it."""
    return Api(demo.alice)


@pytest.fixture
def work() -> Callable[[], None]:
    """Do what the workers would do, until there is nothing left."""

    def run() -> None:
        while waiting := sweeping.files_to_resend(sweeping.BATCH):
            for file_id in waiting:
                tasks.verify_file(str(file_id))
        sweeping.settle_entries()

    return run


def put(url: str, content: bytes, **headers: str) -> httpx.Response:
    """A bare PUT, as `curl -T` does it."""
    return web.put(url, content=content, headers=headers)


def in_parts(content: bytes, size: int = PART) -> list[bytes]:
    """The content cut into parts."""
    return [content[start : start + size] for start in range(0, len(content), size)] or [b""]


def mapping_of(submission_id: str, category: str, *files: tuple[str, str]) -> dict[str, Any]:
    """A file mapping of one entry and one category, from pairs of file ID and name."""
    return {submission_id: {category: [{"fileId": file_id, "name": name} for file_id, name in files]}}


def codes(answer: Answer) -> list[str]:
    """The codes of a problem's errors, in order."""
    return [error["code"] for error in json.loads(answer.content)["errors"]]


def new_file_id() -> str:
    """The ID of a file that does not exist."""
    return str(uuid.uuid4())
