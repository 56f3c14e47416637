"""The documentation against what it speaks of: codes, links, commands, settings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from common.errors import DomainError
from common.problems import CODE_OF_STATUS, STATUS_OF_CODE, TITLES
from common.schema import DESCRIBED
from config.help import anchor_of
from embedded.programs import ROOT
from files import verification
from files.content import CHECKS
from files.models import File
from files.reading import Reading
from tests.openapi import document

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
DECISIONS = sorted((DOCS / "adr").glob("*.md"))
OURS = {"common", "accounts", "submissions", "files"}
OF_HTTP = {*CODE_OF_STATUS.values(), "validation_failed"}
"""Codes that no error of the domain has: they are said by HTTP, or of several errors together."""
OF_ANY_CALL = {"storage_unavailable"}
"""Codes that docs/api.md says once, of all calls."""
NO_PASSAGE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    """A page without its blocks of code, in which `#` is a comment."""
    return NO_PASSAGE.sub("", page.read_text())


def headings_of(page: Path) -> list[str]:
    """The headings of a page, in order."""
    return re.findall(r"^#{1,6} (.+)$", text_of(page), re.MULTILINE)


def problems() -> dict[str, str]:
    """The passages of docs/problems.md by their code."""
    sections = re.split(r"^#{2,3} (.+)$", text_of(DOCS / "problems.md"), flags=re.MULTILINE)
    return {code: text for code, text in zip(sections[1::2], sections[2::2], strict=True) if is_code(code)}


def is_code(heading: str) -> bool:
    """Whether a heading is a code rather than words."""
    return re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", heading) is not None


def error_classes() -> Iterator[type[DomainError]]:
    """Our error classes that have a code of their own."""
    for app in OURS:
        import_module(f"{app}.errors")
    waiting: list[type[DomainError]] = [DomainError]
    for error in waiting:
        waiting.extend(error.__subclasses__())
        if "code" in vars(error) and error.__module__.partition(".")[0] in OURS:
            yield error


def mismatch_codes() -> set[str]:
    """What the verifier says of bytes that keep none of the claims, claim by claim."""
    reading = Reading(size=1, sha256="a" * 64, md5="b" * 32, outcomes=[])
    claims: list[dict[str, object]] = [{"size": 2}, {"sha256": "c" * 64}, {"md5": "d" * 32}]
    found = set()
    for claim in claims:
        file = File(etag=reading.md5, **{f"claimed_{name}": value for name, value in claim.items()})
        problem = verification._mismatch(file, reading)
        assert problem is not None
        found.add(problem.code)
    return found


def named_problem_codes() -> set[str]:
    """The codes that the app `files` gives to a `FileProblem` by name."""
    texts = [path.read_text() for path in (ROOT / "files").rglob("*.py")]
    return {code for text in texts for code in re.findall(r'FileProblem\("(\w+)"', text)}


def codes_of_the_pages() -> set[str]:
    """The codes that our scripts give to what they find themselves."""
    texts = [path.read_text() for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts]
    return {code for text in texts for code in re.findall(r'\bcode: "(\w+)"', text)}


def test_the_table_of_codes_has_those_of_the_error_classes_and_of_http_and_no_others() -> None:
    assert {error.code for error in error_classes()} | OF_HTTP == set(STATUS_OF_CODE)


def test_each_code_has_one_title() -> None:
    titles: dict[str, set[str]] = {code: {title} for code, title in TITLES.items()}
    for error in error_classes():
        titles.setdefault(error.code, set()).add(error.title)
    assert {code: len(found) for code, found in titles.items()} == dict.fromkeys(STATUS_OF_CODE, 1)


def test_the_problems_page_has_a_heading_for_each_code_and_for_nothing_else() -> None:
    of_checks = {code for check in CHECKS.values() for code in check.problems}
    assert "too_large_for_single" in named_problem_codes()
    of_files = mismatch_codes() | named_problem_codes() | of_checks
    assert set(problems()) == set(STATUS_OF_CODE) | of_files | codes_of_the_pages()


def test_the_problems_page_says_the_status_of_each_code_and_what_to_do_about_it() -> None:
    found = {code: re.search(r"Status (\d+)", text) for code, text in problems().items()}
    assert {code: int(status[1]) for code, status in found.items() if status} == STATUS_OF_CODE
    assert [code for code, text in problems().items() if "**What to do:**" not in text] == []


def test_codes_that_the_pages_name_exist() -> None:
    named = {
        (page.name, code)
        for page in (DOCS / "api.md", DOCS / "extra-files.md")
        for line in re.findall(r"\b(?:40\d|4[12]\d)\b[^.]*\.", text_of(page))
        for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", line)
    }
    assert {(page, code) for page, code in named if code not in STATUS_OF_CODE} == set()
    assert named


def without_names(address: str) -> str:
    """An address without its query and the names of its variables."""
    return re.sub(r"\{\w+\}", "{}", address.partition("?")[0])


def sections_of(page: Path) -> dict[str, str]:
    """What stands under each heading of the second level, by its anchor; what stands before the first under none."""
    before, *parts = re.split(r"^## (.+)$", text_of(page), flags=re.MULTILINE)
    return {"": before} | {anchor_of(title): text for title, text in zip(parts[::2], parts[1::2], strict=True)}


def reference() -> dict[str, str]:
    """The sections of docs/api.md by the calls in them, each with the sections of codes and calls that it refers to."""
    codes, sections = sections_of(DOCS / "problems.md"), sections_of(DOCS / "api.md")

    def with_linked(section: str, depth: int = 2) -> str:
        linked = [codes.get(anchor, "") for anchor in re.findall(r"\(problems\.md#([\w-]+)\)", section)]
        here = [sections.get(anchor, "") for anchor in re.findall(r"\(#([\w-]+)\)", section) if depth]
        return "\n".join([section, *linked, *(with_linked(text, depth - 1) for text in here)])

    return {
        f"{method} {without_names(address)}": with_linked(section)
        for section in sections.values()
        for method, address in re.findall(r"\*\*`([A-Z]+) (/[^`]+)`", section)
    }


def test_the_reference_has_each_call_of_the_api_and_the_problems_that_it_can_have() -> None:
    paths = document().document["paths"]
    operations = {operation.operation_id: operation for operation in DESCRIBED.values()}  # once the document is made
    described = {
        f"{method.upper()} {without_names(path)}": operations[item["operationId"]]
        for path, methods in paths.items()
        for method, item in methods.items()
        if method != "head"  # of it the reference says that it is as GET
    }
    sections = reference()
    assert sections.keys() - described.keys() == {"GET /docs"}  # a page
    assert described.keys() - sections.keys() == set()
    missing = [
        (call, code)
        for call, operation in described.items()
        for code in sorted({*operation.problems, *operation.listed} - OF_ANY_CALL)
        if not re.search(rf"\b{code}\b", sections[call])
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        anchors = [anchor_of(heading) for heading in headings_of(target)] if target.suffix == ".md" else []
        if not target.exists() or (anchor and anchor not in anchors):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_headings_of_a_page_have_anchors_of_their_own(page: Path) -> None:
    # The changelog repeats “Added” under each version, and nobody links there.
    anchors = [anchor_of(heading) for heading in headings_of(page)]
    assert page.name == "CHANGELOG.md" or len(anchors) == len(set(anchors))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w.-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)[^`]*`|^make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert {first or second for first, second in named} <= targets


def test_the_quick_start_has_two_commands() -> None:
    start = re.search(r"^## Quick start$(.*?)^## ", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert start is not None
    commands = re.findall(r"^make \w+", start[1], re.MULTILINE)
    assert commands == ["make run", "make test"]


def test_operations_lists_the_variables_that_the_settings_read() -> None:
    settings = ast.parse((ROOT / "config" / "settings.py").read_text())
    read = {
        node.args[0].value
        for node in ast.walk(settings)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
    }
    listed = re.findall(r"^\| `([A-Z0-9_]+)` \|", (DOCS / "operations.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(map(str, read))


def test_decisions_are_numbered_one_by_one_and_say_why_and_what_follows() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]
    assert numbers == list(range(1, len(DECISIONS) + 1))
    for number, page in zip(numbers, DECISIONS, strict=True):
        title, *rest = headings_of(page)
        assert title.startswith(f"{number}. ")
        assert rest == ["Context", "Decision", "Consequences"]


def test_the_changelog_begins_with_one_head_for_what_is_unreleased() -> None:
    heads = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert heads.count("Unreleased") == 1
