"""A link of known speed between browser and server, which tests and benchmarks can break.

It is an HTTP/1.1 proxy on 127.0.0.1 that changes nothing of what it passes on, so that signatures hold. It models what
a line costs the one who sends: a round trip to open a connection, half of one for each request and half for its
answer, and bytes at a set rate a connection. A PUT, or a form that does the same, is noted with what came of it, be it
cut, refused or answered.
"""

from __future__ import annotations

import asyncio
import re
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlsplit

SLICE = 32 * 1024  # bytes; at 4 MB/s one every 8 ms
BUFFERED = 128 * 1024  # bytes that the system may take in ahead of the rate; so much may be caught up after a hitch
TAKEN_IN = 4 * 1024 * 1024  # bytes that the server's system takes in while the server is at something else
HEAD_MAX = 64 * 1024  # bytes
MULTIPART = "multipart/form-data; boundary="
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Put:
    """One attempt to send an object (`part` 0) or a part of it; `status` 0 until it is answered.

    `length` is in bytes, and without what else is in a form; `signed_at` is when its URL, or form, was made, as that
    says itself.
    """

    key: str
    part: int
    signed_at: str
    length: int
    received: int = 0
    status: int = 0

    @classmethod
    def of(cls, request: Head, fields: bytes) -> Put | None:
        """The attempt that a request is, if it is one; `fields` are what comes before the file in a form."""
        address = urlsplit(request.target)
        if fields:
            key, signed_at = (_field(name, fields) for name in (b"key", b"x-amz-date"))
            length = request.length - len(fields) - len(f"\r\n--{request.boundary}--\r\n")
            return cls(f"{address.path}/{key}", 0, signed_at, length)
        if request.method != "PUT":
            return None
        query = dict(parse_qsl(address.query))
        return cls(address.path, int(query.get("partNumber", 0)), query.get("X-Amz-Date", ""), request.length)

    @property
    def succeeded(self) -> bool:
        """Whether the store has it."""
        return self.status in {200, 204}


def _field(name: bytes, fields: bytes) -> str:
    """What a form says under this name (RFC 7578), or nothing."""
    found = re.search(rb'; name="' + name + rb'"\r\n\r\n([^\r\n]*)', fields)
    return found[1].decode() if found else ""


class CutError(Exception):
    """A connection that ends here, by fault or by the will of one side."""


