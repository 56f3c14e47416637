"""`embedded/install.sh`: what is up to date is skipped, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from embedded.programs import ROOT

SMALL, LARGE = "requirements-embedded.txt", "requirements-dev.txt"
# Notes what it is to install, and is the real Python for all else.
FAKE_PYTHON = f"""#!/bin/sh
case "$*" in *"pip install"*) for last in "$@"; do :; done; echo "$last" >> installed; exit 0;; esac
exec "{sys.executable}" "$@"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with two requirement files, the large one holding the small one's pins, and an environment."""
    (tmp_path / SMALL).write_text("a==1 \\\n    --hash=sha256:aa\n")
    (tmp_path / LARGE).write_text("a==1 \\\n    --hash=sha256:aa\nb==2 \\\n    --hash=sha256:bb\n")
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    return tmp_path


def test_a_file_is_installed_once_and_again_when_it_changes(project: Path) -> None:
    assert installed(project, SMALL, SMALL) == [SMALL]
    (project / SMALL).write_text("a==2 \\\n    --hash=sha256:cc\n")
    assert installed(project, SMALL) == [SMALL]


def test_a_file_that_another_holds_is_installed_with_it(project: Path) -> None:
    assert installed(project, LARGE, SMALL, LARGE) == [LARGE]


def test_a_file_with_another_pin_is_installed_and_makes_the_first_one_stale(project: Path) -> None:
    (project / SMALL).write_text("a==3 \\\n    --hash=sha256:cc\n")
    assert installed(project, LARGE, SMALL, LARGE) == [LARGE, SMALL, LARGE]


def installed(project: Path, *files: str) -> list[str]:
    """Run the script for one file after another; what it had pip install this time."""
    note = project / "installed"
    note.unlink(missing_ok=True)
    for file in files:
        subprocess.run(["sh", ROOT / "embedded" / "install.sh", "venv", file], cwd=project, check=True)
    return note.read_text().split()
