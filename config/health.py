"""Whether this process lives, and whether what it needs answers."""

from __future__ import annotations

from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from files import storage
from files.errors import StorageUnavailableError

log = structlog.get_logger(__name__)


def healthz(request: HttpRequest) -> JsonResponse:
    """200: the process lives."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker and bucket answer, else 503 with the ones that do not."""
    checks: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker, "bucket": _bucket}
    answers = {name: _answer(name, check) for name, check in checks.items()}
    ready = all(answer == "ok" for answer in answers.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **answers}, status=200 if ready else 503)


def _answer(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except (DatabaseError, redis.RedisError, StorageUnavailableError) as error:
        log.warning("not_ready", part=name, exc_info=error)
        return "not answering"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()


def _bucket() -> None:
    if not storage.bucket_ready():
        raise StorageUnavailableError
