"""`GET /api/files`: a group's files, newest first, and which of them a client has sent before."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from files import sweeping
from files.api.serializers import file_body
from files.models import File
from files.services import FileFilter, list_files
from tests.factories import ContentCheckResultFactory, FileAttachmentFactory, FileFactory, UserFactory
from tests.fixtures import Api, Demo, mapping_of, new_file_id


def listed(api: Api, demo: Demo, **parameters: str) -> list[str]:
    """The file IDs of the one page that there is."""
    answer = api.get("files", groupId=demo.group.pk, **parameters)
    assert answer.status_code == 200, answer.content
    assert answer.json()["nextCursor"] is None
    return [item["fileId"] for item in answer.json()["items"]]


@pytest.mark.embedded
def test_files_come_newest_first_each_once_whatever_the_page(api: Api, demo: Demo) -> None:
    now = timezone.now()
    # Files of one request share their moment, and pages end in the middle of one.
    moments = [now - timedelta(minutes=number // 90) for number in range(203)]
    files = [FileFactory.build(group=demo.group, requested_by=demo.alice, requested_at=moment) for moment in moments]
    File.objects.bulk_create(files)
    FileFactory.create(group=demo.other_group)
    FileFactory.create(group=demo.group, deleting_at=now)
    pages: list[list[str]] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        answer = api.get("files", groupId=demo.group.pk, **cursor).json()
        pages.append([item["fileId"] for item in answer["items"]])
        cursor = {"cursor": answer["nextCursor"]} if answer["nextCursor"] else None
    assert [len(page) for page in pages] == [100, 100, 3]
    files.sort(key=lambda file: (-file.requested_at.timestamp(), file.pk))
    assert [file_id for page in pages for file_id in page] == [str(file.pk) for file in files]
    two = api.get("files", groupId=demo.group.pk, limit=2).json()
    assert [item["fileId"] for item in two["items"]] == [str(file.pk) for file in files[:2]]
    after = api.get("files", groupId=demo.group.pk, limit=1, cursor=two["nextCursor"]).json()
    assert [item["fileId"] for item in after["items"]] == [str(files[2].pk)]
    assert [api.get("files", groupId=demo.group.pk, limit=limit).status_code for limit in (0, 101)] == [400, 400]


def test_an_item_is_what_looking_at_the_file_tells(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    claims = {"name": "a", "fingerprint": "A" * 64, "size": 7, "organism": "ebola-sudan", "category": "supplementary"}
    used = api.upload(demo.group, b"content", **claims)
    api.submit(demo.organism, demo.group, mapping=mapping_of("sample1", "supplementary", (used, "a.txt")))
    work()
    parts = api.post(
        "files/request-multipart-upload", [{"partSize": 6_000_000}], groupId=demo.group.pk, numberParts=5
    ).json()[0]["fileId"]
    items = api.get("files", groupId=demo.group.pk).json()["items"]
    assert items == [api.get(f"files/{file_id}").json() for file_id in (parts, used)]
    assert (items[0]["claims"]["partSize"], items[0]["numberParts"]) == (6_000_000, 5)
    assert (items[1]["claims"]["partSize"], items[1]["numberParts"], items[1]["keptUntil"]) == (None, None, None)
    assert items[1]["attachedTo"][0]["name"] == "a.txt"
    assert items[1]["claims"]["fingerprint"] == "a" * 64


def test_a_page_takes_as_many_queries_with_a_hundred_files_as_with_one(
    api: Api, demo: Demo, django_assert_max_num_queries: Any
) -> None:
    attachment = FileAttachmentFactory.create(file__group=demo.group)
    for _ in range(3):
        FileAttachmentFactory.create(file=attachment.file, entry=attachment.entry, category=attachment.category)
    ContentCheckResultFactory.create(file=attachment.file)
    File.objects.bulk_create(
        FileFactory.build(group=demo.group, requested_by=demo.alice, claimed_category=attachment.category)
        for _ in range(99)
    )
    with django_assert_max_num_queries(5):  # the group, the membership, the files, their checks, their attachments
        page = list_files(user=demo.alice, group_id=demo.group.pk, asked=FileFilter(statuses=File.Status.values))
        bodies = {body["fileId"]: body for body in map(file_body, page.items)}
    assert len(bodies) == 100
    body = bodies[str(attachment.file_id)]
    assert (len(body["attachedTo"]), len(body["checks"])) == (4, 1)


@pytest.mark.embedded
def test_files_are_found_by_status_attachment_id_and_fingerprint(api: Api, demo: Demo) -> None:
    used = str(FileAttachmentFactory.create(file__group=demo.group, file__claimed_fingerprint="a" * 64).file_id)
    free = str(FileFactory.create(group=demo.group, status="VERIFIED", claimed_fingerprint="a" * 64).pk)
    coming = str(FileFactory.create(group=demo.group, claimed_fingerprint="b" * 64).pk)
    bare = str(FileFactory.create(group=demo.group, status="EXPIRED").pk)
    foreign = str(FileFactory.create(group=demo.other_group, claimed_fingerprint="a" * 64).pk)
    assert listed(api, demo) == [bare, coming, free, used]
    assert listed(api, demo, status="REQUESTED,EXPIRED") == [bare, coming]
    assert listed(api, demo, attached="true") == [used]
    assert listed(api, demo, attached="false") == [bare, coming, free]
    assert listed(api, demo, ids=f"{foreign},{used.upper()},{new_file_id()}") == [used]
    assert listed(api, demo, fingerprints=f"{'A' * 64},{'c' * 64}") == [free, used]
    assert listed(api, demo, fingerprints=f"{'a' * 64},{'b' * 64}", attached="false", status="VERIFIED") == [free]


def test_parameters_that_cannot_be_read_are_told_all_at_once(api: Api, demo: Demo) -> None:
    many = ",".join(new_file_id() for _ in range(101))
    answer = api.get(
        "files", status="VERIFIED,lost", attached="yes", ids=many, fingerprints=f"{'a' * 63},", cursor="1.x"
    )
    assert answer.status_code == 400
    assert [(error["code"], error["field"]) for error in answer.json()["errors"]] == [
        ("parameter_missing", "groupId"),
        ("parameter_invalid", "status"),
        ("parameter_invalid", "attached"),
        ("parameter_invalid", "ids"),
        ("parameter_invalid", "fingerprints"),
        ("parameter_invalid", "fingerprints"),
        ("parameter_invalid", "cursor"),
    ]


@pytest.mark.parametrize("cursor", ["1", f"{10**40}.{new_file_id()}", f"{10**17}.", "\0.\0"])
def test_a_cursor_that_is_none_of_ours_is_refused(api: Api, demo: Demo, cursor: str) -> None:
    answer = api.get("files", groupId=demo.group.pk, cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (400, "parameter_invalid")


@pytest.mark.parametrize("name", ["ids", "fingerprints", "status"])
def test_an_empty_list_does_not_ask_for_everything(api: Api, demo: Demo, name: str) -> None:
    answer = api.get("files", groupId=demo.group.pk, **{name: ""})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [name])


def test_only_members_see_a_groups_files(api: Api, demo: Demo) -> None:
    for person, status in ((demo.bob, 403), (demo.admin, 403), (None, 401)):
        assert Api(person).get("files", groupId=demo.group.pk).status_code == status
    answer = api.get("files", groupId=999_999)
    assert (answer.status_code, answer.json()["code"]) == (404, "group_not_found")


# --- how long a file is kept ---------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.parametrize("status", File.Status.values)
def test_kept_until_tells_when_the_sweeper_takes_an_unattached_file(
    api: Api, demo: Demo, status: str, settings: Any
) -> None:
    settings.ABANDONED_AFTER, settings.UNATTACHED_KEPT = timedelta(days=2), timedelta(days=5)
    file = FileFactory.create(group=demo.group, status=status)
    File.objects.update(lease_token=None, lease_expires_at=None)
    for name in ("verified_at", "rejected_at"):
        if getattr(file, name):
            File.objects.update(**{name: timezone.now() + timedelta(hours=1)})
    file.refresh_from_db()
    kept_until = file.kept_until
    assert kept_until is not None
    told = api.get(f"files/{file.pk}").json()["keptUntil"]
    assert told == kept_until.isoformat().replace("+00:00", "Z")
    for early, swept in ((timedelta(seconds=5), False), (timedelta(seconds=-5), True)):
        moment = timezone.now() - (kept_until - early)
        File.objects.update(
            **{
                name: getattr(file, name) + moment
                for name in ("last_activity_at", "verified_at", "rejected_at")
                if getattr(file, name)
            }
        )
        assert bool(sweeping.expire_abandoned() or sweeping.delete_unattached()) is swept


def test_kept_until_is_null_where_nothing_is_deleted(api: Api, demo: Demo, settings: Any) -> None:
    settings.ABANDONED_AFTER = settings.UNATTACHED_KEPT = timedelta(days=1)
    held = FileFactory.create(group=demo.group, quarantined_at=timezone.now(), quarantined_by=UserFactory.create())
    used = FileAttachmentFactory.create(file__group=demo.group).file
    coming = FileFactory.create(group=demo.group)
    free = FileFactory.create(group=demo.group, status="VERIFIED")
    never = {str(held.pk), str(used.pk)}

    def without() -> set[str]:
        items = api.get("files", groupId=demo.group.pk).json()["items"]
        return {item["fileId"] for item in items if item["keptUntil"] is None}

    assert without() == never
    settings.ABANDONED_AFTER = timedelta(0)
    assert without() == never | {str(coming.pk)}
    settings.UNATTACHED_KEPT = timedelta(0)
    assert without() == never | {str(coming.pk), str(free.pk)}


# --- at length and at size -----------------------------------------------------------------------------


@pytest.mark.embedded
def test_fingerprints_are_looked_up_by_their_index(demo: Demo) -> None:
    File.objects.bulk_create(
        FileFactory.build(group=demo.group, requested_by=demo.alice, claimed_fingerprint=f"{number:064x}")
        for number in range(2_000)
    )
    asked = FileFilter(fingerprints=[f"{number:064x}" for number in range(10)], attached=False)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "claimed_fingerprint" in sql and sql.startswith("SELECT") and "IN (" in sql and not plans:
            command = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
            with context["connection"].cursor() as cursor:
                plans.append("")
                cursor.execute(command + sql, params)
                plans[0] = json.dumps(cursor.fetchall(), default=str)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        assert len(list_files(user=demo.alice, group_id=demo.group.pk, asked=asked).items) == 10
    assert "file_fingerprint" in plans[0]
