"""The package: what its wheel holds, and what it leans on."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

from satchel import __version__

from embedded.programs import ROOT

CLIENT = ROOT / "client"
IMPORT_ALL = """
import pkgutil, sys, satchel
for module in pkgutil.walk_packages(satchel.__path__, "satchel."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
SHOW_VERSION = """
import sys
sys.argv = ["satchel", "--version"]
from satchel.cli import main
try:
    main()
except SystemExit as end:
    print(end.code, *sorted(sys.modules))
"""


def run(code: str) -> str:
    """What the code prints, run where nothing but the client is on the path."""
    command = [sys.executable, "-W", "error", "-c", code]
    path = {"PYTHONPATH": str(CLIENT / "src")}
    return subprocess.run(command, cwd=CLIENT, env=path, check=True, capture_output=True, text=True).stdout


def test_the_wheel_has_all_modules_and_the_command_and_is_built_without_the_network(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(CLIENT)], check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    modules = {str(path.relative_to(CLIENT / "src")) for path in (CLIENT / "src").rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        about = f"satchel-{__version__}.dist-info"
        assert {name for name in names if not name.startswith(about)} == modules
        metadata = Parser().parsestr(archive.read(f"{about}/METADATA").decode())
        entry_points = archive.read(f"{about}/entry_points.txt").decode()
    assert "satchel = satchel.cli:main" in entry_points
    needed = {requirement.split(">")[0].split("<")[0] for requirement in metadata.get_all("Requires-Dist", [])}
    assert needed == {"httpx", "python-calamine", "rich", "typer", "zstandard"}


def test_the_client_imports_nothing_of_the_server() -> None:
    imported = set(run(IMPORT_ALL).split())
    ours = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert imported & {"django", "boto3", "botocore", "rest_framework", "isal", *ours} == set()


def test_the_version_is_told_before_httpx_is_imported() -> None:
    version, *rest = run(SHOW_VERSION).splitlines()
    assert version == f"satchel {__version__}"
    code, *modules = rest[0].split()
    assert code == "0"
    assert not {"httpx", "rich.progress"} & set(modules)
