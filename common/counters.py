"""Counters that all web processes share and that end by themselves, in the cache's own Redis or Valkey.

Not through Django's cache: its `incr` looks first and adds then, so that a counter that ends between the two is an
error, or one that never ends. Everything here raises `redis.RedisError` where the cache does not answer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import redis
from django.conf import settings


def count(counter: str, *, lasts: int) -> int:
    """Count one more, and say how many that makes; the counter ends `lasts` seconds after its first.

    One transaction, so that of calls at once none is missed, and none finds the counter without an end. Set and then
    added to, as servers before Redis 7 can give an end only to a counter that has none by first looking.
    """
    with _client().pipeline(transaction=True) as pipeline:
        pipeline.set(counter, 0, ex=lasts, nx=True)
        pipeline.incr(counter)
        return int(pipeline.execute()[-1])


def counted(counter: str) -> int:
    """How many were counted, 0 where there is no such counter."""
    return int(cast("bytes | None", _client().get(counter)) or 0)


def forget(counter: str) -> None:
    """End a counter now; that there is none is fine too."""
    _client().delete(counter)


def _client() -> redis.Redis:
    cache = settings.CACHES["default"]
    return _client_of(cache["LOCATION"], tuple(sorted(cache["OPTIONS"].items())))


@lru_cache(maxsize=4)
def _client_of(url: str, options: tuple[tuple[str, float], ...]) -> redis.Redis:
    """A client with connections that threads share; after a fork each process makes its own."""
    return redis.Redis.from_url(url, **dict(options))
