"""Alice, logged in, and a product whose object store pages reach through a link that tests can slow down and break."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import Browser

from tests.link import Link
from tests.product import Product, running_product

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

URL_LIFETIME = 6.0  # seconds: they run out in mid-upload
UNEVEN = (1e6, 2e6, 3e6, 4e6, 5e6, 6e6)  # bytes a second: parts that began together do not end together


@pytest.fixture(scope="session")
def cookies(browser: Browser, product: Product) -> list[SetCookieParam]:
    """Those of alice, logged in once."""
    context = browser.new_context(base_url=product.base_url)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    found = [cast("SetCookieParam", cookie) for cookie in context.cookies()]
    context.close()
    return found


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
