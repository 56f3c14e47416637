"""What docs/migrating.md promises to scripts written for Loculus, and what it warns them of."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.programs import ROOT, wait_until
from tests import web
from tests.docs.terminal import Terminal, bash_blocks
from tests.product import Product

ORGANISM = "ebola-sudan"
TABLE = b"submissionId\tcountry\nseq1\tUganda\n"
FASTA = b">seq1\nACGT\n"


@pytest.fixture
def script(product: Product) -> Iterator[httpx.Client]:
    """What such a script has once its address and its token are changed; it sends headers that we do not know."""
    with web.client(f"{product.base_url}/api", headers={"x-request-id": "7"}) as client:
        token = client.post("/auth/token", json={"username": "bob", "password": "satchel-demo"}).json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def uploaded(script: httpx.Client) -> str:
    """The file ID of a file sent with a `Content-Type`, in one part, and completed twice."""
    answer = script.post("/files/request-multipart-upload", params={"groupId": 2, "numberFiles": 1}).json()[0]
    sent = web.put(answer["urls"][0], content=b"notes", headers={"Content-Type": "application/octet-stream"})
    etags = [{"fileId": answer["fileId"].upper(), "etags": [sent.headers["ETag"]]}]
    first, again = (script.post("/files/complete-multipart-upload", json=etags) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    return str(answer["fileId"])


def form(table: bytes = TABLE, fasta: bytes = FASTA, **more: Any) -> dict[str, Any]:
    """The form parts of a submission."""
    return {"metadataFile": ("metadata.tsv", table), "sequenceFile": ("sequences.fasta", fasta), **more}


def test_a_script_for_loculus_runs_up_to_its_submission_and_is_released_as_the_page_says(
    script: httpx.Client, product: Product, tmp_path: Path
) -> None:
    mapping = {"seq1": {"supplementary": [{"fileId": uploaded(script), "name": "notes.txt"}]}}
    answer = script.post(
        f"/{ORGANISM}/submit",
        params={"groupId": 2, "dataUseTermsType": "RESTRICTED", "restrictedUntil": "2027-01-01"},
        files=form(fileMapping=(None, json.dumps(mapping), "application/json")),
    )
    assert answer.status_code == 202
    (entry,) = answer.json()
    assert {"accession", "version", "submissionId"} < entry.keys()

    submission = answer.headers["Location"].removeprefix("/api")
    assert wait_until(lambda: script.get(submission).json()["status"] == "ACCEPTED", 60)
    (block,) = bash_blocks(ROOT / "docs" / "migrating.md")
    done = Terminal(tmp_path).run_script(
        block,
        BASE=str(script.base_url).rstrip("/"),
        TOKEN=script.headers["Authorization"].removeprefix("Bearer "),
        NUMBER=submission.rpartition("/")[-1],
        ORGANISM=ORGANISM,
        ACCESSION=entry["accession"],
    )
    assert done.stdout.startswith("ACCEPTED\n")
    # Whoever has sent terms of use is told on the page that they do nothing: this is public now.
    public = web.get(f"{product.base_url}/api/{ORGANISM}/entries/{entry['accession']}/1")
    assert public.json()["releasedAt"] is not None


@pytest.mark.parametrize(
    ("call", "parts", "code"),
    [
        ("revise", form(), "parameter_missing"),
        ("submit?groupId=2", form(fasta=b">seq1_L\nACGT\n"), "ids_unmatched"),
        ("submit?groupId=2", form(lzma.compress(TABLE, format=lzma.FORMAT_ALONE)), "metadata_invalid"),
    ],
    ids=["a revision without its group", "a segment in the header", "the older lzma"],
)
def test_what_the_page_warns_of_is_refused(script: httpx.Client, call: str, parts: dict[str, Any], code: str) -> None:
    assert script.post(f"/{ORGANISM}/{call}", files=parts).json()["errors"][0]["code"] == code
