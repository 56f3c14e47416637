"""The pages as people use them: by mouse and keyboard, on a phone, in the dark, without JavaScript."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.fixtures import FASTQ, FASTQ_GZ, mapping_of, put
from tests.product import Product

pytestmark = pytest.mark.browser

SUBMIT = "/organisms/ebola-sudan/submit"
CUT = FASTQ[:-4]
NOTHING_THERE = "/entries/SAT_99999999.1"


def log_in(page: Page, target: str = "/", username: str = "alice") -> None:
    page.goto(f"/login?next={target}")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{target}")


@dataclass(frozen=True)
class Submitter:
    """Alice with a script."""

    client: httpx.Client

    def begin_uploads(self, group_id: str, *names: str) -> None:
        """Ask for uploads under these names, and send nothing."""
        claims = [{"name": name, "organism": "ebola-sudan", "category": "rawReads"} for name in names]
        self.client.post(f"/api/files/request-upload?groupId={group_id}", json=claims).raise_for_status()

    def submit(self, **contents: bytes) -> str:
        """Submit one entry a file, the entry's submission ID as named; the path of the submission's page."""
        mapping: dict[str, Any] = {}
        for name, content in contents.items():
            [requested] = self.client.post("/api/files/request-upload?groupId=1").raise_for_status().json()
            assert put(requested["url"], content).status_code == 200
            mapping |= mapping_of(name, "rawReads", (requested["fileId"], f"{name}.fastq"))
        parts = {
            "metadataFile": ("metadata.tsv", "id\n" + "\n".join(contents)),
            "sequenceFile": ("sequences.fasta", "".join(f">{name}\nACGT\n" for name in contents)),
            "fileMapping": (None, json.dumps(mapping)),
        }
        answer = self.client.post("/api/ebola-sudan/submit?groupId=1", files=parts)
        assert answer.status_code == 202, answer.text
        return answer.headers["Location"].removeprefix("/api")


@pytest.fixture
def submitter(product: Product) -> Iterator[Submitter]:
    """Alice with a script."""
    with httpx.Client(base_url=product.base_url, timeout=30) as client:
        credentials = {"username": "alice", "password": "satchel-demo"}
        token = client.post("/api/auth/token", json=credentials).json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield Submitter(client)


@pytest.fixture
def resting_worker(product: Product) -> Iterator[Callable[[], None]]:
    """The worker holds still until what this gives is called, or until the test is over."""
    guard = product.processes["worker"]._guard.pid
    group = int(Path(f"/proc/{guard}/task/{guard}/children").read_text().split()[0])
    os.killpg(group, signal.SIGSTOP)
    yield lambda: os.killpg(group, signal.SIGCONT)
    os.killpg(group, signal.SIGCONT)


def expect_status(page: Page, status: str) -> None:
    expect(page.locator("[data-submission-status]")).to_have_attribute("data-submission-status", status)


def expect_no_violations(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "the page is too wide"


# --- submitting ------------------------------------------------------------------------------------


def test_an_entry_without_files_is_submitted_and_accepted(page: Page) -> None:
    log_in(page)
    page.get_by_role("link", name="Submit one entry to Ebola Sudan").click()
    page.get_by_label("Submission ID").fill("by-hand")
    page.get_by_label("Country").fill("Uganda")
    page.get_by_label("Sequence").fill("ACGT")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions/*")
    expect_status(page, "ACCEPTED")
    expect(page.locator('[data-entry-status="ACCEPTED"]')).to_contain_text("by-hand")
    page.get_by_role("link", name="Submit another entry").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Submit to Ebola Sudan")


def test_without_javascript_an_entry_without_files_is_submitted(page: Page, browser: Browser, product: Product) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=product.base_url)
    try:
        plain = context.new_page()
        log_in(plain, SUBMIT)
        plain.get_by_label("Submission ID").fill("plain")
        plain.get_by_label("Sequence").fill("ACGT")
        plain.get_by_role("button", name="Submit", exact=True).click()
        expect_status(plain, "ACCEPTED")
    finally:
        context.close()


def test_problems_are_summed_up_in_focus_and_lead_to_their_fields(page: Page) -> None:
    log_in(page, SUBMIT)
    page.get_by_label("Submission ID").fill("two words")
    page.get_by_label("Sequence").fill("ACGT!")
    page.get_by_role("button", name="Submit", exact=True).click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(2)
    expect(page.get_by_label("Submission ID")).to_have_accessible_description(re.compile("contains white space"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Submission ID")).to_be_focused()


def test_a_second_click_while_the_form_is_on_its_way_sends_nothing(page: Page) -> None:
    log_in(page, SUBMIT)
    page.get_by_label("Submission ID").fill("clicked-twice")
    page.get_by_label("Sequence").fill("ACGT")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**{SUBMIT}", hold)
    button = page.get_by_role("button", name="Submit", exact=True)
    button.evaluate("(button) => { button.click(); setTimeout(() => button.click(), 200); }")
    page.wait_for_timeout(600)
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_url("**/submissions/*")


# --- a submission's page ---------------------------------------------------------------------------


def test_states_change_by_themselves_and_the_focus_stays(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None]
) -> None:
    path = submitter.submit(good=FASTQ, cut=CUT)
    log_in(page, path)
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


def test_the_page_stops_asking_once_all_is_settled(page: Page, submitter: Submitter) -> None:
    path = submitter.submit(good=FASTQ)
    log_in(page, path)
    expect_status(page, "ACCEPTED")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)  # two of its pauses
    assert asked == []


def test_a_page_that_cannot_go_on_says_so(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None], page_errors: list[str]
) -> None:
    path = submitter.submit(good=FASTQ)
    log_in(page, path)
    page.context.set_offline(True)
    expect(page.get_by_text("The server does not answer right now.")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("The server does not answer right now.")).to_be_hidden()
    page.context.clear_cookies()
    expect(page.get_by_text("You are logged out, so this page no longer changes.")).to_be_visible()
    assert all("ERR_INTERNET_DISCONNECTED" in error for error in page_errors), page_errors
    page_errors.clear()


def test_a_file_is_downloaded_under_its_name(page: Page, submitter: Submitter) -> None:
    log_in(page, submitter.submit(sample=FASTQ_GZ))
    expect_status(page, "ACCEPTED")
    page.locator(".accession").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="sample.fastq").click()
    assert download.value.suggested_filename == "sample.fastq"
    assert Path(download.value.path()).read_bytes() == FASTQ_GZ


@pytest.mark.parametrize(("link", "ending"), [("Download checksums", "sha256"), ("Download as JSON", "json")])
def test_the_receipt_is_downloaded_from_the_submissions_page(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None], link: str, ending: str
) -> None:
    path = submitter.submit(sample=FASTQ_GZ)
    log_in(page, path)
    expect_status(page, "VERIFYING")
    expect(page.get_by_role("heading", name="Receipt")).to_have_count(0)
    resting_worker()
    with page.expect_download() as download:
        page.get_by_role("region", name="Receipt").get_by_role("link", name=link).click()
    assert download.value.suggested_filename == f"satchel-submission-{path.rsplit('/', 1)[1]}.{ending}"
    assert hashlib.sha256(FASTQ_GZ).hexdigest() in Path(download.value.path()).read_text()


# --- correcting, narrowing, printing ---------------------------------------------------------------


def test_a_rejected_entry_is_corrected_with_a_new_file_and_accepted_by_itself(
    page: Page, submitter: Submitter, tmp_path: Path
) -> None:
    log_in(page, submitter.submit(cut=CUT))
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


def test_what_is_shown_of_the_entries_follows_their_states(
    page: Page, submitter: Submitter, resting_worker: Callable[[], None]
) -> None:
    path = submitter.submit(good=FASTQ, cut=CUT)
    log_in(page, path)
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


def test_a_receipt_is_printed_without_what_surrounds_it_and_with_whole_hashes(page: Page, submitter: Submitter) -> None:
    path = submitter.submit(good=FASTQ)
    log_in(page, path)
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


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_what_is_accepted_is_released_and_what_is_not_is_withdrawn(
    page: Page, submitter: Submitter, scheme: Literal["light", "dark"], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    log_in(page, submitter.submit(good=FASTQ, fine=FASTQ, cut=CUT))
    expect_status(page, "PARTLY_ACCEPTED")
    page.get_by_role("link", name="Release all 2 accepted entries").click()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    expect_no_violations(page)
    page.get_by_role("link", name="Not now").click()
    page.get_by_role("link", name="Release all 2 accepted entries").click()
    page.get_by_role("button", name="Release 2 entries").click()
    expect(page.get_by_text("2 entries are released. Everybody can see them now.")).to_be_visible()
    expect_no_violations(page)
    page.get_by_role("link", name="Withdraw cut").click()
    expect_no_violations(page)
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("heading", name="2 entries")).to_contain_text("1 withdrawn")
    expect_status(page, "ACCEPTED")
    page.locator(".accession").first.click()
    expect(page.get_by_text("by alice: everybody sees this page")).to_be_visible()
    page.context.clear_cookies()
    page.reload()
    expect(page.get_by_text("alice")).to_have_count(0)
    expect_no_violations(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="good.fastq").click()
    assert Path(download.value.path()).read_bytes() == FASTQ


def test_without_javascript_an_entry_is_released_and_another_withdrawn(browser: Browser, product: Product) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=product.base_url)
    try:
        plain = context.new_page()
        log_in(plain, SUBMIT)
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


# --- every page, for everybody ---------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_axe_finds_nothing_on_any_page(
    page: Page, submitter: Submitter, scheme: str, width: int, page_errors: list[str]
) -> None:
    paths = [submitter.submit(good=FASTQ), submitter.submit(cut=CUT), submitter.submit(good=FASTQ, cut=CUT)]
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in ("/", "/login", NOTHING_THERE):
        page.goto(path)
        expect_no_violations(page)
    page_errors.clear()  # Chromium notes the 404
    log_in(page)
    for path in ("/", SUBMIT, "/organisms/west-nile/submit", "/submissions"):
        page.goto(path)
        expect_no_violations(page)
    for path, status in zip(paths, ("ACCEPTED", "REJECTED", "PARTLY_ACCEPTED"), strict=True):
        page.goto(path)
        expect_status(page, status)
        expect_no_violations(page)
    page.locator(".accession").first.click()
    expect_no_violations(page)
    page.goto(SUBMIT)
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations(page)


def test_the_keyboard_reaches_content_and_menu(page: Page) -> None:
    log_in(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    menu = page.locator(".user-menu summary")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect_no_violations(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Account")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Log out")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    expect(page.get_by_role("link", name="Log in to submit")).to_be_visible()


def test_a_click_elsewhere_closes_the_menu(page: Page) -> None:
    log_in(page)
    page.locator(".user-menu summary").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.get_by_role("heading", level=1).click()
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()


# --- groups and the account ------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_a_group_is_made_peopled_cleared_and_left_to_others(
    page: Page, submitter: Submitter, scheme: Literal["light", "dark"], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    log_in(page)
    page.get_by_role("link", name="Groups").click()
    page.get_by_role("button", name="Make group").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations(page)
    page.get_by_label("Name of the group").fill(f"Lab {scheme}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Lab {scheme}")
    expect_no_violations(page)
    for username, answer in (("nobody", "No account has the username “nobody”"), ("bob", "bob is a member now.")):
        page.get_by_label("Username").fill(username)
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_text(answer).first).to_be_visible()
        expect_no_violations(page)
    submitter.begin_uploads(page.url.rsplit("/", 1)[1], "one.fastq", "two.fastq", "three.fastq")
    page.reload()
    expect_no_violations(page)
    page.get_by_role("link", name="Discard one.fastq").click()
    expect_no_violations(page)
    page.get_by_role("button", name="Discard", exact=True).click()
    expect(page.get_by_text("1 upload is discarded.")).to_be_visible()
    page.get_by_label("All on this page").check()
    page.get_by_label("two.fastq", exact=True).uncheck()
    page.get_by_role("button", name="Discard selected").click()
    expect(page.get_by_role("heading", name="Discard this upload?")).to_be_visible()
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Discard all 2").click()
    page.get_by_role("button", name="Discard 2 uploads").click()
    expect(page.get_by_text("There are none.")).to_be_visible()
    page.get_by_role("link", name="Leave").click()
    expect_no_violations(page)
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_text(f"You have left the group “Lab {scheme}”.")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_a_token_is_made_copied_used_and_revoked(
    page: Page, product: Product, scheme: Literal["light", "dark"], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log_in(page)
    page.locator(".user-menu summary").click()
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations(page)
    page.get_by_label("Name").fill(f"cluster {scheme}")
    page.get_by_role("button", name="Make token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    expect_no_violations(page)
    token = page.evaluate("navigator.clipboard.readText()")
    header = {"Authorization": f"Bearer {token}"}
    address = f"{product.base_url}/api/submissions?groupId=1"
    assert httpx.get(address, headers=header).status_code == 200
    page.get_by_role("link", name="I have copied it").click()
    expect_no_violations(page)
    page.get_by_role("link", name=f"Revoke cluster {scheme}").click()
    expect_no_violations(page)
    page.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_text(f"The token “cluster {scheme}” is revoked.")).to_be_visible()
    expect_no_violations(page)
    assert httpx.get(address, headers=header).status_code == 401
    page.get_by_role("link", name="Change password").click()
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations(page)
