"""Requests that no client of ours sends: each is refused in words, none is an error of ours."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory, override_settings
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertTemplateUsed

from tests.fixtures import Api, Demo

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


SMALL = 1_000
"""Bytes that a body may have in tests of the limit."""


@pytest.fixture
def careless() -> Client:
    """A client without account that is checked for form tokens, as real ones are."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def problem_of(answer: HttpResponse | Answer) -> tuple[int, str]:
    """Status and code of an answer, which must be a problem."""
    assert answer.headers["Content-Type"] == "application/problem+json", (answer.status_code, answer.content[:300])
    body = json.loads(answer.content)
    assert body["status"] == answer.status_code
    return body["status"], body["code"]


# --- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["a%00/1/rawReads/x.fastq", "SAT_1/1/raw%00Reads/x.fastq", "SAT_1/1/rawReads/x%00.fastq"]
)
def test_a_nul_in_the_address_of_a_download_is_an_unknown_address(api: Api, address: str) -> None:
    assert problem_of(api.get(f"files/get/{address}")) == (404, "not_found")


def test_a_nul_in_the_address_of_an_entry_is_an_unknown_address(careless: Client, demo: Demo) -> None:
    answer = careless.get("/entries/a%00.1")
    assert answer.status_code == 404
    assertTemplateUsed(answer, "404.html")


