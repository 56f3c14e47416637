"""What tests of uploading share: logging in, the form, the widget's rows, waiting, and files of random bytes."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from uuid import uuid4

from playwright.sync_api import Browser, Locator, Page, Route, expect

from embedded.place import BUCKET

PATIENCE = 90_000  # milliseconds; a store that was away comes back well before
TO_THE_STORE = re.compile(rf"X-Amz-Signature=|/{BUCKET}$")  # by PUT, and by form


def log_in(page: Page, username: str = "alice", target: str = "/") -> None:
    """Log in as one of the demo's people, on the way to a page."""
    page.goto(f"/login?next={target}")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(re.compile(f"^[^?]*{re.escape(target)}$"))  # not the page to log in, whose query ends so, too


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


def group_of(page: Page, title: str) -> Locator:
    """The widget's part for one file category."""
    return page.get_by_role("group", name=title)


def row(page: Page, name: str) -> Locator:
    """The widget's row of a file."""
    return page.locator(f'[data-file-row][data-file-name="{name}"]')


def expect_status(page: Page, name: str, *statuses: str) -> None:
    """The file's row comes to one of the statuses."""
    wanted = re.compile(f"^({'|'.join(statuses)})$")
    expect(row(page, name)).to_have_attribute("data-file-status", wanted, timeout=60_000)


def expect_all_uploaded(page: Page, number: int) -> None:
    """So many rows, and each of them uploaded."""
    expect(page.locator("[data-file-row]")).to_have_count(number)
    done = page.locator("[data-file-row]:is([data-file-status=uploaded], [data-file-status=verified])")
    expect(done).to_have_count(number, timeout=PATIENCE)


def hold_of(page: Page) -> Locator:
    """Where the form says what submit waits for."""
    return page.locator("[data-files-hold]")


def hold_back(page: Page) -> list[Route]:
    """Keep every request to the object store waiting; the routes to continue or answer."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(TO_THE_STORE, keep)
    return held


def submit_button(page: Page) -> Locator:
    """The button that sends the form."""
    return page.get_by_role("button", name="Submit", exact=True)


def status_of_submission(page: Page) -> Locator:
    """What has the status of the submission whose page this is."""
    return page.locator("[data-submission-status]")


def submit(page: Page) -> None:
    """Submit, and see it accepted."""
    submit_button(page).click()
    status = status_of_submission(page)
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


def new_reads() -> bytes:
    """Gzipped FASTQ that no test has sent before: a file that the server has is not sent again."""
    return gzip.compress(f"@{uuid4()}\nACGT\n+\nIIII\n".encode())
