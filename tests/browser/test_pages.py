"""The pages as people use them: by mouse and keyboard, on a phone, in the dark, without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import web
from tests.accessibility import expect_no_violations, expect_no_violations_in_any_look
from tests.browser.submitting import CUT, SUBMIT, Enter, Submitter, expect_status
from tests.browser.uploading import log_in
from tests.fixtures import FASTQ
from tests.product import Product

pytestmark = pytest.mark.browser

NOTHING_THERE = "/entries/SAT_99999999.1"


# --- submitting ------------------------------------------------------------------------------------


def test_an_entry_without_files_is_submitted_and_accepted(page: Page, enter: Enter) -> None:
    enter("/")
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
        log_in(plain, target=SUBMIT)
        plain.get_by_label("Submission ID").fill("plain")
        plain.get_by_label("Sequence").fill("ACGT")
        plain.get_by_role("button", name="Submit", exact=True).click()
        expect_status(plain, "ACCEPTED")
    finally:
        context.close()


def test_problems_are_summed_up_in_focus_and_lead_to_their_fields(page: Page, enter: Enter) -> None:
    enter(SUBMIT)
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


def test_coming_back_to_the_form_finds_what_was_typed(page: Page, enter: Enter) -> None:
    enter(SUBMIT)
    typed = {"Submission ID": "typed-before", "Country": "Uganda", "Date": "2024-05", "Sequence": "ACGT"}
    for label, value in typed.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("link", name="Groups").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Groups")
    page.go_back()
    for label, value in typed.items():
        expect(page.get_by_label(label)).to_have_value(value)


def test_a_second_click_while_the_form_is_on_its_way_sends_nothing(page: Page, enter: Enter) -> None:
    enter(SUBMIT)
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


# --- every page, for everybody ---------------------------------------------------------------------


def test_axe_finds_nothing_on_any_page(page: Page, submitter: Submitter, page_errors: list[str], enter: Enter) -> None:
    paths = [submitter.submit(good=FASTQ), submitter.submit(cut=CUT), submitter.submit(good=FASTQ, cut=CUT)]
    for path in ("/", "/login", NOTHING_THERE):
        page.goto(path)
        expect_no_violations_in_any_look(page)
    page_errors.clear()  # Chromium notes the 404
    enter("/")
    for path in ("/", SUBMIT, "/organisms/west-nile/submit", "/submissions"):
        page.goto(path)
        expect_no_violations_in_any_look(page)
    for path, status in zip(paths, ("ACCEPTED", "REJECTED", "PARTLY_ACCEPTED"), strict=True):
        page.goto(path)
        expect_status(page, status)
        expect_no_violations_in_any_look(page)
    page.locator(".accession").first.click()
    expect_no_violations_in_any_look(page)
    page.goto(SUBMIT)
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations_in_any_look(page)


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


def test_a_group_is_made_peopled_cleared_and_left_to_others(page: Page, submitter: Submitter, enter: Enter) -> None:
    enter("/")
    page.get_by_role("link", name="Groups").click()
    page.get_by_role("button", name="Make group").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations_in_any_look(page)
    page.get_by_label("Name of the group").fill("Lab of many")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Lab of many")
    expect_no_violations_in_any_look(page)
    for username, answer in (("nobody", "No account has the username “nobody”"), ("bob", "bob is a member now.")):
        page.get_by_label("Username").fill(username)
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_text(answer).first).to_be_visible()
        expect_no_violations_in_any_look(page)
    submitter.begin_uploads(page.url.rsplit("/", 1)[1], "one.fastq", "two.fastq", "three.fastq")
    page.reload()
    expect_no_violations_in_any_look(page)
    page.get_by_role("link", name="Discard one.fastq").click()
    expect_no_violations_in_any_look(page)
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
    expect_no_violations_in_any_look(page)
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_text("You have left the group “Lab of many”.")).to_be_visible()


def test_a_token_is_made_copied_used_and_revoked(page: Page, product: Product, enter: Enter) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter("/")
    page.locator(".user-menu summary").click()
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations_in_any_look(page)
    page.get_by_label("Name").fill("cluster")
    page.get_by_role("button", name="Make token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    expect_no_violations_in_any_look(page)
    token = page.evaluate("navigator.clipboard.readText()")
    header = {"Authorization": f"Bearer {token}"}
    address = f"{product.base_url}/api/submissions?groupId=1"
    assert web.get(address, headers=header).status_code == 200
    page.get_by_role("link", name="I have copied it").click()
    expect_no_violations_in_any_look(page)
    page.get_by_role("link", name="Revoke cluster").click()
    expect_no_violations_in_any_look(page)
    page.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_text("The token “cluster” is revoked.")).to_be_visible()
    expect_no_violations_in_any_look(page)
    assert web.get(address, headers=header).status_code == 401
    page.get_by_role("link", name="Change password").click()
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect_no_violations_in_any_look(page)