class Link:
    """The link to one server; its attributes may be changed while it runs.

    `rates` are in bytes a second, dealt to the connections in turn (none: no bound); `round_trip` is in seconds. Every
    `busy_every`-th PUT is answered 503 once its body has come (0: none). The next PUT that is longer than `cut_after`
    bytes loses its connection there, once (0: none).
    """

    def __init__(self, *, rates: tuple[float, ...] = (), round_trip: float = 0.0) -> None:
        self.rates = rates
        self.round_trip = round_trip
        self.busy_every = 0
        self.cut_after = 0
        self.puts: list[Put] = []
        self.methods: list[str] = []  # of all requests
        self.target = 0
        self._connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFERED)
        self.port: int = self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def sent(self) -> int:
        """Bytes of the bodies of all PUTs."""
        return sum(put.received for put in self.puts)

    def mend(self) -> None:
        """No faults, no bounds, nothing noted."""
        self.rates, self.round_trip, self.busy_every, self.cut_after = (), 0.0, 0, 0
        self.puts.clear()
        self.methods.clear()

    @contextmanager
    def running(self) -> Iterator[Link]:
        """Serve, in a thread of its own; at the end all connections are closed."""
        # To wait by epoll is to wait for whole milliseconds, of which each request has several.
        loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
        ended = asyncio.Event()
        thread = threading.Thread(target=loop.run_until_complete, args=(self._serve(ended),), name="link")
        thread.start()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join()
            loop.close()

    async def _serve(self, ended: asyncio.Event) -> None:
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections += 1
            connection = Connection(self, self._connections)
            task = asyncio.ensure_future(connection.serve(Stream(reader, writer)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(accept, sock=self._socket, limit=HEAD_MAX)
        await ended.wait()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Connection:
    """One connection of a browser, the `number`-th, with one of its own to the server behind it."""

    def __init__(self, link: Link, number: int) -> None:
        self._link = link
        self._number = number
        self._clock = asyncio.get_running_loop().time
        self._late = 0.0  # seconds by which the last wait was too long, for which the next makes up

    @property
    def _rate(self) -> float:
        """Bytes a second, or 0 for no bound."""
        rates = self._link.rates
        return rates[self._number % len(rates)] if rates else 0

    async def serve(self, browser: Stream) -> None:
        """Its requests, one after another, until either side ends it."""
        with suppress(CutError, OSError):
            async with browser:
                await self._wait(self._link.round_trip)
                opened = await asyncio.open_connection("127.0.0.1", self._link.target, limit=HEAD_MAX)
                opened[1].transport.set_write_buffer_limits(high=TAKEN_IN)
                async with Stream(*opened) as server:
                    while await self._exchange(browser, server):
                        pass

    async def _exchange(self, browser: Stream, server: Stream) -> bool:
        """One request and its answer; whether the connection may be used again."""
        request = await browser.head()
        self._link.methods.append(request.method)
        fields = await browser.fields() if request.boundary else b""
        put = Put.of(request, fields)
        if put:
            self._link.puts.append(put)
            if self._link.busy_every and len(self._link.puts) % self._link.busy_every == 0:
                return await self._refuse(browser, put, request.length - len(fields))
        await self._wait(self._link.round_trip / 2)
        await server.write(request.raw + fields)
        if request.expects_to_continue:
            await self._pass_interim(browser, server)
        await self._pass(browser, server, request.length - len(fields), put)
        answer = await server.head()
        while answer.is_interim:
            answer = await server.head()
        await self._wait(self._link.round_trip / 2)
        if put:
            put.status = answer.status
        await browser.write(answer.raw)
        await self._pass_answer(server, browser, request, answer)
        return not (request.closes or answer.closes)

    async def _pass_interim(self, browser: Stream, server: Stream) -> None:
        """The server's word that the body may come, a round trip after the head; one that refuses ends it here."""
        answer = await server.head()
        if not answer.is_interim:
            raise CutError
        await self._wait(self._link.round_trip / 2)
        await browser.write(answer.raw)
        await self._wait(self._link.round_trip / 2)

    async def _refuse(self, browser: Stream, put: Put, length: int) -> bool:
        await self._pass(browser, None, length, put)
        put.status = 503
        await browser.write(BUSY)
        return True

    async def _pass_answer(self, server: Stream, browser: Stream, request: Head, answer: Head) -> None:
        if request.method == "HEAD" or answer.status in {204, 304}:
            return
        if not answer.is_chunked:
            await self._pass(server, browser, answer.length)
            return
        length = -1
        while length:
            line = await server.line()
            length = int(line.split(b";")[0], 16)
            await browser.write(line)
            await self._pass(server, browser, length)
            await browser.write(await server.line())

    async def _pass(self, source: Stream, sink: Stream | None, length: int, put: Put | None = None) -> None:
        """Pass on so many bytes, no faster than the rate; to nobody where there is no sink."""
        due = self._clock() - self._late
        left = length
        cut_at = self._cut_at(put)
        while left:
            data = await source.some(min(left, SLICE))
            left -= len(data)
            if rate := self._rate:
                due = max(due, self._clock() - BUFFERED / rate) + len(data) / rate
                await self._until(due)
            if put:
                put.received = min(put.received + len(data), put.length)
            if cut_at and length - left >= cut_at:
                raise CutError
            if sink:
                await sink.write(data)

    async def _wait(self, seconds: float) -> None:
        await self._until(self._clock() + seconds - self._late)

    async def _until(self, due: float) -> None:
        is_to_wait = due > self._clock()
        await asyncio.sleep(due - self._clock())
        self._late = self._clock() - due if is_to_wait else 0.0

    def _cut_at(self, put: Put | None) -> int:
        """After how many bytes this PUT is to lose its connection, or 0; says so once."""
        if put is None or not self._link.cut_after or put.length <= self._link.cut_after:
            return 0
        cut_at, self._link.cut_after = self._link.cut_after, 0
        return cut_at


@dataclass(frozen=True)
class Head:
    """The head of a request or an answer."""

    raw: bytes

    @property
    def _first(self) -> list[str]:
        return self.raw.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)

    @property
    def method(self) -> str:
        """Of a request."""
        return self._first[0]

    @property
    def target(self) -> str:
        """Of a request."""
        return self._first[1]

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self._first[1])

    @property
    def is_interim(self) -> bool:
        """Whether the answer is still to come."""
        return self.status < 200

    @property
    def length(self) -> int:
        """Bytes of the body that follows, where it is not chunked."""
        return int(self._header(b"content-length") or 0)

    @property
    def boundary(self) -> str:
        """What stands between the fields of a form with a file; empty for anything else."""
        content_type = self._header(b"content-type").decode("latin-1")
        return content_type.removeprefix(MULTIPART) if content_type.startswith(MULTIPART) else ""

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return self._header(b"transfer-encoding").lower() == b"chunked"

    @property
    def expects_to_continue(self) -> bool:
        """Whether its body waits to be asked for (RFC 9110, 10.1.1); aws sends it so."""
        return self._header(b"expect").lower() == b"100-continue"

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        return self._header(b"connection").lower() == b"close"

    def _header(self, name: bytes) -> bytes:
        found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r\n]*)", self.raw, re.IGNORECASE)
        return found[1].strip() if found else b""


class Stream:
    """One side of a connection, which it closes at the end; that the other side ended it is `CutError`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def head(self) -> Head:
        """Up to the empty line."""
        return Head(await self._until(b"\r\n\r\n"))

    async def line(self) -> bytes:
        """Up to the end of the line, with it."""
        return await self._until(b"\r\n")

    async def fields(self) -> bytes:
        """What a form has before the bytes of its `file`."""
        return await self._until(b'; name="file"') + await self._until(b"\r\n\r\n")

    async def some(self, most: int) -> bytes:
        """What has come, at least one byte."""
        data = await self._reader.read(most)
        if not data:
            raise CutError
        return data

    async def write(self, data: bytes) -> None:
        """Send, no sooner than the other side takes it."""
        self._writer.write(data)
        await self._writer.drain()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _until(self, end: bytes) -> bytes:
        try:
            return await self._reader.readuntil(end)
        except asyncio.IncompleteReadError as error:
            raise CutError from error
