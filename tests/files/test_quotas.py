"""What the files of a group may take, and how many of its uploads may be under way."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from files import storage
from files.models import File
from files.services import Claims, request_uploads, usage_of
from files.services.quotas import room_for
from submissions.models import Group
from tests.factories import FileFactory
from tests.fixtures import PART, Api, Demo, put
from tests.locks import kept_waiting

pytestmark = pytest.mark.django_db

EXACTLY = {"size": 100}


def limit(group: Group, quota: int | None) -> None:
    group.quota_bytes = quota
    group.save(update_fields=["quota_bytes"])


def request(api: Api, group: Group, *claims: Mapping[str, object], parts: int = 0) -> tuple[int, str, int]:
    """Ask for files with these claims: status, code if any, and how many files the group has afterwards."""
    path = "files/request-multipart-upload" if parts else "files/request-upload"
    more = {"numberParts": parts} if parts else {}
    answer = api.post(path, list(claims) or None, groupId=group.pk, **more)
    body: Any = answer.json()
    return answer.status_code, body["code"] if isinstance(body, dict) else "", group.files.count()


@pytest.mark.parametrize(
    ("quota", "of_settings", "allowed"),
    [(100, 0, True), (99, 0, False), (None, 0, True), (None, 99, False), (0, 99, True), (100, 99, True)],
)
def test_the_group_s_own_quota_counts_before_that_of_the_settings(
    api: Api, demo: Demo, settings: Settings, quota: int | None, of_settings: int, allowed: bool
) -> None:
    settings.GROUP_QUOTA_BYTES = of_settings
    limit(demo.group, quota)

    expected = (200, "", 1) if allowed else (429, "quota_exceeded", 0)
    assert request(api, demo.group, EXACTLY) == expected


@pytest.mark.embedded
@pytest.mark.parametrize("parts", [0, 2], ids=["single", "multipart"])
def test_what_is_claimed_is_taken_from_the_moment_it_is_requested(api: Api, demo: Demo, parts: int) -> None:
    limit(demo.group, 2 * PART)
    half = {"size": PART}

    assert request(api, demo.group, half, parts=parts) == (200, "", 1)
    assert request(api, demo.group, half, half, parts=parts) == (429, "quota_exceeded", 1)
    assert request(api, demo.group, half, parts=parts) == (200, "", 2)
    assert request(api, demo.group, {}, parts=parts) == (429, "quota_exceeded", 2)
    assert request(api, demo.group, {"size": 0}, parts=parts) == (200, "", 3)


def test_a_refusal_tells_how_much_is_taken_and_when_to_ask_again(api: Api, demo: Demo) -> None:
    limit(demo.group, 5_000)
    FileFactory.create(group=demo.group, claimed_size=4_000)

    refused = api.post("files/request-upload", [{"size": 2_000}], groupId=demo.group.pk)

    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "3600"
    detail = refused.json()["detail"]
    assert all(size in detail for size in ("may take 5.0 kB", "take 4.0 kB", "2.0 kB more")), detail


def test_a_file_that_turns_out_larger_than_the_room_is_kept_and_the_next_one_refused(api: Api, demo: Demo) -> None:
    limit(demo.group, 10)
    [requested] = api.request_upload(demo.group)
    assert put(requested["url"], bytes(11)).status_code == 200
    assert usage_of(demo.group).used == 0

    completed = api.post("files/complete-upload", [{"fileId": requested["fileId"]}])

    assert (completed.status_code, completed.json()[0]["status"]) == (200, "UPLOADED")
    assert usage_of(demo.group).used == 11
    assert request(api, demo.group, {"size": 0}) == (429, "quota_exceeded", 1)
    assert api.client.delete(f"/api/files/{requested['fileId']}").status_code == 204
    assert request(api, demo.group, {"size": 10}) == (200, "", 1)


def test_what_a_group_uses_is_what_its_files_take_or_are_about_to(
    demo: Demo, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    FileFactory.create(group=demo.group, claimed_size=1)
    FileFactory.create(group=demo.group)
    FileFactory.create(group=demo.group, status="UPLOADED", size=10, claimed_size=1_000_000)
    FileFactory.create(group=demo.group, status="REJECTED", size=100)
    FileFactory.create(group=demo.group, status="VERIFIED", content=bytes(1_000))
    FileFactory.create(group=demo.group, status="EXPIRED", claimed_size=10_000)
    FileFactory.create(group=demo.group, status="VERIFIED", deleting_at=demo.group.created_at)
    FileFactory.create(group=demo.other_group, claimed_size=10_000)

    with django_assert_num_queries(1):
        assert usage_of(demo.group).used == 1_111


def test_uploads_under_way_are_bounded(api: Api, demo: Demo, settings: Settings) -> None:
    settings.OPEN_UPLOADS_PER_GROUP_MAX = 3
    FileFactory.create(group=demo.group, status="UPLOADED")
    FileFactory.create(group=demo.group, status="EXPIRED")
    FileFactory.create(group=demo.other_group)

    assert request(api, demo.group, {}, {}) == (200, "", 4)
    assert request(api, demo.group, {}, {}) == (429, "too_many_open_uploads", 4)
    assert request(api, demo.group, {}, parts=1) == (200, "", 5)
    assert request(api, demo.group, {}, parts=1) == (429, "too_many_open_uploads", 5)
    settings.OPEN_UPLOADS_PER_GROUP_MAX = 0
    assert request(api, demo.group, {}) == (200, "", 6)


def test_nothing_is_begun_in_the_store_for_a_refused_upload(api: Api, demo: Demo) -> None:
    limit(demo.group, 1)
    before = {upload.upload_id for upload in storage.list_multiparts("files/")}

    assert request(api, demo.group, EXACTLY, parts=1)[0] == 429
    assert {upload.upload_id for upload in storage.list_multiparts("files/")} == before


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_gets_the_last_byte(demo: Demo) -> None:
    """PostgreSQL only: SQLite has one writer at a time."""
    limit(demo.group, 100)
    claims = [Claims(size=100)]

    def second() -> object:
        return request_uploads(user=demo.alice, group_id=demo.group.pk, number_files=1, claims=claims)

    with kept_waiting(second) as asking, room_for(demo.group, claims):
        FileFactory.create(group=demo.group, requested_by=demo.alice, claimed_size=100)

    failure = asking.exception(timeout=10)
    assert failure is not None
    assert (getattr(failure, "code", failure), File.objects.count()) == ("quota_exceeded", 1)


@pytest.mark.django_db(transaction=True)
def test_a_request_does_not_wait_for_who_stores_something_of_the_group(demo: Demo) -> None:
    limit(demo.group, 100)

    def ask() -> int:
        try:
            claims = [Claims(size=10)]
            return len(request_uploads(user=demo.alice, group_id=demo.group.pk, number_files=1, claims=claims))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        FileFactory.create(group=demo.group, requested_by=demo.alice)
        connection.check_constraints()  # now, and not at the end: this holds the key of the group's row
        assert pool.submit(ask).result(timeout=10) == 1
