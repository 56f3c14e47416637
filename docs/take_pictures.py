"""Takes the documentation's pictures from a product of its own: `make pictures`."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
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
LARGE = 2_000_000  # bytes: files from here on are the large worker's, which rests while a submission is pictured


def main() -> None:
    """Start a product, take each picture, end it."""
    with (
        tempfile.TemporaryDirectory(prefix="satchel-pictures-") as name,
        running_product(Path(name), database_url="sqlite://", settings={"LARGE_FILE_BYTES": str(LARGE)}) as product,
        sync_playwright() as playwright,
    ):
        chrome = playwright.chromium.launch(executable_path=chromium.find(playwright), args=list(chromium.FLAGS))
        page = chrome.new_page(base_url=product.base_url, viewport=SIZE, device_scale_factor=2)
        log_in(page)
        take_pictures(page, sample_folder(Path(name)))
        product.processes["worker-large"].stop()
        take_pictures_of_many(page, Path(name))
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
        (sample / f"S1_R{mate}.fastq").write_bytes(b"".join(reads_of(mate, 2_500 * mate)))
    return sample


def reads_of(mate: int, number: int) -> Iterator[bytes]:
    """Records of FASTQ, of about 320 bytes each."""
    for read in range(number):
        letters = bytes(random.choices(b"ACGT", k=150))  # noqa: S311  # no secret
        yield b"@read%d/%d\n%s\n+\n%s\n" % (read, mate, letters, b"F" * 150)


def run_folder(folder: Path) -> Path:
    """A folder with a subfolder for each of four samples, with reads, of which the last has many."""
    run = folder / "run-2025-03"
    for sample in range(1, 5):
        for mate in (1, 2):
            file = run / f"sample-{sample}" / f"S{sample}_R{mate}.fastq"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"".join(reads_of(mate, 8_000 if sample == 4 else 1_000 * sample)))
    return run


def take_pictures(page: Page, sample: Path) -> None:
    """The boxes before and after."""
    page.goto("/organisms/ebola-sudan/submit")
    take(page, WIDGET, "extra-files-empty.png")
    page.set_input_files("#folder-rawReads", sample)
    expect(page.locator("[data-file-status=verified]")).to_have_count(2, timeout=PATIENCE)
    take(page, WIDGET, "extra-files-uploaded.png")


def take_pictures_of_many(page: Page, folder: Path) -> None:
    """The preview of a run, and the submission while a part of it waits for its worker."""
    samples = [f"sample-{number}" for number in range(1, 5)]
    table, sequences = folder / "metadata.tsv", folder / "sequences.fasta"
    table.write_text("id\tcountry\n" + "".join(f"{sample}\tUganda\n" for sample in samples))
    sequences.write_text("".join(f">{sample}\nATGGATTCTCGTCCTCAG\n" for sample in samples))
    page.goto("/organisms/ebola-sudan/submit/bulk")
    page.set_input_files("[name=metadataFile]", table)
    page.set_input_files("[name=sequenceFile]", sequences)
    page.set_input_files("#folder-rawReads", run_folder(folder))
    expect(page.locator("[data-file-status=verified]")).to_have_count(6, timeout=PATIENCE)
    expect(page.locator("[data-file-status=uploaded]")).to_have_count(2, timeout=PATIENCE)
    take(page, WIDGET, "bulk-preview.png")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions/*")
    expect(page.locator("[data-entry-status=ACCEPTED]")).to_have_count(3, timeout=PATIENCE)
    page.mouse.move(0, 0)
    page.screenshot(path=PICTURES / "submission-verifying.png")


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
