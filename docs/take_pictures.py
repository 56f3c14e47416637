"""Takes the documentation's pictures from a product of its own: `make pictures`."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Page, ViewportSize, expect, sync_playwright

from embedded.programs import ROOT
from tests import chromium
from tests.product import running_product

PATIENCE = 30_000  # ms
MARGIN = 16  # pixels
PICTURES = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 900, "height": 720}
WIDGET = "[data-extra-files]"


def main() -> None:
    """Start a product, take each picture, end it."""
    with (
        tempfile.TemporaryDirectory(prefix="satchel-pictures-") as name,
        running_product(Path(name), database_url="sqlite://") as product,
        sync_playwright() as playwright,
    ):
        chrome = playwright.chromium.launch(executable_path=chromium.find(playwright), args=list(chromium.FLAGS))
        page = chrome.new_page(base_url=product.base_url, viewport=SIZE, device_scale_factor=2)
        log_in(page)
        take_pictures(page, sample_folder(Path(name)))
        chrome.close()


def log_in(page: Page) -> None:
    """As alice of the demo."""
    page.goto("/login")
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "satchel-demo")
    page.get_by_role("button", name="Log in").click()


def sample_folder(folder: Path) -> Path:
    """A folder as a sequencer leaves it: two FASTQ files of some size."""
    sample = folder / "sample-1"
    sample.mkdir()
    for mate in (1, 2):
        with (sample / f"S1_R{mate}.fastq").open("wb") as reads:
            for number in range(6_000 * mate):
                letters = bytes(random.choices(b"ACGT", k=150))  # noqa: S311  # no secret
                reads.write(b"@read%d/%d\n%s\n+\n%s\n" % (number, mate, letters, b"F" * 150))
    return sample


def take_pictures(page: Page, sample: Path) -> None:
    """The boxes before and after, and the submission once it is accepted."""
    page.goto("/organisms/ebola-sudan/submit")
    take(page, WIDGET, "extra-files-empty.png")
    page.set_input_files("#folder-rawReads", sample)
    expect(page.locator("[data-file-status=verified]")).to_have_count(2, timeout=PATIENCE)
    take(page, WIDGET, "extra-files-uploaded.png")
    page.fill("[name=submissionId]", "sample-1")
    page.fill("[name='metadata.country']", "Uganda")
    page.fill("[name='metadata.date']", "2025-03-30")
    page.fill("[name=sequence]", "ATGGATTCTCGTCCTCAGAAAGTCTGGATGACGCCGAGTCTC")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_selector("[data-submission-status=ACCEPTED]", timeout=PATIENCE)
    page.mouse.move(0, 0)
    page.screenshot(path=PICTURES / "submission.png")


def take(page: Page, selector: str, name: str) -> None:
    """A picture of the first element that fits, with some room around it."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None, f"{selector} is not on the page"  # noqa: S101
    clip: FloatRect = {
        "x": box["x"] - MARGIN,
        "y": box["y"] - MARGIN,
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + 2 * MARGIN,
    }
    page.screenshot(path=PICTURES / name, full_page=True, clip=clip)


if __name__ == "__main__":
    main()
