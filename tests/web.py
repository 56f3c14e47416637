"""HTTP as tests use it: with patience for a busy machine, and without the certificates that take long to be read."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

PATIENCE = 60.0  # seconds
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody: all that tests talk to speaks plain HTTP


def client(base_url: str = "", **more: Any) -> httpx.Client:
    """A client of httpx; what more is said is said to it."""
    return httpx.Client(base_url=base_url, **{"timeout": PATIENCE, "verify": NO_TLS, **more})


def request(method: str, url: str, **more: Any) -> httpx.Response:
    """One call of httpx; what more is said is said to it."""
    return httpx.request(method, url, **{"timeout": PATIENCE, "verify": NO_TLS, **more})


def get(url: str, **more: Any) -> httpx.Response:
    """GET."""
    return request("GET", url, **more)


def head(url: str, **more: Any) -> httpx.Response:
    """HEAD."""
    return request("HEAD", url, **more)


def options(url: str, **more: Any) -> httpx.Response:
    """OPTIONS."""
    return request("OPTIONS", url, **more)


def put(url: str, **more: Any) -> httpx.Response:
    """PUT."""
    return request("PUT", url, **more)


def post(url: str, **more: Any) -> httpx.Response:
    """POST."""
    return request("POST", url, **more)
