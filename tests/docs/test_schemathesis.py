"""The running product does what its OpenAPI document says, whatever it is sent: https://schemathesis.readthedocs.io.

The calls are the same in each run. Others come with `SCHEMATHESIS="--max-examples 200 --seed 1"` in the environment.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from itertools import chain
from pathlib import Path
from string import Template

import pytest

from embedded.programs import wait_until
from tests import web
from tests.product import Product

CONFIG = Path(__file__).with_name("schemathesis.toml")
MANY = 30
THE_SAME_EACH_TIME = "--max-examples 8 --generation-deterministic"


def prepare(base_url: str) -> dict[str, str]:
    """What the configuration names: a token of alice's, files that no entry has, and entries with a file.

    Many of each, since some are discarded or withdrawn at once.
    """
    log_in = {"username": "alice", "password": "satchel-demo"}
    token = web.post(f"{base_url}/api/auth/token", json=log_in).json()["access"]
    with web.client(f"{base_url}/api", headers={"Authorization": f"Bearer {token}"}, params={"groupId": 1}) as api:
        sent, *left = api.post("/files/request-upload", params={"groupId": 1, "numberFiles": MANY}).json()
        web.put(sent["url"], content=b"a gel")
        names = [f"sample{number}" for number in range(MANY)]
        mapping = {name: {"supplementary": [{"fileId": sent["fileId"], "name": "gel.png"}]} for name in names}
        form = {
            "metadataFile": ("table.tsv", "\n".join(["id", *names])),
            "sequenceFile": ("sequences.fasta", "".join(f">{name}\nACGT\n" for name in names)),
        }
        answer = api.post("/ebola-sudan/submit", files=form, data={"fileMapping": json.dumps(mapping)})
        address = answer.headers["Location"].removeprefix("/api")
        assert wait_until(lambda: api.get(address).json()["status"] == "ACCEPTED", 60), api.get(address).text
    return {
        "TOKEN": token,
        "FILES": json.dumps([file["fileId"] for file in left]),
        "ACCESSIONS": json.dumps([entry["accession"] for entry in answer.json()]),
    }


@pytest.mark.timeout(600)
def test_schemathesis_finds_no_answer_that_is_not_as_the_document_says(fragile: Product, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(Template(CONFIG.read_text()).substitute(prepare(fragile.base_url)))
    options = shlex.split(os.environ.get("SCHEMATHESIS", THE_SAME_EACH_TIME))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{fragile.base_url}/api/schema", "--phases", "examples,coverage,fuzzing", *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert run.returncode == 0, f"{run.stdout[-20_000:]}\n{run.stderr[-2_000:]}"
    methods = [*chain.from_iterable(web.get(f"{fragile.base_url}/api/schema").json()["paths"].values())]
    assert f"Tested: {len(methods) - methods.count('head')}" in run.stdout, "schemathesis takes HEAD as GET"