@pytest.mark.parametrize("address", ["/api", "/api/", "/api/nothing", "/api/submissions/", "/api/files/get"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_an_unknown_address_of_the_api_is_a_problem_with_any_method(
    careless: Client, method: str, address: str
) -> None:
    answer = careless.generic(method, address)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_address_that_only_begins_like_the_api_is_a_page(careless: Client) -> None:
    answer = careless.get("/apiary")
    assert answer.status_code == 404
    assertTemplateUsed(answer, "404.html")


def test_the_options_of_an_address_are_told_by_the_document_alone(api: Api) -> None:
    for address in ("/api/groups", "/api/files", "/api/schema", "/api/ebola-sudan/submit"):
        assert problem_of(api.client.options(address)) == (405, "method_not_allowed")


# --- formats ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["application/octet-stream", "application/problem+json", "text/html;q=0.1", "", "x"])
def test_the_api_answers_in_json_whatever_is_accepted(api: Api, demo: Demo, accept: str) -> None:
    answer = api.client.get("/api/submissions", {"groupId": demo.group.pk}, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"


def test_a_download_may_ask_for_the_type_that_it_gets(api: Api) -> None:
    answer = api.client.get("/api/files/get/SAT_0/1/rawReads/x", headers={"Accept": "application/octet-stream"})
    assert problem_of(answer) == (404, "entry_not_found")


def test_a_parameter_named_format_is_one_that_nobody_reads(api: Api, demo: Demo) -> None:
    assert api.get("submissions", groupId=demo.group.pk, format="tsv").status_code == 200


# --- bodies ----------------------------------------------------------------------------------------


def test_a_body_that_is_nested_too_deeply_cannot_be_read(api: Api) -> None:
    answer = api.client.post("/api/files/complete-upload", "[" * 100_000, content_type="application/json")
    assert problem_of(answer) == (400, "parameter_invalid")
    assert "nested" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("files/request-upload?groupId={group}", None),
        ("files/request-upload?groupId={group}", 0),
        ("files/request-upload?groupId={group}", ""),
        ("files/request-upload?groupId={group}", [{"size": "12"}]),
        ("files/request-upload?groupId={group}", [{"name": 12}]),
        ("files/request-upload?groupId={group}", [{"sha256": " " + "a" * 64}]),
        ("files/complete-upload", [{"fileId": "x0f3d1c5e-6a57-4c2b-9d0e-3f1d2a7b8c90"}]),
        ("files/complete-upload", [{"fileId": "0f3d1c5e-6a57-4c2b-9d0e-3f1d2a7b8c90\n"}]),
        ("groups", {"name": 12}),
    ],
)
def test_json_of_another_type_or_with_something_around_it_cannot_be_read(
    api: Api, demo: Demo, address: str, body: object
) -> None:
    answer = api.client.post(
        f"/api/{address.format(group=demo.group.pk)}", json.dumps(body), content_type="application/json"
    )
    assert problem_of(answer) == (400, "parameter_invalid")


@pytest.fixture
def small_bodies(settings: Settings) -> None:
    """The limit of a body where a test can reach it."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = SMALL


@pytest.mark.parametrize("length", [SMALL, SMALL + 1])
def test_a_json_body_above_the_limit_is_too_large(api: Api, small_bodies: None, length: int) -> None:
    body = "[]".ljust(length)
    answer = api.client.post("/api/files/complete-upload", body, content_type="application/json")
    if length <= SMALL:
        assert answer.status_code == 200
    else:
        assert problem_of(answer) == (413, "request_too_large")
        assert "1.0 kB" in answer.json()["detail"]


def test_a_form_part_above_the_limit_is_too_large(api: Api, demo: Demo, small_bodies: None) -> None:
    answer = api.submit(demo.organism, demo.group, mapping="{}".ljust(SMALL))
    assert problem_of(answer) == (413, "request_too_large")


def test_too_many_parameters_cannot_be_read(api: Api) -> None:
    assert problem_of(api.get("submissions", **{f"p{n}": n for n in range(1_001)})) == (400, "parameter_invalid")


@pytest.mark.parametrize("form", [dict.fromkeys(map(str, range(1_001)), "x"), {"f": [io.BytesIO(b"x")] * 101}])
def test_too_many_form_parts_or_files_cannot_be_read(api: Api, demo: Demo, form: dict[str, object]) -> None:
    answer = api.client.post(f"/api/ebola-sudan/submit?groupId={demo.group.pk}", form)
    assert problem_of(answer) == (400, "parameter_invalid")


def test_a_name_that_is_no_unicode_is_shown_as_an_escape_on_the_page(client: Client, demo: Demo) -> None:
    client.force_login(demo.alice)
    form = {"groupId": demo.group.pk, "files.rawReads": r'[{"name": "\ud800", "fileId": null}]'}
    answer = client.post("/organisms/ebola-sudan/submit", form)
    assertContains(answer, r"“\ud800” is not uploaded yet")


class Broken(io.RawIOBase):
    """A connection that ends within the body."""

    def read(self, size: int = -1) -> bytes:
        """Nothing: the other side is gone."""
        raise ConnectionResetError("the client has gone away")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_breaks_off_cannot_be_read(api: Api, demo: Demo, content_type: str) -> None:
    address = "files/complete-upload" if content_type == "application/json" else "ebola-sudan/submit"
    broken: dict[str, Any] = {"wsgi.input": Broken()}
    answer = api.client.post(f"/api/{address}?groupId={demo.group.pk}", "x", content_type=content_type, **broken)
    assert problem_of(answer) == (400, "parameter_invalid")
    assert "breaks off" in answer.json()["detail"]


# --- what fails outside the views ------------------------------------------------------------------

Middleware = Callable[[HttpRequest], HttpResponse]


def denying(get_response: Middleware) -> Middleware:
    """Middleware that lets nobody through."""

    def deny(request: HttpRequest) -> HttpResponse:
        raise PermissionDenied

    return deny


def failing(get_response: Middleware) -> Middleware:
    """Middleware that has a bug."""

    def fail(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("a bug of ours")

    return fail


@pytest.mark.parametrize(("address", "is_api"), [("/api/nothing", True), ("/api", True), ("/apiary", False)])
@pytest.mark.parametrize(("name", "status"), [("denying", 403), ("failing", 500)])
def test_what_fails_before_the_api_is_reached_is_a_problem_there_and_a_page_elsewhere(
    careless: Client, name: str, status: int, address: str, is_api: bool
) -> None:
    with override_settings(MIDDLEWARE=[f"{__name__}.{name}"]):
        answer = careless.get(address)
    assert answer.status_code == status
    if is_api:
        problem_of(answer)
    else:
        assertTemplateUsed(answer, f"{status}.html")


@pytest.mark.parametrize(("address", "is_api"), [("/api/submissions", True), ("/login", False)])
def test_a_request_for_another_host_is_a_problem_in_the_api_and_a_page_elsewhere(
    careless: Client, db: None, address: str, is_api: bool
) -> None:
    answer = careless.get(address, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    if is_api:
        assert problem_of(answer) == (400, "parameter_invalid")
    else:
        assertTemplateUsed(answer, "400.html")


def test_a_form_without_its_token_is_told_so_on_a_page(careless: Client, db: None) -> None:
    answer = careless.post("/login", {"username": "alice", "password": "x"})
    assert answer.status_code == 403
    assertTemplateUsed(answer, "403_csrf.html")


def test_a_form_token_that_is_missing_within_the_api_is_a_problem() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    answer = CsrfViewMiddleware(view).process_view(RequestFactory().post("/api/later"), view, (), {})
    assert isinstance(answer, HttpResponse)
    assert problem_of(answer) == (403, "csrf_failed")
