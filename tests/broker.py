"""The queues on the broker, as tests look into them."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import redis
from django.conf import settings
from kombu.serialization import loads
from kombu.utils.encoding import bytes_to_str

SMALL, LARGE, SWEEPS = (queue.name for queue in settings.CELERY_TASK_QUEUES)


class Broker:
    """The queues on the broker."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    @classmethod
    @contextmanager
    def emptied(cls) -> Iterator[Self]:
        """The broker, with empty queues, which it leaves empty."""
        with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
            broker = cls(client)
            broker.empty()
            yield broker
            broker.empty()

    def empty(self, *queues: str) -> None:
        """Delete all messages, of these queues or of all."""
        self._client.delete(*(queues or (SMALL, LARGE, SWEEPS)))

    def messages(self, queue: str) -> list[tuple[str, list[Any]]]:
        """Task and arguments of each message of a queue, the oldest first."""
        found = [json.loads(text) for text in reversed(self._client.lrange(queue, 0, -1))]
        return [(each["headers"]["task"], self._arguments(each)) for each in found]

    def sizes(self) -> tuple[int, ...]:
        """How many messages there are for small files, for large ones, and for sweeps."""
        return tuple(len(self.messages(queue)) for queue in (SMALL, LARGE, SWEEPS))

    def _arguments(self, message: dict[str, Any]) -> list[Any]:
        body = bytes_to_str(b64decode(message["body"]))
        arguments: list[Any] = loads(body, message["content-type"], message["content-encoding"])[0]
        return arguments
