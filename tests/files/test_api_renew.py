"""`POST /api/files/{fileId}/renew`: going on with an upload after an expired URL, a reload, or on another machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from embedded.programs import wait_until
from files import deletion, sweeping
from files.models import File
from files.services import renewing
from files.storage import abort_multipart, complete_multipart, list_parts
from tests.factories import FileFactory
from tests.fixtures import PART, Api, Demo, codes, new_file_id, put

LONG_AGO = timezone.now() - timedelta(days=3)


def multipart(api: Api, demo: Demo, parts: int, **claims: object) -> tuple[str, list[str]]:
    """A multipart upload that was requested three days ago; its file ID and URLs."""
    answer = api.post("files/request-multipart-upload", [claims], groupId=demo.group.pk, numberParts=parts)
    [requested] = answer.json()
    File.objects.update(last_activity_at=LONG_AGO, urls_expire_at=LONG_AGO)
    return requested["fileId"], requested["urls"]


def send(url: str, content: bytes) -> str:
    """Send a part; its ETag without quotes."""
    answer = put(url, content)
    assert answer.status_code == 200
    return answer.headers["ETag"].strip('"')


def dies_at(url: str) -> datetime:
    """When the store refuses the URL, by what is signed into it."""
    query = parse_qs(urlsplit(url).query)
    made = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return made + timedelta(seconds=int(query["X-Amz-Expires"][0]))


def renewed(api: Api, file_id: str, body: object = None) -> Any:
    """The answer of a call that must succeed."""
    answer = api.post(f"files/{file_id}/renew", body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_single_upload_that_has_not_come_gets_another_url_for_the_claimed_length(api: Api, demo: Demo) -> None:
    [requested] = api.request_upload(demo.group, claims=[{"size": 7}])
    File.objects.update(last_activity_at=LONG_AGO, urls_expire_at=LONG_AGO)
    answer = renewed(api, requested["fileId"])
    assert set(answer) == {"fileId", "status", "expiresAt", "url"}
    assert (answer["fileId"], answer["status"]) == (requested["fileId"], "REQUESTED")
    assert put(answer["url"], b"another length").status_code == 403
    assert put(answer["url"], b"content").status_code == 200
    file = File.objects.get()
    assert file.last_activity_at > LONG_AGO
    assert datetime.fromisoformat(answer["expiresAt"]) == file.urls_expire_at
    assert timedelta(0) <= file.urls_expire_at - dies_at(answer["url"]) < timedelta(seconds=1)


def test_an_expired_url_is_refused_and_the_renewed_one_taken(api: Api, demo: Demo, settings: Any) -> None:
    settings.UPLOAD_URL_LIFETIME = timedelta(seconds=1)
    [requested] = api.request_upload(demo.group)
    assert wait_until(lambda: timezone.now() > dies_at(requested["url"]) + timedelta(seconds=1), 10)
    assert put(requested["url"], b"too late").status_code == 403
    settings.UPLOAD_URL_LIFETIME = timedelta(minutes=1)
    assert put(renewed(api, requested["fileId"].upper())["url"], b"content").status_code == 200


def test_a_single_upload_that_has_come_is_told_so_and_verified(
    api: Api, demo: Demo, django_capture_on_commit_callbacks: Any
) -> None:
    file_id = api.upload(demo.group, b"content")
    with django_capture_on_commit_callbacks() as sent:
        answer = renewed(api, file_id)
    assert answer == {"fileId": file_id, "status": "UPLOADED", "expiresAt": None}
    assert len(sent) == 1


def test_of_a_multipart_upload_only_what_the_store_lacks_gets_urls(api: Api, demo: Demo) -> None:
    file_id, urls = multipart(api, demo, 4)
    last, first = send(urls[3], b"end"), send(urls[0], bytes(PART))
    answer = renewed(api, file_id)
    assert set(answer) == {"fileId", "status", "expiresAt", "urls", "uploadedParts"}
    assert [each["partNumber"] for each in answer["urls"]] == [2, 3]
    assert answer["uploadedParts"] == [
        {"partNumber": 1, "size": PART, "etag": first},
        {"partNumber": 4, "size": 3, "etag": last},
    ]
    file = File.objects.get()
    assert file.last_activity_at > LONG_AGO
    assert all(dies_at(each["url"]) <= file.urls_expire_at for each in answer["urls"])
    middle = [send(each["url"], bytes(PART)) for each in answer["urls"]]
    etags = [first, *middle, last]
    completed = api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": etags}])
    assert completed.json() == [{"fileId": file_id, "status": "UPLOADED"}]
    assert renewed(api, file_id) == {
        "fileId": file_id, "status": "UPLOADED", "expiresAt": None, "urls": [], "uploadedParts": [],
    }  # fmt: skip


def test_a_multipart_upload_of_which_nothing_has_come_is_under_way_all_the_same(api: Api, demo: Demo) -> None:
    file_id, _ = multipart(api, demo, 3)
    for _again in range(2):
        answer = renewed(api, file_id, {})
        assert [each["partNumber"] for each in answer["urls"]] == [1, 2, 3]
        assert (answer["status"], answer["uploadedParts"]) == ("REQUESTED", [])


def test_parts_that_are_named_get_urls_for_their_own_length_though_they_are_there(api: Api, demo: Demo) -> None:
    file_id, urls = multipart(api, demo, 3, size=2 * PART + 5, partSize=PART)
    send(urls[0], bytes(PART))
    answer = renewed(api, file_id, {"partNumbers": [3, 1]})
    last, first = ({each["partNumber"]: each["url"] for each in answer["urls"]}[number] for number in (3, 1))
    assert [part["partNumber"] for part in answer["uploadedParts"]] == [1]
    assert put(last, b"123456").status_code == 403
    assert put(last, b"12345").status_code == 200
    again = send(first, bytes(PART))
    assert renewed(api, file_id, {"partNumbers": []})["urls"] == []
    assert renewed(api, file_id)["uploadedParts"][0] == {"partNumber": 1, "size": PART, "etag": again}


@pytest.mark.parametrize("body", [{"partNumbers": each} for each in ([0], [4], [2, 2], 1, ["x"], [None])] + [[1]])
def test_part_numbers_that_the_upload_has_not_are_refused(api: Api, demo: Demo, body: Any) -> None:
    file_id, _ = multipart(api, demo, 3)
    answer = api.post(f"files/{file_id}/renew", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "parameter_invalid")
    assert File.objects.get().last_activity_at == LONG_AGO


def test_a_single_upload_has_no_parts(api: Api, demo: Demo) -> None:
    [requested] = api.request_upload(demo.group)
    answer = api.post(f"files/{requested['fileId']}/renew", {"partNumbers": [1]})
    assert (answer.status_code, codes(answer)) == (400, ["parameter_invalid"])


@pytest.mark.parametrize("is_multipart", [False, True])
@pytest.mark.parametrize("status", ["UPLOADED", "VERIFYING", "VERIFIED", "REJECTED"])
def test_a_file_that_is_further_on_is_told_as_it_is(api: Api, demo: Demo, status: str, is_multipart: bool) -> None:
    file = FileFactory.create(status=status, multipart=is_multipart, group=demo.group)
    nothing: dict[str, list[object]] = {"urls": [], "uploadedParts": []} if is_multipart else {}
    assert renewed(api, str(file.pk)) == {"fileId": str(file.pk), "status": status, "expiresAt": None, **nothing}
    assert File.objects.get().last_activity_at == file.last_activity_at


def test_who_is_no_member_renews_nothing(api: Api, demo: Demo) -> None:
    file_id, _ = multipart(api, demo, 1)
    for person, status in ((demo.bob, 404), (demo.admin, 404), (None, 401)):
        assert Api(person).post(f"files/{file_id}/renew").status_code == status
    assert api.post(f"files/{new_file_id()}/renew").json()["code"] == "file_not_found"
    assert File.objects.get().last_activity_at == LONG_AGO


@pytest.mark.embedded
@pytest.mark.parametrize("is_multipart", [False, True])
def test_an_upload_that_expired_or_is_being_deleted_stays_so(api: Api, demo: Demo, is_multipart: bool) -> None:
    expired = FileFactory.create(status="EXPIRED", multipart=is_multipart, group=demo.group)
    answer = api.post(f"files/{expired.pk}/renew")
    assert (answer.status_code, codes(answer)) == (422, ["upload_expired"])
    deleting = FileFactory.create(multipart=is_multipart, group=demo.group, deleting_at=timezone.now())
    assert api.post(f"files/{deleting.pk}/renew").status_code == 404
    assert set(File.objects.values_list("status", "deleting_at")) == {
        ("EXPIRED", None), ("REQUESTED", deleting.deleting_at),
    }  # fmt: skip


def expire(file: File) -> None:
    sweeping.expire_abandoned()


def delete(file: File) -> None:
    deletion.claim([file.pk])
    deletion.finish(File.objects.filter(pk=file.pk))


@pytest.mark.embedded
@pytest.mark.parametrize(("happens", "code"), [(expire, "upload_expired"), (delete, "file_not_found")])
@pytest.mark.parametrize("is_multipart", [False, True])
def test_what_ends_an_upload_while_it_is_renewed_wins(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch, settings: Any,
    is_multipart: bool, happens: Callable[[File], None], code: str,
) -> None:  # fmt: skip
    settings.ABANDONED_AFTER = timedelta(days=1)
    if is_multipart:
        multipart(api, demo, 2)
    else:
        api.request_upload(demo.group)
        File.objects.update(last_activity_at=LONG_AGO)
    file, looked = File.objects.get(), []
    extended = renewing._extended

    def extended_too_late(found: File) -> bool:
        looked.append(found)
        happens(found)
        return extended(found)

    monkeypatch.setattr(renewing, "_extended", extended_too_late)
    assert api.post(f"files/{file.pk}/renew").json()["code"] == code
    assert looked == [file]
    assert not File.objects.filter(status="REQUESTED").exists()


@pytest.mark.embedded
def test_an_upload_that_the_store_has_lost_is_expired(api: Api, demo: Demo) -> None:
    file_id, urls = multipart(api, demo, 2)
    send(urls[0], b"part")
    file = File.objects.get()
    abort_multipart(key=file.object_key, upload_id=file.upload_id)
    for _again in range(2):
        answer = api.post(f"files/{file_id}/renew")
        assert (answer.status_code, codes(answer)) == (422, ["upload_expired"])
        assert File.objects.get().status == "EXPIRED"


@pytest.mark.embedded
def test_a_complete_that_died_before_it_was_recorded_can_still_be_repeated(api: Api, demo: Demo) -> None:
    file_id, urls = multipart(api, demo, 1)
    etag, file = send(urls[0], b"part"), File.objects.get()
    complete_multipart(key=file.object_key, upload_id=file.upload_id, parts=[(1, etag)])
    assert codes(api.post(f"files/{file_id}/renew")) == ["upload_expired"]
    completed = api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": [etag]}])
    assert completed.json() == [{"fileId": file_id, "status": "UPLOADED"}]


@pytest.mark.embedded
def test_an_upload_that_is_being_completed_is_not_sent_to(api: Api, demo: Demo) -> None:
    file_id, _ = multipart(api, demo, 1)
    File.objects.update(completing_until=timezone.now() + timedelta(seconds=30))
    answer = api.post(f"files/{file_id}/renew")
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "upload_completing", "2")
    File.objects.update(completing_until=timezone.now() - timedelta(seconds=1))
    assert len(renewed(api, file_id)["urls"]) == 1
    file = File.objects.get()
    assert list_parts(key=file.object_key, upload_id=file.upload_id) == []
