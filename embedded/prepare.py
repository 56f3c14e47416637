"""Brings database, static files and demo up to date: `python -m embedded.prepare`, safe to repeat."""

from __future__ import annotations

import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from embedded.programs import ROOT


def main() -> None:
    """Migrate, collect static files if any has changed, load the demo."""
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    collect_static_files()
    call_command("load_demo", verbosity=0)


def collect_static_files() -> None:
    """Collect (hash and compress) static files, unless what was collected came from the very same ones."""
    root = Path(settings.STATIC_ROOT)
    stamp = root.with_name(f"{root.name}.stamp")
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint and root.is_dir():
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=root.is_dir())
    stamp.write_text(fingerprint)


def static_fingerprint() -> str:
    """A digest of all that collecting depends on: each file's name and content, and how they are stored."""
    from django.contrib.staticfiles.finders import get_finders  # noqa: PLC0415 - needs the settings

    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    digest.update((ROOT / "config" / "staticfiles.py").read_bytes())
    for finder in get_finders():
        for name, storage in finder.list([]):
            content = Path(storage.path(name)).read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
