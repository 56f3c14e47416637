"""Alice, logged in or with a script, and what she gives the widget."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page

from tests import web
from tests.browser.uploading import log_in, new_reads, open_form
from tests.product import Product

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

    from tests.browser.submitting import Enter, Submitter


@pytest.fixture(scope="session")
def cookies(browser: Browser, product: Product) -> list[SetCookieParam]:
    """Those of alice, logged in once."""
    context = browser.new_context(base_url=product.base_url)
    page = context.new_page()
    log_in(page)
    found = [cast("SetCookieParam", cookie) for cookie in context.cookies()]
    context.close()
    return found


@pytest.fixture
def enter(page: Page, cookies: list[SetCookieParam]) -> Enter:
    """Opens a page as alice, who has logged in before."""

    def go(target: str) -> None:
        page.context.add_cookies(cookies)
        page.goto(target)

    return go


@pytest.fixture(scope="module")
def submitter(product: Product) -> Iterator[Submitter]:
    """Alice with a script."""
    # Only here: it imports models, and this file may be read before Django is loaded.
    from tests.browser.submitting import Submitter

    with web.client(product.base_url) as client:
        credentials = {"username": "alice", "password": "satchel-demo"}
        token = client.post("/api/auth/token", json=credentials).json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield Submitter(client)


@pytest.fixture
def form(page: Page, cookies: list[SetCookieParam]) -> Page:
    """The form for one entry, as alice fills it in, but for the files."""
    page.context.add_cookies(cookies)
    open_form(page)
    return page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as people have them: reads in a subfolder, and what the computer left there."""
    reads = tmp_path / "run 1" / "lane1"
    reads.mkdir(parents=True)
    for name in ("reads_1.fastq.gz", "reads_2.fastq.gz"):
        (reads / name).write_bytes(new_reads())
    (tmp_path / "run 1" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "run 1"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A small file with a name that URLs would stumble over."""
    path = tmp_path / "notes ü #1 100%.txt"
    path.write_text(f"What the gel showed in run {uuid4()}.")
    return path


@pytest.fixture
def cut_reads(tmp_path: Path) -> Path:
    """A gzipped FASTQ file that was cut short."""
    path = tmp_path / "cut.fastq.gz"
    path.write_bytes(gzip.compress(b"@r\nACGT\n+\nIIII\n" * 5000)[:-20])
    return path
