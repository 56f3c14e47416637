"""Who gets which answer from each address of the API: one table, which has to have every address and method."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from accounts.services import issue_token, make_token, revoke_token
from files.models import File
from submissions.models import Organism, SequenceEntry
from tests.factories import (
    FileAttachmentFactory,
    FileFactory,
    OrganismFactory,
    SequenceEntryFactory,
    UserFactory,
    group_of,
)
from tests.factories.accounts import PASSWORD

CALLERS = ("anonymous", "outsider", "member", "admin", "revoked token")
# An admin is in no group here, and has no rights beyond an outsider's; the revoked token is a member's. Entries, files
# and submissions are those of the member's group. A file or submission of another group does not exist for an
# outsider (404, or 422 where a list of files is sent), a group and an entry do (403). HEAD is answered as GET.
TABLE = """
endpoint                       method  of          anonymous  outsider  member  admin  revoked

api-schema                     GET     -                 200       200     200    200      200
api-docs                       GET     -                 200       200     200    200      200
api-token                      POST    -                 200       200     200    200      200
api-organisms                  GET     -                 200       200     200    200      401

api-groups                     GET     -                 401       200     200    200      401
api-groups                     POST    -                 401       201     201    201      401
api-group                      GET     -                 401       403     200    403      401
api-group-member               PUT     -                 401       403     204    403      401
api-group-member               DELETE  -                 401       403     204    403      401

api-request-upload             POST    -                 401       403     200    403      401
api-request-multipart-upload   POST    -                 401       403     200    403      401
api-complete-upload            POST    -                 401       422     200    422      401
api-complete-multipart-upload  POST    -                 401       422     200    422      401
api-renew                      POST    -                 401       404     200    404      401
api-files                      GET     -                 401       403     200    403      401
api-file                       GET     -                 401       404     200    404      401
api-file                       DELETE  -                 401       404     204    404      401
api-download                   GET     unreleased        401       403     307    403      401
api-download                   GET     released          307       307     307    307      401

api-submit                     POST    -                 401       403     202    403      401
api-revise                     POST    -                 401       403     202    403      401
api-check                      POST    -                 401       403     200    403      401
api-submissions                GET     -                 401       403     200    403      401
api-submission                 GET     -                 401       404     200    404      401
api-receipt                    GET     -                 401       404     200    404      401

