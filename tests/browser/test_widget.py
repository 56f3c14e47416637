"""The extra-files widget in Chromium: choosing and dropping files, what holds submit, and that everybody can use it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from tests.accessibility import expect_no_violations_in_any_look
from tests.browser.uploading import (
    TO_THE_STORE,
    expect_status,
    group_of,
    hold_back,
    hold_of,
    log_in,
    new_reads,
    row,
    status_of_submission,
    submit_button,
)
from tests.drops import drop

pytestmark = pytest.mark.browser

HELD = "Submit is held"


def test_files_and_a_folder_are_uploaded_verified_and_accepted(form: Page, folder: Path, notes: Path) -> None:
    form.locator("#folder-rawReads").set_input_files(folder)
    form.locator("#files-supplementary").set_input_files(notes)

    expect_status(form, "run 1/lane1/reads_1.fastq.gz", "verified")
    expect_status(form, "run 1/lane1/reads_2.fastq.gz", "verified")
    expect_status(form, notes.name, "verified")
    expect(group_of(form, "Raw reads")).to_contain_text("2 files uploaded and verified")
    expect(group_of(form, "Raw reads")).to_contain_text("1 hidden file left out: run 1/.DS_Store.")
    expect(row(form, "run 1/.DS_Store")).to_have_count(0)
    submit_button(form).click()
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")
    for name in ("reads_1.fastq.gz", "reads_2.fastq.gz", notes.name):
        expect(form.get_by_text(name, exact=True)).to_be_visible()


def test_the_whole_road_by_keyboard_alone(form: Page, notes: Path, cut_reads: Path) -> None:
    def tab_to(target: Locator) -> None:
        for _ in range(60):
            if target.evaluate("element => element === document.activeElement"):
                return
            form.keyboard.press("Tab")
        raise AssertionError(f"the Tab key does not lead to {target}")

    wanted: list[Path] = []
    form.on("filechooser", lambda chooser: chooser.set_files(wanted))

    def choose(selector: str, *files: Path) -> None:
        wanted[:] = files
        tab_to(form.locator(selector))
        form.keyboard.press("Space")

    form.locator("[name=sequence]").focus()
    choose("#files-rawReads", notes, cut_reads)
    expect_status(form, notes.name, "failed")
    expect_status(form, cut_reads.name, "failed")
    tab_to(row(form, cut_reads.name).get_by_role("button"))
    form.keyboard.press("Enter")
    expect(row(form, notes.name).get_by_role("button")).to_be_focused()
    form.keyboard.press("Enter")
    expect(form.locator("[data-file-row]")).to_have_count(0)
    expect(form.locator("#folder-rawReads")).to_be_focused()
    choose("#files-supplementary", notes)
    expect_status(form, notes.name, "uploaded", "verified")
    tab_to(submit_button(form))
    form.keyboard.press("Enter")
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param("document.querySelector('form:has([data-extra-files]) [type=submit]').click()", id="click"),
        pytest.param("document.querySelector('form:has([data-extra-files])').requestSubmit()", id="script"),
        pytest.param("", id="enter"),
    ],
)
def test_submit_is_held_while_a_file_is_on_its_way(form: Page, notes: Path, attempt: str) -> None:
    held = hold_back(form)
    address = form.url
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploading")

    if attempt:
        form.evaluate(attempt)
    else:
        form.get_by_label("Submission ID").press("Enter")

    expect(hold_of(form)).to_have_text(f"{HELD} until 1 file is uploaded: {notes.name}.")
    expect(hold_of(form)).to_be_focused()
    expect(submit_button(form)).to_have_attribute("aria-disabled", "true")
    expect(submit_button(form)).to_have_accessible_description(re.compile(HELD))
    assert form.url == address
    for route in held:
        route.continue_()
    expect_status(form, notes.name, "uploaded", "verified")
    expect(submit_button(form)).to_have_attribute("aria-disabled", "false")
    expect(submit_button(form)).to_be_focused()
    form.keyboard.press("Enter")
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")


@pytest.mark.usefixtures("own_tab")
def test_a_script_that_passes_by_the_hold_drops_no_file(form: Page, notes: Path) -> None:
    hold_back(form)
    form.on("dialog", lambda dialog: dialog.accept())  # the page warns of leaving while uploading
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploading")

    form.evaluate("HTMLFormElement.prototype.submit.call(document.querySelector('form:has([data-extra-files])'))")

    expect(form.get_by_text(f"“{notes.name}” is not uploaded yet, or failed.").first).to_be_visible()
    expect_status(form, notes.name, "failed")
    expect(hold_of(form)).to_contain_text(f"{HELD}: 1 file failed")
    form.locator("#files-supplementary").set_input_files(notes)
    expect(form.locator("[data-file-row]")).to_have_count(1)
    expect_status(form, notes.name, "uploading")


def test_a_folder_of_more_than_a_hundred_files_can_be_dropped(form: Page, tmp_path: Path) -> None:
    many = tmp_path / "many" / "deep"
    many.mkdir(parents=True)
    for number in range(120):
        (many / f"{number}.txt").write_text(str(number))
    (tmp_path / "single.txt").write_text("alone")

    drop(form, group_of(form, "Supplementary files"), tmp_path / "many", tmp_path / "single.txt")

    expect(form.locator("[data-file-row]")).to_have_count(121)
    expect(group_of(form, "Supplementary files")).to_contain_text("121 files uploaded", timeout=60_000)
    names = form.locator("[data-file-row]").evaluate_all("rows => rows.map(row => row.dataset.fileName)")
    assert names == [f"many/deep/{number}.txt" for number in range(120)] + ["single.txt"]


def test_a_drop_beside_the_widget_does_not_leave_the_page(form: Page, notes: Path) -> None:
    form.evaluate("addEventListener('dragover', (event) => { window.isPrevented = event.defaultPrevented; })")
    drop(form, form.get_by_role("heading", level=1), notes)
    assert form.evaluate("isPrevented") is True
    expect(form.locator("[data-file-row]")).to_have_count(0)


def test_a_form_that_comes_back_keeps_its_files(form: Page, notes: Path) -> None:
    form.get_by_label("Submission ID").fill("two words")
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploaded", "verified")
    before = form.locator('[name="files.supplementary"]').input_value()
    submit_button(form).click()
    expect(form.get_by_role("alert")).to_be_visible()

    expect_status(form, notes.name, "verified")
    assert json.loads(form.locator('[name="files.supplementary"]').input_value()) == json.loads(before)
    form.get_by_label("Submission ID").fill("one-word")
    submit_button(form).click()
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")


def test_files_hold_their_group(form: Page, notes: Path) -> None:
    form.evaluate("document.querySelector('[name=groupId]').append(new Option('Another group', '99'))")
    other = form.locator("[name=groupId] option[value='99']")
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploaded", "verified")

    expect(other).to_be_disabled()
    expect(form.get_by_label("Group")).to_have_accessible_description(re.compile("discard them first"))
    row(form, notes.name).get_by_role("button", name="Discard").click()
    expect(other).to_be_enabled()
    expect(form.get_by_label("Group")).not_to_have_accessible_description(re.compile("discard them first"))


def test_a_group_that_is_changed_as_a_file_begins_to_be_sent_stays(form: Page, notes: Path) -> None:
    form.evaluate("document.querySelector('[name=groupId]').append(new Option('Another group', '99'))")
    held = hold_back(form)
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploading")
    # What is on its way may not be shown yet, and the other group be open to be chosen.
    form.evaluate(
        """() => {
          const group = document.querySelector("[name=groupId]");
          group.value = "99";
          group.dispatchEvent(new Event("change", { bubbles: true }));
        }"""
    )
    expect(form.get_by_label("Group")).to_have_value("1")
    for route in held:
        route.continue_()
    expect_status(form, notes.name, "uploaded", "verified")


def test_who_is_logged_out_loses_nothing_of_a_form(form: Page, notes: Path, page_errors: list[str]) -> None:
    form.get_by_label("Submission ID").fill("kept-over-a-log-in")
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploaded", "verified")
    form.context.clear_cookies(name="sessionid")
    submit_button(form).click()
    note = form.get_by_role("alert")
    expect(note).to_have_text(
        "You are logged out. Log in in another window, come back to this page and try again: all of it stays here."
    )
    expect_no_violations_in_any_look(form)
    with form.context.expect_page() as opened:
        note.get_by_role("link", name="Log in").click()
    other = opened.value
    expect(other).to_have_url(re.compile("/login$"))
    log_in(other)
    other.close()
    assert page_errors
    assert all("401" in error for error in page_errors), page_errors
    page_errors.clear()

    submit_button(form).click()
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", re.compile("VERIFYING|ACCEPTED"))
    expect(form.get_by_text("kept-over-a-log-in").first).to_be_visible()


def test_a_server_that_does_not_answer_loses_nothing_of_a_form(form: Page, page_errors: list[str]) -> None:
    form.get_by_label("Submission ID").fill("kept")
    form.route("**/api/groups", lambda route: route.abort("connectionrefused"))
    submit_button(form).click()
    expect(form.get_by_role("alert")).to_contain_text("The server does not answer.")
    expect(form.get_by_label("Submission ID")).to_have_value("kept")
    assert page_errors
    page_errors.clear()


def test_files_wait_for_a_group_to_be_chosen(form: Page, notes: Path) -> None:
    form.evaluate("document.querySelector('[name=groupId]').prepend(new Option('Choose…', ''))")
    form.get_by_label("Group").select_option("")
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "queued")
    expect(group_of(form, "Supplementary files")).to_contain_text("Choose a group")

    form.get_by_label("Group").select_option(label="Demo Lab (group 1)")

    expect_status(form, notes.name, "uploaded", "verified")


@pytest.mark.usefixtures("own_tab")
def test_leaving_the_page_while_uploading_is_warned_of(form: Page, notes: Path) -> None:
    warnings: list[str] = []

    def stay(dialog: Dialog) -> None:
        warnings.append(dialog.type)
        dialog.dismiss()

    form.on("dialog", stay)
    held = hold_back(form)
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploading")
    form.get_by_role("link", name="My submissions").click(no_wait_after=True)
    expect(row(form, notes.name)).to_be_visible()
    assert warnings == ["beforeunload"]

    for route in held:
        route.continue_()
    expect_status(form, notes.name, "uploaded", "verified")
    form.get_by_role("link", name="My submissions").click()
    expect(form).to_have_url(re.compile("/submissions$"))
    assert warnings == ["beforeunload"]


def test_a_screen_reader_hears_of_the_end_and_not_of_each_step(form: Page, folder: Path) -> None:
    for number in range(30):
        (folder / f"{number}.fastq.gz").write_bytes(new_reads())
    form.evaluate(
        """() => {
          window.heard = [];
          const live = document.querySelector("[data-category=rawReads] [aria-live]");
          new MutationObserver(() => window.heard.push(live.textContent)).observe(live, { childList: true });
        }"""
    )
    form.locator("#folder-rawReads").set_input_files(folder)
    expect(group_of(form, "Raw reads").locator("[aria-live]")).to_contain_text("All files verified.", timeout=60_000)
    heard = form.evaluate("heard")
    assert len(heard) <= 4, heard


def test_axe_finds_nothing_in_any_state(form: Page, folder: Path, cut_reads: Path, notes: Path) -> None:
    expect_no_violations_in_any_look(form)
    form.locator("#folder-rawReads").set_input_files(folder)
    expect_status(form, "run 1/lane1/reads_1.fastq.gz", "verified")
    hold_back(form)
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploading")
    form.unroute(TO_THE_STORE)
    form.locator("#files-rawReads").set_input_files(cut_reads)
    expect_status(form, cut_reads.name, "failed")
    submit_button(form).click(force=True)
    expect_no_violations_in_any_look(form)
    group_of(form, "Raw reads").get_by_role("button", name="Discard all files").click()
    expect_no_violations_in_any_look(form)


def test_without_javascript_the_form_says_so(form: Page, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=form.context.storage_state())
    try:
        page = context.new_page()
        page.goto(form.url)
        expect(page.locator(".extra-files-noscript").first).to_be_visible()
        expect(page.locator("#files-rawReads")).to_be_hidden()
    finally:
        context.close()
