"""Counters that all web processes share."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis
from django.conf import settings

from common import counters

WITHOUT_END = -1
"""What `TTL` answers of a key that stays for good."""


@pytest.fixture
def counter() -> str:
    """A counter that nobody else counts by."""
    return f"test-{uuid.uuid4()}"


@pytest.fixture
def server() -> redis.Redis:
    """What keeps the counters."""
    return redis.Redis.from_url(settings.REDIS_URL)


def test_of_those_who_count_at_once_none_is_missed(counter: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: counters.count(counter, lasts=60), range(200)))
    assert sorted(counts) == list(range(1, 201))
    assert counters.counted(counter) == 200


def test_a_counter_ends_so_long_after_its_first(counter: str, server: redis.Redis) -> None:
    counters.count(counter, lasts=60)
    server.expire(counter, 30)
    counters.count(counter, lasts=60)
    assert 0 < server.ttl(counter) <= 30
    counters.forget(counter)
    assert counters.counted(counter) == 0


def test_a_counter_that_ends_while_others_count_begins_anew_and_has_an_end(counter: str, server: redis.Redis) -> None:
    at_once = Barrier(2)

    def count() -> list[int]:
        at_once.wait(10)
        return [counters.count(counter, lasts=60) for _ in range(5)]

    def end_it() -> None:
        at_once.wait(10)
        counters.forget(counter)

    with ThreadPoolExecutor(2) as pool:
        for _ in range(200):
            counting, ending = pool.submit(count), pool.submit(end_it)
            ending.result()
            assert min(counting.result()) >= 1
            assert server.ttl(counter) != WITHOUT_END