api-entry                      GET     unreleased        401       403     200    403      401
api-entry                      GET     released          200       200     200    200      401
api-entry                      DELETE  unreleased        401       403     204    403      401
api-entry                      DELETE  released          401       403     409    403      401
api-entry-files                PUT     unreleased        401       403     200    403      401
api-entry-files                PUT     released          401       403     409    403      401
api-release                    POST    unreleased        401       422     200    422      401
api-release                    POST    released          401       422     200    422      401
"""


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    endpoint: str
    method: str
    of: str
    statuses: tuple[int, ...]

    @classmethod
    def of_line(cls, line: str) -> Row:
        """The row that a line is."""
        endpoint, method, of, *statuses = line.split()
        return cls(endpoint, method, of, tuple(map(int, statuses)))

    def __str__(self) -> str:
        return " ".join(word for word in (self.method, self.endpoint, self.of) if word != "-")


ROWS = [Row.of_line(line) for line in TABLE.splitlines()[2:] if line]


class Scene:
    """A group of two with something of each kind, and who calls."""

    def __init__(self, of: str) -> None:
        self.member, self.colleague, self.outsider = UserFactory.create_batch(3)
        self.admin = UserFactory.create(admin=True)
        self.group = group_of(self.member, self.colleague)
        group_of(self.outsider)
        self._is_released = of == "released"

    @cached_property
    def organism(self) -> Organism:
        """One without rules."""
        return OrganismFactory.create(sequences=Organism.Sequences.OPTIONAL)

    @cached_property
    def entry(self) -> SequenceEntry:
        """An accepted entry with one file."""
        state = {"released": True} if self._is_released else {"status": SequenceEntry.Status.ACCEPTED}
        entry = SequenceEntryFactory.create(
            submission__organism=self.organism, submission__group=self.group, accession="SAT_1", **state
        )
        FileAttachmentFactory.create(entry=entry, category__name="photos", name="gel.png")
        return entry

    def file(self, status: str, **fields: Any) -> File:
        """A file of the group that no entry has."""
        return FileFactory.create(group=self.group, status=status, **fields)

    def headers_of(self, who: str) -> dict[str, str]:
        """What a caller sends to say who that is."""
        users = {"outsider": self.outsider, "member": self.member, "admin": self.admin}
        if who == "anonymous":
            return {}
        text = _revoked_token(self.member) if who == "revoked token" else issue_token(users[who]).access
        return {"Authorization": f"Bearer {text}"}


def _revoked_token(user: User) -> str:
    token, text = make_token(user=user, name="revoked", lifetime=timedelta(days=1))
    revoke_token(token)
    return text


@dataclass(frozen=True)
class Call:
    """What is sent beside the token: what stands in the address, parameters, and a body or a form."""

    path: dict[str, object] = field(default_factory=dict)
    query: dict[str, object] = field(default_factory=dict)
    body: object = None
    table: bytes = b""

    def send(self, row: Row, method: str, headers: dict[str, str]) -> Any:
        """The answer."""
        address = reverse(row.endpoint, kwargs=self.path)
        query = {name: str(value) for name, value in self.query.items()}
        client = Client(headers=headers)
        if self.table:
            return client.post(address, {"metadataFile": SimpleUploadedFile("t.tsv", self.table)}, query_params=query)
        data = b"" if self.body is None else json.dumps(self.body).encode()
        return client.generic(method, address, data, "application/json", query_params=query)


def _of_group(scene: Scene) -> Call:
    return Call(query={"groupId": scene.group.pk})


def _of_entry(scene: Scene, body: object = None) -> Call:
    entry = scene.entry
    return Call({"organism": scene.organism.slug, "accession": entry.accession, "version": entry.version}, body=body)


def _download(scene: Scene) -> Call:
    entry = scene.entry
    at = {"accession": entry.accession, "version": entry.version, "category": "photos", "name": "gel.png"}
    return Call(at)


def _release(scene: Scene) -> Call:
    entry = scene.entry
    wanted = {"accessionVersions": [{"accession": entry.accession, "version": entry.version}]}
    return Call({"organism": scene.organism.slug}, body=wanted)


def _revise(scene: Scene) -> Call:
    SequenceEntryFactory.create(
        submission__organism=scene.organism, submission__group=scene.group, accession="SAT_2", released=True
    )
    return Call({"organism": scene.organism.slug}, _of_group(scene).query, table=b"id\taccession\nsample1\tSAT_2\n")


def _put_together(scene: Scene) -> Call:
    file = scene.file(File.Status.VERIFIED, multipart=True, completed_etags=["a"])
    return Call(body=[{"fileId": str(file.pk), "etags": ["a"]}])


CALLS: dict[str, Callable[[Scene], Call]] = {
    "GET api-schema": lambda _: Call(),
    "GET api-docs": lambda _: Call(),
    "POST api-token": lambda scene: Call(body={"username": scene.member.username, "password": PASSWORD}),
    "GET api-organisms": lambda _: Call(),
    "GET api-groups": lambda _: Call(),
    "POST api-groups": lambda _: Call(body={"name": "A new lab"}),
    "GET api-group": lambda scene: Call({"group_id": scene.group.pk}),
    "PUT api-group-member": lambda scene: Call({"group_id": scene.group.pk, "username": scene.outsider.username}),
    "DELETE api-group-member": lambda scene: Call({"group_id": scene.group.pk, "username": scene.colleague.username}),
    "POST api-request-upload": _of_group,
    "POST api-request-multipart-upload": _of_group,
    "POST api-complete-upload": lambda scene: Call(body=[{"fileId": str(scene.file(File.Status.VERIFIED).pk)}]),
    "POST api-complete-multipart-upload": _put_together,
    "POST api-renew": lambda scene: Call({"file_id": scene.file(File.Status.REQUESTED).pk}),
    "GET api-files": _of_group,
    "GET api-file": lambda scene: Call({"file_id": scene.file(File.Status.VERIFIED).pk}),
    "DELETE api-file": lambda scene: Call({"file_id": scene.file(File.Status.VERIFIED).pk}),
    "GET api-download": _download,
    "POST api-submit": lambda scene: Call({"organism": scene.organism.slug}, _of_group(scene).query, table=b"id\ns1\n"),
    "POST api-revise": _revise,
    "POST api-check": lambda scene: Call({"organism": scene.organism.slug}, _of_group(scene).query, table=b"id\ns1\n"),
    "GET api-submissions": _of_group,
    "GET api-submission": lambda scene: Call({"submission_id": scene.entry.submission_id}),
    "GET api-receipt": lambda scene: Call({"submission_id": scene.entry.submission_id}),
    "GET api-entry": _of_entry,
    "DELETE api-entry": _of_entry,
    "PUT api-entry-files": lambda scene: _of_entry(scene, body={}),
    "POST api-release": _release,
}
"""A call that a member succeeds with."""


def patterns_of_the_api() -> Iterator[URLPattern]:
    """Every address under /api."""
    waiting: list[URLPattern | URLResolver] = [p for p in get_resolver().url_patterns if str(p.pattern) == "api/"]
    for pattern in waiting:
        if isinstance(pattern, URLResolver):
            waiting.extend(pattern.url_patterns)
        else:
            yield pattern


def methods_of(pattern: URLPattern) -> set[str]:
    """Those that the view answers with what it is for."""
    view = getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)
    assert view is not None, f"{pattern.name} is no view that says which methods it has"
    return {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"HEAD", "OPTIONS"}


def test_the_table_has_every_address_and_method_of_the_api_and_no_others() -> None:
    patterns = [p for p in patterns_of_the_api() if p.callback.__name__ != "api_not_found"]
    assert all((pattern.name or "").startswith("api-") for pattern in patterns)
    offered = {f"{method} {pattern.name}" for pattern in patterns for method in methods_of(pattern)}
    assert {f"{row.method} {row.endpoint}" for row in ROWS} == offered == set(CALLS)


@pytest.mark.django_db
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_caller_gets_the_status_of_the_table(row: Row) -> None:
    scene = Scene(row.of)
    call = CALLS[f"{row.method} {row.endpoint}"](scene)
    methods = ["GET", "HEAD"] if row.method == "GET" else [row.method]
    for method in methods:
        assert statuses(row, method, scene, call) == dict(zip(CALLERS, row.statuses, strict=True)), method


def statuses(row: Row, method: str, scene: Scene, call: Call) -> dict[str, int]:
    """What each caller is answered, none seeing what the one before has done."""
    found = {}
    for who in CALLERS:
        with transaction.atomic():
            answer = call.send(row, method, scene.headers_of(who))
            transaction.set_rollback(True)
        found[who] = answer.status_code
        assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (answer.status_code == 401)
    return found
