"""`/help/<page>`: the pages of `docs/` as people read them in the browser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

DOCS: Path = settings.BASE_DIR / "docs"
INDEX = "index"
PAGES = (
    INDEX,
    "extra-files",
    "submitting",
    "groups",
    "problems",
    "lifecycle",
    "glossary",
    "client",
    "api-tasks",
    "api",
    "migrating",
    "admin",
    "operations",
    "adding-a-format",
)
"""What is shown, in the order of the menu; a page that is not named here is not looked for."""

NOT_IN_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level, and the anchor that leads to it."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One page, rendered; `html` begins with its heading."""

    name: str
    address: str
    title: str
    sections: list[Section]
    html: SafeString


def help_page(request: HttpRequest, page: str = INDEX) -> HttpResponse:
    """One page of the documentation, for everyone."""
    if page not in PAGES:
        raise Http404
    return render(request, "help/page.html", {"page": read_page(page), "pages": [read_page(name) for name in PAGES]})


@cache
def read_page(name: str) -> HelpPage:
    """Render one of `PAGES`, once for each process; raises `ValueError` where it links to something else."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("fence", _render_fence)
    tokens = markdown.parse((DOCS / f"{name}.md").read_text())
    headings = [(opening, text.content) for opening, text in pairwise(tokens) if opening.type == "heading_open"]
    for opening, text in headings:
        opening.attrSet("id", anchor_of(text))
    for token in tokens:
        _lead_to_help(token.children or ())
    return HelpPage(
        name=name,
        address=address_of(name),
        title=headings[0][1],
        sections=[Section(anchor_of(text), text) for opening, text in headings if opening.tag == "h2"],
        # The text is ours, and what could be HTML in it was escaped by the renderer.
        html=mark_safe(markdown.renderer.render(tokens, markdown.options, {})),  # noqa: S308
    )


def address_of(name: str) -> str:
    """Where a page is."""
    return reverse("help-index") if name == INDEX else reverse("help", args=[name])


def anchor_of(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it too: a link leads to the same place here and there."""
    return NOT_IN_ANCHOR.sub("", heading.lower()).replace(" ", "-")


def _lead_to_help(tokens: Sequence[Token]) -> None:
    """Make links between files, and pictures, lead to where they are on the web."""
    for token in tokens:
        if token.type == "link_open":
            token.attrSet("href", _web_address(str(token.attrs["href"])))
        elif token.type == "image":
            token.attrSet("src", static(str(token.attrs["src"]).replace("images/", "help/", 1)))


def _web_address(link: str) -> str:
    if link.startswith(("https://", "#")):
        return link
    file, mark, anchor = link.partition("#")
    name = file.removesuffix(".md")
    if name not in PAGES:
        raise ValueError(f"The documentation links to {link}, which is no page of it.")
    return f"{address_of(name)}{mark}{anchor}"


def _render_fence(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """A block of code; the focus can rest on it, so that it can be scrolled with the keyboard."""
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'
