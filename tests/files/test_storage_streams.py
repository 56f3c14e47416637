"""Reading objects whole, over connections that break, from stores that answer wrongly."""

from __future__ import annotations

import gzip
import random
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, repeat
from threading import Thread
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pytest_django import Settings

from files import signing, storage
from files.storage import streams
from tests import web

MEBIBYTE = 1024 * 1024
NOW = datetime.now(UTC)  # which does not count when objects are compared
BODY = random.Random(1).randbytes(5 * MEBIBYTE + 123)


@pytest.fixture
def key() -> str:
    return f"tests/{uuid4()}"


@pytest.fixture
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STREAM_BACKOFF", 0)


def put(key: str, body: bytes, **headers: str) -> storage.StoredObject:
    """Upload as a submitter does, past any proxy, and return what the store now has."""
    url = signing.presign("PUT", key, expires_in=60)
    answer = web.put(url, content=body, headers=headers)
    assert answer.status_code == 200
    return storage.StoredObject(key=key, size=len(body), etag=answer.headers["etag"], last_modified=NOW)


def read(stored: storage.StoredObject, start: int = 0) -> bytes:
    with storage.open_stream(stored.key, etag=stored.etag, start=start) as chunks:
        return b"".join(chunks)


def test_an_object_comes_in_chunks_of_the_size_asked_for(key: str) -> None:
    stored = put(key, BODY)
    with storage.open_stream(key, etag=f'"{stored.etag}"', chunk_size=2 * MEBIBYTE) as chunks:
        received = list(chunks)
    assert [len(chunk) for chunk in received] == [2 * MEBIBYTE, 2 * MEBIBYTE, MEBIBYTE + 123]
    assert b"".join(received) == BODY


def test_an_empty_object_is_an_empty_stream(key: str) -> None:
    assert read(put(key, b"")) == b""


@pytest.mark.parametrize("start", [1, MEBIBYTE, len(BODY) - 1])
def test_a_stream_can_start_inside(key: str, start: int) -> None:
    assert read(put(key, BODY), start) == BODY[start:]


def test_the_bytes_are_those_that_are_stored_whatever_their_encoding_is_said_to_be(key: str) -> None:
    packed = gzip.compress(b"@r1\nACGT\n+\n!!!!\n" * 1000)
    stored = put(key, packed, **{"Content-Encoding": "gzip"})
    assert web.head(signing.presign("HEAD", key, expires_in=60)).headers["content-encoding"] == "gzip"
    assert read(stored) == packed


def test_an_object_that_is_missing_is_told(key: str) -> None:
    with storage.open_stream(key, etag="0" * 32) as chunks, pytest.raises(storage.ObjectMissingError):
        next(chunks)


def test_an_object_that_is_another_is_told(key: str) -> None:
    old = put(key, b"old")
    put(key, b"new")
    with pytest.raises(storage.ObjectChangedError):
        read(old)
    with pytest.raises(storage.ObjectChangedError):
        read(old, start=1)


def test_a_stream_that_is_left_early_is_closed(key: str) -> None:
    stored = put(key, BODY)
    with storage.open_stream(key, etag=stored.etag) as chunks:
        assert next(chunks) == BODY[:MEBIBYTE]
    assert next(chunks, None) is None


# --- connections that break ---


@pytest.mark.usefixtures("_no_backoff")
@pytest.mark.parametrize("hard", [True, False], ids=["reset", "closed"])
@pytest.mark.parametrize("start", [0, 17])
def test_a_stream_that_is_cut_goes_on_where_it_was_cut(key: str, settings: Settings, start: int, *, hard: bool) -> None:
    stored = put(key, BODY)
    cuts = [MEBIBYTE + 5_000, 10_000, 2 * MEBIBYTE + 100_000]
    with cutting_proxy(settings.S3_ENDPOINT_URL, chain(cuts, repeat(None)), hard=hard) as (address, made):
        settings.S3_ENDPOINT_URL = address
        assert read(stored, start) == BODY[start:]
    assert made[:4] == [*cuts, None]


@pytest.mark.usefixtures("_no_backoff")
def test_a_stream_that_goes_on_breaking_is_a_fault_and_never_an_end(key: str, settings: Settings) -> None:
    stored = put(key, BODY)
    received: list[bytes] = []
    always = chain([2 * MEBIBYTE + 100_000], repeat(10_000))
    with cutting_proxy(settings.S3_ENDPOINT_URL, always, hard=False) as (address, made):
        settings.S3_ENDPOINT_URL = address
        with (
            storage.open_stream(key, etag=stored.etag) as chunks,
            pytest.raises(storage.StorageUnavailableError),
        ):
            received.extend(chunks)
    assert len(b"".join(received)) >= 2 * MEBIBYTE
    assert BODY.startswith(b"".join(received))
    assert len(made) == 1 + streams.STREAM_RETRIES


