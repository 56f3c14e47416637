"""What stands in the way of people on a page: axe's findings (https://github.com/dequelabs/axe-core), and its width."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What has passed is not listed one by one; that took axe almost as long as to look.
OPTIONS: dict[str, Any] = {"resultTypes": ["violations"]}


def expect_no_violations(page: Page, within: str | None = None) -> None:
    """Nothing is wrong with the page, and it fits into the window; or nothing with what the CSS selector leads to."""
    results = Axe().run(page, context=within, options=OPTIONS)
    assert results.violations_count == 0, results.generate_report()
    if within is None:
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "the page is too wide"


def expect_no_violations_in_any_look(page: Page) -> None:
    """The same of the whole page in the dark on a desk, and in the light on a phone, which is how it is left."""
    looks: tuple[tuple[Literal["dark", "light"], int], ...] = (("dark", 1280), ("light", 360))
    for scheme, width in looks:
        page.set_viewport_size({"width": width, "height": 800})
        # Without motion, as colours would be on their way from one look to the other.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect_no_violations(page)
