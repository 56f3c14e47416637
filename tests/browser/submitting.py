"""What tests of the pages of submissions share: alice with a script, and the status that a page shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.fixtures import FASTQ, mapping_of, put

Enter = Callable[[str], None]

SUBMIT = "/organisms/ebola-sudan/submit"
CUT = FASTQ[:-4]


@dataclass(frozen=True)
class Submitter:
    """Alice with a script."""

    client: httpx.Client

    def begin_uploads(self, group_id: str, *names: str) -> None:
        """Ask for uploads under these names, and send nothing."""
        claims = [{"name": name, "organism": "ebola-sudan", "category": "rawReads"} for name in names]
        self.client.post(f"/api/files/request-upload?groupId={group_id}", json=claims).raise_for_status()

    def submit(self, **contents: bytes) -> str:
        """Submit one entry a file, the entry's submission ID as named; the path of the submission's page."""
        mapping: dict[str, Any] = {}
        for name, content in contents.items():
            [requested] = self.client.post("/api/files/request-upload?groupId=1").raise_for_status().json()
            assert put(requested["url"], content).status_code == 200
            mapping |= mapping_of(name, "rawReads", (requested["fileId"], f"{name}.fastq"))
        parts = {
            "metadataFile": ("metadata.tsv", "id\n" + "\n".join(contents)),
            "sequenceFile": ("sequences.fasta", "".join(f">{name}\nACGT\n" for name in contents)),
            "fileMapping": (None, json.dumps(mapping)),
        }
        answer = self.client.post("/api/ebola-sudan/submit?groupId=1", files=parts)
        assert answer.status_code == 202, answer.text
        return answer.headers["Location"].removeprefix("/api")


def expect_status(page: Page, status: str) -> None:
    expect(page.locator("[data-submission-status]")).to_have_attribute("data-submission-status", status)
