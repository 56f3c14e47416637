"""A submission's page as people use it: states that change, correcting, printing, releasing, withdrawing."""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.accessibility import expect_no_violations, expect_no_violations_in_any_look
from tests.browser.submitting import CUT, SUBMIT, Enter, Submitter, expect_status
from tests.browser.uploading import log_in
from tests.fixtures import FASTQ, FASTQ_GZ
from tests.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
def resting_worker(product: Product) -> Iterator[Callable[[], None]]:
    """The worker holds still until what this gives is called, or until the test is over."""
    guard = product.processes["worker"]._guard.pid
    group = int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])
    os.killpg(group, signal.SIGSTOP)
    yield lambda: os.killpg(group, signal.SIGCONT)
    os.killpg(group, signal.SIGCONT)


# --- following and downloading ---------------------------------------------------------------------


def test_states_change_by_themselves_and_the_focus_stays(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None], enter: Enter
) -> None:
    path = submitter.submit(good=FASTQ, cut=CUT)
    enter(path)
    expect_status(page, "VERIFYING")
    expect(page.locator('[data-entry-status="VERIFYING"]')).to_have_count(2)
    page.evaluate("window.isTheSamePage = true")
    link = page.locator("#content .accession").last
    link.focus()
    expect_no_violations(page)
    resting_worker()
    expect_status(page, "PARTLY_ACCEPTED")
    expect(page.locator('[data-entry-status="ACCEPTED"]')).to_contain_text("Verified")
    rejected = page.locator('[data-entry-status="REJECTED"]')
    expect(rejected).to_contain_text("fastq_truncated")
    expect(page.get_by_role("status").filter(has_text="1 of 2 entries are accepted.")).to_have_count(1)
    expect(page).to_have_title("Partly accepted: submission " + path.rsplit("/", 1)[1] + " · Satchel")
    expect(link).to_be_focused()
    assert page.evaluate("window.isTheSamePage")


def test_the_page_stops_asking_once_all_is_settled(page: Page, submitter: Submitter, enter: Enter) -> None:
    path = submitter.submit(good=FASTQ)
    enter(path)
    expect_status(page, "ACCEPTED")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)  # two of its pauses
    assert asked == []


def test_a_page_that_cannot_go_on_says_so(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None], page_errors: list[str], enter: Enter
) -> None:
    path = submitter.submit(good=FASTQ)
    enter(path)
    page.context.set_offline(True)
    expect(page.get_by_text("The server does not answer right now.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("The server does not answer right now.")).to_be_hidden()
    page.context.clear_cookies()
    expect(page.get_by_text("You are logged out, so this page no longer changes.")).to_be_visible()
    assert all("ERR_INTERNET_DISCONNECTED" in error for error in page_errors), page_errors
    page_errors.clear()


def test_a_file_is_downloaded_under_its_name(page: Page, submitter: Submitter, enter: Enter) -> None:
    enter(submitter.submit(sample=FASTQ_GZ))
    expect_status(page, "ACCEPTED")
    page.locator(".accession").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="sample.fastq").click()
    assert download.value.suggested_filename == "sample.fastq"
    assert Path(download.value.path()).read_bytes() == FASTQ_GZ


@pytest.mark.parametrize(("link", "ending"), [("Download checksums", "sha256"), ("Download as JSON", "json")])
def test_the_receipt_is_downloaded_from_the_submissions_page(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None], link: str, ending: str, enter: Enter
) -> None:
    path = submitter.submit(sample=FASTQ_GZ)
    enter(path)
    expect_status(page, "VERIFYING")
    expect(page.get_by_role("heading", name="Receipt")).to_have_count(0)
    resting_worker()
    with page.expect_download() as download:
        page.get_by_role("region", name="Receipt").get_by_role("link", name=link).click()
    assert download.value.suggested_filename == f"satchel-submission-{path.rsplit('/', 1)[1]}.{ending}"
    assert hashlib.sha256(FASTQ_GZ).hexdigest() in Path(download.value.path()).read_text()


# --- correcting, narrowing, printing ---------------------------------------------------------------


def test_a_rejected_entry_is_corrected_with_a_new_file_and_accepted_by_itself(
    page: Page, submitter: Submitter, tmp_path: Path, enter: Enter
) -> None:
    enter(submitter.submit(cut=CUT))
    expect_status(page, "REJECTED")
    page.get_by_role("link", name="Correct the files", exact=True).click()
    box = page.locator("[data-category=rawReads]")
    expect(box.locator("[data-file-status=failed]")).to_contain_text("fastq_truncated")
    save = page.get_by_role("button", name="Save")
    expect(save).to_have_attribute("aria-disabled", "true")
    expect_no_violations(page)
    box.get_by_role("button", name="Discard cut.fastq").click()
    whole = tmp_path / "whole.fastq"
    whole.write_bytes(FASTQ)
    page.set_input_files("#files-rawReads", whole)
    expect(box.locator("[data-file-status=verified]")).to_have_count(1)
    save.click()
    page.wait_for_url(re.compile(r"/entries/[^/]+$"))
    expect(page.locator("[data-entry-status]")).to_have_attribute("data-entry-status", "ACCEPTED")
    expect(page.get_by_role("link", name="whole.fastq")).to_be_visible()
    expect(page.get_by_text("cut.fastq")).to_have_count(0)


