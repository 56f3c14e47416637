"""The OpenAPI document: that it is one, that it leaves nothing out, and that what it shows fits what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from jsonschema_rs import ValidationError
from rest_framework.views import APIView

from common.errors import ParameterInvalidError
from common.openapi import errors_by_code, operation_of
from common.problems import CONTENT_TYPE, STATUS_OF_CODE
from tests.fixtures import Api, Demo
from tests.openapi import Answered, document

JSON = "application/json"
OF_PAGES = {"token_name_taken", "too_many_tokens"}
"""Codes that only pages can answer with."""


class NoView(APIView):
    """What a page has for a view: one without methods of ours."""


def api_methods() -> Iterator[tuple[str, str, type[APIView]]]:
    """Name, method and view of all that the URLconf has under /api."""
    waiting: list[URLPattern | URLResolver] = list(get_resolver().url_patterns)
    for pattern in waiting:
        if isinstance(pattern, URLResolver):
            waiting.extend(pattern.url_patterns)
            continue
        view: type[APIView] = getattr(pattern.callback, "cls", NoView)
        for method in view().allowed_methods:
            if method not in {"HEAD", "OPTIONS"}:
                yield str(pattern.name), method, view


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, methods in document().document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_an_openapi_3_1_document() -> None:
    assert document().document["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(document().document).validate()
    with pytest.raises(ValidationError):
        schemathesis.openapi.from_dict({**document().document, "info": {}}).validate()


def test_each_method_of_each_address_is_described() -> None:
    methods = list(api_methods())
    assert len(methods) > 20
    assert [(name, method) for name, method, view in methods if operation_of(view, method) is None] == []


def test_operations_have_names_of_their_own_and_words() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for path, method, operation in operations():
        assert operation["summary"], (method, path)
        assert operation["description"].endswith("."), (method, path)
        for parameter in operation["parameters"]:
            assert parameter["description"], (method, path, parameter["name"])


def test_each_part_of_a_path_is_a_parameter() -> None:
    for path, _, operation in operations():
        in_path = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert in_path == {part.strip("{}") for part in path.split("/") if part.startswith("{")}, path


def examples() -> Iterator[tuple[str, object, dict[str, Any]]]:
    """Where it stands, value and schema of every example."""
    shared = document().document["components"]["examples"]
    for path, method, operation in operations():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in contents:
            for media_type, media in content.get("content", {}).items():
                for name, example in media.get("examples", {}).items():
                    found = shared[example["$ref"].rpartition("/")[2]] if "$ref" in example else example
                    yield f"{method} {path}, {media_type}, {name}", found["value"], media["schema"]


def test_each_example_fits_its_schema_and_each_body_has_one() -> None:
    shown = list(examples())
    assert [(where, wrong) for where, value, schema in shown if (wrong := document().errors_of(value, schema))] == []
    for path, method, operation in operations():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        media = [media for content in contents for media in content.get("content", {}).values()]
        assert path == "/schema" or all(each["examples"] for each in media), (method, path)


def test_every_code_of_the_api_is_told_by_some_operation_under_its_status() -> None:
    told = {
        (code, int(status))
        for _, _, operation in operations()
        for status, response in operation["responses"].items()
        if CONTENT_TYPE in response.get("content", {})
        for code in response["content"][CONTENT_TYPE]["schema"]["allOf"][1]["properties"]["code"]["enum"]
    }
    of_http = {"method_not_allowed"}
    assert {code for code in STATUS_OF_CODE if (code, STATUS_OF_CODE[code]) not in told} == of_http | OF_PAGES
    assert {code for code, status in told if STATUS_OF_CODE[code] != status} <= {
        "validation_failed",
        *(code for code, error in errors_by_code().items() if STATUS_OF_CODE[code] in {404, 409}),
    }


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [("*/*", JSON), ("text/html", JSON), ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json")],
)
def test_the_document_is_for_everyone_in_either_type(client: Client, db: None, accept: str, media_type: str) -> None:
    answer = client.get("/api/schema", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == media_type
    assert answer.json() == document().document


# --- the oracle, which every test of the API goes through --------------------------------------------


def problem(status: int, code: str, **more: object) -> bytes:
    """A problem as the API says it."""
    body = {"type": "/help/problems", "title": "t", "status": status, "detail": "d", "instance": "/api", "code": code}
    return json.dumps({**body, **more}).encode()


REFUSED = {"Content-Type": CONTENT_TYPE}


@pytest.mark.parametrize(
    ("status", "headers", "content", "complaint"),
    [
        (200, {"Content-Type": JSON}, b'{"items": [], "nextCursor": null}', None),
        (200, {"Content-Type": JSON}, b'{"items": []}', "nextCursor"),
        (200, {"Content-Type": JSON}, b'{"items": [], "nextCursor": null, "more": 1}', "more"),
        (200, {"Content-Type": "text/html"}, b"", "text/html"),
        (201, {"Content-Type": JSON}, b"{}", "status 201"),
        (404, REFUSED, problem(404, "group_not_found"), None),
        (404, REFUSED, problem(404, "file_not_found"), "file_not_found"),
        (404, REFUSED, problem(403, "group_not_found"), "404"),
        (401, REFUSED, problem(401, "token_invalid"), "WWW-Authenticate"),
        (401, {**REFUSED, "WWW-Authenticate": "Bearer"}, problem(401, "token_invalid"), None),
        (429, REFUSED, problem(429, "rate_limited"), "Retry-After"),
        (429, {**REFUSED, "Retry-After": "soon"}, problem(429, "rate_limited"), "Retry-After"),
        (429, {**REFUSED, "Retry-After": "3"}, problem(429, "rate_limited"), None),
        (400, REFUSED, problem(400, "parameter_invalid", errors=[{"code": "id_missing", "detail": "d"}]), "id_missing"),
    ],
)
def test_an_answer_that_is_not_as_described_is_told_of(
    status: int, headers: dict[str, str], content: bytes, complaint: str | None
) -> None:
    found = document().check("GET", "/submissions", Answered(status, headers, content))
    assert (found == []) if complaint is None else (complaint in str(found)), found


def test_the_test_client_tells_of_it(api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submissions.api.groups.group_body", lambda group: {"id": str(group.pk)})
    with pytest.raises(AssertionError, match="GET /groups, 200"):
        api.get("groups")


def test_a_request_that_succeeds_though_it_is_not_as_described_is_told_of() -> None:
    taken = document().check_taken
    assert taken("POST", "/groups", {}, {"name": "Lab"}) == []
    assert taken("POST", "/groups", {}, {"name": 1}) != []
    assert taken("GET", "/submissions", {}, None) != []


def test_the_code_of_each_class_is_known() -> None:
    assert errors_by_code()["parameter_invalid"] is ParameterInvalidError
