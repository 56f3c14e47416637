"""The commands, as people and cron jobs give them, against the running product."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from satchel.api import Api
from satchel.cli import downloading
from satchel.cli.app import app
from typer.testing import CliRunner, Result

from embedded.programs import ROOT, wait_until
from tests.product import Product

pytestmark = pytest.mark.timeout(240)

CAST = """
from accounts.models import User
from submissions.services import make_group
demo = User.objects.get(username="alice")
make_group(user=User.objects.create(username="core", password=demo.password), name="Core Facility")
"""


@dataclass
class Satchel:
    """The command, as somebody who is logged in gives it; a home of its own keeps the token."""

    environment: dict[str, str]
    url: str

    def __call__(self, *arguments: str | Path, code: int = 0, stdin: str | None = None, **more: str) -> Result:
        """Run it; fails unless it ends with `code`."""
        result = CliRunner().invoke(app, [str(one) for one in arguments], input=stdin, env={**self.environment, **more})
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str | Path, code: int = 0, **more: str) -> Any:
        """What it prints with `--json`, which has to be all that is on stdout."""
        return json.loads(self(*arguments, "--json", code=code, **more).stdout)


@pytest.fixture(scope="module")
def satchel(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Satchel:
    """A member of one group that no other test knows, logged in by password from stdin."""
    command = [sys.executable, "manage.py", "shell", "--command", CAST]
    subprocess.run(command, cwd=ROOT, env=product.environment, check=True, capture_output=True)
    environment = {"XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("home")), "COLUMNS": "200"}
    logged_in = Satchel(environment, product.base_url)
    logged_in("login", "--url", product.base_url, "--username", "core", stdin="satchel-demo\n")
    return logged_in


@pytest.fixture
def api(satchel: Satchel) -> Iterator[Api]:
    """The API as the same person."""
    with Api(satchel.url) as anonymous:
        token = anonymous.log_in("core", "satchel-demo")["access"]
    with Api(satchel.url, token) as core:
        yield core


def fastq(reads: int, mate: int = 1) -> bytes:
    """FASTQ that was never there before."""
    draw = random.Random()
    letters = [draw.randbytes(60).translate(b"ACGT" * 64) for _ in range(reads)]
    return b"".join(b"@r%d/%d\n%s\n+\n%s\n" % (at, mate, line, b"F" * 60) for at, line in enumerate(letters))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two samples, with a table, sequences, and a folder of folders for the one and the other category."""
    for sample in ("s1", "s2"):
        (tmp_path / "files/rawReads" / sample).mkdir(parents=True)
        for mate in (1, 2):
            path = tmp_path / "files/rawReads" / sample / f"{sample}_R{mate}.fastq.gz"
            path.write_bytes(gzip.compress(fastq(20, mate)))
        (tmp_path / "files/rawReads" / sample / ".DS_Store").write_bytes(b"")
    (tmp_path / "files/supplementary/s2").mkdir(parents=True)
    (tmp_path / "files/supplementary/s2/gel [1].png").write_bytes(random.randbytes(3_000))
    (tmp_path / "t.tsv").write_text("id\tcountry\ns1\tUganda\ns2\t\n")
    (tmp_path / "s.fa").write_text(">s1\nACGT\n>s2\nGGCC\n")
    return tmp_path


def submit(run: Path, *more: str | Path) -> list[str | Path]:
    return ["submit", run / "t.tsv", run / "s.fa", "--organism", "ebola-sudan", *more]


def test_a_run_goes_from_the_folder_to_everybody_and_back(satchel: Satchel, run: Path) -> None:
    command = submit(run, "--files", run / "files", "--wait")
    first = satchel.json(*command)
    assert first["status"] == "ACCEPTED"
    names = {entry["submissionId"]: sorted(file["name"] for file in entry["files"]) for entry in first["entries"]}
    assert names == {
        "s1": ["s1_R1.fastq.gz", "s1_R2.fastq.gz"],
        "s2": ["gel [1].png", "s2_R1.fastq.gz", "s2_R2.fastq.gz"],
    }
    again = satchel(*command)
    assert f"were submission {first['id']}, within the last 24 hours" in again.stderr
    assert "Add --again to submit them anew." in again.stderr
    assert "5 files uploaded, 0 bytes sent" in again.stderr

    entries = [f"{entry['accession']}.{entry['version']}" for entry in first["entries"]]
    satchel("release", "--submission", str(first["id"]), code=2)  # nobody can be asked
    released = satchel.json("release", "--submission", str(first["id"]), "--yes")["released"]
    assert [f"{one['accession']}.{one['version']}" for one in released] == entries

    anybody = Satchel({"XDG_CONFIG_HOME": str(run / "nobody")}, satchel.url)
    accessions = [entry.split(".")[0] for entry in entries]
    anybody("download", *accessions, "--to", run / "back", "--url", satchel.url, "--organism", "ebola-sudan")
    sent = {
        path.name: path.read_bytes() for path in (run / "files").rglob("*") if path.is_file() and path.name[0] != "."
    }
    back = {path.name: path.read_bytes() for path in (run / "back").rglob("*") if path.is_file()}
    assert back == sent

    satchel("receipt", str(first["id"]), "-o", run / "receipt.txt")
    receipt = satchel.json("receipt", str(first["id"]))
    for entry in receipt["entries"]:
        for file in entry["files"]:
            path = f"{file['category']}/{entry['submissionId']}/{file['name']}"
            assert f"{file['sha256']}  {path}" in (run / "receipt.txt").read_text()


