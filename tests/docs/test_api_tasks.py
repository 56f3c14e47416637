"""The blocks of docs/api-tasks.md as somebody pastes them into one shell, against the running product."""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from embedded.programs import ROOT
from tests.docs.terminal import Terminal, bash_blocks
from tests.product import Product

PAGE = ROOT / "docs" / "api-tasks.md"
SCRIPT = "#!/bin/bash\n"
STRICT = "set -euo pipefail\n"
"""What a person sees who looks at each answer, a script has to be told."""
WHO = {"SATCHEL_USER": "alice", "SATCHEL_PASSWORD": "satchel-demo", "GROUP": "1", "ORGANISM": "ebola-sudan"}


@pytest.fixture
def terminal(product: Product, tmp_path: Path) -> Terminal:
    """Alice's terminal, in an empty folder, with the client installed."""
    at = Terminal(tmp_path)
    program = tmp_path / "bin" / "satchel"
    program.write_text(f'#!/bin/bash\nPYTHONPATH={ROOT}/client/src exec {sys.executable} -m satchel "$@"\n')
    program.chmod(0o755)
    return at


def blocks_with(program: str) -> list[str]:
    """The blocks that call this program, and those that call neither curl nor the client, in order."""
    called = {block: set(re.findall(r"^ *(curl|satchel)\b", block, re.MULTILINE)) for block in bash_blocks(PAGE)}
    return [block for block, names in called.items() if names <= {program} and not block.startswith(SCRIPT)]


def log_in_block() -> str:
    """The one that gets a token for username and password."""
    return next(block for block in bash_blocks(PAGE) if block.startswith("TOKEN="))


def run(terminal: Terminal, product: Product, script: str, *arguments: str, **variables: str) -> str:
    """What a script of the page writes; it has to end well."""
    done = terminal.run_script(script, *arguments, BASE=f"{product.base_url}/api", **WHO, **variables)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def written(terminal: Terminal, name: str) -> Any:
    """A JSON file that a block has written."""
    return json.loads((terminal.folder / name).read_text())


def test_the_tasks_can_be_done_one_after_another_with_curl(terminal: Terminal, product: Product) -> None:
    output = run(terminal, product, STRICT + "".join(blocks_with("curl")))

    entries = written(terminal, "entries.json")
    assert [entry["submissionId"] for entry in entries] == ["sample-1", "sample-2", "sample-3"]
    assert {entry["status"] for entry in written(terminal, "submission.json")["entries"]} == {"ACCEPTED"}
    released = [{"accession": entry["accession"], "version": 1} for entry in entries[:2]]
    assert written(terminal, "release.json") == {"accessionVersions": released}
    assert [(entry["accession"], entry["version"]) for entry in written(terminal, "revised.json")] == [
        (entries[0]["accession"], 2)
    ]
    original = terminal.folder / "rawReads/sample-1/sample-1_R1.fastq.gz"
    assert (terminal.folder / "downloaded.fastq.gz").read_bytes() == original.read_bytes()
    # The one that was corrected is compared too, and those of the withdrawn entry are not in the receipt.
    assert output.count(": OK\n") == 6


def test_the_tasks_can_be_done_one_after_another_with_the_client(terminal: Terminal, product: Product) -> None:
    old = "echo old > old.txt; OLD=$(satchel upload old.txt --json | jq -r '.files[0].fileId')\n"
    example, login, *tasks = blocks_with("satchel")
    script = [STRICT, log_in_block(), example, login, "export SATCHEL_GROUP=$GROUP\n", old, *tasks]
    output = run(terminal, product, "".join(script))

    (downloads,) = (terminal.folder / "downloads").iterdir()
    submitted = written(terminal, "submitted.json")
    assert downloads.name == f"{submitted['entries'][0]['accession']}.1"
    for name in ("rawReads/sample-1_R2.fastq.gz", "supplementary/graph.gfa", "supplementary/notes.txt"):
        category, _, file = name.partition("/")
        original = terminal.folder / category / "sample-1" / file
        assert (downloads / name).read_bytes() == original.read_bytes()
    assert terminal.run("sha256sum -c receipt.sha256").count(": OK\n") == 6
    assert "old.txt" in output


def run_folder(folder: Path) -> None:
    """A run of two samples, one of whose files is cut short."""
    for sample in ("s1", "s2"):
        (folder / "rawReads" / sample).mkdir(parents=True)
        (folder / "rawReads" / sample / "reads 1.fastq.gz").write_bytes(gzip.compress(b"@r1\nACGT\n+\nFFFF\n"))
    (folder / "rawReads/s2/cut.fastq.gz").write_bytes(gzip.compress(b"@r1\nACGT\n+\nFFFF\n")[:-4])
    (folder / "metadata.tsv").write_text("id\ns1\ns2\n")
    (folder / "sequences.fasta").write_text(">s1\nACGT\n>s2\nGGCC\n")


def test_the_nightly_script_submits_a_run_once_however_often_it_was_cut_off(
    terminal: Terminal, product: Product
) -> None:
    folder = terminal.folder / "run-7"
    run_folder(folder)
    (script,) = (block for block in bash_blocks(PAGE) if block.startswith(SCRIPT))
    token = run(terminal, product, f'{STRICT}{log_in_block()}echo "$TOKEN"').strip()

    output = run(terminal, product, script, "run-7", TOKEN=token)
    assert output.startswith("s2 was rejected. ")
    receipt = (folder / "receipt.sha256").read_text()
    assert re.findall(r"^[0-9a-f]{64}  (.+)$", receipt, re.MULTILINE) == ["rawReads/s1/reads 1.fastq.gz"]

    number = (folder / "number").read_text()
    (folder / "number").unlink()  # as if it had died right before
    (folder / "receipt.sha256").unlink()
    run(terminal, product, script, "run-7", TOKEN=token)
    assert (folder / "number").read_text() == number
    assert (folder / "receipt.sha256").read_text() == receipt
    assert run(terminal, product, script, "run-7", TOKEN=token) == ""


def test_the_nightly_script_tells_why_a_run_is_refused(terminal: Terminal, product: Product) -> None:
    folder = terminal.folder / "run-8"
    run_folder(folder)
    (folder / "metadata.tsv").write_text("id\ns1\nS2\n")
    (script,) = (block for block in bash_blocks(PAGE) if block.startswith(SCRIPT))
    token = run(terminal, product, f'{STRICT}{log_in_block()}echo "$TOKEN"').strip()

    done = terminal.run_script(script, "run-8", BASE=f"{product.base_url}/api", TOKEN=token, **WHO)
    assert done.returncode == 1
    assert "submission_id_unknown\ts2\t" in done.stdout
    assert not (folder / "number").exists()
