"""The admin under our Content-Security-Policy: the `page` fixture fails on any violation of it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import web
from tests.accessibility import expect_no_violations
from tests.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
def admin_page(page: Page) -> Page:
    """A page on the admin's index, logged in through the product's own page."""
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    return page


def test_an_admin_sets_up_an_organism_with_the_pages_scripts(admin_page: Page) -> None:
    admin_page.goto("/admin/submissions/organism/add/")
    admin_page.locator("#id_name").press_sequentially("Lassa Virus")
    expect(admin_page.get_by_label("Slug:")).to_have_value("lassa-virus")

    admin_page.get_by_role("button", name="Add another File category").click()
    category = admin_page.locator("#file_categories-0")
    category.get_by_label("Name:", exact=True).fill("rawReads")
    category.get_by_label("Shown name:").fill("Raw reads")
    category.get_by_label("Largest file:").fill("5 GB")
    category.get_by_label("Extensions:").fill(".fastq.gz, .fq.gz")
    admin_page.get_by_role("button", name="Add another Metadata field").click()
    field = admin_page.locator("#metadata_fields-0")
    field.locator("input[name$=-name]").fill("host")
    field.locator("input[name$=-shown_name]").fill("Host")
    admin_page.get_by_role("button", name="Save and continue editing").click()

    expect(admin_page.get_by_text("was added successfully")).to_be_visible()
    expect(category.get_by_label("Largest file:")).to_have_value("5 GB")
    expect(category.get_by_label("Extensions:")).to_have_value(".fastq.gz .fq.gz")


def test_an_admin_finds_a_member_by_typing(admin_page: Page) -> None:
    admin_page.goto("/admin/submissions/group/")
    admin_page.get_by_role("link", name="Demo Lab").click()
    admin_page.locator("#memberships-1 .select2-selection").click()
    admin_page.get_by_role("searchbox").last.fill("adm")
    admin_page.get_by_role("option", name="admin").click()

    expect(admin_page.locator("#memberships-1")).to_contain_text("admin")


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        "/admin/submissions/organism/",
        "/admin/submissions/submission/",
        "/admin/submissions/sequenceentry/",
        "/admin/files/file/?q=reads&status__exact=VERIFIED",
        "/admin/password_change/",
    ],
)
def test_pages_of_the_admin_keep_to_the_policy(admin_page: Page, address: str) -> None:
    answer = admin_page.goto(address)

    assert answer is not None
    assert answer.status == 200


def open_demo_organism(page: Page) -> None:
    page.goto("/admin/submissions/organism/")
    page.get_by_role("row", name="ebola-sudan").get_by_role("link").first.click()
    expect(box_in(page.locator("#file_categories-0"))).to_be_visible()


def box_in(row: Locator) -> Locator:
    return row.get_by_role("group", name="Try a file")


def try_files(row: Locator, *files: Path) -> Locator:
    """Choose the files in the box of this row, press its button, and give what is said of them, once it is said."""
    box = box_in(row)
    box.get_by_label("Files:").set_input_files(files)
    box.get_by_role("button", name="Try", exact=True).click()
    expect(box.get_by_role("button", name="Try", exact=True)).to_be_visible()
    return box.get_by_role("status")


@pytest.fixture
def reads(tmp_path: Path) -> tuple[Path, Path]:
    """A whole file of reads, and one that was cut short."""
    whole, cut = tmp_path / "whole.fastq.gz", tmp_path / "cut.fastq.gz"
    packed = gzip.compress(b"@read1\nACGTN\n+\nIIII!\n@read2\nTTGCA\n+\nFFFFF\n", mtime=0)
    whole.write_bytes(packed)
    cut.write_bytes(packed[:-6])
    return whole, cut


def test_an_admin_sees_what_rules_as_typed_would_make_of_files(admin_page: Page, reads: tuple[Path, Path]) -> None:
    whole, cut = reads
    open_demo_organism(admin_page)
    row = admin_page.locator("#file_categories-0")

    told = try_files(row, whole, cut)
    expect(told).to_contain_text("Refused: with these rules, an entry with what was chosen is not taken.")
    expect(told.get_by_role("listitem")).to_have_count(3)
    expect(told).to_contain_text("Accepted whole.fastq.gz")
    expect(told).to_contain_text("The content check passed: 2 reads, 10 bases.")
    expect(told).to_contain_text("Refused cut.fastq.gz: The gzip file is cut short")
    expect(told).to_contain_text("(fastq_gzip_truncated, byte ")

    row.get_by_label("Content check:").select_option("none")
    expect(told).to_contain_text("The rules have been changed since.")
    row.get_by_label("Most files:").fill("2")
    expect(try_files(row, whole, cut)).to_contain_text("Accepted: with these rules")

    row.get_by_label("Extensions:").fill("fastq")
    expect(try_files(row, whole)).to_contain_text("Extensions: “fastq” does not begin with a dot; write “.fastq”.")
    row.get_by_label("Extensions:").fill(".bam")
    expect(try_files(row, whole)).to_contain_text("does not end in .bam, as “Raw reads” asks.")

    admin_page.reload()
    expect(row.get_by_label("Content check:")).to_have_value("fastq")


def test_a_row_that_was_added_has_its_own_box_which_follows_it(admin_page: Page, reads: tuple[Path, Path]) -> None:
    whole, _ = reads
    admin_page.goto("/admin/submissions/organism/add/")
    add = admin_page.get_by_role("button", name="Add another File category")
    add.click()
    add.click()
    expect(box_in(admin_page.locator("#file_categories-group"))).to_have_count(2)

    second = admin_page.locator("#file_categories-1")
    second.get_by_label("Largest file:").fill("10 bytes")
    admin_page.locator("#file_categories-0").get_by_role("button", name="Remove").click()
    row = admin_page.locator("#file_categories-0")

    expect(row.get_by_label("Largest file:")).to_have_value("10 bytes")
    expect(try_files(row, whole)).to_contain_text("“this category” allows 10.")


def test_a_try_works_by_keyboard_and_wants_a_file(admin_page: Page, reads: tuple[Path, Path]) -> None:
    whole, _ = reads
    open_demo_organism(admin_page)
    box = box_in(admin_page.locator("#file_categories-1"))
    button = box.get_by_role("button", name="Try", exact=True)

    box.get_by_label("Files:").focus()
    admin_page.keyboard.press("Tab")
    expect(button).to_be_focused()
    admin_page.keyboard.press("Enter")
    expect(box.get_by_role("status")).to_have_text("Choose a file first, or several of one entry.")

    box.get_by_label("Files:").set_input_files(whole)
    expect(box.get_by_role("status")).to_be_hidden()
    button.focus()
    admin_page.keyboard.press("Space")
    expect(box.get_by_role("status")).to_contain_text("No content check is set, so its content was not read.")
    expect(button).to_be_focused()


def test_what_keeps_a_try_from_being_made_is_told_in_words(
    admin_page: Page, reads: tuple[Path, Path], page_errors: list[str]
) -> None:
    whole, _ = reads
    open_demo_organism(admin_page)
    row = admin_page.locator("#file_categories-0")

    admin_page.context.set_offline(True)
    expect(try_files(row, whole)).to_contain_text("Not tried: the connection broke off.")
    admin_page.context.set_offline(False)
    admin_page.context.clear_cookies(name="sessionid")
    expect(try_files(row, whole)).to_contain_text("Log in and open this page anew.")
    admin_page.context.clear_cookies()
    expect(try_files(row, whole)).to_contain_text("Log in and open this page anew.")

    assert [error for error in page_errors if "ERR_INTERNET_DISCONNECTED" not in error and " 403 " not in error] == []
    page_errors.clear()


def test_a_file_too_large_to_try_is_not_sent(admin_page: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.fastq"
    with large.open("wb") as file:
        file.truncate(1024**3 + 1)  # a hole, which takes no space
    open_demo_organism(admin_page)

    told = try_files(admin_page.locator("#file_categories-0"), large)

    expect(told).to_have_text("This file is too large to try, which takes 1.1 GB at most. Try a smaller one.")


@pytest.mark.usefixtures("own_tab")  # whose connection stays slow
def test_a_try_can_be_stopped(admin_page: Page, reads: tuple[Path, Path]) -> None:
    large = reads[0].with_name("large.fastq")
    large.write_bytes(bytes(10_000_000))
    open_demo_organism(admin_page)
    box = box_in(admin_page.locator("#file_categories-1"))
    box.get_by_label("Files:").set_input_files(large)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    admin_page.context.new_cdp_session(admin_page).send("Network.emulateNetworkConditions", slow)

    box.get_by_role("button", name="Try", exact=True).click()
    expect(box.get_by_role("progressbar", name="Sent")).to_be_visible()
    expect(box).to_contain_text("of 10.0 MB sent")
    box.get_by_role("button", name="Stop").click()

    expect(box.get_by_role("status")).to_have_text("Stopped.")
    expect(box.get_by_role("button", name="Try", exact=True)).to_be_focused()


def test_an_admin_puts_a_file_into_quarantine_and_lets_it_go(admin_page: Page, product: Product) -> None:
    with web.client(f"{product.base_url}/api") as client:
        token = client.post("/auth/token", json={"username": "alice", "password": "satchel-demo"}).json()["access"]
        headers = {"Authorization": f"Bearer {token}"}
        [requested] = client.post("/files/request-upload", params={"groupId": 1}, headers=headers).json()
    admin_page.goto(f"/admin/files/file/?q={requested['fileId']}")
    choose_action(admin_page, "Quarantine selected files")

    expect(admin_page.get_by_text("1 file is to be put into quarantine")).to_be_visible()
    admin_page.get_by_role("link", name="No, take me back").click()
    choose_action(admin_page, "Quarantine selected files")
    admin_page.get_by_role("button", name="Yes, quarantine").click()

    expect(admin_page.get_by_text("1 file was put into quarantine.")).to_be_visible()
    choose_action(admin_page, "Lift quarantine of selected files")
    expect(admin_page.get_by_text("1 file was let out of quarantine.")).to_be_visible()
    admin_page.locator("#result_list tbody a").first.click()
    admin_page.get_by_role("link", name="History").click()
    expect(admin_page.get_by_role("cell", name="Quarantine lifted.")).to_be_visible()


def choose_action(page: Page, name: str) -> None:
    """Choose an action for the one file of the list."""
    page.get_by_label("Select all objects on this page for an action").check()
    page.get_by_label("Action:").select_option(name)
    page.get_by_role("button", name="Go", exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_box_with_findings(
    admin_page: Page, reads: tuple[Path, Path], scheme: Literal["light", "dark"], page_errors: list[str]
) -> None:
    admin_page.emulate_media(color_scheme=scheme)
    open_demo_organism(admin_page)
    told = try_files(admin_page.locator("#file_categories-0"), *reads)
    expect(told).to_contain_text("Refused cut.fastq.gz")

    assert page_errors == []
    expect_no_violations(admin_page, within=".try-a-file")
    page_errors.clear()  # axe tries a style of its own on the admin's pages, which the policy blocks
