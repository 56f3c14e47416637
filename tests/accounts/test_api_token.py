"""`POST /api/auth/token`, and what its tokens are good for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts.services import issue_token
from common.addresses import address_of
from tests.fixtures import Api, Demo


@pytest.fixture(autouse=True)
def _no_failures_counted() -> None:
    cache.clear()


def _log_in(password: str = "satchel-demo", username: str = "alice") -> Any:
    return Api(None).post("auth/token", {"username": username, "password": password})


def test_username_and_password_give_a_token_that_works(demo: Demo) -> None:
    answer = _log_in()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["expiresIn"] == 3600
    header = {"Authorization": f"Bearer {body['access']}"}
    listed = Api(None).client.get("/api/submissions", data={"groupId": demo.group.pk}, headers=header)
    assert listed.json() == {"items": [], "nextCursor": None}


@pytest.mark.parametrize(("username", "password"), [("alice", "wrong"), ("nobody", "satchel-demo")])
def test_wrong_credentials_are_401_and_say_nothing_of_which(demo: Demo, username: str, password: str) -> None:
    answer = _log_in(password, username)
    assert (answer.status_code, answer.json()["code"]) == (401, "credentials_wrong")
    assert "alice" not in answer.json()["detail"]


def test_missing_and_unreadable_bodies_are_400(demo: Demo) -> None:
    missing = Api(None).post("auth/token", {"username": "alice"})
    assert (missing.status_code, missing.json()["code"]) == (400, "parameter_missing")
    assert missing.json()["errors"][0]["pointer"] == "/password"
    broken = Api(None).client.post("/api/auth/token", data="{", content_type="application/json")
    assert (broken.status_code, broken.json()["code"]) == (400, "parameter_invalid")
    form = Api(None).client.post("/api/auth/token", data={"username": "alice"})
    assert (form.status_code, form.json()["code"]) == (415, "media_type_unsupported")


def test_too_many_failures_close_the_door_for_a_time_even_to_the_right_password(demo: Demo) -> None:
    for _ in range(settings.LOGIN_FAILURES_ALLOWED):
        assert _log_in("wrong").status_code == 401
    closed = _log_in()
    assert (closed.status_code, closed.json()["code"]) == (429, "too_many_attempts")
    assert int(closed.headers["Retry-After"]) > 0
    assert _log_in(username="bob").status_code == 200


@pytest.mark.parametrize("proxies", [0, 1])
@pytest.mark.parametrize("path", ["/api/auth/token", "/login"])
def test_failures_are_counted_by_the_address_that_a_proxy_of_ours_tells(
    demo: Demo, settings: Settings, path: str, proxies: int
) -> None:
    settings.PROXIES_IN_FRONT, settings.LOGIN_FAILURES_ALLOWED = proxies, 1

    def attempt(address: str) -> int:
        client = Client(headers={"X-Forwarded-For": f"10.9.9.9, {address}"})
        body = {"username": "alice", "password": "wrong"}
        if path.startswith("/api"):
            return client.post(path, body, content_type="application/json").status_code
        return client.post(path, body).status_code

    refused = 401 if path.startswith("/api") else 200
    assert [attempt("10.0.0.1"), attempt("10.0.0.1")] == [refused, 429]
    assert attempt("10.0.0.2") == (refused if proxies else 429)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "10.0.0.1", "127.0.0.1"),
        (1, None, "127.0.0.1"),
        (1, "10.0.0.1", "10.0.0.1"),
        (1, "10.9.9.9, 10.0.0.1", "10.0.0.1"),
        (2, "10.9.9.9,10.0.0.1 , 10.0.0.2", "10.0.0.1"),
        (3, "10.0.0.1, 10.0.0.2", "10.0.0.1"),
    ],
)
def test_the_address_is_the_one_that_the_outermost_proxy_of_ours_has_seen(
    settings: Settings, proxies: int, forwarded: str | None, address: str
) -> None:
    settings.PROXIES_IN_FRONT = proxies
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert address_of(RequestFactory().get("/", headers=headers)) == address


def test_a_success_forgets_earlier_failures(demo: Demo) -> None:
    for _ in range(2):
        for _ in range(settings.LOGIN_FAILURES_ALLOWED - 1):
            _log_in("wrong")
        assert _log_in().status_code == 200


def test_expired_forged_and_orphaned_tokens_are_401(demo: Demo) -> None:
    token = issue_token(demo.alice).access
    claims = jwt.decode(token, options={"verify_signature": False})
    past = {**claims, "exp": timezone.now() - timedelta(seconds=1)}
    foreign_issuer = {**claims, "iss": "someone-else"}
    key = settings.JWT_PRIVATE_KEY
    bad = [
        jwt.encode(past, key, algorithm="RS256"),
        jwt.encode(foreign_issuer, key, algorithm="RS256"),
        jwt.encode(claims, "x" * 64, algorithm="HS256"),
        token[:-8] + "AAAAAAAA",
    ]
    demo.bob.is_active = False
    demo.bob.save()
    bad.append(issue_token(demo.bob).access)
    for access in bad:
        answer = Api(None).client.get(
            "/api/submissions", data={"groupId": demo.group.pk}, headers={"Authorization": f"Bearer {access}"}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_needs_the_form_token_to_write(demo: Demo) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(demo.alice)
    assert client.get("/api/submissions", data={"groupId": demo.group.pk}).status_code == 200
    refused = client.post("/api/files/request-upload", query_params={"groupId": str(demo.group.pk)})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
