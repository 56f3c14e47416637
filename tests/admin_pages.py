"""What a browser does with the admin's pages: read a form, change some of it, send it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any

from django.db import connection
from django.forms import BaseForm
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags


def change_page(row: Any) -> str:
    """The address of the page to change a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def delete_page(row: Any) -> str:
    """The address of the page to delete a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])


def sent_form(page: Any, **changes: object) -> dict[str, str]:
    """All fields of the page's form and its inlines as a browser would send them, but for the changes.

    A changed field that is None is not sent, as an empty check box is not.
    """
    forms = [page.context["adminform"].form]
    for inline in page.context.get("inline_admin_formsets", ()):
        forms += [inline.formset.management_form, *inline.formset.forms]
    fields = {name: value for form in forms for name, value in _fields(form)}
    fields |= {name: value for name, value in changes.items() if value is not None}
    return {name: str(value) for name, value in fields.items() if changes.get(name, "") is not None}


def _fields(form: BaseForm) -> Iterator[tuple[str, object]]:
    for field in form:
        value = field.value()
        if value is not False:
            yield field.html_name, "on" if value is True else "" if value is None else value


def with_inline(page: Any, prefix: str, changes: Mapping[str, object]) -> dict[str, str]:
    """The page's form with one more row in an inline, its fields as given."""
    fields = sent_form(page)
    number = int(fields[f"{prefix}-TOTAL_FORMS"])
    empty = {f"{prefix}-TOTAL_FORMS": str(number + 1)}
    return {**fields, **empty, **{f"{prefix}-{number}-{name}": str(value) for name, value in changes.items()}}


def words(page: Any) -> str:
    """The text of a page: single spaces between words and where there was markup."""
    return " ".join(unescape(strip_tags(page.content.decode().replace("<", " <"))).split())


def number_of_queries(client: Client, address: str) -> int:
    """How many queries a page takes, which must be there."""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)


def grows(client: Client, address: str, add: Callable[[], object]) -> int:
    """How many more queries a page takes once `add` was called five times more than once."""
    add()
    client.get(address)  # what is cached at the first call, content types among it, does not count
    before = number_of_queries(client, address)
    for _ in range(5):
        add()
    return number_of_queries(client, address) - before
