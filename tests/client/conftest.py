"""What the client's tests lean on: the API of the product behind the link, another server, and files to send."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from satchel.api import Api
from satchel.transfer import Event, LocalFile, Recognised, Sent

from embedded.programs import ROOT
from tests.client.commands import Satchel, make_run
from tests.link import Link, Put
from tests.linked import Linked
from tests.product import Product

ALICES_GROUP = 1
CAST = """
from accounts.models import User
from submissions.services import make_group
demo = User.objects.get(username="alice")
make_group(user=User.objects.create(username="core", password=demo.password), name="Core Facility")
"""
EMPTY_LIST = (200, {"Content-Type": "application/json"}, b'{"items": [], "nextCursor": null}')


def logged_in(product: Product, username: str = "alice") -> Api:
    """The product's API as one of the demo's people."""
    return Api(product.base_url, product.token(username))


@pytest.fixture
def alice(linked: Linked) -> Iterator[Api]:
    """The API of the product behind the link."""
    with logged_in(linked.product) as api:
        yield api


@pytest.fixture(scope="session")
def satchel(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Satchel:
    """A member of one group that no other test knows, logged in by password from stdin."""
    command = [sys.executable, "manage.py", "shell", "--command", CAST]
    subprocess.run(command, cwd=ROOT, env=product.environment, check=True, capture_output=True)
    environment = {"XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("home")), "COLUMNS": "200"}
    logged_in = Satchel(environment, product.base_url)
    logged_in("login", "--url", product.base_url, "--username", "core", stdin="satchel-demo\n")
    return logged_in


@pytest.fixture
def api(product: Product, satchel: Satchel) -> Iterator[Api]:
    """The API as the same person, whom `satchel` has made."""
    with logged_in(product, "core") as core:
        yield core


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two entries, with a table, sequences, and a folder of folders for the one and the other category."""
    return make_run(tmp_path)


@dataclass
class Events:
    """What an uploader told."""

    seen: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Keep one."""
        self.seen.append(event)

    def count(self, kind: type[Event]) -> int:
        """How many of a kind there were."""
        return sum(isinstance(event, kind) for event in self.seen)

    @property
    def total(self) -> int:
        """Bytes that were told as being there in the end."""
        return sum(event.number_bytes for event in self.seen if isinstance(event, Sent | Recognised))


@pytest.fixture
def events() -> Events:
    """Takes an uploader's events."""
    return Events()


def make_files(folder: Path, sizes: Sequence[int], category: str | None = None) -> list[LocalFile]:
    """Files of these sizes, of bytes that were never there before."""
    folder.mkdir(parents=True, exist_ok=True)
    random = Random()
    files = []
    for number, size in enumerate(sizes):
        path = folder / f"{number:04}.bin"
        path.write_bytes(random.randbytes(size))
        files.append(LocalFile(path, path.name, category, size))
    return files


def stored(link: Link) -> list[Put]:
    """The PUTs whose bytes the store has taken."""
    return [put for put in link.puts if put.succeeded]


@dataclass
class Server:
    """Gives out `answers` (status, headers, body) one after another, the last again and again; notes the requests."""

    answers: list[tuple[int, dict[str, str], bytes]]
    requests: list[str] = field(default_factory=list)
    port: int = 0
    hangs_up: bool = False

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that the test sets."""
    state = Server([EMPTY_LIST])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append(f"{self.command} {self.path}")
            status, headers, body = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = state.hangs_up

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.port = running.server_port
        thread = threading.Thread(target=running.serve_forever, args=[0.01])
        thread.start()
        yield state
        running.shutdown()
        thread.join()
