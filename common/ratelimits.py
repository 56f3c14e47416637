"""How many calls of the API an account, or an address, may make in a minute."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

import redis
import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common.addresses import address_of
from common.counters import count
from common.errors import RateLimitedError

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which loads this module, as the settings name it

log = structlog.get_logger(__name__)

MINUTE = 60


class CallsPerMinute(BaseThrottle):
    """`API_CALLS_PER_MINUTE` in each minute of the clock, for all web processes together.

    Counted in the cache, in one step, so that of calls at once none is missed. An account counts wherever it
    calls from, an address only for calls without one. While the counter does not answer nothing is limited: a limit
    against runaway scripts is no reason to be down.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether the call is within the limit; raises `RateLimitedError` if it is not."""
        most = settings.API_CALLS_PER_MINUTE
        if not most:
            return True
        minute, second = divmod(int(time()), MINUTE)
        try:
            # It ends by itself, a minute after its own.
            calls = count(f"calls-{minute}-{self._caller(request)}", lasts=2 * MINUTE)
        except redis.RedisError as error:
            log.warning("calls_not_counted", exc_info=error)
            return True
        if calls > most:
            text = f"You have made {most:,} calls in this minute. Wait for the next, and ask for more with each call."
            raise RateLimitedError(text, retry_after=MINUTE - second)
        return True

    def _caller(self, request: Request) -> str:
        if request.user.is_authenticated:
            return f"account-{request.user.pk}"
        return f"address-{address_of(request)}"
