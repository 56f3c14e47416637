"""One connection to the object store, over which a lane PUTs one piece after another.

These PUTs go over `http.client`, and not httpx: measured against SeaweedFS, a PUT of 100 kB costs it 0.5 ms of
processor time instead of 2.5, and 256 MiB in parts 0.2 s instead of 0.4 to 0.9 (httpx cuts and copies each body, and
builds some hundred objects for each request). Certificates and proxies are httpx's.
"""

from __future__ import annotations

import base64
import http.client
import re
import select
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from satchel.patience import retry_after_of

STALLED = 60.0  # seconds without a byte going out or an answer coming in
CONNECTING = 15.0  # seconds
MOST_WORDS = 64 * 1024  # bytes of an answer that are read for what it says


@dataclass(frozen=True)
class Answer:
    """What the store says to a PUT: `code` is S3's own word for an error, `retry_after` in seconds."""

    status: int
    etag: str
    code: str
    retry_after: float | None


class Connection:
    """A connection that is opened when it is needed, and again whenever the store has closed it.

    One thread uses it; `abort` may come from any.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._address: tuple[str, str] | None = None
        self._http: http.client.HTTPConnection | None = None

    def put(self, url: str, length: int, chunks: Iterable[memoryview], on_sent: Callable[[int], None]) -> Answer:
        """PUT `length` bytes; `on_sent` is told the number of those that just went out.

        Raises OSError and `http.client.HTTPException` when the connection fails, and what `chunks` raises.
        """
        address = urlsplit(url)
        connection = self._connected(address)
        try:
            answer, is_open = _exchange(connection, address, length, chunks, on_sent)
        except BaseException:
            self.close()
            raise
        if not is_open:
            self.close()
        return answer

    def close(self) -> None:
        """Close it; it is opened anew when needed."""
        connection, self._http = self._http, None
        if connection:
            connection.close()

    def abort(self) -> None:
        """Have whatever goes on over it fail at once."""
        connection = self._http
        if connection and connection.sock:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _connected(self, address: SplitResult) -> http.client.HTTPConnection:
        to = (address.scheme, address.netloc)
        if self._http is None or self._address != to or _is_stale(self._http):
            self.close()
            self._address, self._http = to, _opened(address, self._tls)
        return self._http


def _opened(address: SplitResult, tls: ssl.SSLContext) -> http.client.HTTPConnection:
    """A new connection, through a proxy where the environment names one."""
    proxy = _proxy_of(address)
    to = proxy or address
    host = to.hostname or ""
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        connection = http.client.HTTPSConnection(host, to.port, timeout=CONNECTING, context=tls)
        if proxy:
            connection.set_tunnel(address.hostname or "", address.port or 443, headers=_credentials_of(proxy))
    else:
        connection = http.client.HTTPConnection(host, to.port, timeout=CONNECTING)
    connection.connect()
    connection.sock.settimeout(STALLED)
    return connection


def _proxy_of(address: SplitResult) -> SplitResult | None:
    if not address.hostname or urllib.request.proxy_bypass(address.hostname):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if not proxy:
        return None
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _credentials_of(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _exchange(
    connection: http.client.HTTPConnection,
    address: SplitResult,
    length: int,
    chunks: Iterable[memoryview],
    on_sent: Callable[[int], None],
) -> tuple[Answer, bool]:
    """The answer, and whether the connection can be used again. A store that refuses may answer in mid-body."""
    target = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
    proxy = _proxy_of(address) if address.scheme == "http" else None
    connection.putrequest(
        "PUT", f"http://{address.netloc}{target}" if proxy else target, skip_host=True, skip_accept_encoding=True
    )
    connection.putheader("Host", address.netloc)
    connection.putheader("Content-Length", str(length))
    for name, value in (_credentials_of(proxy) if proxy else {}).items():
        connection.putheader(name, value)
    connection.endheaders()
    try:
        for chunk in chunks:
            _send(connection.sock, chunk, on_sent)
    except (BrokenPipeError, ConnectionResetError):
        last_words = _last_words(connection)
        if last_words is None:
            raise
        return last_words
    return _read(connection.getresponse())


def _send(sock: socket.socket, view: memoryview, on_sent: Callable[[int], None]) -> None:
    """All of it. Not by `sendall`, whose time-out is for the whole: a slow line is no stalled one."""
    while view:
        number = sock.send(view)
        on_sent(number)
        view = view[number:]


def _last_words(connection: http.client.HTTPConnection) -> tuple[Answer, bool] | None:
    """What the store said before it hung up, if anything."""
    try:
        answer, _ = _read(connection.getresponse())
    except (OSError, http.client.HTTPException):
        return None
    return answer, False


def _read(response: http.client.HTTPResponse) -> tuple[Answer, bool]:
    """The answer, and whether the connection can be used again."""
    words = response.read(MOST_WORDS)
    found = re.search(rb"<Code>([A-Za-z0-9.]+)</Code>", words)
    code = found[1].decode() if found else ""
    retry_after = retry_after_of(response.getheader("Retry-After"))
    answer = Answer(response.status, response.getheader("ETag", ""), code, retry_after)
    return answer, response.isclosed() and not response.will_close


def _is_stale(connection: http.client.HTTPConnection) -> bool:
    """Whether the store has closed it, or said something unasked, since the last answer."""
    if connection.sock is None:
        return True
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)
