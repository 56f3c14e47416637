"""The calls of docs/extra-files.md, taken out of the page and run against the product with curl and jq alone."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from embedded.programs import ROOT, wait_until
from tests.docs.terminal import Terminal, bash_blocks
from tests.product import Product

PAGE = ROOT / "docs" / "extra-files.md"
PATIENCE = 60.0  # seconds
NOTES = b"Hello, world!\n"


class Calls:
    """The calls of the page; remembers which were taken, so that none is left out."""

    def __init__(self) -> None:
        self.left = bash_blocks(PAGE)

    def take(self, part: str) -> str:
        """The first call not taken yet that contains `part`."""
        found = next((call for call in self.left if part in call), None)
        assert found is not None, f"no call with {part} is left on the page"
        self.left.remove(found)
        return found


@pytest.fixture
def alice(product: Product, tmp_path: Path) -> Terminal:
    """Alice's terminal, with two files in its folder."""
    (tmp_path / "hello-world.txt").write_bytes(NOTES)
    (tmp_path / "reads.fastq").write_bytes(fastq(megabytes=11))
    known = {"username": "alice", "password": "satchel-demo", "organism": "ebola-sudan", "group ID": "1"}
    return Terminal(tmp_path, **{"Backend URL": f"{product.base_url}/api", **known})


