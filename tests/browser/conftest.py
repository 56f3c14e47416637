"""A product whose object store pages reach through a link that tests can slow down and break."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.link import Link
from tests.product import Product, running_product

URL_LIFETIME = 6.0  # seconds: they run out in mid-upload
UNEVEN = (1e6, 2e6, 3e6, 4e6, 5e6, 6e6)  # bytes a second: parts that began together do not end together


@dataclass(frozen=True)
class Linked:
    """The product, and the link between browsers and its object store."""

    product: Product
    link: Link


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linked]:
    """One for all tests that ask for it; its workers and its web process reach the store without the link."""
    link = Link()
    settings = {
        "S3_PUBLIC_ENDPOINT_URL": link.url,
        "UPLOAD_URL_LIFETIME_MINUTES": str(URL_LIFETIME / 60),
        "PART_URL_LIFETIME_MINUTES": str(URL_LIFETIME / 60),
        "SWEEP_EVERY_SECONDS": "3",  # it need not be swift here, where there are many files
    }
    folder = tmp_path_factory.mktemp("linked")
    with (
        link.running(),
        running_product(folder, database_url=os.environ["DATABASE_URL"], settings=settings) as running,
    ):
        link.target = running.place.s3_port
        yield Linked(running, link)


@pytest.fixture
def link(linked: Linked) -> Iterator[Link]:
    """The link, whole and fast before the test and after it."""
    linked.link.mend()
    yield linked.link
    linked.link.mend()
