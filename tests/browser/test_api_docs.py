"""Swagger UI over the running product, under the Content-Security-Policy of all pages."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests import web
from tests.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
def hosts(page: Page) -> Iterator[set[str]]:
    """The hosts and ports that the page asks for anything."""
    asked: set[str] = set()

    def note(request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            asked.add(urlsplit(request.url).netloc)

    page.on("request", note)
    yield asked
    page.remove_listener("request", note)


def test_every_operation_is_shown_and_one_is_tried_out_with_a_token(
    page: Page, product: Product, hosts: set[str]
) -> None:
    document = web.get(f"{product.base_url}/api/schema").json()
    log_in = {"username": "alice", "password": "satchel-demo"}
    token = web.post(f"{product.base_url}/api/auth/token", json=log_in).json()["access"]

    page.goto("/api/docs")
    expect(page.locator(".opblock")).to_have_count(sum(len(path) for path in document["paths"].values()))

    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    dialog.get_by_label("auth-bearer-value").fill(token)
    dialog.get_by_role("button", name="Apply credentials").first.click()
    dialog.get_by_role("button", name="Close").first.click()

    operation = page.locator("#operations-Groups-listGroups")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .highlight-code").first
    expect(answer).to_contain_text('"Demo Lab"')
    assert hosts == {urlsplit(product.base_url).netloc}


def test_who_is_logged_in_tries_out_a_call_that_changes_something(page: Page) -> None:
    page.goto("/login?next=/api/docs")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()

    operation = page.locator("#operations-Files-requestUpload")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("groupId").fill("1")
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")


def test_the_page_is_dark_where_the_system_is(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/api/docs")
    title = page.locator(".swagger-ui .info .title")
    expect(title).to_be_visible()
    letters = page.evaluate("getComputedStyle(document.querySelector('.swagger-ui .info .title')).color")
    behind = page.evaluate("getComputedStyle(document.querySelector('.swagger-ui')).backgroundColor")
    assert luminance(letters) - luminance(behind) > 100


def luminance(colour: str) -> float:
    """Between 0 and 255, of `rgb(r, g, b)`."""
    return sum(map(float, colour.partition("(")[2].rstrip(")").split(",")[:3])) / 3