def test_the_same_command_again_submits_nothing_twice_but_for_again(satchel: Satchel, run: Path) -> None:
    command = submit(run, "--files", f"rawReads={run / 'files/rawReads'}")
    first = satchel.json(*command)
    number = first["submission"]
    assert not first["isRepeated"]
    moved = run / "moved"
    (run / "files").rename(moved)
    command = submit(run, "--files", f"rawReads={moved / 'rawReads'}")
    assert satchel.json(*command) == {**first, "isRepeated": True}
    assert satchel.json(*command, "--again")["submission"] > number
    (moved / "rawReads/s1/s1_R1.fastq.gz").write_bytes(gzip.compress(fastq(21)))
    assert satchel.json(*command)["submission"] > number


def test_everything_that_is_wrong_is_told_before_a_byte_moves(satchel: Satchel, run: Path, api: Api) -> None:
    raw = run / "files/rawReads"
    (raw / "S3").mkdir()
    (raw / "S3/x.fastq").write_bytes(b"")
    (run / "t.tsv").write_text("id\tfiles.nothing\ns1\ns2\ns1\n")
    (run / "s.fa").write_text(">s1\nAC\n>s9\nAC\n")
    before = [file["fileId"] for file in api.files(api.groups()[0]["id"])]
    error = satchel.json(*submit(run, "--files", f"rawReads={raw}"), code=1)["error"]
    found = {problem["code"] for problem in error["errors"]}
    assert found == {"id_duplicate", "ids_unmatched", "category_unknown", "submission_id_unknown"}
    assert [file["fileId"] for file in api.files(api.groups()[0]["id"])] == before


def test_what_a_look_at_the_files_shows_is_told_with_its_file(satchel: Satchel, run: Path) -> None:
    raw = run / "files/rawReads"
    packed = (raw / "s1/s1_R1.fastq.gz").read_bytes()
    (raw / "s1/s1_R1.fastq.gz").write_bytes(packed[:-9])
    (raw / "s2/notes.txt").write_text("hello")
    result = satchel(*submit(run, "--files", f"rawReads={raw}"), code=1)
    assert "Nothing was sent: 2 problems." in result.stderr
    place = f"rawReads/s1/s1_R1.fastq.gz, rawReads, byte {len(packed) - 9:,}: "
    assert f"{place}The gzip file is cut short" in result.stderr
    assert "rawReads/s2/notes.txt, rawReads: Line 1, in record 1, does not begin with @" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("option", ["--wait", "--dry-run"])
def test_what_the_server_finds_in_the_documents_is_told_with_what_the_files_show_before_a_byte_moves(
    satchel: Satchel, run: Path, api: Api, option: str
) -> None:
    (run / "s.fa").write_text(">s1\nACGT\n>s2\nGG9C\n")
    (run / "files/rawReads/s1/s1_R1.fastq.gz").write_bytes(b"hello")
    before = [file["fileId"] for file in api.files(api.groups()[0]["id"])]
    error = satchel.json(*submit(run, "--files", run / "files", option), code=1)["error"]
    assert {problem["code"] for problem in error["errors"]} == {"fastq_header", "sequence_invalid"}
    [of_server] = [problem for problem in error["errors"] if problem["code"] == "sequence_invalid"]
    assert (of_server["line"], of_server["field"]) == (4, "sequenceFile")
    assert [file["fileId"] for file in api.files(api.groups()[0]["id"])] == before


def test_a_revision_keeps_the_files_that_are_not_named(satchel: Satchel, run: Path) -> None:
    first = satchel.json(*submit(run, "--files", run / "files", "--wait"))
    satchel("release", "--submission", str(first["id"]), "--yes")
    entries = [entry["accession"] for entry in first["entries"]]
    (run / "t.tsv").write_text(f"id\taccession\nn1\t{entries[0]}\nn2\t{entries[1]}\n")
    (run / "s.fa").write_text(">n1\nACGT\n>n2\nGGCC\n")
    (run / "new/n2").mkdir(parents=True)
    (run / "new/n2/gel.png").write_bytes(random.randbytes(2_000))
    command = ["revise", *submit(run, "--files", f"supplementary={run / 'new'}")[1:]]
    planned = satchel(*command, "--dry-run").stderr
    assert "rawReads: carried over, as far as the version before has files: “n1”, “n2”" in planned
    assert "supplementary: carried over, as far as the version before has files: “n1”\n" in planned
    revised = satchel.json(*command, "--wait")
    names = {entry["submissionId"]: sorted(file["name"] for file in entry["files"]) for entry in revised["entries"]}
    assert names == {"n1": ["s1_R1.fastq.gz", "s1_R2.fastq.gz"], "n2": ["gel.png", "s2_R1.fastq.gz", "s2_R2.fastq.gz"]}
    assert [(entry["accession"], entry["version"]) for entry in revised["entries"]] == [(one, 2) for one in entries]
    shown = satchel.json("entry", entries[1])
    assert (shown["version"], shown["submission"]) == (2, revised["id"])
    (run / "new/n2/gel.png").write_bytes(random.randbytes(2_001))
    error = satchel.json(*command, code=1)["error"]
    assert [problem["code"] for problem in error["errors"]] == ["entry_not_released"] * 2


