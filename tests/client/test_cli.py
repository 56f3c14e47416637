"""The commands, as people and cron jobs give them, against the running product."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from satchel.api import Api
from satchel.cli import downloading

from embedded.programs import ROOT, wait_until
from tests.client.commands import Satchel, submit
from tests.client.conftest import Server

pytestmark = pytest.mark.timeout(240)


def test_files_are_uploaded_listed_and_discarded(satchel: Satchel, tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    for number in range(3):
        (tmp_path / f"f/{number}.bin").write_bytes(random.randbytes(1_000))
    uploaded = satchel.json("upload", tmp_path / "f", "--wait")["files"]
    ids = {file["fileId"] for file in uploaded}
    rows = [line.split("\t") for line in satchel("files", "--unattached", "--status", "VERIFIED").stdout.splitlines()]
    assert ids <= {row[0] for row in rows}
    assert satchel.json("discard", uploaded[0]["fileId"])["discarded"] == [uploaded[0]["fileId"]]
    assert satchel.json("discard", uploaded[0]["fileId"], code=1)["error"]["errors"][0]["code"] == "file_not_found"
    satchel("discard", "--unattached", code=2)  # nobody can be asked
    assert ids - {uploaded[0]["fileId"]} <= set(satchel.json("discard", "--unattached", "--yes")["discarded"])
    assert satchel("files", "--unattached").stdout == ""


def test_a_download_goes_on_where_it_stopped_and_is_compared(
    satchel: Satchel, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = random.randbytes(300_000)
    (run / "files/supplementary/s2/gel [1].png").write_bytes(content)
    entry = satchel.json(*submit(run, "--files", f"supplementary={run / 'files/supplementary'}", "--wait"))["entries"][
        1
    ]
    name = f"{entry['accession']}.1"
    partial = run / name / ".part/supplementary/gel [1].png"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(content[:200_000])
    came: list[int] = []
    monkeypatch.setattr(downloading, "_copy", counting(downloading._copy, came))
    result = satchel("download", name, "--to", run)
    assert "200 kB were here already" in result.stderr
    assert came == [100_000]
    assert (run / name / "supplementary/gel [1].png").read_bytes() == content
    assert not (run / name / ".part").exists()
    assert "here already" in satchel("download", name, "--to", run).stderr

    (run / name / "supplementary/gel [1].png").write_bytes(b"of somebody else")
    assert satchel.json("download", name, "--to", run, code=1)["error"]["errors"][0]["code"] == "file_exists"
    (run / name / "supplementary/gel [1].png").unlink()
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 300_000)
    assert satchel.json("download", name, "--to", run, code=1)["error"]["errors"][0]["code"] == "sha256_mismatch"
    satchel("download", name, "--to", run)
    assert (run / name / "supplementary/gel [1].png").read_bytes() == content


def settled_in_part(status: str) -> tuple[int, dict[str, str], bytes]:
    """The answer for a submission of this status: one entry is rejected, one is held up in its verification."""

    def entry(name: str, status: str, code: str) -> dict[str, Any]:
        problem = {"code": code, "detail": f"What is wrong with {name}."}
        file = {"category": "rawReads", "name": "a.fq", "fileId": "8f1d", "status": status, "problem": problem}
        return {"accession": f"SAT_{name}", "version": 1, "submissionId": name, "status": status, "files": [file]}

    counts = {"entries": 2, "verifying": int(status == "VERIFYING"), "accepted": 0, "rejected": 1, "withdrawn": 0}
    other = "VERIFYING" if status == "VERIFYING" else "ACCEPTED"
    entries = [entry("bad", "REJECTED", "fastq_header"), entry("slow", other, "verification_failed_internally")]
    page = {"id": 7, "status": status, "counts": counts, "entries": entries, "nextCursor": None}
    return 200, {"Content-Type": "application/json"}, json.dumps(page).encode()


def test_a_submission_that_is_being_verified_is_no_failure_whatever_is_rejected_already(
    satchel: Satchel, server: Server
) -> None:
    here = {"SATCHEL_URL": server.url, "SATCHEL_TOKEN": "satchel_x"}
    server.answers = [settled_in_part("VERIFYING")]
    result = satchel("status", "7", code=0, **here)
    assert "bad, rawReads: What is wrong with bad. [fastq_header]" in result.stderr
    assert "What is wrong with slow." not in result.stderr
    assert "error" not in satchel.json("status", "7", code=0, **here)
    server.answers = [settled_in_part("PARTLY_ACCEPTED")]
    errors = satchel.json("status", "7", code=1, **here)["error"]["errors"]
    assert [problem["code"] for problem in errors] == ["fastq_header"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["withdraw", "SAT_1.1", "--yes", "--organism", "o"],
        ["discard", "8f1d"],
        ["files", "--group", "1"],
        ["status", "7"],
    ],
)
def test_a_redirect_and_a_page_are_told_and_nothing_is_called_done(
    satchel: Satchel, server: Server, arguments: list[str]
) -> None:
    here = {"SATCHEL_URL": server.url, "SATCHEL_TOKEN": "satchel_x"}
    server.answers = [(301, {"Location": "https://127.0.0.1/"}, b"")]
    document = satchel.json(*arguments, code=2, **here)
    assert document.keys() == {"error"}
    assert document["error"]["status"] == 301
    server.answers = [(200, {"Content-Type": "text/html"}, b"<html>")]
    assert satchel.json(*arguments, code=2, **here)["error"]["code"] == "request_failed"


def test_logging_in_and_out_asks_the_server_of_the_environment(
    satchel: Satchel, server: Server, tmp_path: Path
) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path), "SATCHEL_URL": f"{server.url}/api"}
    result = satchel("login", stdin="satchel_x\n", code=0, **home)
    assert f"Logged in at {server.url};" in result.stderr
    satchel("login", "--url", f"{server.url}/other", stdin="satchel_y\n", code=0, **home)
    assert satchel.json("logout", code=0, **home) == {"url": server.url, "forgotten": True}
    home.pop("SATCHEL_URL")
    assert satchel.json("logout", code=0, **home) == {"url": f"{server.url}/other", "forgotten": True}
    assert satchel.json("logout", code=2, **home)["error"]["code"] == "not_configured"
    server.answers = [(301, {"Location": "https://127.0.0.1/"}, b"")]
    satchel("login", code=2, stdin="satchel_x\n", SATCHEL_URL=server.url, XDG_CONFIG_HOME=str(tmp_path))
    assert satchel.json("logout", "--url", server.url, code=0, **home)["forgotten"] is False


def counting(copy: Callable[[httpx.Response, Any], None], came: list[int]) -> Callable[[httpx.Response, Any], None]:
    """The same, noting how many bytes came."""

    def counted(answer: httpx.Response, target: Any) -> None:
        copy(answer, target)
        came.append(answer.num_bytes_downloaded)

    return counted


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "problem"),
    [
        (["status", "999999"], {}, 1, "submission_not_found"),
        (["files", "--group", "2"], {}, 1, "not_a_member"),
        (["files"], {"SATCHEL_GROUP": "2"}, 1, "not_a_member"),
        (["files"], {"SATCHEL_TOKEN": "satchel_no_such_token"}, 2, "token_invalid"),
        (["files"], {"XDG_CONFIG_HOME": "/nowhere"}, 2, "not_configured"),
        (["submit", __file__, __file__, "--organism", "nope"], {}, 2, "organism_not_found"),
        (["submit", __file__, "--organism", "west-nile", "--files", "."], {}, 2, "file_sharing_disabled"),
        (["submit", __file__, "--organism", "ebola-sudan", "--files", "."], {}, 2, "category_missing"),
        (["upload", __file__, "--organism", "ebola-sudan", "--category", "nope"], {}, 2, "category_unknown"),
        (["release", "SAT_99999999.1", "--yes"], {}, 1, "entry_not_found"),
        (["release", "SAT_99999999"], {}, 2, "usage"),
        (["withdraw", "SAT_99999999", "--yes"], {}, 2, "usage"),
        (["entry", "SAT_99999999"], {}, 1, "entry_not_found"),
        (["replace", "SAT_99999999.1", __file__, "--category", "rawReads"], {}, 1, "entry_not_found"),
        (["replace", "SAT_99999999", __file__, "--category", "rawReads"], {}, 2, "usage"),
        (["revise", __file__, "--organism", "west-nile", "--files", "."], {}, 2, "file_sharing_disabled"),
        (["download", "SAT_99999999"], {}, 1, "entry_not_found"),
        (["discard"], {}, 2, "usage"),
        (["login", "--url", "http://127.0.0.1:9"], {}, 2, "usage"),
    ],
)
def test_each_end_has_its_code(
    satchel: Satchel, arguments: list[str], environment: dict[str, str], code: int, problem: str
) -> None:
    assert satchel.json(*arguments, code=code, **environment)["error"]["code"] == problem


def test_a_token_that_the_server_does_not_know_is_not_kept(satchel: Satchel, tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    result = satchel("login", "--url", satchel.url, code=2, stdin="satchel_no_such_token\n", **home)
    assert "[token_invalid]" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_130_with_a_sentence_on_how_to_go_on(satchel: Satchel, tmp_path: Path, api: Api) -> None:
    path = tmp_path / f"{random.randbytes(4).hex()}.bin"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)  # takes longer to be sent than to be stopped
    environment = {**os.environ, **satchel.environment, "PYTHONPATH": str(ROOT / "client/src")}
    command = [sys.executable, "-m", "satchel", "upload", str(path), "--parallel", "1", "--json"]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    group_id = api.groups()[0]["id"]

    def begun() -> list[str]:
        return [one["fileId"] for one in api.files(group_id, attached=False) if one["claims"]["name"] == path.name]

    assert wait_until(lambda: bool(begun()), 60), "no upload has begun"
    running.send_signal(signal.SIGINT)
    document, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert json.loads(document)["error"]["code"] == "stopped"
    assert "The same command goes on where it stopped." in said
    satchel("discard", *begun())