def fastq(*, megabytes: int) -> bytes:
    """Reads of 150 letters, other ones at each call."""
    reads = []
    for number in range(megabytes * 1_000_000 // 310):
        letters = bytes(random.choices(b"ACGT", k=150))
        reads.append(b"@r%d\n%s\n+\n%s\n" % (number, letters, b"F" * 150))
    return b"".join(reads)


def upload_notes(alice: Terminal, calls: Calls) -> None:
    """The calls of the simple upload."""
    answer = alice.run(calls.take("/files/request-upload"))
    alice.noted["file ID of hello-world.txt"] = alice.jq(".[0].fileId", answer)
    alice.noted["presigned URL"] = alice.jq(".[0].url", answer)
    alice.run(calls.take("-T hello-world.txt"))
    assert alice.jq(".[0].status", alice.run(calls.take("/files/complete-upload"))) == "UPLOADED"


def upload_reads(alice: Terminal, calls: Calls) -> None:
    """The calls of the multipart upload; of three URLs two are needed."""
    answer = alice.run(calls.take("/files/request-multipart-upload"))
    alice.noted["file ID of reads.fastq"] = alice.jq(".[0].fileId", answer)
    alice.run(calls.take("split "))
    call = calls.take("-T reads-part-aa")
    for number, letter in ((1, "a"), (2, "b")):
        alice.noted[f"presigned URL for part {number}"] = alice.jq(f".[0].urls[{number - 1}]", answer)
        sent = alice.run(call.replace("reads-part-aa", f"reads-part-a{letter}").replace("part 1>", f"part {number}>"))
        alice.noted[f"ETag of part {number}"] = alice.header("ETag", sent).strip('"')
    assert alice.jq(".[0].status", alice.run(calls.take("/files/complete-multipart-upload"))) == "UPLOADED"


def submit(alice: Terminal, calls: Calls) -> None:
    """The calls of submitting."""
    alice.run(calls.take("> metadata.tsv"))
    answer = alice.run(calls.take("/submit?groupId="))
    assert "202 Accepted" in answer
    alice.noted["accession"] = alice.jq(".[0].accession", answer)
    alice.noted["submission number"] = alice.header("Location", answer).rsplit("/", 1)[-1]


def final_answer(terminal: Terminal, call: str) -> dict[str, Any]:
    """The submission once nothing is open."""
    answers: list[str] = []

    def settled() -> bool:
        answers.append(terminal.run(call))
        return terminal.jq(".status", answers[-1]) != "VERIFYING"

    assert wait_until(settled, PATIENCE), answers[-1]
    found: dict[str, Any] = json.loads(answers[-1])
    return found


def hashes(submission: dict[str, Any]) -> dict[str, str]:
    """The sha256 of each file of a submission, by name."""
    return {file["name"]: file["sha256"] for entry in submission["entries"] for file in entry["files"]}


def test_the_calls_of_the_page_end_with_an_accepted_submission(alice: Terminal) -> None:
    calls = Calls()
    alice.noted["token"] = alice.jq(".access", alice.run(calls.take("/auth/token")))
    upload_notes(alice, calls)
    upload_reads(alice, calls)
    submit(alice, calls)

    submission = final_answer(alice, calls.take("/submissions/"))
    assert submission["status"] == "ACCEPTED"
    assert [entry["status"] for entry in submission["entries"]] == ["ACCEPTED"]
    names = ("reads.fastq", "hello-world.txt")
    assert hashes(submission) == {name: alice.sha256sum(name) for name in names}

    alice.run(calls.take("/receipt"))
    verdict = alice.run(calls.take("sha256sum -c"))
    assert verdict.splitlines() == ["rawReads/sample-1/reads.fastq: OK", "supplementary/sample-1/hello-world.txt: OK"]

    file = alice.run(calls.take("/files/<file ID of reads.fastq>"))
    assert alice.jq(".sha256", file) == alice.sha256sum("reads.fastq")
    alice.run(calls.take("/files/get/"))
    assert alice.sha256sum("downloaded.fastq") == alice.sha256sum("reads.fastq")

    claimed = alice.run(calls.take('"size": 14'))
    alice.noted["presigned URL"] = alice.jq(".[0].url", claimed)
    alice.run(Calls().take("-T hello-world.txt"))
    assert [call.splitlines()[0] for call in calls.left] == ["set -euo pipefail"]


def test_the_script_of_the_page_uploads_in_parts_and_ends_when_accepted(alice: Terminal, product: Product) -> None:
    calls = Calls()
    alice.run(calls.take("> metadata.tsv"))
    done = run_script_of_page(alice, product, calls)
    assert done == (0, "ACCEPTED")


def test_the_script_of_the_page_fails_when_the_submission_is_rejected(alice: Terminal, product: Product) -> None:
    calls = Calls()
    alice.run(calls.take("> metadata.tsv"))
    with (alice.folder / "reads.fastq").open("ab") as reads:
        reads.write(b"@cut\nACGT\n")
    done = run_script_of_page(alice, product, calls)
    assert done == (1, "REJECTED")


def run_script_of_page(alice: Terminal, product: Product, calls: Calls) -> tuple[int, str]:
    """Exit status of the script, and the status of the submission that it shows at last."""
    done = alice.run_script(
        calls.take("set -euo pipefail"),
        *("metadata.tsv", "sequences.fasta", "sample-1", "reads.fastq"),
        BACKEND_URL=f"{product.base_url}/api",
        SATCHEL_USER="alice",
        SATCHEL_PASSWORD="satchel-demo",
        ORGANISM="ebola-sudan",
        GROUP_ID="1",
        PART_SIZE="6000000",
    )
    assert done.stderr == ""
    return done.returncode, alice.jq("select(.entries).status", done.stdout)


# --- scripts written for other systems with the same calls ---------------------------------------------

REQUEST_UPLOAD = r"""
curl -X POST \
  '<Backend URL>/files/request-upload?groupId=2&numberFiles=3' \
  -H 'accept: application/json' \
  -H 'Authorization: Bearer <token>' \

"""
PUT = """
curl -X PUT \\
  -T {name} \\
  "<{url}>"
"""
REQUEST_MULTIPART_UPLOAD = r"""
curl -X POST \
  '<Backend URL>/files/request-multipart-upload?groupId=2&numberFiles=1&numberParts=3' \
  -H 'accept: application/json' \
  -H 'Authorization: Bearer <token>'
"""
COMPLETE_MULTIPART_UPLOAD = r"""
curl -X POST \
  '<Backend URL>/files/complete-multipart-upload' \
  -H 'accept: application/json' \
  -H 'Authorization: Bearer <token>' \
  -H 'Content-Type: application/json' \
  -d '[
    {
      "fileId": "<LARGE FILE>",
      "etags": [
        "<etag 1>",
        "<etag 2>",
        "<etag 3>"
      ]
    }
  ]'
"""
SUBMIT = r"""
curl -i -X 'POST' \
  '<Backend URL>/ebola-sudan/submit?groupId=2&dataUseTermsType=OPEN' \
  -H 'accept: application/json' \
  -H 'Authorization: Bearer <token>' \
  -H 'Content-Type: multipart/form-data' \
  -F 'metadataFile=@metadata.tsv;type=text/tab-separated-values' \
  -F 'sequenceFile=@sequences.fasta;type=application/octet-stream' \
  -F 'fileMapping=<mapping JSON>'
"""
SUBMISSION = "curl '<Backend URL>/submissions/<submission number>' -H 'Authorization: Bearer <token>'"


@pytest.fixture
def bob(product: Product, tmp_path: Path) -> Terminal:
    """Bob's terminal, with a token, a small and a large file, a table and sequences."""
    (tmp_path / "hello-world.txt").write_bytes(NOTES)
    for number, size in ((1, 5_242_880), (2, 5_242_880), (3, 1)):
        (tmp_path / f"large-file-part{number}").write_bytes(random.randbytes(size))
    (tmp_path / "metadata.tsv").write_text("submissionId\tcountry\nseq1\tUganda\nseq2\tSudan\n")
    (tmp_path / "sequences.fasta").write_text(">seq1\nACGT\n>seq2\nACGTN\n")
    terminal = Terminal(tmp_path, **{"Backend URL": f"{product.base_url}/api"})
    login = """curl '<Backend URL>/auth/token' -H 'Content-Type: application/json' \
      -d '{"username": "bob", "password": "satchel-demo"}'"""
    terminal.noted["token"] = terminal.jq(".access", terminal.run(login))
    return terminal


def test_a_script_with_upper_case_file_ids_and_no_claims_ends_with_an_accepted_submission(bob: Terminal) -> None:
    small = requested_and_sent(bob)
    large = requested_sent_and_completed(bob)
    mapping = {
        "seq1": {"supplementary": [{"fileId": file_id, "name": f"{i}.txt"} for i, file_id in enumerate(small)]},
        # One file may be named for several submission IDs.
        "seq2": {"supplementary": [{"fileId": large, "name": "large file"}, {"fileId": small[0], "name": "0.txt"}]},
    }
    bob.noted["mapping JSON"] = json.dumps(mapping)
    bob.noted["submission number"] = bob.header("Location", bob.run(SUBMIT)).rsplit("/", 1)[-1]

    submission = final_answer(bob, SUBMISSION)
    assert submission["status"] == "ACCEPTED"
    (bob.folder / "large-file").write_bytes(
        b"".join((bob.folder / f"large-file-part{number}").read_bytes() for number in (1, 2, 3))
    )
    notes = dict.fromkeys(("0.txt", "1.txt", "2.txt"), bob.sha256sum("hello-world.txt"))
    assert hashes(submission) == {**notes, "large file": bob.sha256sum("large-file")}


def requested_and_sent(bob: Terminal) -> Sequence[str]:
    """Three small files; their IDs in upper case."""
    answer = bob.run(REQUEST_UPLOAD)
    for index in range(3):
        bob.noted["presigned URL"] = bob.jq(f".[{index}].url", answer)
        bob.run(PUT.format(name="hello-world.txt", url="presigned URL"))
    return bob.jq(".[].fileId", answer).upper().split()


def requested_sent_and_completed(bob: Terminal) -> str:
    """A file in three parts; its ID in upper case."""
    answer = bob.run(REQUEST_MULTIPART_UPLOAD)
    bob.noted["LARGE FILE"] = bob.jq(".[0].fileId", answer).upper()
    for number in (1, 2, 3):
        bob.noted[f"url {number}"] = bob.jq(f".[0].urls[{number - 1}]", answer)
        put = PUT.format(name=f"large-file-part{number}", url=f"url {number}").replace("curl", "curl -i")
        bob.noted[f"etag {number}"] = bob.header("ETag", bob.run(put)).strip('"')
    bob.run(COMPLETE_MULTIPART_UPLOAD)
    return bob.noted["LARGE FILE"]
