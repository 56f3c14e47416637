"""What the client's tests lean on: the API of the product behind the link, as alice, and files to send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from satchel.api import Api
from satchel.transfer import Event, LocalFile, Recognised, Sent

from tests.link import Link, Put
from tests.linked import Linked
from tests.product import Product

ALICES_GROUP = 1


def logged_in(product: Product, username: str = "alice") -> Api:
    """The product's API as one of the demo's people."""
    with Api(product.base_url) as anonymous:
        return Api(product.base_url, anonymous.log_in(username, "satchel-demo")["access"])


@pytest.fixture
def alice(linked: Linked) -> Iterator[Api]:
    """The API of the product behind the link."""
    with logged_in(linked.product) as api:
        yield api


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
