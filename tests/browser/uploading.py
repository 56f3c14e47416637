"""What tests of uploading through the link share: logging in, the form, waiting, and files of random bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from playwright.sync_api import Browser, Page, expect

PATIENCE = 90_000  # milliseconds; a store that was away comes back well before


def log_in(page: Page, username: str) -> None:
    """Log in as one of the demo's people."""
    page.goto("/login")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


@contextmanager
def profile_of(browser: Browser, base_url: str, username: str) -> Iterator[Page]:
    """A browser profile of its own in which somebody is logged in; leaving it is like the browser's crash."""
    context = browser.new_context(base_url=base_url)
    context.set_default_timeout(30_000)
    page = context.new_page()
    log_in(page, username)
    yield page
    context.close()


def open_form(page: Page) -> None:
    """The form for one entry, filled in but for the files."""
    page.goto("/organisms/ebola-sudan/submit")
    page.get_by_label("Submission ID").fill("sample1")
    page.locator("[name=sequence]").fill("ACGT")


def expect_all_uploaded(page: Page, number: int) -> None:
    """So many rows, and each of them uploaded."""
    expect(page.locator("[data-file-row]")).to_have_count(number)
    done = page.locator("[data-file-row]:is([data-file-status=uploaded], [data-file-status=verified])")
    expect(done).to_have_count(number, timeout=PATIENCE)


def submit(page: Page) -> None:
    """Submit, and see it accepted."""
    page.get_by_role("button", name="Submit", exact=True).click()
    status = page.locator("[data-submission-status]")
    expect(status).to_have_attribute("data-submission-status", re.compile("VERIFYING|ACCEPTED"))
    expect(status).to_have_attribute("data-submission-status", "ACCEPTED", timeout=PATIENCE)


def make_files(folder: Path, *, large: int, small: int, large_size: int, small_size: int) -> int:
    """Files of bytes that no other test has; how many bytes they are."""
    folder.mkdir()
    random = Random()
    for number in range(large):
        (folder / f"large-{number}.bin").write_bytes(random.randbytes(large_size))
    for number in range(small):
        (folder / f"small-{number}.bin").write_bytes(random.randbytes(small_size))
    return large * large_size + small * small_size
