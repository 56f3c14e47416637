"""What tests of files share; loaded before Django is, hence the imports inside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.conf import settings


@pytest.fixture
def broker() -> Iterator[Any]:
    """The broker, without the lock of a run of fixity."""
    from files.fixity import LOCK

    with redis.Redis.from_url(settings.REDIS_URL) as connected:
        connected.delete(LOCK)
        yield connected


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """The events of a name that were logged."""
    caplog.set_level(logging.INFO)

    def of(name: str) -> list[dict[str, Any]]:
        found = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        return [event for event in found if event["event"] == name]

    return of


@pytest.fixture
def _one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that break off are given up at once."""
    from files.storage import streams

    monkeypatch.setattr(streams, "STREAM_RETRIES", 0)
