"""`/api/files/…`: requesting, completing, looking at and downloading files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from files import storage
from files.models import File
from files.services.completing import COMPLETING_LEASE
from tests import web
from tests.fixtures import FASTQ_GZ, PART, Api, Demo, codes, in_parts, new_file_id, put


def _multipart(
    api: Api, demo: Demo, content: bytes, *, parts: int | None = None, **claims: Any
) -> tuple[str, list[str]]:
    """A multipart upload whose parts are sent; its file ID and ETags."""
    pieces = in_parts(content)
    answer = api.post(
        "files/request-multipart-upload",
        [claims] if claims else None,
        groupId=demo.group.pk,
        numberFiles=1,
        numberParts=parts or len(pieces),
    )
    assert answer.status_code == 200, answer.content
    [requested] = answer.json()
    etags = [put(url, piece).headers["ETag"] for url, piece in zip(requested["urls"], pieces, strict=False)]
    return requested["fileId"], etags


def test_a_request_gives_lower_case_ids_urls_and_when_they_expire(api: Api, demo: Demo) -> None:
    requested = api.request_upload(demo.group, 3)
    assert len({item["fileId"] for item in requested}) == 3
    for item in requested:
        assert item["fileId"] == item["fileId"].lower()
        assert set(item) == {"fileId", "url", "expiresAt"}
        assert item["expiresAt"].endswith("Z")
        assert put(item["url"], b"content").status_code == 200


@pytest.mark.embedded
def test_the_body_alone_may_say_how_many_files(api: Api, demo: Demo) -> None:
    answer = api.post("files/request-upload", [{"name": "a"}, {"name": "b"}], groupId=demo.group.pk)
    assert len(answer.json()) == 2
    assert set(File.objects.values_list("claimed_name", flat=True)) == {"a", "b"}


def test_a_claimed_size_is_signed_so_that_another_length_is_refused(api: Api, demo: Demo) -> None:
    [requested] = api.request_upload(demo.group, claims=[{"size": 5}])
    assert put(requested["url"], b"123456").status_code == 403
    assert put(requested["url"], b"12345").status_code == 200


def test_a_form_comes_beside_the_url_where_it_is_asked_for(api: Api, demo: Demo) -> None:
    answer = api.post("files/request-upload", [{"size": 5}, {}], groupId=demo.group.pk, presignedPost="true")
    five, any_size = answer.json()
    assert [set(item) for item in (five, any_size)] == [{"fileId", "url", "expiresAt", "presignedPost"}] * 2
    for item, content, status in (
        (five, b"123456", 400),
        (five, b"12345", 204),
        (any_size, b"", 204),
        (any_size, b"1", 204),
    ):
        form = item["presignedPost"]
        assert web.post(form["url"], data=form["fields"], files={"file": content}).status_code == status
    completed = api.post("files/complete-upload", [{"fileId": five["fileId"]}, {"fileId": any_size["fileId"]}])
    assert [item["status"] for item in completed.json()] == ["UPLOADED", "UPLOADED"]
    refused = api.post("files/request-upload", groupId=demo.group.pk, presignedPost="yes")
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid")


@pytest.mark.parametrize(
    ("parameters", "code", "status"),
    [
        ({}, "parameter_missing", 400),
        ({"groupId": "x"}, "parameter_invalid", 400),
        ({"numberFiles": 0}, "parameter_invalid", 400),
        ({"numberFiles": 1001}, "parameter_invalid", 400),
        ({"groupId": 999_999}, "group_not_found", 404),
    ],
)
@pytest.mark.parametrize("address", ["files/request-upload", "files/request-multipart-upload"])
def test_bad_parameters_of_a_request_are_refused(
    api: Api, demo: Demo, address: str, parameters: dict[str, Any], code: str, status: int
) -> None:
    if parameters:
        parameters = {"groupId": demo.group.pk, **parameters}
    answer = api.post(address, **parameters)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not File.objects.exists()


@pytest.mark.parametrize(
    "parameters", [{"numberParts": 0}, {"numberParts": 10_001}, {"numberFiles": 3, "numberParts": 7_000}]
)
def test_numbers_of_parts_out_of_range_are_refused(api: Api, demo: Demo, parameters: dict[str, int]) -> None:
    answer = api.post("files/request-multipart-upload", groupId=demo.group.pk, **parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "parameter_invalid")
    assert not File.objects.exists()


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [
        ({"sha256": "abc"}, 400, "parameter_invalid"),
        ({"size": -1}, 400, "parameter_invalid"),
        ({"size": "many"}, 400, "parameter_invalid"),
        ({"organism": "ebola-sudan", "category": "photos"}, 422, "category_unknown"),
        ({"organism": "west-nile", "category": "rawReads"}, 422, "category_unknown"),
        ({"size": 6 * 1024**3}, 422, "file_too_large"),
    ],
)
def test_claims_that_cannot_hold_are_refused_with_their_place(
    api: Api, demo: Demo, claims: dict[str, Any], status: int, code: str
) -> None:
    answer = api.post("files/request-upload", [{}, claims], groupId=demo.group.pk)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["pointer"].startswith("/1/")
    assert not File.objects.exists()


def test_only_members_get_urls(demo: Demo) -> None:
    foreign = Api(demo.bob).post("files/request-upload", groupId=demo.group.pk)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_a_member")
    anonymous = Api(None).post("files/request-upload", groupId=demo.group.pk)
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "not_authenticated")
    admin = Api(demo.admin).post("files/request-upload", groupId=demo.group.pk)
    assert admin.status_code == 403


def test_no_bad_token_gets_further_than_401(demo: Demo) -> None:
    for header in ("Bearer", "Bearer nonsense", "bearer eyJhbGciOiJub25lIn0.e30."):
        answer = Api(None).client.get("/api/files/" + new_file_id(), headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_ten_thousand_part_urls_take_as_many_queries_as_one(
    api: Api, demo: Demo, django_assert_max_num_queries: Any
) -> None:
    # Token, group, member; room asked for; savepoint, lock, room asked for again, file, savepoint.
    with django_assert_max_num_queries(9):
        answer = api.post("files/request-multipart-upload", groupId=demo.group.pk, numberParts=10_000)
    [requested] = answer.json()
    assert len(requested["urls"]) == len(set(requested["urls"])) == 10_000
    assert "partNumber=10000&" in requested["urls"][-1]


def test_a_multipart_upload_is_completed_and_verified(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    content = bytes(range(256)) * (PART // 256 + 10)
    file_id, etags = _multipart(api, demo, content, parts=5)
    answer = api.post("files/complete-multipart-upload", [{"fileId": file_id.upper(), "etags": etags}])
    assert answer.json() == [{"fileId": file_id, "status": "UPLOADED"}]
    work()
    found = api.get(f"files/{file_id}").json()
    assert found["status"] == "VERIFIED"
    assert found["size"] == len(content)
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_etags_may_come_with_or_without_quotes_and_again(api: Api, demo: Demo) -> None:
    file_id, etags = _multipart(api, demo, b"x")
    quoted = api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": etags}])
    bare = [etag.strip('"') for etag in etags]
    again = api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": bare}])
    assert quoted.json() == again.json() == [{"fileId": file_id, "status": "UPLOADED"}]
    other = api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": ["0" * 32]}])
    assert (other.status_code, other.json()["code"]) == (422, "etags_differ")


def test_one_bad_item_does_not_undo_the_others(api: Api, demo: Demo) -> None:
    good, good_etags = _multipart(api, demo, b"good")
    bad, _ = _multipart(api, demo, b"bad")
    [single] = api.request_upload(demo.group)
    [requested] = api.post("files/request-multipart-upload", groupId=demo.group.pk, numberParts=2).json()
    small = requested["fileId"]
    small_etags = [put(url, b"tiny").headers["ETag"] for url in requested["urls"]]
    unknown = new_file_id()
    items = [
        {"fileId": good, "etags": good_etags},
        {"fileId": bad, "etags": ["0" * 32]},
        {"fileId": single["fileId"], "etags": ["0" * 32]},
        {"fileId": unknown, "etags": ["0" * 32]},
        {"fileId": bad, "etags": []},
        {"fileId": bad, "etags": [1, None, {}]},
        {"fileId": small, "etags": small_etags},
    ]
    answer = api.post("files/complete-multipart-upload", items)
    body = answer.json()
    assert answer.status_code == 422
    assert body["results"] == [{"fileId": good, "status": "UPLOADED"}]
    assert [(error["fileId"], error["code"]) for error in body["errors"]] == [
        (bad, "part_not_found"),
        (single["fileId"], "not_multipart"),
        (unknown, "file_not_found"),
        (bad, "etags_missing"),
        (bad, "part_not_found"),
        (small, "part_too_small"),
    ]
    assert "5242880" in body["errors"][-1]["detail"]


@pytest.mark.parametrize(
    "body", [{}, [1], [{"etags": []}], [{"fileId": "x", "etags": []}], [{"fileId": new_file_id()}]]
)
def test_a_body_that_is_no_list_of_items_is_400(api: Api, body: Any) -> None:
    answer = api.post("files/complete-multipart-upload", body)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"parameter_invalid", "parameter_missing"}


def test_a_file_of_another_group_does_not_exist_for_outsiders(api: Api, demo: Demo) -> None:
    file_id, etags = _multipart(api, demo, b"x")
    outsider = Api(demo.bob)
    completed = outsider.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": etags}])
    assert (completed.status_code, codes(completed)) == (422, ["file_not_found"])
    assert outsider.get(f"files/{file_id}").status_code == 404
    assert Api(demo.admin).get(f"files/{file_id}").status_code == 404
    assert api.get(f"files/{file_id.upper()}").status_code == 200


def test_a_complete_whose_answer_and_record_were_lost_is_settled_by_the_object(api: Api, demo: Demo) -> None:
    file_id, etags = _multipart(api, demo, b"sent once")
    file = File.objects.get(pk=file_id)
    storage.complete_multipart(key=file.object_key, upload_id=file.upload_id, parts=[(1, etags[0])])
    answer = api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": etags}])
    assert answer.json() == [{"fileId": file_id, "status": "UPLOADED"}]
    other, _ = _multipart(api, demo, b"never sent")
    gone = File.objects.get(pk=other)
    storage.abort_multipart(key=gone.object_key, upload_id=gone.upload_id)
    expired = api.post("files/complete-multipart-upload", [{"fileId": other, "etags": ["0" * 32]}])
    assert codes(expired) == ["upload_expired"]


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_eight_completes_at_once_get_the_same_truth(api: Api, demo: Demo) -> None:
    file_id, etags = _multipart(api, demo, bytes(PART + 1))

    def complete(_: int) -> tuple[int, Any]:
        try:
            answer = api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": etags}])
            return answer.status_code, answer.json()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(complete, range(8)))
    assert answers == [(200, [{"fileId": file_id, "status": "UPLOADED"}])] * 8
    assert File.objects.get().completing_until is None


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_a_complete_waits_for_the_one_that_is_under_way(api: Api, demo: Demo) -> None:
    file_id, etags = _multipart(api, demo, b"x")
    holder = File.objects.filter(pk=file_id)
    holder.update(completing_until=timezone.now() + COMPLETING_LEASE)
    with ThreadPoolExecutor(1) as pool:

        def complete() -> Any:
            try:
                return api.post("files/complete-multipart-upload", [{"fileId": file_id, "etags": etags}]).json()
            finally:
                connection.close()

        waiting = pool.submit(complete)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        holder.update(completing_until=None)
        assert waiting.result(timeout=20) == [{"fileId": file_id, "status": "UPLOADED"}]


def test_complete_upload_looks_and_says_what_it_found(api: Api, demo: Demo) -> None:
    here = api.upload(demo.group, b"content")
    [absent] = api.request_upload(demo.group)
    parts, _ = _multipart(api, demo, b"x")
    items = [{"fileId": file_id} for file_id in (here, absent["fileId"], parts)]
    body = api.post("files/complete-upload", items).json()
    assert body["results"] == [{"fileId": here, "status": "UPLOADED"}]
    assert [error["code"] for error in body["errors"]] == ["file_not_uploaded", "multipart_not_completed"]
    again = api.post("files/complete-upload", [{"fileId": here}])
    assert again.json() == [{"fileId": here, "status": "UPLOADED"}]


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"size": 4}, "size_mismatch"),
        ({"sha256": "0" * 64}, "sha256_mismatch"),
        ({"md5": "F" * 32}, "md5_mismatch"),
    ],
)
def test_late_claims_are_compared_too(
    api: Api, demo: Demo, work: Callable[[], None], claims: dict[str, Any], code: str
) -> None:
    file_id = api.upload(demo.group, b"content")
    api.post("files/complete-upload", [{"fileId": file_id, **claims}])
    work()
    found = api.get(f"files/{file_id}").json()
    assert (found["status"], found["problem"]["code"]) == ("REJECTED", code)
    multipart, etags = _multipart(api, demo, b"content")
    api.post("files/complete-multipart-upload", [{"fileId": multipart, "etags": etags, **claims}])
    work()
    assert api.get(f"files/{multipart}").json()["problem"]["code"] == code


@pytest.mark.embedded
def test_completing_takes_no_more_queries_for_more_files(
    api: Api, demo: Demo, django_assert_max_num_queries: Any
) -> None:
    requests = api.request_upload(demo.group, 24)
    for requested in requests:
        put(requested["url"], b"content")
    items = [{"fileId": requested["fileId"], "size": 7, "sha256": "1" * 64, "md5": "0" * 32} for requested in requests]
    with django_assert_max_num_queries(14):
        answer = api.post("files/complete-upload", items)
    assert answer.status_code == 200
    claimed = File.objects.filter(claimed_size=7, claimed_sha256="1" * 64, claimed_md5="0" * 32)
    assert claimed.filter(status=File.Status.UPLOADED).count() == 24


def test_claims_that_contradict_what_was_claimed_or_found_are_told(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    claimed = api.upload(demo.group, b"content", sha256="1" * 64)
    differing = api.post("files/complete-upload", [{"fileId": claimed, "sha256": "2" * 64}])
    assert (differing.status_code, codes(differing)) == (422, ["sha256_mismatch"])
    verified = api.upload(demo.group, b"content")
    api.post("files/complete-upload", [{"fileId": verified}])
    work()
    for claims, code in (({"size": 8}, "size_mismatch"), ({"md5": "0" * 32}, "md5_mismatch")):
        answer = api.post("files/complete-upload", [{"fileId": verified, **claims}])
        assert (answer.status_code, codes(answer)) == (422, [code])
    right = {"size": 7, "sha256": hashlib.sha256(b"content").hexdigest()}
    assert api.post("files/complete-upload", [{"fileId": verified, **right}]).status_code == 200
    multipart, etags = _multipart(api, demo, b"content", sha256="1" * 64)
    answer = api.post("files/complete-multipart-upload", [{"fileId": multipart, "etags": etags, "sha256": "2" * 64}])
    assert codes(answer) == ["sha256_mismatch"]


def test_parts_that_cannot_hold_the_claimed_size_are_refused(api: Api, demo: Demo) -> None:
    claims = [{"size": 100_000_000, "partSize": PART}]
    answer = api.post("files/request-multipart-upload", claims, groupId=demo.group.pk, numberParts=19)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/0/partSize")
    assert api.post("files/request-multipart-upload", claims, groupId=demo.group.pk, numberParts=20).status_code == 200


@pytest.mark.parametrize("etag", ["\ud800", "\u202e", "x" * 5000, 5, None, {}])
def test_whatever_an_etag_is_the_item_is_answered(api: Api, demo: Demo, etag: Any) -> None:
    file_id, _ = _multipart(api, demo, b"x")
    body = json.dumps([{"fileId": file_id, "etags": [etag]}])
    answer = api.client.post("/api/files/complete-multipart-upload", body, content_type="application/json")
    assert (answer.status_code, codes(answer)) == (422, ["part_not_found"])


def test_a_claimed_category_has_its_check_run_before_submitting(api: Api, demo: Demo, work: Callable[[], None]) -> None:
    file_id = api.upload(demo.group, FASTQ_GZ[:-9], organism="ebola-sudan", category="rawReads")
    api.post("files/complete-upload", [{"fileId": file_id}])
    work()
    found = api.get(f"files/{file_id}").json()
    assert found["status"] == "VERIFIED"
    [check] = found["checks"]
    assert (check["check"], check["status"]) == ("fastq", "FAILED")
    assert check["code"].startswith("fastq_")
    assert check["offset"] is not None


def test_an_unknown_address_and_a_wrong_method_are_problems_too(api: Api) -> None:
    for answer, code in (
        (api.get("no/such/thing"), "not_found"),
        (api.get("files/request-upload"), "method_not_allowed"),
        (api.post("files/request-upload/"), "not_found"),
    ):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == code