@pytest.mark.usefixtures("_no_backoff")
def test_an_object_that_is_overwritten_while_its_stream_is_cut_is_told(key: str, settings: Settings) -> None:
    stored = put(key, BODY)
    cuts = chain([2 * MEBIBYTE + 100_000], repeat(None))
    with cutting_proxy(settings.S3_ENDPOINT_URL, cuts, hard=False) as (address, _):
        settings.S3_ENDPOINT_URL = address
        with storage.open_stream(key, etag=stored.etag) as chunks:
            received = [next(chunks)]
            put(key, bytes(len(BODY)))
            with pytest.raises(storage.ObjectChangedError):
                received.extend(chunks)
    assert BODY.startswith(b"".join(received))


@pytest.mark.usefixtures("_no_backoff")
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", "Content-Length: 2097152"),
        ("206 Partial Content", "Content-Length: 1048576"),
        ("206 Partial Content", "Content-Length: 1048576\r\nContent-Range: bytes 0-1048575/2097152"),
        ("206 Partial Content", "Content-Length: 524288\r\nContent-Range: bytes 1048576-1572863/2097152"),
        ("206 Partial Content", "Content-Length: 1048576\r\nContent-Range: bytes 1048576-2097151/*"),
    ],
    ids=["all of it", "no range told", "another range", "only some", "size not told"],
)
def test_a_store_that_does_not_go_on_as_asked_is_a_fault(settings: Settings, status: str, headers: str) -> None:
    half = b'HTTP/1.1 200 OK\r\nETag: "e"\r\nContent-Length: 2097152\r\n\r\n' + bytes(MEBIBYTE)
    further = f'HTTP/1.1 {status}\r\nETag: "e"\r\n{headers}\r\n\r\n'.encode() + bytes(2 * MEBIBYTE)
    received: list[bytes] = []
    with store_that_says(chain([half], repeat(further))) as (address, _):
        settings.S3_ENDPOINT_URL = address
        with storage.open_stream("a", etag="e") as chunks, pytest.raises(storage.StorageUnavailableError):
            received.extend(chunks)
    assert b"".join(received) == bytes(MEBIBYTE)


def test_the_store_is_asked_for_that_object_alone_and_seen_through_where_it_does_not_heed_it(
    settings: Settings,
) -> None:
    other = b'HTTP/1.1 200 OK\r\nETag: "other"\r\nContent-Length: 2\r\n\r\nab'
    with store_that_says(iter([other])) as (address, requests):
        settings.S3_ENDPOINT_URL = address
        with storage.open_stream("a", etag="e") as chunks, pytest.raises(storage.ObjectChangedError):
            next(chunks)
    assert b'\r\nIf-Match: "e"\r\n' in requests[0]


def test_a_store_that_is_down_is_unavailable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STREAM_RETRIES", 0)
    with store_that_says(iter(())) as (address, _):
        settings.S3_ENDPOINT_URL = address
    with storage.open_stream("a", etag="0" * 32) as chunks, pytest.raises(storage.StorageUnavailableError):
        next(chunks)


# --- the other end ---


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Call `serve` with each connection, one after the other; yields the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):  # the listener is shut down
            while True:
                connection, _ = listener.accept()
                with connection, suppress(ConnectionError):  # the client hangs up when it has enough
                    serve(connection)

    thread = Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextmanager
def store_that_says(answers: Iterator[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Send the next of `answers` to each request, then hang up. Yields the address and the requests so far."""
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        requests.append(connection.recv(65536))
        connection.sendall(next(answers, b""))

    with server(serve) as address:
        yield address, requests


@contextmanager
def cutting_proxy(upstream: str, cuts: Iterator[int | None], *, hard: bool) -> Iterator[tuple[str, list[int | None]]]:
    """Pass on what `upstream` answers, but hang up after so many bytes; None passes on all.

    `hard` resets the connection instead of closing it. Yields the address and the cuts made so far.
    """
    parts = urlsplit(upstream)
    made: list[int | None] = []

    def serve(connection: socket.socket) -> None:
        made.append(next(cuts))
        left = sys.maxsize if made[-1] is None else made[-1]
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as store:
            # One request a connection, so that the end of the answer is the end of both connections.
            request = connection.recv(65536)
            store.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            while left and (data := store.recv(min(left, 65536))):
                connection.sendall(data)
                left -= len(data)
        if hard and made[-1] is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with server(serve) as address:
        yield address, made
