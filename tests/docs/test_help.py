"""The pages under /help."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from common.problems import STATUS_OF_CODE, type_url
from config import help as help_pages
from config.help import PAGES, address_of, read_page
from tests.accessibility import expect_no_violations


@pytest.fixture
def anonymous() -> Client:
    """Somebody who is not logged in."""
    return Client()


def test_the_index_is_at_help(anonymous: Client) -> None:
    assert reverse("help-index") == "/help"
    assert "<h1" in anonymous.get("/help").content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_anyone_can_read_a_page(anonymous: Client, name: str) -> None:
    answer = anonymous.get(reverse("help", args=[name]))
    assert answer.status_code == 200
    html = answer.content.decode()
    assert f"<title>{read_page(name).title} · Satchel</title>".replace("'", "&#x27;") in html
    assert html.count("<h1") == 1
    assert html.count(' aria-current="page">') == 1


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_picture_of_a_page_leads_somewhere(anonymous: Client, name: str) -> None:
    html = str(read_page(name).html)
    for link in re.findall(r'href="([^"]+)"', html):
        if link.startswith("https://"):
            continue
        address, _, anchor = link.partition("#")
        target = anonymous.get(address or address_of(name))
        assert target.status_code == 200, link
        assert not anchor or f'id="{anchor}"' in target.content.decode(), link
    for picture in re.findall(r'src="([^"]+)"', html):
        assert finders.find(picture.removeprefix("/static/")), picture


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_a_phone(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(reverse("help", args=[name]))
    expect_no_violations(page)


def test_every_problem_type_leads_to_its_explanation(anonymous: Client) -> None:
    html = anonymous.get("/help/problems").content.decode()
    for code in STATUS_OF_CODE:
        assert type_url(code) == f"/help/problems#{code}"
        assert f'<h3 id="{code}">' in html


@pytest.mark.parametrize(
    "address",
    ["/help/unknown", "/help/..", "/help/%2e%2e%2fREADME", "/help/adr", "/help/adr/0006-pyjwt", "/help/index.md"],
)
def test_what_is_no_page_of_the_help_is_not_found(anonymous: Client, address: str) -> None:
    assert anonymous.get(address).status_code == 404


def test_placeholders_in_calls_are_text_and_not_markup() -> None:
    html = str(read_page("extra-files").html)
    assert "&lt;Backend URL&gt;" in html
    assert "<Backend" not in html


def test_markup_in_a_page_is_shown_and_not_obeyed(tmp_path_factory: pytest.TempPathFactory) -> None:
    html = render(tmp_path_factory, "# Title\n\n<script>alert(1)</script>\n\n```\n</code><b>\n```\n")
    assert "<script>" not in html
    assert "<b>" not in html


def test_a_link_to_a_file_that_is_no_page_is_a_fault(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ValueError, match=r"adr/0001\.md, which is no page"):
        render(tmp_path_factory, "# Title\n\n[one](adr/0001.md)\n")


def test_links_between_pages_lead_to_their_addresses(tmp_path_factory: pytest.TempPathFactory) -> None:
    html = render(tmp_path_factory, "# T\n\n[a](api.md#errors) [b](index.md) [c](#t) [d](https://example.org/x.md)\n")
    assert re.findall(r'href="([^"]+)"', html) == ["/help/api#errors", "/help", "#t", "https://example.org/x.md"]


def render(tmp_path_factory: pytest.TempPathFactory, text: str) -> str:
    """A page with this text."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "api.md").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(help_pages, "DOCS", folder)
        return str(read_page.__wrapped__("api").html)
