"""Downloading files through `GET /api/files/get/…`: who may, and what they get."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.utils import timezone

from files.models import File
from submissions.models import SequenceEntry
from tests import web
from tests.fixtures import FASTQ, Api, Demo, mapping_of


def _accepted(api: Api, demo: Demo, work: Callable[[], None], name: str) -> str:
    file_id = api.upload(demo.group, FASTQ)
    mapping = mapping_of("sample1", "supplementary", (file_id, name))
    assert api.submit(demo.organism, demo.group, mapping=mapping).status_code == 202
    work()
    return SequenceEntry.objects.get(given_submission_id="sample1").accession


@pytest.mark.parametrize("name", ["reads.fastq", "Röntgen #1 100%.txt", "日本.txt", "it's; \u201cquoted\u201d.txt"])
def test_members_download_through_a_redirection_that_keeps_the_name(
    api: Api, demo: Demo, work: Callable[[], None], name: str
) -> None:
    accession = _accepted(api, demo, work, name)
    address = f"files/get/{accession}/1/supplementary/{quote(name)}"
    answer = api.get(address)
    assert answer.status_code == 307
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    served = web.get(answer.headers["Location"])
    assert served.content == FASTQ
    assert served.headers["Content-Type"] == "application/octet-stream"
    disposition = served.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert name in disposition or quote(name) in disposition
    head = api.client.head(f"/api/{address}")
    assert head.status_code == 307
    assert web.head(head.headers["Location"]).headers["Content-Length"] == str(len(FASTQ))


def test_who_may_download_what_is_not_released(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    accession = _accepted(api, demo, work, "a.txt")
    address = f"files/get/{accession}/1/supplementary/a.txt"
    anonymous = Api(None).get(address)
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "not_public")
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"
    outsider = Api(demo.bob).get(address)
    assert (outsider.status_code, outsider.json()["code"]) == (403, "not_a_member")
    for wrong, code in (
        (f"files/get/{accession}/2/supplementary/a.txt", "entry_not_found"),
        (f"files/get/{accession}/1/rawReads/a.txt", "file_not_found"),
        (f"files/get/{accession}/1/supplementary/b.txt", "file_not_found"),
    ):
        missing = api.get(wrong)
        assert (missing.status_code, missing.json()["code"]) == (404, code)


@pytest.mark.embedded
def test_released_entries_are_for_all(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    accession = _accepted(api, demo, work, "a.txt")
    SequenceEntry.objects.filter(accession=accession).update(released_at=timezone.now(), released_by=demo.alice)
    for user in (None, demo.bob):
        assert Api(user).get(f"files/get/{accession}/1/supplementary/a.txt").status_code == 307


@pytest.mark.embedded
def test_an_unverified_or_quarantined_file_is_not_handed_out(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    accession = _accepted(api, demo, work, "a.txt")
    address = f"files/get/{accession}/1/supplementary/a.txt"
    File.objects.update(quarantined_at=timezone.now(), quarantined_by=demo.admin)
    assert api.get(address).json()["code"] == "file_not_available"
