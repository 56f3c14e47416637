"""`Idempotency-Key`: the first answer again, and never a second submission."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from common.errors import ParameterInvalidError
from files import storage, sweeping, tasks
from files.errors import StorageUnavailableError
from submissions.api.idempotency import parse_key
from submissions.errors import IdempotencyKeyRunningError
from submissions.models import IdempotencyRecord, SequenceEntry, Submission
from submissions.services.idempotency import Answer, BodyPart, IdempotencyKey, answer_once, digest_of
from tests.factories import IdempotencyRecordFactory, SubmissionFactory
from tests.fixtures import FASTQ, Api, Demo

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answered

PATH = "/api/ebola-sudan/submit"
TABLE = b"id\tcountry\nsample1\tUganda\n"
KEY = IdempotencyKey("night-7", PATH, [BodyPart("metadataFile", BytesIO(TABLE))], "Idempotency-Key")


def submit(
    api: Api,
    demo: Demo,
    *,
    key: str = "night-7",
    table: bytes = TABLE,
    name: str = "metadata.tsv",
    path: str = PATH,
    **texts: str,
) -> Answered:
    form = {
        **texts,
        "metadataFile": SimpleUploadedFile(name, table),
        "sequenceFile": SimpleUploadedFile("s.fasta", b">sample1\nACGT\n"),
    }
    query = {"groupId": str(demo.group.pk)}
    return api.client.post(path, data=form, query_params=query, headers={"Idempotency-Key": key})


# --- the first answer, again -------------------------------------------------------------------------


@pytest.mark.embedded
def test_a_repeated_call_gets_the_first_answer_whatever_became_of_the_entries(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = f'{{"sample1": {{"rawReads": [{{"fileId": "{file_id}", "name": "a.fastq"}}]}}}}'
    first = submit(api, demo, fileMapping=mapping)
    assert (first.status_code, first.json()[0]["status"]) == (202, "VERIFYING")
    assert "Idempotent-Replayed" not in first.headers
    work()
    SequenceEntry.objects.update(given_submission_id="renamed")
    again = submit(api, demo, key='"night-7"', fileMapping=mapping)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    accession = first.json()[0]["accession"]
    assert api.client.delete(f"/api/ebola-sudan/entries/{accession}/1").status_code == 204
    assert submit(api, demo, fileMapping=mapping).json() == first.json()
    assert (Submission.objects.get().withdrawn_count, SequenceEntry.objects.count()) == (1, 0)


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_eight_at_once_with_one_key_make_one_submission(api: Api, demo: Demo) -> None:
    barrier = Barrier(8)

    def call() -> int:
        barrier.wait(10)
        try:
            return submit(api, demo).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = [call.result(timeout=60) for call in [pool.submit(call) for _ in range(8)]]
    assert 202 in statuses
    assert set(statuses) <= {202, 409}
    assert submit(api, demo).status_code == 202
    assert Submission.objects.count() == SequenceEntry.objects.count() == 1


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_ended_has_answered_once_it_has_committed(demo: Demo, when: str) -> None:
    deaths = [when]

    def act(record: Callable[[Answer], None]) -> Answer:
        death = deaths.pop() if deaths else None
        with transaction.atomic():
            answer = Answer(SubmissionFactory.create(group=demo.group, submitted_by=demo.alice).pk, [])
            record(answer)
            if death == "before the commit":
                raise SystemExit
        if death == "after the commit":
            raise SystemExit
        return answer

    with pytest.raises(SystemExit):
        answer_once(user=demo.alice, group=demo.group, key=KEY, act=act)
    answer = answer_once(user=demo.alice, group=demo.group, key=KEY, act=act)
    assert answer.is_repeated == (when == "after the commit")
    assert answer.number == Submission.objects.get().pk


def test_a_call_of_another_path_or_group_or_person_is_another_call(demo: Demo, api: Api) -> None:
    demo.group.memberships.create(user=demo.bob)
    demo.other_group.memberships.create(user=demo.alice)
    assert submit(api, demo).status_code == 202
    assert submit(Api(demo.bob), demo).status_code == 202
    assert submit(api, demo, path="/api/west-nile/submit").status_code == 202
    demo.other_group.pk, demo.group.pk = demo.group.pk, demo.other_group.pk
    assert submit(api, demo).status_code == 202
    assert Submission.objects.count() == 4


# --- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [{"table": TABLE + b"\n"}, {"name": "other.tsv"}, {"fileMapping": "{}"}, {"unknown": "field"}],
    ids=["content", "file name", "part more", "part that nobody reads"],
)
def test_another_body_under_the_same_key_is_refused(api: Api, demo: Demo, other: dict[str, str]) -> None:
    assert submit(api, demo).status_code == 202
    answer = submit(api, demo, **other)  # type: ignore[arg-type]  # the table is bytes
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Submission.objects.count() == 1


def test_a_call_whose_twin_is_running_is_told_to_come_back(api: Api, demo: Demo) -> None:
    assert submit(api, demo).status_code == 202
    IdempotencyRecord.objects.update(answered_at=None, submission=None, answer=None)
    answer = submit(api, demo)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_running")
    assert int(answer.headers["Retry-After"]) > 0
    assert submit(api, demo, name="other.tsv").json()["code"] == "idempotency_key_reused"
    assert Submission.objects.count() == 1


def test_a_refused_call_frees_its_key_for_a_mended_body(api: Api, demo: Demo) -> None:
    assert submit(api, demo, table=b"id\tcountry\nsample1\tUganda\tmore\n").status_code == 422
    assert submit(api, demo, fileMapping="no JSON").status_code == 400
    assert not IdempotencyRecord.objects.exists()
    assert submit(api, demo).status_code == 202


def test_membership_is_looked_at_before_the_key(api: Api, demo: Demo) -> None:
    assert submit(Api(demo.bob), demo).json()["code"] == "not_a_member"
    assert not IdempotencyRecord.objects.exists()
    assert submit(api, demo).status_code == 202
    demo.group.memberships.all().delete()
    assert submit(api, demo).json()["code"] == "not_a_member"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("night-7", "night-7"),
        ('"night-7"', "night-7"),
        (r'"a \"b\" \\"', r"a " + '"b" ' + "\\"),
        ("a" * 255, "a" * 255),
        ('it\'s "this"', 'it\'s "this"'),
        ("", None),
        ('""', None),
        ('"open', None),
        (r'"\a"', None),
        ("a" * 256, None),
        ("schlüssel", None),
        ("a\tb", None),
    ],
)
def test_a_key_is_printable_ascii_in_quotation_marks_or_not(header: str, key: str | None) -> None:
    if key is not None:
        assert parse_key(header) == key
        return
    with pytest.raises(ParameterInvalidError):
        parse_key(header)


def test_a_header_that_is_no_key_is_400(api: Api, demo: Demo) -> None:
    answer = submit(api, demo, key="")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


# --- time ----------------------------------------------------------------------------------------------


def age(by: timedelta) -> None:
    """Let the records be so much older."""
    for record in IdempotencyRecord.objects.all():
        record.created_at -= by
        record.answered_at = record.answered_at and record.answered_at - by
        record.save()


def test_an_answer_is_kept_for_a_day(api: Api, demo: Demo) -> None:
    assert submit(api, demo).status_code == 202
    age(timedelta(hours=23))
    assert "Idempotent-Replayed" in submit(api, demo).headers
    age(timedelta(hours=2))
    assert "Idempotent-Replayed" not in submit(api, demo, name="other.tsv").headers
    assert Submission.objects.count() == 2


def test_who_is_taken_for_dead_cannot_commit_any_more(demo: Demo) -> None:
    """The slow call is overtaken while it runs, and its submission is rolled back."""

    def act(record: Callable[[Answer], None]) -> Answer:
        with transaction.atomic():
            answer = Answer(SubmissionFactory.create(group=demo.group, submitted_by=demo.alice).pk, [])
            record(answer)
        return answer

    def slow(record: Callable[[Answer], None]) -> Answer:
        age(timedelta(minutes=11))
        overtaking.append(answer_once(user=demo.alice, group=demo.group, key=KEY, act=act))
        return act(record)

    overtaking: list[Answer] = []
    with pytest.raises(IdempotencyKeyRunningError):
        answer_once(user=demo.alice, group=demo.group, key=KEY, act=slow)
    assert overtaking[0].number == Submission.objects.get().pk
    assert answer_once(user=demo.alice, group=demo.group, key=KEY, act=act).is_repeated


def test_records_whose_time_is_over_are_swept(db: None) -> None:
    now = timezone.now()
    for answered, created in ((25, 25), (23, 25), (None, 1), (None, 0)):
        submission = None if answered is None else SubmissionFactory.create()
        record = IdempotencyRecordFactory.create(
            key=f"{answered} {created}",
            answered_at=None if answered is None else now - timedelta(hours=answered),
            submission=submission,
            answer=None if answered is None else [],
        )
        IdempotencyRecord.objects.filter(pk=record.pk).update(created_at=now - timedelta(hours=created))
    assert sweeping.forget_answers() == 2
    assert set(IdempotencyRecord.objects.values_list("key", flat=True)) == {"23 25", "None 0"}
    assert sweeping.forget_answers() == 0


def test_they_are_swept_while_the_object_store_is_down(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(prefix: str) -> None:
        raise StorageUnavailableError

    record = IdempotencyRecordFactory.create(answered_at=None, submission=None, answer=None)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(storage, "list_prefix", down)
    with pytest.raises(StorageUnavailableError):
        tasks.sweep_storage()
    assert not IdempotencyRecord.objects.filter(pk=record.pk).exists()


# --- the digest ----------------------------------------------------------------------------------------


def part(name: str, content: bytes, file_name: str | None = None) -> BodyPart:
    return BodyPart(name, BytesIO(content), file_name)


def test_the_digest_is_of_the_parts_in_the_order_of_their_names() -> None:
    one, other = part("a", b"1"), part("b", b"2")
    digest = digest_of([one, other])
    assert digest_of([other, one]) == digest
    assert one.content.read() == b"1"
    others = [
        [part("a", b"1b2")],
        [part("a", b"1"), part("b", b"2", "f")],
        [part("a", b"1"), part("b", b"2"), part("b", b"")],
        [part("a", b"2"), part("b", b"1")],
        [part("a", b"12"), part("b", b"")],
    ]
    assert len({digest, *map(digest_of, others)}) == 1 + len(others)
