"""What the client makes of the server's answers, also of those that are none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from satchel.api import Api, ApiError, Problem, UnreachableError
from satchel.patience import Patience
from satchel.transfer.connections import Connection, _is_stale

from embedded.programs import wait_until
from tests.client.conftest import ALICES_GROUP
from tests.linked import Linked

BUSY = (503, {"Retry-After": "2"}, b"busy")
EMPTY_LIST = (200, {"Content-Type": "application/json"}, b'{"items": [], "nextCursor": null}')


@dataclass
class Server:
    """Gives out `answers` (status, headers, body) one after another, the last again and again; notes the requests."""

    answers: list[tuple[int, dict[str, str], bytes]]
    requests: list[str] = field(default_factory=list)
    port: int = 0
    hangs_up: bool = False

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that the test sets."""
    state = Server([EMPTY_LIST])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append(f"{self.command} {self.path}")
            status, headers, body = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = state.hangs_up

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.port = running.server_port
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield state
        running.shutdown()
        thread.join()


def test_a_busy_server_is_asked_again_no_sooner_than_it_says(server: Server) -> None:
    server.answers = [BUSY, BUSY, EMPTY_LIST]
    pauses: list[float] = []
    told: list[Problem] = []
    patience = Patience(attempts=3, sleep=pauses.append)
    with Api(f"{server.url}/api/", patience=patience, on_retry=lambda problem, _: told.append(problem)) as api:
        assert list(api.files(1)) == []
        assert [problem.status for problem in told] == [503, 503]
        assert len(pauses) == 2
        assert all(pause >= 2 for pause in pauses)
        server.answers = [BUSY]
        with pytest.raises(ApiError) as refusal:
            list(api.files(1))
    assert refusal.value.retry_after == 2
    assert len(server.requests) == 3 + 3


def test_a_discard_whose_answer_was_lost_is_done_all_the_same(server: Server) -> None:
    gone = (404, {"Content-Type": "application/problem+json"}, b'{"code": "file_not_found", "detail": "No such file."}')
    with Api(server.url, patience=Patience(sleep=lambda _: None)) as api:
        server.answers = [BUSY, gone]
        api.discard("8f1d")
        with pytest.raises(ApiError, match="No such file"):
            api.discard("8f1d")


def test_what_is_no_satchel_is_told_from_one_that_refuses(linked: Linked, server: Server) -> None:
    server.answers = [(404, {}, b"<html>")]
    with Api(server.url) as api, pytest.raises(ApiError, match="not Satchel's"):
        api.groups()
    with Api("http://127.0.0.1:1", patience=Patience(attempts=1)) as api, pytest.raises(UnreachableError):
        api.groups()
    with Api(linked.product.base_url, "satchel_wrong") as api, pytest.raises(ApiError) as refusal:
        api.file("9b3a1f52-64a1-4a47-8a55-6c2f1f0a7f3e")
    assert (refusal.value.status, refusal.value.code) == (401, "token_invalid")


def test_a_submission_repeated_with_its_key_is_the_same_one(alice: Api, linked: Linked) -> None:
    form = {"metadataFile": ("t.tsv", b"id\na\nb\n"), "sequenceFile": ("s.fasta", b">a\nACGT\n>b\nGGCC\n")}
    entries, number, is_repeated = alice.submit("ebola-sudan", ALICES_GROUP, form, idempotency_key="key-of-test-api")
    again = alice.submit("ebola-sudan", ALICES_GROUP, form, idempotency_key="key-of-test-api")
    assert (is_repeated, again) == (False, (entries, number, True))
    page = alice.submission(number)
    assert [entry["submissionId"] for entry in page["entries"]] == ["a", "b"]
    assert page["status"] == "ACCEPTED"
    assert [entry["accession"] for entry in page["entries"]] == [entry["accession"] for entry in entries]
    assert alice.receipt(number, form="json").startswith(b"{")


def test_a_repeated_answer_to_a_second_attempt_is_taken_for_the_first_attempts_own(server: Server) -> None:
    headers = {"Location": "/api/submissions/7", "Idempotent-Replayed": "true"}
    form = {"metadataFile": ("t.tsv", b"id\na\n")}
    with Api(server.url, patience=Patience(sleep=lambda _: None)) as api:
        server.answers = [BUSY, (202, headers, b"[]")]
        assert api.submit("ebola-sudan", 1, form) == ([], 7, False)
        assert api.submit("ebola-sudan", 1, form) == ([], 7, True)


def test_files_go_through_the_proxy_that_the_environment_names(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    server.answers = [(200, {"ETag": '"e"'}, b"")]
    sent: list[int] = []
    connection = Connection(httpx.create_ssl_context())
    answer = connection.put("http://store.invalid/bucket/key?a=b", 4, [memoryview(b"ACGT")], sent.append)
    connection.close()
    assert (answer.status, answer.etag, sum(sent)) == (200, '"e"', 4)
    assert server.requests == ["PUT http://store.invalid/bucket/key?a=b"]


def test_a_connection_that_the_store_has_closed_is_opened_anew(server: Server) -> None:
    server.hangs_up = True
    connection = Connection(httpx.create_ssl_context())
    for _ in range(3):
        answer = connection.put(f"{server.url}/key", 4, [memoryview(b"ACGT")], lambda _: None)
        assert answer.status == 200
        assert wait_until(lambda: connection._http is None or _is_stale(connection._http), 10)
    connection.close()
