"""Going on where an upload was left: after a reload, and in another browser by another member."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from embedded.programs import ROOT, wait_until
from tests.browser.uploading import expect_all_uploaded, make_files, open_form, profile_of, submit
from tests.link import Link, Put
from tests.linked import UNEVEN, Linked
from tests.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

MIB = 1024 * 1024
PUTS_AT_ONCE = 6
FILES = 21
# One more member of alice's group; her password hash is alice's.
CAROL = """
from accounts.models import User
from submissions.models import Group, GroupMembership
alice = User.objects.get(username="alice")
carol = User.objects.create(username="carol", password=alice.password)
GroupMembership.objects.create(group=Group.objects.get(name="Demo Lab"), user=carol)
"""


@pytest.fixture(scope="module")
def product(linked: Linked) -> Product:
    """The one behind the link."""
    return linked.product


@pytest.fixture(scope="module")
def carol(product: Product) -> str:
    """The username of another member of alice's group."""
    command = [sys.executable, "manage.py", "shell", "--command", CAROL]
    subprocess.run(command, cwd=ROOT, env=product.environment, check=True, capture_output=True)
    return "carol"


def test_after_a_reload_only_the_rest_is_sent(browser: Browser, product: Product, link: Link, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    total = make_run(folder)
    with profile_of(browser, product.base_url, "alice") as page:
        page.on("dialog", lambda dialog: dialog.accept())  # the page warns of leaving while it uploads
        send_half(page, link, folder, total)
        page.reload()
        send_the_rest(page, link, folder, total)
        submit(page)


def test_another_member_continues_the_same_folder_in_another_browser(
    browser: Browser, product: Product, link: Link, tmp_path: Path, carol: str
) -> None:
    folder = tmp_path / "run"
    total = make_run(folder)
    with profile_of(browser, product.base_url, "alice") as page:
        send_half(page, link, folder, total)
    with profile_of(browser, product.base_url, carol) as page:
        send_the_rest(page, link, folder, total)
        submit(page)


def make_run(folder: Path) -> int:
    """One file in parts and twenty small ones; how many bytes they are."""
    return make_files(folder, large=1, small=FILES - 1, large_size=60 * MIB, small_size=400_000)


def send_half(page: Page, link: Link, folder: Path, total: int) -> None:
    """Choose the folder and wait until half of it has gone out, and a part of the large file is in the store."""
    open_form(page)
    link.rates = UNEVEN
    page.locator("#folder-supplementary").set_input_files(folder)

    def half_is_there() -> bool:
        page.wait_for_timeout(1)
        return link.sent > total / 2 and any(put.part for put in stored(link))

    assert wait_until(half_is_there, 60)


def send_the_rest(page: Page, link: Link, folder: Path, total: int) -> None:
    """Choose the folder again: what the store has, be it a file or a part of one, is not sent again."""
    before = {id(put) for put in link.puts}
    in_flight = [put for put in link.puts if not put.status]
    open_form(page)
    page.locator("#folder-supplementary").set_input_files(folder)
    expect_all_uploaded(page, FILES)
    cut = [put for put in link.puts if not put.succeeded]
    assert {id(put) for put in cut} <= before
    assert len(cut) <= PUTS_AT_ONCE
    # What the store took when its answer reached nobody any more may be sent again.
    twice = sum(put.length for put in stored(link)) - total
    assert 0 <= twice <= sum(put.length for put in in_flight if put.succeeded)
    assert link.sent - total == sum(put.received for put in cut) + twice


def stored(link: Link) -> list[Put]:
    """The PUTs whose bytes the store has taken."""
    return [put for put in link.puts if put.succeeded]
