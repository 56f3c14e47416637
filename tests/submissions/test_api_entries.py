"""`/api/<organism>/entries/…` and `/api/<organism>/release`: bodies, statuses, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from submissions.models import SequenceEntry
from tests.factories import (
    FileAttachmentFactory,
    FileFactory,
    GroupMembershipFactory,
    SequenceEntryFactory,
    SubmissionFactory,
)
from tests.fixtures import FASTQ, Api, Demo, codes, mapping_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer
    from pytest_django import Settings


@pytest.fixture
def entry(demo: Demo) -> SequenceEntry:
    """An accepted entry of the Demo Lab with one file."""
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    accepted: SequenceEntry = SequenceEntryFactory.create(
        submission=submission,
        status="ACCEPTED",
        given_submission_id="sample/1",
        metadata={"country": "Uganda"},
        sequences=[{"fastaId": "sample1", "length": 4}],
    )
    category = demo.organism.file_categories.get(name="supplementary")
    FileAttachmentFactory.create(entry=accepted, category=category, name="gel.png")
    return accepted


def address(entry: SequenceEntry, organism: str = "ebola-sudan") -> str:
    return f"{organism}/entries/{entry.accession}/{entry.version}"


def call(api: Api, method: str, path: str, body: str = "", content_type: str = "application/json") -> Answer:
    return api.client.generic(method, f"/api/{path}", body, content_type)


def code(answer: Answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# --- looking at one ----------------------------------------------------------------------------------


@pytest.mark.embedded
def test_members_see_all_of_an_entry(api: Api, demo: Demo, entry: SequenceEntry) -> None:
    attachment = entry.attachments.get()
    body = api.get(address(entry)).json()
    times = {name: body.pop(name) for name in ("submittedAt", "settledAt")}
    assert all(times.values())
    assert body == {
        "accession": entry.accession,
        "version": 1,
        "submissionId": "sample/1",
        "status": "ACCEPTED",
        "organism": "ebola-sudan",
        "groupId": demo.group.pk,
        "releasedAt": None,
        "metadata": {"country": "Uganda"},
        "sequences": [{"fastaId": "sample1", "length": 4}],
        "files": [
            {
                "category": "supplementary",
                "name": "gel.png",
                "fileId": str(attachment.file_id),
                "status": "VERIFIED",
                "size": attachment.file.size,
                "sha256": attachment.file.sha256,
                "md5": attachment.file.md5,
                "problem": None,
            }
        ],
        "submission": entry.submission_id,
        "submittedBy": "alice",
        "releasedBy": None,
    }


def test_before_the_release_it_is_for_members_and_afterwards_for_all(demo: Demo, entry: SequenceEntry) -> None:
    member, anonymous = Api(GroupMembershipFactory.create(group=demo.group).user), Api(None)
    outsiders = [Api(demo.bob), Api(demo.admin)]
    assert member.get(address(entry)).json()["submittedBy"] == "alice"
    assert [code(outsider.get(address(entry))) for outsider in outsiders] == [(403, "not_a_member")] * 2
    refused = anonymous.get(address(entry))
    assert (code(refused), refused.headers["WWW-Authenticate"]) == ((401, "not_public"), "Bearer")
    SequenceEntry.objects.update(released_at=timezone.now(), released_by=demo.alice)
    assert member.get(address(entry)).json()["releasedBy"] == "alice"
    for reader in (*outsiders, anonymous):
        body = reader.get(address(entry)).json()
        assert body["releasedAt"] is not None
        assert body.keys().isdisjoint({"submission", "submittedBy", "releasedBy"})
    assert anonymous.client.head(f"/api/{address(entry)}").status_code == 200


@pytest.mark.embedded
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_entry_is_found_under_its_own_organism_alone(api: Api, entry: SequenceEntry, method: str) -> None:
    files = "/files" if method == "PUT" else ""
    other, missing = address(entry, "west-nile"), address(entry, "no-such")
    assert code(call(api, method, other + files, "{}")) == (404, "entry_not_found")
    assert code(call(api, method, missing + files, "{}")) == (404, "organism_not_found")
    assert code(call(api, method, f"ebola-sudan/entries/{entry.accession}/9{files}", "{}")) == (404, "entry_not_found")


# --- its files ---------------------------------------------------------------------------------------


def test_its_files_are_replaced_and_verified(
    api: Api, demo: Demo, entry: SequenceEntry, work: Callable[[], None]
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    text = '{"rawReads": [{"fileId": "%s", "name": "a.fastq", "more": 1}]}' % file_id.upper()  # noqa: UP031
    answer = call(api, "PUT", f"{address(entry)}/files", text)
    body = answer.json()
    assert (answer.status_code, body["status"], body["settledAt"], body["submission"]) == (
        200,
        "VERIFYING",
        None,
        entry.submission_id,
    )
    assert [(file["category"], file["name"], file["fileId"]) for file in body["files"]] == [
        ("rawReads", "a.fastq", file_id)
    ]
    assert code(call(api, "PUT", f"{address(entry)}/files", text)) == (409, "entry_verifying")
    work()
    assert api.get(address(entry)).json()["status"] == "ACCEPTED"
    assert call(api, "PUT", f"{address(entry)}/files", "{}").json()["files"] == []


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ('{"rawReads": [], "rawReads": []}', ["/rawReads"]),
        ('{"rawReads": {}, "supplementary": [{"fileId": "x", "name": 1}]}', ["/rawReads", "/supplementary/0/fileId"]),
        ("[]", [""]),
        ("{", [None]),
        ("", [None]),
    ],
)
def test_what_is_no_mapping_is_400_with_places_in_what_was_sent(
    api: Api, entry: SequenceEntry, text: str, pointers: list[str | None]
) -> None:
    answer = call(api, "PUT", f"{address(entry)}/files", text)
    assert code(answer) == (400, "file_mapping_invalid")
    errors = answer.json()["errors"]
    assert [error.get("pointer") for error in errors][: len(pointers)] == pointers
    assert all("field" not in error for error in errors)
    assert entry.attachments.count() == 1


def test_a_body_above_the_limit_is_refused(api: Api, entry: SequenceEntry, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    path = f"{address(entry)}/files"
    assert code(call(api, "PUT", path, "{}".ljust(101))) == (413, "request_too_large")
    assert call(api, "PUT", path, "{}".ljust(100)).status_code == 200


def test_a_body_that_is_no_json_text_is_refused(api: Api, entry: SequenceEntry) -> None:
    path = f"{address(entry)}/files"
    assert code(call(api, "PUT", path, "a=b", "text/plain")) == (415, "media_type_unsupported")
    assert code(api.client.generic("PUT", f"/api/{path}", b'{"\xff": []}', "application/json")) == (
        400,
        "parameter_invalid",
    )


def test_what_is_wrong_with_the_files_is_422_and_changes_nothing(api: Api, demo: Demo, entry: SequenceEntry) -> None:
    theirs = FileFactory.create(status="VERIFIED", group=demo.other_group)
    text = '{"gel": [{"fileId": "%s", "name": "a?"}]}' % theirs.pk  # noqa: UP031
    answer = call(api, "PUT", f"{address(entry)}/files", text)
    assert answer.status_code == 422
    assert [(error["code"], error["pointer"]) for error in answer.json()["errors"]] == [
        ("file_name_invalid", "/gel/0"),
        ("category_unknown", "/gel"),
        ("file_not_found", "/gel/0"),
    ]
    assert entry.attachments.get().name == "gel.png"
    west_nile = SequenceEntryFactory.create(
        submission__organism=demo.organism_without_files, submission__group=demo.group, status="ACCEPTED"
    )
    text = text.replace("a?", "a")
    refused = call(api, "PUT", f"{address(west_nile, 'west-nile')}/files", text)
    assert code(refused) == (400, "file_sharing_disabled")


# --- withdrawing -------------------------------------------------------------------------------------


def test_an_entry_is_withdrawn_once_and_its_submission_counts_it(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = mapping_of("sample1", "rawReads", (file_id, "a.fastq"))
    submitted = api.submit(demo.organism, demo.group, mapping=mapping)
    first, second = (f"ebola-sudan/entries/{entry['accession']}/1" for entry in submitted.json())
    number = int(submitted.headers["Location"].rsplit("/", 1)[1])
    answer = call(api, "DELETE", first)
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(call(api, "DELETE", first)) == (404, "entry_not_found")
    body = api.get(f"submissions/{number}").json()
    assert (body["status"], body["counts"]["entries"], body["counts"]["withdrawn"]) == ("ACCEPTED", 1, 1)
    assert api.get(f"files/{file_id}").json()["attachedTo"] == []
    assert call(api, "DELETE", second).status_code == 204
    body = api.get(f"submissions/{number}").json()
    assert (body["status"], body["entries"], body["counts"]["withdrawn"]) == ("WITHDRAWN", [], 2)


# --- releasing ---------------------------------------------------------------------------------------


def release(api: Api, *wanted: object, organism: str = "ebola-sudan") -> Answer:
    return api.post(f"{organism}/release", {"accessionVersions": wanted})


def wanted(entry: SequenceEntry, **more: Any) -> dict[str, Any]:
    return {"accession": entry.accession, "version": entry.version, **more}


def test_a_released_entry_is_public_for_good(api: Api, demo: Demo, entry: SequenceEntry) -> None:
    first = release(api, wanted(entry, more="ignored"))
    assert first.status_code == 200
    [released] = first.json()
    assert released == {**wanted(entry), "releasedAt": released["releasedAt"]}
    assert release(api, wanted(entry)).json() == first.json()
    assert Api(None).get(address(entry)).json()["releasedAt"] == released["releasedAt"]
    file = f"/api/files/get/{entry.accession}/1/supplementary/gel.png"
    assert Api(None).client.get(file).status_code == 307
    assert code(call(api, "DELETE", address(entry))) == (409, "entry_released")
    assert code(call(api, "PUT", f"{address(entry)}/files", "{}")) == (409, "entry_released")
    assert release(api).json() == []


@pytest.mark.embedded
def test_all_or_nothing_is_released_and_everything_that_stands_in_the_way_is_told(
    api: Api, demo: Demo, entry: SequenceEntry
) -> None:
    rejected = SequenceEntryFactory.create(submission=entry.submission, status="REJECTED")
    answer = release(api, wanted(entry), wanted(rejected), {"accession": "SAT_99999999", "version": 2})
    assert (answer.status_code, codes(answer)) == (422, ["entry_not_accepted", "entry_not_found"])
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/accessionVersions/1", "/accessionVersions/2"]
    assert not SequenceEntry.objects.filter(released_at__isnull=False).exists()
    assert code(release(api, wanted(entry), organism="no-such")) == (404, "organism_not_found")
    assert codes(release(api, wanted(entry), organism="west-nile")) == ["entry_not_found"]
    assert codes(release(Api(demo.bob), wanted(entry))) == ["entry_not_found"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("parameter_missing", "/accessionVersions")]),
        ({"accessionVersions": {}}, [("parameter_invalid", "/accessionVersions")]),
        (
            {"accessionVersions": [{"accession": "A", "version": 1}, {"version": 0}, 7]},
            [
                ("parameter_missing", "/accessionVersions/1/accession"),
                ("parameter_invalid", "/accessionVersions/1/version"),
                ("parameter_invalid", "/accessionVersions/2"),
            ],
        ),
        (
            {"accessionVersions": [{"accession": "\ud800", "version": 2**31}]},
            [
                ("parameter_invalid", "/accessionVersions/0/accession"),
                ("parameter_invalid", "/accessionVersions/0/version"),
            ],
        ),
        (
            {"accessionVersions": [{"accession": "SAT_1", "version": 1}] * 20_001},
            [("parameter_invalid", "/accessionVersions")],
        ),
        ([], [("parameter_invalid", "")]),
    ],
)
def test_a_body_that_names_no_entries_is_400(api: Api, demo: Demo, body: object, found: list[tuple[str, str]]) -> None:
    answer = api.post("ebola-sudan/release", body)
    assert answer.status_code == 400
    assert [(error["code"], error["pointer"]) for error in answer.json()["errors"]] == found


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "entries/SAT_1/1/files"), ("DELETE", "entries/SAT_1/1"), ("POST", "release")]
)
def test_nothing_is_changed_without_a_token(demo: Demo, method: str, path: str) -> None:
    assert code(call(Api(None), method, f"ebola-sudan/{path}", "{}")) == (401, "not_authenticated")
