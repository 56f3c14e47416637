"""Where a request comes from."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The address of who called, to be counted by; what it is, nobody has checked.

    Each of the `PROXIES_IN_FRONT` has added the address of its caller to the end of `X-Forwarded-For`. What stands
    before those is the caller's own claim, and with no proxy all of it is.
    """
    proxies = settings.PROXIES_IN_FRONT
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if not proxies or forwarded is None:
        return str(request.META["REMOTE_ADDR"])
    addresses = forwarded.split(",")
    return str(addresses[-min(proxies, len(addresses))].strip())
