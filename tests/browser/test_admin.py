"""The admin under our Content-Security-Policy: the `page` fixture fails on any violation of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def admin_page(page: Page) -> Page:
    """A page on the admin's index, logged in through the product's own page."""
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("satchel-demo")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    return page


def test_an_admin_sets_up_an_organism_with_the_pages_scripts(admin_page: Page) -> None:
    admin_page.goto("/admin/submissions/organism/add/")
    admin_page.locator("#id_name").press_sequentially("Lassa Virus")
    expect(admin_page.get_by_label("Slug:")).to_have_value("lassa-virus")

    admin_page.get_by_role("button", name="Add another File category").click()
    category = admin_page.locator("#file_categories-0")
    category.get_by_label("Name:", exact=True).fill("rawReads")
    category.get_by_label("Shown name:").fill("Raw reads")
    category.get_by_label("Largest file:").fill("5 GB")
    category.get_by_label("Extensions:").fill(".fastq.gz, .fq.gz")
    admin_page.get_by_role("button", name="Add another Metadata field").click()
    field = admin_page.locator("#metadata_fields-0")
    field.locator("input[name$=-name]").fill("host")
    field.locator("input[name$=-shown_name]").fill("Host")
    admin_page.get_by_role("button", name="Save and continue editing").click()

    expect(admin_page.get_by_text("was added successfully")).to_be_visible()
    expect(category.get_by_label("Largest file:")).to_have_value("5 GB")
    expect(category.get_by_label("Extensions:")).to_have_value(".fastq.gz .fq.gz")


def test_an_admin_finds_a_member_by_typing(admin_page: Page) -> None:
    admin_page.goto("/admin/submissions/group/")
    admin_page.get_by_role("link", name="Demo Lab").click()
    admin_page.locator("#memberships-1 .select2-selection").click()
    admin_page.get_by_role("searchbox").last.fill("adm")
    admin_page.get_by_role("option", name="admin").click()

    expect(admin_page.locator("#memberships-1")).to_contain_text("admin")


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        "/admin/submissions/organism/",
        "/admin/submissions/submission/",
        "/admin/submissions/sequenceentry/",
        "/admin/files/file/?q=reads&status__exact=VERIFIED",
        "/admin/password_change/",
    ],
)
def test_pages_of_the_admin_keep_to_the_policy(admin_page: Page, address: str) -> None:
    answer = admin_page.goto(address)

    assert answer is not None
    assert answer.status == 200
