"""Alice, logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import Browser

from tests.product import Product

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam


@pytest.fixture(scope="session")
def cookies(browser: Browser, product: Product) -> list[SetCookieParam]:
    """Those of alice, logged in once."""
    context = browser.new_context(base_url=product.base_url)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    found = [cast("SetCookieParam", cookie) for cookie in context.cookies()]
    context.close()
    return found
