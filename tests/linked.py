"""A product whose object store is reached through a link that tests can slow down and break."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.link import Link
from tests.product import Product, running_product

URL_LIFETIME = 6.0  # seconds: they run out in mid-upload
UNEVEN = (1e6, 2e6, 3e6, 4e6, 5e6, 6e6)  # bytes a second: parts that began together do not end together


@dataclass(frozen=True)
class Linked:
    """The product, and the link between those who upload and its object store."""

    product: Product
    link: Link


@contextmanager
def running_linked(folder: Path) -> Iterator[Linked]:
    """Such a product; its workers and its web process reach the store without the link."""
    link = Link()
    settings = {
        "S3_PUBLIC_ENDPOINT_URL": link.url,
        "UPLOAD_URL_LIFETIME_MINUTES": str(URL_LIFETIME / 60),
        "PART_URL_LIFETIME_MINUTES": str(URL_LIFETIME / 60),
    }
    product = running_product(folder, database_url=os.environ["DATABASE_URL"], settings=settings)
    with link.running(), product as running:
        link.target = running.place.s3_port
        yield Linked(running, link)
