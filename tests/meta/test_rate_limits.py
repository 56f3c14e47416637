"""How many calls of the API one may make in a minute."""

from __future__ import annotations

import socket
from collections.abc import Callable
from itertools import count

import pytest
import redis
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from common import ratelimits
from tests.fixtures import Api, Demo

pytestmark = pytest.mark.django_db

Clock = Callable[[float], None]
MINUTES = count(1_000, 10)


@pytest.fixture
def at_second(monkeypatch: pytest.MonkeyPatch, demo: Demo) -> Clock:
    """Sets the clock that calls are counted by, from the begin of a minute that belongs to this test alone."""
    begin = 60 * next(MINUTES)

    def set_to(second: float) -> None:
        monkeypatch.setattr(ratelimits, "time", lambda: begin + second)

    set_to(0)
    return set_to


@pytest.fixture(autouse=True)
def _two_a_minute(settings: Settings) -> None:
    settings.API_CALLS_PER_MINUTE = 2


def statuses(api: Api, number: int) -> list[int]:
    return [api.get("submissions", groupId=1_000_000).status_code for _ in range(number)]


def test_an_account_makes_so_many_calls_in_a_minute_and_then_waits_for_the_next(
    api: Api, demo: Demo, at_second: Clock
) -> None:
    at_second(17.5)
    assert statuses(api, 4) == [404, 404, 429, 429]
    refused = api.get("organisms")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "43"
    assert refused.json()["code"] == "rate_limited"
    assert statuses(Api(demo.bob), 1) == [404]
    at_second(60.5)
    assert statuses(api, 3) == [404, 404, 429]


def test_the_pages_of_the_same_account_are_counted_with_its_scripts(
    api: Api, demo: Demo, at_second: Clock, client: Client
) -> None:
    client.force_login(demo.alice)
    assert client.get("/api/submissions?groupId=0").status_code != 429
    assert statuses(api, 2) == [404, 429]


@pytest.mark.parametrize(
    ("proxies", "counted_as_one"),
    [(0, True), (1, False)],
    ids=["nobody in front of us may claim an address", "a proxy of ours tells the address"],
)
def test_without_an_account_the_address_counts(
    at_second: Clock, settings: Settings, proxies: int, counted_as_one: bool
) -> None:
    settings.PROXIES_IN_FRONT = proxies

    def download(caller: str) -> int:
        headers = {"X-Forwarded-For": f"10.0.0.9, {caller}"}
        return Client(headers=headers).get("/api/files/get/SAT_0/1/rawReads/a.fastq").status_code

    assert [download("10.0.0.1") for _ in range(3)] == [404, 404, 429]
    assert download("10.0.0.2") == (429 if counted_as_one else 404)


def test_zero_is_no_limit(api: Api, settings: Settings, at_second: Clock) -> None:
    settings.API_CALLS_PER_MINUTE = 0
    assert statuses(api, 3) == [404] * 3


def test_without_the_counter_nothing_is_limited(api: Api, settings: Settings, at_second: Clock) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        place = f"redis://127.0.0.1:{nobody_listens.getsockname()[1]}/0"
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": place}}
        with pytest.raises(redis.RedisError):
            cache.get("anything")
        assert statuses(api, 3) == [404] * 3
