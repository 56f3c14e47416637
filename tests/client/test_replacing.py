"""Replacing the files of an entry that others touch as well; tests/client/test_cli.py replaces them for good."""

from __future__ import annotations

import json
from typing import Any

import pytest
from satchel.api import Api
from satchel.cli import replacing
from satchel.cli.replacing import ReplaceWishes
from satchel.cli.session import Session
from satchel.config import Login
from satchel.errors import RefusedError
from satchel.output import Output

from tests.client.conftest import Server

ENTRY: dict[str, Any] = {
    "accession": "SAT_1",
    "version": 1,
    "submissionId": "s1",
    "organism": "ebola-sudan",
    "groupId": 1,
    "status": "REJECTED",
    "settledAt": "2026-11-23T06:00:00Z",
    "releasedAt": None,
    "files": [],
}


def session_with(api: Api, server: Server, **differs: Any) -> Session:
    """A session with a server that has the entry, but for what differs."""
    server.answers = [(200, {"Content-Type": "application/json"}, json.dumps({**ENTRY, **differs}).encode())]
    return Session(api, Login(server.url, "satchel_x"), Output())


@pytest.mark.parametrize(
    ("differs", "code"),
    [
        ({"status": "VERIFYING", "settledAt": None}, "entry_verifying"),
        ({"status": "ACCEPTED", "releasedAt": "2026-11-23T06:01:00Z"}, "entry_released"),
    ],
)
def test_an_entry_that_cannot_get_other_files_is_refused_before_any_is_looked_for(
    server: Server, differs: dict[str, Any], code: str
) -> None:
    wishes = ReplaceWishes("SAT_1.1", [], "rawReads", "ebola-sudan", wait=False, parallel=1)
    with Api(server.url) as api, pytest.raises(RefusedError) as refusal:
        replacing.replace(session_with(api, server, **differs), wishes)
    assert refusal.value.problem.code == code
    assert len(server.requests) == 1


def test_files_that_somebody_else_has_put_there_meanwhile_are_not_replaced_unseen(server: Server) -> None:
    with Api(server.url) as api:
        session = session_with(api, server, settledAt="2026-11-23T06:02:00Z")
        with pytest.raises(RefusedError, match="Somebody has replaced files of SAT_1") as refusal:
            replacing._put(session, ENTRY, "rawReads", [])  # type: ignore[arg-type]  # JSON as it comes
    assert refusal.value.problem.code == "entry_changed"
    assert [request.split()[0] for request in server.requests] == ["GET"]
