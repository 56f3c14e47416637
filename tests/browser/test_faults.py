"""Uploading over a bad network to a store that fails: every file arrives, and little is sent twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Page, Route

from embedded.programs import wait_until
from tests.browser.uploading import expect_all_uploaded, log_in, make_files, open_form, submit
from tests.link import Link, Put
from tests.linked import UNEVEN, Linked
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

MIB = 1024 * 1024
PUTS_AT_ONCE = 6
STOPPED = 10.0  # seconds
LARGE, SMALL = 3, 40  # files


@pytest.fixture(scope="module")
def product(linked: Linked) -> Product:
    """The one behind the link, for `page`."""
    return linked.product


def test_every_file_arrives_whatever_fails(
    page: Page, page_errors: list[str], product: Product, link: Link, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    total = make_files(folder, large=LARGE, small=SMALL, large_size=24 * MIB, small_size=100_000)
    log_in(page, "alice")
    open_form(page)
    link.rates, link.busy_every, link.cut_after = UNEVEN, 20, MIB

    page.locator("#folder-supplementary").set_input_files(folder)
    wait_for(page, lambda: link.sent > total / 3)
    with product.without("seaweedfs"):
        page.wait_for_timeout(STOPPED * 1000)
    expect_all_uploaded(page, LARGE + SMALL)
    submit(page)

    assert [taken for taken, times in Counter(map(place_of, succeeded(link))).items() if times > 1] == []
    assert sum(put.length for put in succeeded(link)) == total
    answers = Counter(put.status for put in link.puts if put.received)
    assert answers[503] >= 2
    assert answers[0] >= 1, "no connection was cut"
    assert any(len(times) > 1 for times in signing_times(link).values()), "no URL was renewed"
    largest = max(put.length for put in link.puts)
    # One PUT each that was answered 503 or cut; those in flight when the store went; those in flight as URLs expired.
    assert link.sent - total <= (answers[503] + 1 + 2 * PUTS_AT_ONCE) * largest
    assert page_errors
    assert all("Failed to load resource" in error for error in page_errors), page_errors
    page_errors.clear()


def test_a_small_file_is_sent_without_asking_the_store_first(
    page: Page, product: Product, link: Link, tmp_path: Path
) -> None:
    small, larger = tmp_path / "small.txt", tmp_path / "larger.txt"
    small.write_bytes(Random().randbytes(100_000))
    larger.write_bytes(Random().randbytes(300_000))
    log_in(page, "alice")
    open_form(page)

    page.locator("#files-supplementary").set_input_files(small)
    expect_all_uploaded(page, 1)
    assert link.methods == ["POST"]
    page.locator("#files-supplementary").set_input_files(larger)
    expect_all_uploaded(page, 2)
    assert link.methods == ["POST", "OPTIONS", "PUT"]
    assert [put.length for put in succeeded(link)] == [100_000, 300_000]


def test_files_that_are_chosen_before_the_scripts_have_come_are_taken(page: Page, link: Link, tmp_path: Path) -> None:
    file = tmp_path / "early.txt"
    file.write_bytes(Random().randbytes(100))
    log_in(page, "alice")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/files/extra_files*.js", hold)
    page.goto("/organisms/ebola-sudan/submit", wait_until="commit")
    page.locator("#files-supplementary").set_input_files(file)
    for route in held:
        route.continue_()
    expect_all_uploaded(page, 1)
    assert len(succeeded(link)) == 1


def wait_for(page: Page, condition: Callable[[], bool]) -> None:
    """Poll until it is true; the page's events are heard meanwhile."""

    def heard() -> bool:
        page.wait_for_timeout(1)
        return condition()

    assert wait_until(heard, 60)


def succeeded(link: Link) -> list[Put]:
    """The PUTs whose bytes the store took."""
    return [put for put in link.puts if put.succeeded]


def signing_times(link: Link) -> dict[str, set[str]]:
    """When the URLs of each object were made; those of one request are made at once."""
    times: dict[str, set[str]] = defaultdict(set)
    for put in link.puts:
        times[put.key].add(put.signed_at)
    return times


def place_of(put: Put) -> tuple[str, int]:
    """What of which object it was."""
    return put.key, put.part
