"""The examiner of files in Chromium: in Workers with a policy of their own, from the hashed names of production."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.fixtures import FASTQ_GZ

pytestmark = pytest.mark.browser

MIB = 1024 * 1024
# Makes `examiner`, and `examined(file, contentCheck)` with all that it tells of a file.
START = """async ({examiner, workerUrl}) => {
    const { Examiner } = await import(examiner);
    const signal = new AbortController().signal;
    window.examiner = new Examiner({workerUrl});
    window.examined = async (file, contentCheck) => {
        const {fingerprint, head, whole} = window.examiner.examine(file, {contentCheck, signal});
        return {fingerprint: await fingerprint, ...(await head), ...(await whole), head: (await head).problem};
    };
}"""
# So many small files, and the longest task of the page meanwhile, in ms.
MANY = """async (number) => {
    const tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({type: "longtask"});
    const one = (at) => new File([`@r${at}\\nACGT\\n+\\nIIII\\n`], `${at}.fastq`);
    const files = Array.from({length: number}, (_, at) => one(at));
    const verdicts = await Promise.all(files.map((file) => window.examined(file, "fastq")));
    return {
        names: verdicts.every(({firstRead}, at) => firstRead.name === `r${at}`),
        problems: verdicts.filter(({problem}) => problem).length,
        longest: Math.max(0, ...tasks.map(({duration}) => duration)),
    };
}"""
WEBASSEMBLY_HERE = """() => WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(
    () => "compiled", (error) => error.name)"""


@pytest.fixture
def examining(page: Page) -> Page:
    """A page of the product on which the examiner is there to be called."""
    page.goto("/login")
    paths = page.request.get("/static/staticfiles.json").json()["paths"]
    urls = {
        "examiner": f"/static/{paths['files/examiner.js']}",
        "workerUrl": f"/static/{paths['files/examining/worker.js']}",
    }
    page.evaluate(START, urls)
    return page


def examine_from_disk(page: Page, path: Path, check: str, *, between: str = "") -> dict[str, Any]:
    """Choose a file as a submitter does, and examine it; `between` is appended to the file before it is read."""
    page.evaluate("""() => {
        const input = Object.assign(document.createElement("input"), {type: "file", id: "chosen"});
        document.querySelector("main").append(input);
    }""")
    page.set_input_files("#chosen", path)
    if between:
        with path.open("a") as file:
            file.write(between)
    found: dict[str, Any] = page.evaluate(
        """(check) => window.examined(document.querySelector("#chosen").files[0], check).catch(
            ({name}) => ({name}))""",
        check,
    )
    return found


def test_a_worker_may_compile_webassembly_and_the_page_may_not(examining: Page, page_errors: list[str]) -> None:
    content = bytes(range(251)) * 20_000
    verdict = examining.evaluate(
        "() => window.examined(new Blob([Uint8Array.from({length: 251 * 20000}, (_, at) => at % 251)]), '')"
    )
    assert verdict["sha256"] == hashlib.sha256(content).hexdigest()
    ends = content[:MIB] + content[-MIB:]
    assert verdict["fingerprint"] == hashlib.sha256(str(len(content)).encode() + ends).hexdigest()

    assert page_errors == []
    assert examining.evaluate(WEBASSEMBLY_HERE) == "CompileError"
    page_errors.clear()


def test_a_chosen_file_is_read_and_a_cut_one_refused(examining: Page, tmp_path: Path) -> None:
    good, cut = tmp_path / "good.fastq.gz", tmp_path / "cut.fastq.gz"
    good.write_bytes(FASTQ_GZ)
    cut.write_bytes(FASTQ_GZ[:-6])
    verdict = examine_from_disk(examining, good, "fastq")
    assert (verdict["head"], verdict["problem"]) == (None, None)
    assert verdict["sha256"] == hashlib.sha256(FASTQ_GZ).hexdigest()
    assert verdict["firstRead"]["name"]

    examining.locator("#chosen").evaluate("(input) => input.remove()")
    verdict = examine_from_disk(examining, cut, "fastq")
    assert verdict["head"] == verdict["problem"]
    assert (verdict["head"]["code"], verdict["head"]["offset"]) == ("fastq_gzip_truncated", len(FASTQ_GZ) - 6)


def test_a_file_that_changed_since_it_was_chosen_is_not_readable(examining: Page, tmp_path: Path) -> None:
    path = tmp_path / "reads.fastq"
    path.write_text("@r\nACGT\n+\nIIII\n")
    assert examine_from_disk(examining, path, "fastq", between="@s\nA\n+\nI\n") == {"name": "NotReadableError"}


def test_a_thousand_small_files_leave_the_page_responsive(examining: Page) -> None:
    found = examining.evaluate(MANY, 1000)
    assert (found["names"], found["problems"]) == (True, 0)
    assert found["longest"] < 200


def test_scripts_have_policies_and_only_the_worker_may_compile(page: Page) -> None:
    paths = page.request.get("/static/staticfiles.json").json()["paths"]
    policies = {
        path: page.request.get(f"/static/{paths[path]}").headers.get("content-security-policy", "")
        for path in ("files/examining/worker.js", "files/examining/heads.js", "vendor/pako-3.0.3/pako.mjs", "app.css")
    }
    assert policies == {
        "files/examining/worker.js": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
        "files/examining/heads.js": "default-src 'none'",
        "vendor/pako-3.0.3/pako.mjs": "default-src 'none'",
        "app.css": "",
    }
    policy = page.request.get("/login").headers["content-security-policy"]
    assert "unsafe" not in policy
