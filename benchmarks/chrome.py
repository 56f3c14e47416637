"""Chromium that nobody watches while it is measured: to tell of each request takes it a good part of its time."""

from __future__ import annotations

import html
import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

from embedded.programs import Lifeline, Program, RunningProgram, wait_until
from tests import chromium

PATIENCE = 300.0  # seconds
LOOK_EVERY = 0.2  # seconds
# A page is not slowed down for want of a window.
FLAGS = ("--headless", "--disable-background-timer-throttling", "--disable-renderer-backgrounding")
NOTE = """void (%s).then(
  (value) => (document.title = JSON.stringify({ value })),
  (error) => (document.title = JSON.stringify({ error: String(error) })),
)"""


@dataclass(frozen=True)
class Chrome:
    """A fresh Chromium with one `page`, watched until `noted` is asked; it listens on `port`."""

    page: Page
    browser: Browser
    port: int

    def note(self, promise: str) -> None:
        """Have the page note what a promise, an expression of JavaScript, comes to."""
        self.page.evaluate(NOTE % promise)

    def choose(self, selector: str, paths: Sequence[Path]) -> None:
        """Choose files for an input, as the system does it: Playwright would send their bytes to the browser first."""
        session = self.page.context.new_cdp_session(self.page)
        found = session.send("Runtime.evaluate", {"expression": f"document.querySelector({json.dumps(selector)})"})
        files = {"files": [str(path) for path in paths], "objectId": found["result"]["objectId"]}
        session.send("DOM.setFileInputFiles", files)

    def noted(self) -> Any:
        """Let go of the page, and wait for what it notes. Raises `RuntimeError` with why there will be nothing."""
        self.browser.close()  # the connection; the page stays
        notes: list[str] = []

        def is_there() -> bool:
            notes[:] = self._titles_in_json()
            if not notes:
                time.sleep(LOOK_EVERY)  # nobody tells us; and whoever asks more often takes its time
            return bool(notes)

        if not wait_until(is_there, PATIENCE):
            raise RuntimeError("The page noted nothing.")
        note = json.loads(notes[0])
        if "error" in note:
            raise RuntimeError(note["error"])
        return note["value"]

    def _titles_in_json(self) -> list[str]:
        """Asked of the browser, not of the page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/list") as answer:
            titles = [html.unescape(page["title"]) for page in json.load(answer)]
        return [title for title in titles if title.startswith("{")]


@contextmanager
def fresh_chrome(playwright: Playwright, lifeline: Lifeline, *, bypass_csp: bool = False) -> Iterator[Chrome]:
    """A Chromium in a profile of its own, ended with the block."""
    with tempfile.TemporaryDirectory(prefix="satchel-chrome-", ignore_cleanup_errors=True) as profile:
        path = chromium.find(playwright)
        assert path is not None
        flags = (*chromium.FLAGS, *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}")
        program = Program("chromium", (path, *flags, "about:blank"), os.environ)
        running = RunningProgram(program, log=Path(profile) / "log", lifeline=lifeline)
        try:
            told = Path(profile) / "DevToolsActivePort"
            running.wait_until_ready(lambda: told.exists() and bool(told.read_text()), seconds=60)
            port = int(told.read_text().splitlines()[0])
            browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
            [page] = browser.contexts[0].pages
            page.set_default_timeout(PATIENCE * 1000)
            if bypass_csp:
                page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
            yield Chrome(page, browser, port)
        finally:
            running.stop()
