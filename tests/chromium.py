"""Chromium for the browser tests: `python -m tests.chromium` makes sure that there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--no-sandbox",  # which cannot work as root, nor in many a container; it only ever sees our own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find(playwright: Playwright) -> str | None:
    """The system's Chromium, else the one that Playwright has fetched before, else None."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None


def ensure() -> str:
    """The path of a Chromium, installed where there was none: by apt-get as root, else by Playwright."""
    with sync_playwright() as playwright:
        if found := find(playwright):
            return found
        if os.geteuid() == 0 and shutil.which("apt-get"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
                subprocess.run(["apt-get", "-qq", *command], env=environment, check=True)
        else:
            subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
        found = find(playwright)
    if found is None:
        sys.exit("Chromium was installed and is not to be found; put one called `chromium` into PATH.")
    return found


if __name__ == "__main__":
    print(f"Chromium for the browser tests: {ensure()}")
