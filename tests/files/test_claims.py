"""Claims that come with a complete call, files that are larger than was claimed, and how much one call may ask."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import MOST_TOLD, ValidationFailedError
from files import storage, sweeping
from files.api.serializers import MAX_FILES
from files.errors import StorageUnavailableError
from files.models import File
from files.services import CompleteItem, complete_uploads, usage_of
from files.storage import StoredObject
from tests.fixtures import PART, Api, Demo, codes, put

pytestmark = pytest.mark.django_db


def multipart(api: Api, demo: Demo, *pieces: bytes, **claims: object) -> dict[str, Any]:
    """What completes an upload whose pieces are sent."""
    claimed = [claims] if claims else None
    path, parameters = "files/request-multipart-upload", {"groupId": demo.group.pk, "numberParts": len(pieces)}
    [requested] = api.post(path, claimed, **parameters).json()
    etags = [put(url, piece).headers["ETag"] for url, piece in zip(requested["urls"], pieces, strict=True)]
    return {"fileId": requested["fileId"], "etags": etags}


# --- claims --------------------------------------------------------------------------------------------


@pytest.mark.embedded
def test_what_is_claimed_of_a_file_that_is_not_there_is_not_recorded(api: Api, demo: Demo) -> None:
    [single] = api.request_upload(demo.group)
    claims = {"size": 7, "sha256": "1" * 64, "md5": "0" * 32}
    refused = api.post("files/complete-upload", [{"fileId": single["fileId"], **claims}])
    assert codes(refused) == ["file_not_uploaded"]
    parts = {**multipart(api, demo, b"content"), "etags": ["0" * 32]}
    assert codes(api.post("files/complete-upload", [{"fileId": parts["fileId"], **claims}])) == [
        "multipart_not_completed"
    ]
    assert codes(api.post("files/complete-multipart-upload", [{**parts, **claims}])) == ["part_not_found"]
    assert set(File.objects.values_list("claimed_size", "claimed_sha256", "claimed_md5")) == {(None, "", "")}


@pytest.mark.parametrize(
    ("call", "largest"), [("complete-upload", 5 * 1024**3), ("complete-multipart-upload", 5 * 1024**4)]
)
def test_a_late_claim_of_more_than_an_upload_can_carry_cannot_be_read(api: Api, call: str, largest: int) -> None:
    def complete(size: int) -> tuple[int, str]:
        answer = api.post(f"files/{call}", [{"fileId": str(uuid.uuid4()), "etags": ["x"], "size": size}])
        return answer.status_code, answer.json()["code"]

    assert complete(largest + 1) == (400, "parameter_invalid")
    assert complete(largest) == (422, "file_not_found")


# --- larger than was claimed ---------------------------------------------------------------------------


@pytest.mark.embedded
@pytest.mark.parametrize("late", [False, True], ids=["claimed before", "claimed with the call"])
def test_a_multipart_upload_larger_than_its_claim_is_refused_and_nothing_is_kept(
    api: Api, demo: Demo, late: bool
) -> None:
    claim = {"size": PART}
    item = multipart(api, demo, bytes(PART), b"one more", **({} if late else claim))
    body = [{**item, **(claim if late else {})}]

    for _ in range(2):
        answer = api.post("files/complete-multipart-upload", body)
        assert (answer.status_code, codes(answer)) == (422, ["size_mismatch"])
    file = File.objects.get()
    assert (file.status, file.problem_code, file.claimed_size) == ("REJECTED", "size_mismatch", PART)
    assert storage.head(file.object_key) is None
    assert usage_of(demo.group).used == PART


def test_a_refusal_that_the_store_interrupts_is_made_when_the_call_is_repeated(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(key: str) -> None:
        raise StorageUnavailableError

    item = multipart(api, demo, b"content", size=6)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(storage, "delete", down)
        assert api.post("files/complete-multipart-upload", [item]).status_code == 503
    assert codes(api.post("files/complete-multipart-upload", [item])) == ["size_mismatch"]
    assert storage.head(File.objects.get().object_key) is None


@pytest.mark.embedded
def test_a_single_upload_larger_than_its_claim_is_refused_and_the_others_are_not(api: Api, demo: Demo) -> None:
    larger, smaller = (api.upload(demo.group, b"content") for _ in range(2))
    items = [{"fileId": larger, "size": 6}, {"fileId": smaller, "size": 8}]

    for _ in range(2):
        answer = api.post("files/complete-upload", items)
        assert [(error["fileId"], error["code"]) for error in answer.json()["errors"]] == [(larger, "size_mismatch")]
        assert answer.json()["results"] == [{"fileId": smaller, "status": "UPLOADED"}]
    assert api.get(f"files/{larger}").json()["problem"]["code"] == "size_mismatch"
    kept = [storage.head(File.objects.get(pk=file_id).staging_key) is not None for file_id in (larger, smaller)]
    assert kept == [False, True]


@pytest.mark.embedded
def test_what_was_sent_unannounced_counts_once_the_sweeper_has_listed_it(api: Api, demo: Demo) -> None:
    [here, absent, announced] = api.request_upload(demo.group, 3, [{}, {}, {"size": 7}])
    assert [put(each["url"], b"content").status_code for each in (here, announced)] == [200, 200]
    assert usage_of(demo.group).used == 7

    for content in (b"content", b"longer content"):
        put(here["url"], content)
        sweeping.clear_staging()
        assert usage_of(demo.group).used == 7 + len(content)
    sizes = [File.objects.get(pk=each["fileId"]).size for each in (here, absent, announced)]
    assert sizes == [14, None, None]
    assert set(File.objects.values_list("status", flat=True)) == {"REQUESTED"}


# --- how much one call may ask -------------------------------------------------------------------------


def test_no_more_errors_are_kept_than_are_told_and_all_are_counted(demo: Demo) -> None:
    items = [CompleteItem(uuid.uuid4()) for _ in range(MOST_TOLD + 1)]
    with pytest.raises(ValidationFailedError) as refused:
        complete_uploads(user=demo.alice, items=items)
    assert (len(refused.value.errors), refused.value.count) == (MOST_TOLD, MOST_TOLD + 1)


@pytest.mark.parametrize("call", ["request-upload", "complete-upload", "complete-multipart-upload"])
def test_of_a_list_that_is_too_long_nothing_is_looked_at(api: Api, demo: Demo, call: str) -> None:
    bad = {"fileId": 0, "size": -1}
    answer = api.post(f"files/{call}", [bad] * (MAX_FILES + 1), groupId=demo.group.pk)
    assert (answer.status_code, answer.json()["errorCount"]) == (400, 1)
    assert f"{MAX_FILES} objects at most" in answer.json()["detail"]
    assert api.post(f"files/{call}", [bad] * MAX_FILES, groupId=demo.group.pk).json()["errorCount"] >= MAX_FILES


# --- looking for what has come -------------------------------------------------------------------------


def test_files_of_one_request_are_listed_together_and_one_alone_is_not_listed(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    list_prefix = storage.list_prefix

    def noted(prefix: str) -> Iterator[StoredObject]:
        listed.append(prefix)
        return list_prefix(prefix)

    monkeypatch.setattr(storage, "list_prefix", noted)
    together = api.request_upload(demo.group, 2)
    requested = [*together, *api.request_upload(demo.group), *api.request_upload(demo.group)]
    for each in requested[:-1]:
        put(each["url"], b"content")

    answer = api.post("files/complete-upload", [{"fileId": each["fileId"]} for each in requested])

    assert [result["status"] for result in answer.json()["results"]] == ["UPLOADED"] * 3
    assert codes(answer) == ["file_not_uploaded"]
    assert listed == [f"staging/{File.objects.get(pk=together[0]['fileId']).request_id}/"]
