"""The rows of the extra-files widget: how a file is sent, fails, is tried again, discarded and replaced."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.uploading import (
    TO_THE_STORE,
    expect_status,
    group_of,
    hold_back,
    new_reads,
    row,
    status_of_submission,
    submit_button,
)
from tests.product import Product

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
CORS = {"Access-Control-Allow-Origin": "*"}


def is_sent(route: Route) -> bool:
    """Whether it brings the bytes of a file; a preflight does not."""
    return route.request.method in {"PUT", "POST"}


def expect_only(page_errors: list[str], text: str) -> None:
    """The errors that the test provoked are there, and no others."""
    assert page_errors
    assert all(text in error for error in page_errors), page_errors
    page_errors.clear()


def test_a_failed_check_is_told_at_the_row_and_holds_submit(form: Page, cut_reads: Path) -> None:
    form.locator("#files-rawReads").set_input_files(cut_reads)

    expect_status(form, cut_reads.name, "failed")
    expect(row(form, cut_reads.name)).to_contain_text("gzip_truncated")
    expect(row(form, cut_reads.name)).to_contain_text("cut short")
    submit_button(form).click(force=True)
    expect(row(form, cut_reads.name).get_by_role("button", name="Discard")).to_be_focused()

    cut_reads.write_bytes(new_reads())
    form.locator("#files-rawReads").set_input_files(cut_reads)
    expect(form.locator("[data-file-row]")).to_have_count(1)
    expect_status(form, cut_reads.name, "verified")
    submit_button(form).click()
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")


def test_a_put_that_fails_is_sent_again(form: Page, notes: Path, page_errors: list[str]) -> None:
    failures = [lambda route: route.fulfill(status=503, headers=CORS), lambda route: route.abort("connectionreset")]

    def fail_twice(route: Route) -> None:
        if is_sent(route) and failures:
            failures.pop()(route)
        else:
            route.continue_()

    form.route(TO_THE_STORE, fail_twice)
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "verified")
    assert failures == []
    expect_only(page_errors, "Failed to load resource")


def test_an_expired_url_is_renewed_for_the_same_file(form: Page, notes: Path, page_errors: list[str]) -> None:
    refused: list[str] = []

    def refuse_twice(route: Route) -> None:
        if is_sent(route) and len(refused) < 2:
            refused.append(route.request.url)
            route.fulfill(status=403, headers=CORS)
        else:
            route.continue_()

    form.route(TO_THE_STORE, refuse_twice)
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "verified")
    [item] = json.loads(form.locator('[name="files.supplementary"]').input_value())
    assert item["fileId"] in refused[1]  # the first was a form, after which its URL was tried
    expect_only(page_errors, "403")


def test_a_file_that_was_refused_can_be_tried_again(form: Page, notes: Path, page_errors: list[str]) -> None:
    form.route(TO_THE_STORE, lambda route: route.fulfill(status=400, headers=CORS))
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "failed")
    expect(row(form, notes.name)).to_contain_text("The file storage did not take the file (400).")
    form.unroute(TO_THE_STORE)

    row(form, notes.name).get_by_role("button", name=f"Try again {notes.name}").press("Enter")

    expect_status(form, notes.name, "verified")
    expect(row(form, notes.name).get_by_role("button", name="Discard")).to_be_focused()
    expect_only(page_errors, "400")


def test_a_discarded_upload_is_aborted(form: Page, notes: Path) -> None:
    held = hold_back(form)
    aborted: list[str] = []
    form.on("requestfailed", lambda request: aborted.append(request.url))
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploading")

    with form.expect_response(lambda response: response.request.method == "DELETE") as answer:
        row(form, notes.name).get_by_role("button", name=f"Discard {notes.name}").click()

    expect(form.locator("[data-file-row]")).to_have_count(0)
    assert answer.value.status == 204
    assert aborted == [route.request.url for route in held]
    expect(submit_button(form)).to_have_attribute("aria-disabled", "false")
    expect(form.locator('[name="files.supplementary"]')).to_have_value("")


def test_a_changed_file_replaces_the_one_of_its_name_after_a_question(form: Page, notes: Path) -> None:
    chooser = form.locator("#files-supplementary")
    chooser.set_input_files(notes)
    expect_status(form, notes.name, "verified")
    [before] = json.loads(form.locator('[name="files.supplementary"]').input_value())
    notes.write_text(f"What the gel really showed in run {uuid4()}.")

    chooser.focus()
    chooser.set_input_files(notes)
    question = form.get_by_role("dialog", name=f"Replace {notes.name}?")
    expect(question).to_contain_text("bytes here")
    question.get_by_role("button", name="Keep the present one").press("Enter")
    expect(question).to_be_hidden()
    expect(chooser).to_be_focused()
    assert json.loads(form.locator('[name="files.supplementary"]').input_value()) == [before]

    chooser.set_input_files(notes)
    with form.expect_response(lambda response: response.request.method == "DELETE") as answer:
        form.get_by_role("button", name="Replace", exact=True).click()
    assert (answer.value.status, answer.value.url.rpartition("/")[2]) == (204, before["fileId"])
    expect(form.locator("[data-file-row]")).to_have_count(1)
    expect_status(form, notes.name, "verified")
    [after] = json.loads(form.locator('[name="files.supplementary"]').input_value())
    assert after["fileId"] != before["fileId"]


def test_a_file_of_an_entry_goes_off_the_list_and_not_off_the_server(form: Page, notes: Path) -> None:
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "verified")
    submit_button(form).click()
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")
    deleted: list[str] = []
    form.on("request", lambda request: deleted.append(request.url) if request.method == "DELETE" else None)

    accession = re.search(r"/entries/([^/\"]+)", form.content())
    assert accession is not None
    form.goto(f"/entries/{accession[1]}/files")
    expect_status(form, notes.name, "verified")
    row(form, notes.name).get_by_role("button", name="Discard").click()
    expect(form.locator("[data-file-row]")).to_have_count(0)
    form.goto(f"/entries/{accession[1]}/files")
    expect_status(form, notes.name, "verified")
    assert deleted == []


def test_all_files_of_a_category_are_discarded_after_a_question(form: Page, folder: Path, notes: Path) -> None:
    form.locator("#folder-rawReads").set_input_files(folder)
    form.locator("#files-supplementary").set_input_files(notes)
    expect(form.locator("[data-file-row][data-file-status=verified]")).to_have_count(3)
    discard_all = group_of(form, "Raw reads").get_by_role("button", name="Discard all files")

    discard_all.click()
    expect(form.get_by_role("dialog", name="Discard 2 files?")).to_be_visible()
    form.keyboard.press("Escape")
    expect(form.locator("[data-file-row]")).to_have_count(3)
    expect(discard_all).to_be_focused()
    discard_all.click()
    form.get_by_role("button", name="Discard 2 files").click()

    expect(form.locator("[data-file-row]")).to_have_count(1)
    expect_status(form, notes.name, "uploaded", "verified")
    expect(form.locator("#folder-rawReads")).to_be_focused()


def test_of_two_files_with_one_name_one_is_kept(form: Page, tmp_path: Path) -> None:
    for name in ("s1/reads.txt", "s2/Reads.txt"):
        (tmp_path / "both" / name).parent.mkdir(parents=True)
        (tmp_path / "both" / name).write_text(name)
    form.locator("#folder-supplementary").set_input_files(tmp_path / "both")
    expect_status(form, "both/s1/reads.txt", "uploaded", "verified")
    expect_status(form, "both/s2/Reads.txt", "failed")
    expect(row(form, "both/s2/Reads.txt")).to_contain_text("file_name_duplicate")

    row(form, "both/s2/Reads.txt").get_by_role("button", name="Keep this one").click()

    expect(row(form, "both/s1/reads.txt")).to_have_count(0)
    expect_status(form, "both/s2/Reads.txt", "verified")


def test_a_large_file_goes_in_parts(form: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.write(uuid4().bytes)
        file.truncate(65 * MIB)
    parts: list[str] = []
    form.on("request", lambda request: parts.append(request.url) if "partNumber=" in request.url else None)

    form.locator("#files-supplementary").set_input_files(large)

    expect_status(form, large.name, "uploaded", "verified")
    assert len({re.sub("&X-Amz-Signature.*", "", url) for url in parts}) >= 6
    submit_button(form).click()
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")


def test_a_session_that_ends_is_begun_anew_in_another_window(
    form: Page, notes: Path, product: Product, page_errors: list[str]
) -> None:
    form.context.clear_cookies()  # the session's and the token's
    form.locator("#files-supplementary").set_input_files(notes)
    expect(row(form, notes.name)).to_contain_text("You are logged out. Log in in another window, and try again here.")
    window = form.context.new_page()
    window.goto(f"{product.base_url}/login")
    window.get_by_label("Username").fill("alice")
    window.get_by_label("Password").fill("satchel-demo")
    window.get_by_role("button", name="Log in").click()
    window.wait_for_url("**/")

    row(form, notes.name).get_by_role("button", name="Try again").click()

    expect_status(form, notes.name, "verified")
    submit_button(form).click()
    expect(status_of_submission(form)).to_have_attribute("data-submission-status", "ACCEPTED")
    expect_only(page_errors, "401")
