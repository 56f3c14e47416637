"""The short way to single objects: plain answers are taken from it, everything else is left to the client."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from botocore.utils import parse_timestamp
from pytest_django import Settings

from files import signing, storage
from files.storage import objects, quick, streams
from files.storage.client import _moment
from tests import web

BODY = b"@read1\nACGT\n+\nIIII\n"
ETAG = hashlib.md5(BODY, usedforsecurity=False).hexdigest()


@pytest.fixture
def key() -> str:
    return f"tests/{uuid4()}"


def put(key: str, body: bytes = BODY, **headers: str) -> None:
    assert web.put(signing.presign("PUT", key, expires_in=60), content=body, headers=headers).status_code == 200


def read(key: str, etag: str = ETAG, size: int = len(BODY)) -> bytes:
    with storage.open_stream(key, etag=etag, size=size) as chunks:
        return b"".join(chunks)


def never(*_: object, **__: object) -> Any:
    raise AssertionError("the client was asked")


def test_an_object_that_is_there_is_seen_and_read_without_the_client(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(key)
    as_the_client_says = objects._head(key)
    assert as_the_client_says is not None
    monkeypatch.setattr(objects, "client", never)
    monkeypatch.setattr(streams, "client", never)
    found = storage.head(key)
    assert found == storage.StoredObject(key, len(BODY), ETAG, datetime.now(UTC))
    assert found.last_modified == as_the_client_says.last_modified
    assert read(key, f'"{ETAG}"') == BODY


def test_an_empty_object_is_read_as_such(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(key, b"")
    monkeypatch.setattr(streams, "client", never)
    assert read(key, hashlib.md5(b"", usedforsecurity=False).hexdigest(), 0) == b""


def test_the_bytes_are_those_that_are_stored_whatever_their_encoding_is_said_to_be(key: str) -> None:
    packed = gzip.compress(BODY)
    put(key, packed, **{"Content-Encoding": "gzip"})
    assert quick.get(key, hashlib.md5(packed, usedforsecurity=False).hexdigest(), len(packed)) == packed


def test_it_goes_to_the_address_under_which_we_see_the_store(key: str, settings: Settings) -> None:
    put(key)
    settings.S3_PUBLIC_ENDPOINT_URL = "http://files.example.org"
    assert quick.head(key) is not None


def test_what_is_not_simply_there_is_left_to_the_client(key: str) -> None:
    assert quick.head(key) is None
    assert quick.get(key, ETAG, len(BODY)) is None
    assert storage.head(key) is None
    with pytest.raises(storage.ObjectMissingError):
        read(key)
    put(key)
    assert quick.get(key, "0" * 32, len(BODY)) is None
    with pytest.raises(storage.ObjectChangedError):
        read(key, "0" * 32)
    assert quick.get(key, ETAG, len(BODY) + 1) is None
    assert read(key, size=len(BODY) + 1) == BODY


def test_what_is_larger_than_a_chunk_or_not_read_from_its_beginning_is_streamed(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(key)
    monkeypatch.setattr(quick, "get", never)
    with storage.open_stream(key, etag=ETAG, size=len(BODY), chunk_size=len(BODY) - 1) as chunks:
        assert [len(chunk) for chunk in chunks] == [len(BODY) - 1, 1]
    with storage.open_stream(key, etag=ETAG, size=len(BODY), start=1) as chunks:
        assert b"".join(chunks) == BODY[1:]


@pytest.fixture
def says(settings: Settings) -> Iterator[Callable[..., None]]:
    """A store that answers everything as it is told to."""
    answer: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer["body"])

        do_HEAD = do_GET  # noqa: N815 - as the server wants it

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    def say(status: int, body: bytes = b"", **headers: str) -> None:
        answer.update(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        settings.S3_ENDPOINT_URL = f"http://127.0.0.1:{server.server_port}"
        yield say
        server.shutdown()
        thread.join()


WHOLE = {"ETag": f'"{ETAG}"', "Content_Length": str(len(BODY)), "Last_Modified": "Mon, 23 Nov 2026 06:41:00 GMT"}


@pytest.mark.parametrize("status", [204, 206, 301, 403, 404, 412, 500, 503])
def test_any_other_status_is_no_answer_whatever_comes_with_it(says: Callable[..., None], status: int) -> None:
    says(status, BODY, **WHOLE)
    assert quick.head("a") is None
    assert quick.get("a", ETAG, len(BODY)) is None


@pytest.mark.parametrize("missing", WHOLE)
def test_a_head_that_does_not_say_it_all_is_no_answer(says: Callable[..., None], missing: str) -> None:
    says(200, **WHOLE)
    assert quick.head("a") is not None
    says(200, **{name: value for name, value in WHOLE.items() if name != missing})
    assert quick.head("a") is None


def test_bytes_that_end_too_soon_or_are_of_another_object_are_no_answer(says: Callable[..., None]) -> None:
    says(200, BODY, **WHOLE)
    assert quick.get("a", ETAG, len(BODY)) == BODY
    says(200, BODY[:-1], **WHOLE)
    assert quick.get("a", ETAG, len(BODY)) is None
    says(200, BODY, **{**WHOLE, "ETag": '"other"'})
    assert quick.get("a", ETAG, len(BODY)) is None


def test_a_store_that_is_not_there_gives_no_answer(settings: Settings) -> None:
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"  # nobody listens there
    assert quick.head("a") is None
    assert quick.get("a", ETAG, len(BODY)) is None


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T06:41:00.908Z", "2026-11-23T06:41:00Z", "2026-11-23T08:41:00+02:00", "Mon, 23 Nov 2026 06:41:00 GMT"],
)
def test_times_in_answers_are_those_that_botocore_reads(text: str) -> None:
    assert _moment(text) == parse_timestamp(text)
    assert _moment(text).tzinfo is not None