def test_entries_are_withdrawn_and_a_submission_without_any_is_exit_1(satchel: Satchel, run: Path) -> None:
    made = satchel.json(*submit(run))
    first, second = (f"{entry['accession']}.{entry['version']}" for entry in made["entries"])
    assert f"{first} of ebola-sudan, “s1”, is ACCEPTED." in satchel("entry", first).stderr
    satchel("withdraw", first, code=2)  # nobody can be asked
    satchel("withdraw", first, "--yes")
    number = str(made["submission"])
    assert "1 entry, 1 accepted, 1 withdrawn" in satchel("status", number).stderr
    document = satchel.json("withdraw", first, second, "--yes", code=1)
    assert [problem["code"] for problem in document["error"]["errors"]] == ["entry_not_found"]
    assert [f"{one['accession']}.{one['version']}" for one in document["withdrawn"]] == [second]
    document = satchel.json("status", number, "--watch", code=1)
    assert (document["status"], document["error"]["code"]) == ("WITHDRAWN", "entries_withdrawn")


def test_a_dry_run_shows_the_plan_and_sends_nothing(satchel: Satchel, run: Path, api: Api) -> None:
    before = [file["fileId"] for file in api.files(api.groups()[0]["id"])]
    plan = satchel.json(*submit(run, "--files", run / "files", "--dry-run"))["plan"]
    assert {(file["submissionId"], file["category"]) for file in plan["files"]} == {
        ("s1", "rawReads"),
        ("s2", "rawReads"),
        ("s2", "supplementary"),
    }
    assert sorted(plan["leftOut"]) == ["rawReads/s1/.DS_Store", "rawReads/s2/.DS_Store"]
    assert plan["withoutFiles"] == {"supplementary": ["s1"]}
    assert [file["fileId"] for file in api.files(api.groups()[0]["id"])] == before


def test_cells_of_the_table_name_folders_and_uploaded_files(satchel: Satchel, run: Path) -> None:
    [uploaded] = satchel.json("upload", run / "files/supplementary/s2/gel [1].png")["files"]
    header = "id\tfiles.rawReads\tcountry\tfiles.supplementary\n"
    rows = [f"hCoV/1\ts1\tUganda\tgel.png:{uploaded['fileId']}\n", "hCoV/2\ts2/s2_R1.fastq.gz\t\t\n"]
    (run / "t.tsv").write_text(header + "".join(rows))
    (run / "s.fa").write_text(">hCoV/1\nACGT\n>hCoV/2\nGGCC\n")
    command = submit(run, "--files", f"rawReads={run / 'files/rawReads'}", "--leave-out-unmatched", "--wait")
    first, second = satchel.json(*command)["entries"]
    assert sorted(file["name"] for file in first["files"]) == ["gel.png", "s1_R1.fastq.gz", "s1_R2.fastq.gz"]
    assert [file["name"] for file in second["files"]] == ["s2_R1.fastq.gz"]


def test_what_only_the_verifier_finds_is_told_with_its_entry_and_is_exit_1(satchel: Satchel, run: Path) -> None:
    path = run / "files/rawReads/s1/s1_R1.fastq.gz"
    packed = bytearray(gzip.compress(fastq(20_000), 1))
    packed[-8] ^= 0xFF  # its checksum, far behind what the client looks at
    path.write_bytes(packed)
    result = satchel(*submit(run, "--files", run / "files", "--wait"), code=1)
    assert "PARTLY_ACCEPTED" in result.stderr
    assert "s1_R1.fastq.gz, s1, rawReads" in result.stderr
    assert "[fastq_gzip_crc_mismatch]" in result.stderr
    number = result.stderr.split("Submitted as submission ")[1].split(":")[0]
    document = satchel.json("status", number, "--watch", code=1)
    assert document["counts"]["rejected"] == 1
    assert [problem["code"] for problem in document["error"]["errors"]] == ["fastq_gzip_crc_mismatch"]


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
    command = [sys.executable, "-m", "satchel", "upload", str(path), "--parallel", "1"]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    group_id = api.groups()[0]["id"]

    def begun() -> list[str]:
        return [one["fileId"] for one in api.files(group_id, attached=False) if one["claims"]["name"] == path.name]

    assert wait_until(lambda: bool(begun()), 60), "no upload has begun"
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "The same command goes on where it stopped." in said
    satchel("discard", *begun())