def test_a_correction_of_the_same_size_is_asked_about_and_taken(
    page: Page, submitter: Submitter, tmp_path: Path, enter: Enter
) -> None:
    enter(submitter.submit(good=FASTQ))
    expect_status(page, "ACCEPTED")
    page.locator("[data-entry-status]").get_by_role("link", name=re.compile("SAT_")).click()
    page.get_by_role("link", name="Change the files").click()
    corrected = tmp_path / "good.fastq"
    corrected.write_bytes(FASTQ.replace(b"A", b"C"))
    page.set_input_files("#files-rawReads", corrected)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A file of this name is here already.")
    dialog.get_by_role("button", name="Replace").click()
    expect(page.locator("[data-category=rawReads] [data-file-status=verified]")).to_have_count(1)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/entries/[^/]+$"))
    expect(page.get_by_text(hashlib.sha256(corrected.read_bytes()).hexdigest())).to_be_visible()


def test_what_is_shown_of_the_entries_follows_their_states(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None], enter: Enter
) -> None:
    path = submitter.submit(good=FASTQ, cut=CUT)
    enter(path)
    page.get_by_role("link", name="Verifying 2").click()
    page.get_by_role("searchbox").fill("goo")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=goo*")
    expect(page.locator("[data-entry-status]")).to_have_count(1)
    resting_worker()
    expect(page.get_by_text("No entry of these has “goo”")).to_be_visible()
    expect_no_violations(page)
    page.get_by_role("link", name="With problems 1").click()
    page.get_by_role("link", name="Show all entries").click()
    expect(page.locator("[data-entry-status]")).to_have_count(2)


def test_a_receipt_is_printed_without_what_surrounds_it_and_with_whole_hashes(
    page: Page, submitter: Submitter, enter: Enter
) -> None:
    path = submitter.submit(good=FASTQ)
    enter(path)
    expect_status(page, "ACCEPTED")
    page.get_by_role("link", name="Read and print").click()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    expect_no_violations(page)
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 640, "height": 900})  # an A5 sheet within its margins
    for surrounding in (".site-header", ".site-footer", ".crumbs", ".paper-links"):
        expect(page.locator(surrounding)).to_be_hidden()
    line = page.get_by_text(hashlib.sha256(FASTQ).hexdigest())
    box = line.bounding_box()
    assert box is not None
    assert box["height"] < 20, "the hash takes two lines"
    assert box["x"] + box["width"] <= 640
    expect(line).to_have_css("color", "rgb(0, 0, 0)")


# --- releasing and withdrawing ---------------------------------------------------------------------


def test_what_is_accepted_is_released_and_what_is_not_is_withdrawn(
    page: Page, submitter: Submitter, enter: Enter
) -> None:
    enter(submitter.submit(good=FASTQ, fine=FASTQ, cut=CUT))
    expect_status(page, "PARTLY_ACCEPTED")
    page.get_by_role("link", name="Release all 2 accepted entries").click()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    expect_no_violations_in_any_look(page)
    page.get_by_role("link", name="Not now").click()
    page.get_by_role("link", name="Release all 2 accepted entries").click()
    page.get_by_role("button", name="Release 2 entries").click()
    expect(page.get_by_text("2 entries are released. Everybody can see them now.")).to_be_visible()
    expect_no_violations_in_any_look(page)
    page.get_by_role("link", name="Withdraw cut").click()
    expect_no_violations_in_any_look(page)
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("heading", name="2 entries")).to_contain_text("1 withdrawn")
    expect_status(page, "ACCEPTED")
    page.locator(".accession").first.click()
    expect(page.get_by_text("by alice: everybody sees this page")).to_be_visible()
    page.context.clear_cookies()
    page.reload()
    expect(page.get_by_text("alice")).to_have_count(0)
    expect_no_violations_in_any_look(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="good.fastq").click()
    assert Path(download.value.path()).read_bytes() == FASTQ


def test_without_javascript_an_entry_is_released_and_another_withdrawn(browser: Browser, product: Product) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=product.base_url)
    try:
        plain = context.new_page()
        log_in(plain, target=SUBMIT)
        for word in ("Release", "Withdraw"):
            plain.goto(SUBMIT)
            plain.get_by_label("Submission ID").fill(word)
            plain.get_by_label("Sequence").fill("ACGT")
            plain.get_by_role("button", name="Submit", exact=True).click()
            plain.locator(".accession").click()
            plain.get_by_role("link", name=word).click()
            plain.get_by_role("button", name=word).click()
            if word == "Release":
                expect(plain.get_by_text("is released. Everybody can see it now.")).to_be_visible()
                expect(plain.get_by_role("link", name="Withdraw")).to_have_count(0)
        expect(plain.get_by_text("The entry was withdrawn.")).to_be_visible()
        expect_status(plain, "WITHDRAWN")
    finally:
        context.close()
