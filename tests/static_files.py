"""Collected static files, kept from product to product: to hash and compress them takes seconds each time."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from embedded.place import Place
from embedded.programs import ROOT

KEPT = Path(os.environ.get("SATCHEL_VAR") or ROOT / "var") / "collected"
NAMES = ("static", "static.stamp")


def lend(place: Place) -> None:
    """Give a place what was kept, before it collects: it collects anew whatever is not up to date."""
    if not KEPT.is_dir():
        return
    try:
        copy(KEPT, place.var)
    except OSError:  # another session puts a newer one there just now
        shutil.rmtree(place.var / NAMES[0], ignore_errors=True)


def keep(place: Place) -> None:
    """Keep what a place has collected, for others and for other sessions."""
    if KEPT.is_dir() and (KEPT / NAMES[1]).read_bytes() == (place.var / NAMES[1]).read_bytes():
        return
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=KEPT.parent, prefix="collected-"))
    copy(place.var, new / "new")
    with suppress(OSError):  # another session is at the same, and either may have it
        if KEPT.is_dir():
            KEPT.rename(new / "old")
        (new / "new").rename(KEPT)
    shutil.rmtree(new)


def copy(source: Path, target: Path) -> None:
    """Both the folder and the stamp that says what it was made from."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source / NAMES[0], target / NAMES[0], dirs_exist_ok=True)
    shutil.copy(source / NAMES[1], target / NAMES[1])
