"""A person at a terminal who has a page of the documentation, curl, jq and little else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

PROGRAMS = ("bash", "curl", "jq")
EVERYWHERE = (
    *("basename", "cp", "cut", "grep", "gzip", "find", "head", "mkdir", "mktemp", "mv", "paste", "rm", "sha256sum"),
    *("sleep", "split", "tail", "tr"),
)
"""What every system with a shell has."""
SCRIPT_TIMEOUT = 200
"""Seconds; below that of a test, which would not show what the script has written."""
PLACEHOLDER = re.compile(r"<[A-Za-z][^<>\n]*>")
HEADERS_END = "\n\n"  # curl writes CRLF, which `subprocess` turns into LF


def bash_blocks(page: Path) -> list[str]:
    """The calls on a page, in order."""
    return re.findall(r"^```bash\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


class Terminal:
    """A folder, and what its user has noted down so far: the values of placeholders, without their brackets."""

    def __init__(self, folder: Path, **noted: str) -> None:
        self.folder = folder
        self.noted = dict(noted)
        self._programs = folder / "bin"
        self._programs.mkdir()
        for name in (*PROGRAMS, *EVERYWHERE):
            found = shutil.which(name)
            assert found is not None, f"the tests need {name}"
            (self._programs / name).symlink_to(found)

    def run(self, text: str) -> str:
        """Fill in the placeholders, run the call, and return its answer; headers and all if it shows them."""
        for name, value in self.noted.items():
            text = text.replace(f"<{name}>", value)
        assert not PLACEHOLDER.search(text), f"something is not filled in in\n{text}"
        done = self.run_script(text)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run_script(self, text: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script as it stands, with arguments and environment variables, however it ends."""
        script = self.folder / "script.sh"
        script.write_text(text)
        return subprocess.run(
            ["bash", str(script), *arguments],
            cwd=self.folder,
            env={"PATH": str(self._programs), "HOME": str(self.folder), "TMPDIR": str(self.folder), **variables},
            input="",
            capture_output=True,
            text=True,
            check=False,
            timeout=SCRIPT_TIMEOUT,
        )

    def jq(self, path: str, answer: str) -> str:
        """What jq takes out of a JSON answer, or out of one behind its headers."""
        body = answer.rsplit(HEADERS_END, 1)[-1]
        return subprocess.run(
            ["jq", "--exit-status", "--raw-output", path],
            input=body,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def header(self, name: str, answer: str) -> str:
        """The last value of a header in an answer that shows its headers."""
        found = re.findall(rf"^{name}: *(.+)", answer, re.IGNORECASE | re.MULTILINE)
        assert found, f"no header {name} in\n{answer}"
        return str(found[-1])

    def sha256sum(self, name: str) -> str:
        """What sha256sum says of a file of the folder."""
        return self.run(f"sha256sum {name}").split()[0]
