"""The extra-files widget in Chromium, against the running product and its object store."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Locator, Page, Route, expect

from tests.product import Product

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
TO_THE_STORE = re.compile(r"X-Amz-Signature=")
CORS = {"Access-Control-Allow-Origin": "*"}
HELD = "Submit is held"


@pytest.fixture
def form(page: Page, cookies: list[SetCookieParam]) -> Page:
    """The form for one entry, as alice fills it in, but for the files."""
    page.context.add_cookies(cookies)
    page.goto("/organisms/ebola-sudan/submit")
    page.get_by_label("Submission ID").fill("sample1")
    page.locator("[name=sequence]").fill("ACGT")
    return page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as people have them: reads in a subfolder, and what the computer left there."""
    reads = tmp_path / "run 1" / "lane1"
    reads.mkdir(parents=True)
    for name in ("reads_1.fastq.gz", "reads_2.fastq.gz"):
        (reads / name).write_bytes(new_reads())
    (tmp_path / "run 1" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "run 1"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A small file with a name that URLs would stumble over."""
    path = tmp_path / "notes ü #1 100%.txt"
    path.write_text(f"What the gel showed in run {uuid4()}.")
    return path


@pytest.fixture
def cut_reads(tmp_path: Path) -> Path:
    """A gzipped FASTQ file that was cut short."""
    path = tmp_path / "cut.fastq.gz"
    path.write_bytes(gzip.compress(b"@r\nACGT\n+\nIIII\n" * 5000)[:-20])
    return path


def new_reads() -> bytes:
    """Gzipped FASTQ that no test has sent before: a file that the server has is not sent again."""
    return gzip.compress(f"@{uuid4()}\nACGT\n+\nIIII\n".encode())


def row(page: Page, name: str) -> Locator:
    return page.locator(f'[data-file-row][data-file-name="{name}"]')


def expect_status(page: Page, name: str, *statuses: str) -> None:
    wanted = re.compile(f"^({'|'.join(statuses)})$")
    expect(row(page, name)).to_have_attribute("data-file-status", wanted, timeout=60_000)


def group_of(page: Page, title: str) -> Locator:
    return page.get_by_role("group", name=title)


def submit_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Submit", exact=True)


def hold_of(page: Page) -> Locator:
    return page.locator("[data-files-hold]")


def status_of_submission(page: Page) -> Locator:
    return page.locator("[data-submission-status]")


def hold_back(page: Page) -> list[Route]:
    """Keep every request to the object store waiting; the routes to continue or answer."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(TO_THE_STORE, keep)
    return held


def expect_only(page_errors: list[str], text: str) -> None:
    """The errors that the test provoked are there, and no others."""
    assert page_errors
    assert all(text in error for error in page_errors), page_errors
    page_errors.clear()


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
        if route.request.method == "PUT" and failures:
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

    def refuse_once(route: Route) -> None:
        if route.request.method == "PUT" and not refused:
            refused.append(route.request.url)
            route.fulfill(status=403, headers=CORS)
        else:
            route.continue_()

    form.route(TO_THE_STORE, refuse_once)
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "verified")
    [item] = json.loads(form.locator('[name="files.supplementary"]').input_value())
    assert item["fileId"] in refused[0]
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


def drop(page: Page, target: Locator, *paths: Path) -> None:
    """Drop files and folders of the disk onto an element, as the system does."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(form: Page, folder: Path, cut_reads: Path, notes: Path, scheme: str) -> None:
    form.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    form.set_viewport_size({"width": 360, "height": 800})
    expect_no_violations(form)
    form.locator("#folder-rawReads").set_input_files(folder)
    expect_status(form, "run 1/lane1/reads_1.fastq.gz", "verified")
    hold_back(form)
    form.locator("#files-supplementary").set_input_files(notes)
    expect_status(form, notes.name, "uploading")
    form.unroute(TO_THE_STORE)
    form.locator("#files-rawReads").set_input_files(cut_reads)
    expect_status(form, cut_reads.name, "failed")
    submit_button(form).click(force=True)
    expect_no_violations(form)
    assert form.evaluate("document.documentElement.scrollWidth") <= 360
    group_of(form, "Raw reads").get_by_role("button", name="Discard all files").click()
    expect_no_violations(form)


def expect_no_violations(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_without_javascript_the_form_says_so(form: Page, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=form.context.storage_state())
    try:
        page = context.new_page()
        page.goto(form.url)
        expect(page.locator(".extra-files-noscript").first).to_be_visible()
        expect(page.locator("#files-rawReads")).to_be_hidden()
    finally:
        context.close()
