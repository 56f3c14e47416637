"""The page for many entries in Chromium: drop, look, submit; and the mess that folders are in."""

from __future__ import annotations

import gzip
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.accessibility import expect_no_violations
from tests.browser.uploading import TO_THE_STORE
from tests.drops import drop
from tests.product import Product
from tests.workbooks import row, workbook

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ADDRESS = "/organisms/ebola-sudan/submit/bulk"
BUSY = 180_000  # milliseconds for hundreds of files on a busy machine


@pytest.fixture
def bulk(page: Page, cookies: list[SetCookieParam]) -> Page:
    """The page for many entries, as alice opens it."""
    page.context.add_cookies(cookies)
    page.goto(ADDRESS)
    return page


def reads(path: Path, name: str) -> None:
    """A gzipped FASTQ file that is like no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(f"@{name}\nACGT\n+\nIIII\n".encode()))


def sequences(path: Path, *ids: str) -> Path:
    path.write_text("".join(f">{name}\nACGT\n" for name in ids))
    return path


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def box(page: Page, title: str = "Raw reads") -> Locator:
    return page.get_by_role("group", name=title)


def preview(page: Page, part: str = "") -> Locator:
    found = box(page).locator("[data-preview]")
    return found.locator(f'[data-preview-part="{part}"]') if part else found


def submit_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Submit", exact=True)


def expect_accepted(page: Page) -> None:
    page.wait_for_url("**/submissions/*")
    status = page.locator("[data-submission-status]")
    expect(status).to_have_attribute("data-submission-status", "ACCEPTED", timeout=BUSY)


def test_a_run_of_96_samples_is_dropped_looked_at_and_submitted(bulk: Page, tmp_path: Path) -> None:
    names = [f"sample{number}" for number in range(1, 97)]
    for name in names:
        for mate in (1, 2):
            reads(tmp_path / "run" / name / f"{name}_R{mate}.fastq.gz", f"{name}/{mate}")
    documents = table(tmp_path / "run.tsv", "id", *names), sequences(tmp_path / "run.fasta", *names)
    bulk.evaluate(
        """() => {
          window.heard = [];
          const live = document.querySelector("[data-category=rawReads] [aria-live]");
          new MutationObserver(() => window.heard.push(live.textContent)).observe(live, { childList: true });
        }"""
    )

    drop(bulk, box(bulk), tmp_path / "run", *documents)

    expect(bulk.locator("[data-check-line]")).to_have_text("96 rows in run.tsv, all well.")
    expect(preview(bulk)).to_contain_text("96 of 96 entries have Raw reads · 192 files · ")
    expect(preview(bulk)).to_contain_text("uploading goes by itself")
    assert any("uploading goes by itself" in text for text in bulk.evaluate("heard")), "the preview is not heard"
    preview(bulk).get_by_text("Which folder goes to which entry").click()
    expect(preview(bulk).get_by_role("row")).to_have_count(97)
    expect(preview(bulk).get_by_role("row").nth(10)).to_contain_text(re.compile(r"sample10\s*sample10\s*2\s*\d+ bytes"))
    expect(box(bulk)).to_contain_text(re.compile(r"(?<!of )192 files uploaded"), timeout=BUSY)
    expect(preview(bulk)).to_contain_text("Everything is uploaded.")
    expect(preview(bulk).get_by_role("row")).to_have_count(97)
    submit_button(bulk).click()
    expect_accepted(bulk)
    expect(bulk.locator('[data-entry-status="ACCEPTED"]')).to_have_count(96)


def test_what_failed_among_many_is_told_and_discarded_in_one_go(bulk: Page, tmp_path: Path) -> None:
    ids = [f"s{number}" for number in range(12)]
    for name in ids:
        reads(tmp_path / "run" / name / "r.fastq.gz", name)
    for name in ids[:3]:
        path = tmp_path / "run" / name / "r.fastq.gz"
        path.write_bytes(path.read_bytes()[:-8])
    bulk.get_by_label("Metadata table").set_input_files(table(tmp_path / "t.tsv", "id", *ids))
    bulk.get_by_label("Sequences").set_input_files(sequences(tmp_path / "s.fasta", *ids))
    bulk.locator("#folder-rawReads").set_input_files(tmp_path / "run")

    expect(box(bulk).locator("[data-file-status=verified]")).to_have_count(9, timeout=BUSY)
    next_step = preview(bulk).locator("[data-state]")
    expect(next_step).to_have_text("3 files failed: discard them, or choose files of the same names in their place.")
    expect(next_step).to_have_attribute("data-state", "waiting")
    failed = box(bulk).locator("[data-file-status=failed]").first
    expect(failed).to_contain_text("Discard it, or choose a file of the same name in its place.")
    expect(failed.get_by_role("link")).to_have_attribute("href", re.compile(r"/help/problems#\w+_truncated$"))
    expect_no_violations(bulk)

    skip = box(bulk).get_by_role("link", name="Skip the 12 files")
    skip.focus()
    expect(skip).to_be_in_viewport()
    skip.press("Enter")
    expect(bulk.locator("#folder-rawReads")).to_be_focused()
    box(bulk).get_by_role("button", name="Discard the 3 that failed").press("Enter")
    bulk.get_by_role("dialog").get_by_role("button", name="Discard 3 files").press("Enter")
    expect(box(bulk).locator("[data-file-row]")).to_have_count(9)
    expect(box(bulk).get_by_role("button", name="Discard all files")).to_be_focused()
    expect(next_step).to_have_text("Everything is uploaded.")
    submit_button(bulk).click()
    expect_accepted(bulk)


def test_one_mistake_in_a_column_is_told_once_and_from_the_beginning(bulk: Page, tmp_path: Path) -> None:
    rows = [f"s{number}\t31/03/2025" for number in range(60)]
    bulk.get_by_label("Metadata table").set_input_files(table(tmp_path / "t.tsv", "id\tdate", *rows, "s 99\t2025"))
    problems = bulk.locator("[data-check-problems]").get_by_role("listitem")
    expect(problems).to_have_count(2)
    expect(problems.first).to_contain_text("“31/03/2025” is no date.")
    expect(problems.first).to_contain_text("59 more rows like this, up to line 61.")


def test_the_usual_mess_is_told_before_a_byte_moves(bulk: Page, tmp_path: Path) -> None:
    run = tmp_path / "run ü #1 100%"
    apart = unicodedata.normalize("NFD", "Zürich")
    for path in (
        f"{apart}/r 1 ü#%.fastq.gz",
        "a#1%20/r.fastq.gz",
        "nested/lane 1/r.fastq.gz",
        "nested/lane 2/R.fastq.gz",
        "Sample 5/r.fastq.gz",
        "unknown/r.fastq.gz",
        "loose.fastq.gz",
    ):
        reads(run / path, path)
    for hidden in (".DS_Store", "nested/.DS_Store"):
        (run / hidden).write_bytes(b"x")
    ids = ["Zürich", "a#1%20", "nested", "Sample5", "x/7"]
    cells = {"x/7": "plate/A01 plate/A02"}
    rows = [row(1, "id", "files.rawReads"), *(row(n, i, cells.get(i, "")) for n, i in enumerate(ids, start=2))]
    reads(run / "plate" / "A01" / "r.fastq.gz", "A01")
    sent: list[str] = []
    bulk.on("request", lambda request: sent.append(request.url) if TO_THE_STORE.search(request.url) else None)

    bulk.locator("#folder-rawReads").set_input_files(run)
    expect(preview(bulk)).to_contain_text("Choose the metadata table: it says which folders are expected.")
    book = tmp_path / "table.xlsx"
    book.write_bytes(workbook("".join(rows)))
    drop(bulk, bulk.get_by_label("Metadata table"), book)

    expect(preview(bulk)).to_contain_text("4 of 5 entries have Raw reads · 5 files")
    expect(preview(bulk)).to_contain_text("Nothing is uploaded yet.")
    folders = preview(bulk, "folders").get_by_role("listitem")
    expect(folders).to_have_count(3)
    expect(folders.nth(0)).to_contain_text("Files in no subfolder (1 file)")
    expect(folders.nth(1)).to_contain_text("Sample 5 (1 file): No row of the table has the ID “Sample 5”. Did you mean")
    expect(folders.nth(2)).to_contain_text("unknown (1 file): No row of the table has the ID “unknown”.")
    expect(preview(bulk, "unmatched")).to_contain_text("names “plate/A02” for “x/7”, and no such folder")
    expect(preview(bulk, "missing")).to_contain_text("1 entry without Raw reads")
    expect(preview(bulk, "missing")).to_contain_text("Sample5")
    expect(preview(bulk, "refused")).to_contain_text("nested/lane 2/R.fastq.gz: Another file here is named R.fastq.gz")
    expect(box(bulk)).to_contain_text("2 hidden files left out")
    for scheme in ("light", "dark"):
        bulk.emulate_media(color_scheme=cast("None", scheme))
        expect_no_violations(bulk)
    bulk.set_viewport_size({"width": 360, "height": 740})
    expect_no_violations(bulk)
    submit_button(bulk).click(force=True)
    assert bulk.url.endswith(ADDRESS)
    assert sent == []

    preview(bulk).get_by_role("button", name="Leave out unknown").click()
    expect(folders).to_have_count(2)
    expect(preview(bulk)).to_contain_text("Left out by you: unknown (1 file).")
    preview(bulk).get_by_role("button", name="Leave out all 2").click()
    expect(folders).to_have_count(0)
    bulk.locator('[data-file-row][data-file-name$="lane 2/R.fastq.gz"]').get_by_role("button", name="Discard").click()
    expect(preview(bulk, "refused")).to_have_count(0)
    assert sent == []
    book.write_bytes(workbook("".join(rows).replace("plate/A01 plate/A02", "plate/A01")))
    bulk.get_by_label("Metadata table").set_input_files(book)
    bulk.get_by_label("Sequences").set_input_files(sequences(tmp_path / "s.fasta", *ids))
    expect(box(bulk)).to_contain_text("4 files uploaded", timeout=BUSY)
    submit_button(bulk).click()
    expect_accepted(bulk)
    for name in (unicodedata.normalize("NFC", "r 1 ü#%.fastq.gz"), "x/7", "Sample5"):
        expect(bulk.get_by_text(name, exact=True).first).to_be_visible()


def test_what_is_wrong_stays_on_the_page_and_nobody_chooses_files_again(
    bulk: Page, tmp_path: Path, page_errors: list[str]
) -> None:
    for name in ("s1", "s2"):
        reads(tmp_path / "run" / name / "r.fastq.gz", name)
    faulty = table(tmp_path / "faulty.tsv", "id\tdate", "s1\tsoon", "s2\t2025")
    bulk.get_by_label("Metadata table").set_input_files(faulty)
    expect(bulk.locator("[data-check-line]")).to_have_text("2 rows in faulty.tsv, and 1 problem.")
    expect(bulk.locator("[data-check-problems]")).to_contain_text("Line 2, column “date”")
    drop(bulk, box(bulk), tmp_path / "run")
    expect(preview(bulk)).to_contain_text("Mend what is wrong with the table")
    expect(box(bulk).locator('[data-file-status="queued"]')).to_have_count(2)
    expect_no_violations(bulk)

    good = table(tmp_path / "good.tsv", "id\tdate", "s1\t2025-01", "s2\t2025")
    bulk.get_by_label("Metadata table").set_input_files(good)
    expect(box(bulk)).to_contain_text("2 files uploaded", timeout=BUSY)
    submit_button(bulk).click()

    summary = bulk.get_by_role("alert", name="There is a problem")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Choose the file with the sequences").click()
    expect(bulk.get_by_label("Sequences")).to_be_focused()
    expect_no_violations(bulk)
    bulk.get_by_label("Sequences").set_input_files(sequences(tmp_path / "one.fasta", "s1"))
    expect(bulk.locator("[data-check-problems]")).to_contain_text("no FASTA ID is “s2”")
    bulk.get_by_label("Sequences").set_input_files(sequences(tmp_path / "both.fasta", "s1", "s2"))
    expect(bulk.locator("[data-check-line]")).to_have_text("2 rows in good.tsv, all well.")
    submit_button(bulk).click()
    expect_accepted(bulk)
    assert len(page_errors) == 1, page_errors
    assert "400 (Bad Request)" in page_errors.pop()


def test_without_javascript_table_and_sequences_are_submitted(
    browser: Browser, product: Product, cookies: list[SetCookieParam], tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=product.base_url)
    try:
        context.add_cookies(cookies)
        plain = context.new_page()
        plain.goto(ADDRESS)
        plain.get_by_label("Metadata table").set_input_files(table(tmp_path / "t.tsv", "id", "s1"))
        plain.get_by_label("Sequences").set_input_files(sequences(tmp_path / "s.fasta", "s2"))
        submit_button(plain).click()
        expect(plain.get_by_role("alert")).to_contain_text("no FASTA ID is “s1”")
        plain.get_by_label("Metadata table").set_input_files(table(tmp_path / "t.tsv", "id", "s2"))
        plain.get_by_label("Sequences").set_input_files(sequences(tmp_path / "s.fasta", "s2"))
        submit_button(plain).click()
        expect(plain.locator("[data-submission-status]")).to_have_attribute("data-submission-status", "ACCEPTED")
    finally:
        context.close()
