"""What the client makes of the server's answers, also of those that are none."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from satchel.api import Api, ApiError, Problem, UnreachableError
from satchel.config import ConfigError
from satchel.patience import Patience
from satchel.transfer.connections import Connection, _is_stale

from embedded.programs import wait_until
from tests.client.conftest import ALICES_GROUP, EMPTY_LIST, Server
from tests.linked import Linked

HTML = {"Content-Type": "text/html; charset=utf-8"}
BUSY = (503, {"Retry-After": "2"}, b"busy")


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


FORM = {"metadataFile": ("t.tsv", b"id\na\n")}
CALLS: dict[str, Callable[[Api], object]] = {
    "log_in": lambda api: api.log_in("alice", "satchel-demo"),
    "groups": lambda api: api.groups(),
    "request_upload": lambda api: api.request_upload(1, [{}]),
    "request_multipart_upload": lambda api: api.request_multipart_upload(1, [{}], number_parts=1),
    "complete_upload": lambda api: api.complete_upload([{"fileId": "8f1d"}]),
    "complete_multipart_upload": lambda api: api.complete_multipart_upload([{"fileId": "8f1d", "etags": ["e"]}]),
    "renew": lambda api: api.renew("8f1d"),
    "file": lambda api: api.file("8f1d"),
    "files": lambda api: list(api.files(1)),
    "discard": lambda api: api.discard("8f1d"),
    "check": lambda api: api.check("ebola-sudan", 1, FORM),
    "submit": lambda api: api.submit("ebola-sudan", 1, FORM),
    "submission": lambda api: api.submission(7),
    "receipt": lambda api: api.receipt(7),
    "receipt as JSON": lambda api: api.receipt(7, form="json"),
    "entry": lambda api: api.entry("ebola-sudan", "SAT_1", 1),
    "replace_files": lambda api: api.replace_files("ebola-sudan", "SAT_1", 1, {}),
    "withdraw": lambda api: api.withdraw("ebola-sudan", "SAT_1", 1),
    "release": lambda api: api.release("ebola-sudan", [{"accession": "SAT_1", "version": 1}]),
    "download_url": lambda api: api.download_url("SAT_1", 1, "rawReads", "a.fq"),
}
STRANGE = {
    "a page": (200, HTML, b"<html>Please accept our terms"),
    "JSON of something else": (200, {"Content-Type": "application/json"}, b'{"ok": true}'),
    "another list": (200, {"Content-Type": "application/json; charset=utf-8"}, b'[{"ok": true}]'),
    "nothing": (200, {}, b""),
    "a page that is accepted": (202, HTML, b"<html>"),
    "JSON that does not name a problem": (404, {"Content-Type": "application/json"}, b'{"detail": "Not found."}'),
    "problems of another kind": (422, {"Content-Type": "application/json"}, b'{"code": "x", "errors": ["y"]}'),
    "a status of its own": (304, {}, b""),
}


@pytest.mark.parametrize("answer", STRANGE)
def test_an_answer_that_satchel_does_not_give_is_told_and_taken_for_nothing_else(server: Server, answer: str) -> None:
    server.answers = [STRANGE[answer]]
    with Api(server.url, "satchel_x") as api:
        for name, call in CALLS.items():
            server.requests.clear()
            refusal = refusal_of(call, api)
            assert refusal, name
            assert refusal.code == "request_failed", name
            assert refusal.problem.detail.startswith(f"{server.url}/api/"), name
            assert "Is this Satchel's address?" in refusal.problem.detail, name
            assert len(server.requests) == 1, name


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_by_nobody_and_told_with_where_it_leads(server: Server, status: int) -> None:
    elsewhere = "https://satchel.example.org/elsewhere"
    server.answers = [(status, {"Location": elsewhere, **HTML}, b"<html>")]
    with Api(server.url, "satchel_x") as api:
        for name, call in CALLS.items():
            if (name, status) == ("download_url", 307):
                assert call(api) == elsewhere
                continue
            refusal = refusal_of(call, api)
            assert refusal, name
            assert (refusal.status, refusal.code) == (status, "request_failed"), name
            assert f"leads on to {elsewhere} ({status})" in refusal.problem.detail, name


def refusal_of(call: Callable[[Api], object], api: Api) -> ApiError | None:
    try:
        call(api)
    except ApiError as error:
        return error
    return None


def test_a_page_that_is_not_found_is_no_sign_that_a_file_is_discarded(server: Server) -> None:
    server.answers = [BUSY, (404, HTML, b"<html>")]
    with (
        Api(server.url, patience=Patience(sleep=lambda _: None)) as api,
        pytest.raises(ApiError, match="not Satchel's"),
    ):
        api.discard("8f1d")


def test_what_is_no_address_is_told_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match="no address of a server"):
        Api("http://satchel.example.org:port")


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
