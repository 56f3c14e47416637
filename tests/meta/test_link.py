"""The link that tests and benchmarks of uploading lean on is as slow, and fails, as they say."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests import web
from tests.link import Link, Put

BODY = bytes(range(256)) * 4000  # 1 MB


class Store(BaseHTTPRequestHandler):
    """Answers a PUT, or a form, with what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """One object."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """One form."""
        self.do_PUT()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def link() -> Iterator[Link]:
    """A link to a store."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Link().running() as link:
        link.target = server.server_port
        yield link
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(link: Link) -> Iterator[httpx.Client]:
    """What sends through it, over one connection."""
    with web.client(link.url) as client:
        yield client


def test_bytes_pass_unchanged_and_are_noted(link: Link, client: httpx.Client) -> None:
    assert client.put("/bucket/key?partNumber=7&X-Amz-Date=20260101T000000Z", content=BODY).content == BODY
    assert client.put("/bucket/empty", content=b"").content == b""
    assert link.puts == [
        Put("/bucket/key", 7, "20260101T000000Z", len(BODY), received=len(BODY), status=200),
        Put("/bucket/empty", 0, "", 0, received=0, status=200),
    ]


def test_a_form_for_the_store_is_noted_as_the_put_that_it_stands_for(link: Link, client: httpx.Client) -> None:
    fields = {"key": "a/b", "x-amz-date": "20260101T000000Z", "policy": "x"}
    sent = client.post("/bucket", data=fields, files={"file": BODY}).content
    assert b'name="policy"\r\n\r\nx\r\n' in sent
    assert BODY in sent
    assert client.post("/bucket", data=fields, files={"file": b""}).is_success
    assert link.puts == [
        Put("/bucket/a/b", 0, "20260101T000000Z", len(BODY), received=len(BODY), status=200),
        Put("/bucket/a/b", 0, "20260101T000000Z", 0, received=0, status=200),
    ]


def test_a_request_takes_the_round_trip_and_its_bytes_the_rate(link: Link, client: httpx.Client) -> None:
    client.put("/bucket/key", content=b"")  # opens the connection
    link.rates, link.round_trip = (5e6,), 0.2
    start = time.monotonic()
    client.put("/bucket/key", content=BODY)
    least = link.round_trip + 2 * len(BODY) / 5e6  # there, and back in the answer
    assert least * 0.9 < time.monotonic() - start < least * 3


def test_every_third_put_is_answered_busy_and_reaches_no_store(link: Link, client: httpx.Client) -> None:
    link.busy_every = 3
    assert [client.put("/bucket/key", content=BODY).status_code for _ in range(6)] == [200, 200, 503, 200, 200, 503]
    assert [put.succeeded for put in link.puts] == [True, True, False, True, True, False]


def test_one_connection_is_cut_in_mid_body(link: Link, client: httpx.Client) -> None:
    link.cut_after = 500_000
    with pytest.raises(httpx.TransportError):
        client.put("/bucket/key", content=BODY)
    assert client.put("/bucket/key", content=BODY).content == BODY
    cut, whole = link.puts
    assert cut.status == 0
    assert 500_000 <= cut.received < len(BODY)
    assert whole.succeeded


def test_without_a_server_the_connection_just_ends(link: Link, client: httpx.Client) -> None:
    link.target = 1
    with pytest.raises(httpx.TransportError):
        client.put("/bucket/key", content=BODY)
    assert link.puts == []


def test_a_body_that_waits_to_be_asked_for_is_asked_for(link: Link) -> None:
    with socket.create_connection(("127.0.0.1", link.port), timeout=10) as connection:
        connection.sendall(b"PUT /key HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ACGT")
        assert b" 200 " in connection.recv(100).split(b"\r\n")[0]
