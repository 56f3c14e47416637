"""Faults in a row: they are counted, and the file is given up before it has worn down every worker."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from structlog.testing import capture_logs

from files import leases, storage, sweeping, tasks, verification
from files.content import CHECKS
from files.errors import StorageUnavailableError
from files.leases import FAULT_MAX_LENGTH, SILENCE
from files.models import ContentCheckResult, File
from tests.factories import FileFactory
from tests.fixtures import FASTQ, Api, Demo, mapping_of

pytestmark = [pytest.mark.embedded, pytest.mark.django_db]

FAULTS_MAX = 3
OURS = "verification_failed_internally"


@pytest.fixture(autouse=True)
def _few_faults(settings: Any) -> None:
    settings.VERIFICATION_FAULTS_MAX = FAULTS_MAX


def announced(api: Api, demo: Demo, **claims: Any) -> File:
    """A file whose bytes are staged and known to be."""
    file_id = api.upload(demo.group, FASTQ, **claims)
    api.post("files/complete-upload", [{"fileId": file_id}])
    return File.objects.get(pk=file_id)


def submitted(api: Api, demo: Demo, file: File, category: str) -> str:
    """An entry with the file; the address of its submission."""
    mapping = mapping_of("sample1", category, (str(file.pk), "reads.fastq"))
    answer = api.submit(demo.organism, demo.group, mapping=mapping)
    assert answer.status_code == 202, answer.content
    return str(answer.headers["Location"])


def let_pauses_pass() -> None:
    File.objects.update(retry_at=None)


def let_leases_run_out() -> None:
    File.objects.filter(lease_token__isnull=False).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def try_until_given_up(file: File) -> None:
    """Verify the file, which must fail each time, as often as it is taken up."""
    tries = 0
    while sweeping.files_to_resend(1):
        assert verification.verify(file.pk) is False
        let_pauses_pass()
        tries += 1
    assert tries == FAULTS_MAX
    file.refresh_from_db()


def test_a_file_is_given_up_after_so_many_faults_in_a_row_and_that_is_an_error_in_the_log(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    storage.delete(file.staging_key)
    with capture_logs() as logs:
        try_until_given_up(file)
    assert (file.status, file.fault_count, file.lease_token) == ("VERIFYING", FAULTS_MAX, None)
    assert file.verification_failed_at is not None
    assert "ObjectMissingError" in file.last_fault
    assert leases.claim(file.pk) is None
    [given_up] = [entry for entry in logs if entry["log_level"] == "error"]
    assert (given_up["event"], given_up["file_id"], given_up["faults"]) == (
        "verification_given_up",
        str(file.pk),
        FAULTS_MAX,
    )


def test_a_reading_that_succeeds_forgets_the_faults_before_it(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    for _ in range(FAULTS_MAX - 1):
        lease = leases.claim(file.pk)
        assert lease is not None
        lease.end_with_fault(storage.ObjectMissingError(file.staging_key))
        let_pauses_pass()
    file.refresh_from_db()
    assert file.fault_count == FAULTS_MAX - 1
    assert verification.verify(file.pk) is True
    file.refresh_from_db()
    assert (file.status, file.fault_count, file.verification_failed_at) == ("VERIFIED", 0, None)


class Broken:
    """A content check with a bug."""

    name = "fastq"
    version = 1
    problems: dict[str, str] = {}

    def __init__(self, *_: object) -> None:
        self.lines: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        raise IndexError("list index out of range")


@pytest.fixture
def _broken_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A FASTQ check that fails by a bug."""
    monkeypatch.setitem(CHECKS, "fastq", Broken)


@pytest.mark.usefixtures("_broken_check")
def test_a_check_that_fails_by_a_bug_poisons_its_file_instead_of_looping_for_ever(api: Api, demo: Demo) -> None:
    file = announced(api, demo, organism="ebola-sudan", category="rawReads")
    for _ in range(FAULTS_MAX):
        with pytest.raises(IndexError):
            verification.verify(file.pk)
        let_pauses_pass()
    assert verification.verify(file.pk) is False
    file.refresh_from_db()
    assert file.verification_failed_at is not None
    assert file.last_fault == "IndexError('list index out of range')"
    assert sweeping.files_to_resend(10) == []


@pytest.mark.usefixtures("_broken_check")
def test_a_late_check_that_fails_by_a_bug_counts_the_same_and_leaves_the_file_verified(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = announced(api, demo)
    tasks.verify_file(str(file.pk))
    location = submitted(api, demo, file, "rawReads")
    for _ in range(FAULTS_MAX):
        with pytest.raises(IndexError):
            tasks.verify_file(str(file.pk))
        let_pauses_pass()
    tasks.verify_file(str(file.pk))
    file.refresh_from_db()
    assert (file.status, file.fault_count) == ("VERIFIED", FAULTS_MAX)
    assert file.verification_failed_at is not None
    assert api.get(f"files/{file.pk}").json()["problem"] is None
    [shown] = api.client.get(location).json()["entries"][0]["files"]
    assert (shown["status"], shown["problem"]["code"]) == ("VERIFYING", OURS)


@pytest.mark.parametrize("fault", [MemoryError(), StorageUnavailableError(), RecursionError("too deep")])
def test_every_exception_is_a_fault(api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    file = announced(api, demo)
    lease = leases.claim(file.pk)
    assert lease is not None
    lease.end_with_fault(fault)
    file.refresh_from_db()
    assert (file.fault_count, file.last_fault) == (1, repr(fault))


def test_a_fault_is_told_with_its_notes_and_its_cause_and_cut_where_it_is_too_long(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    for fault, expected in (
        (_noted(ValueError("a\x00b")), "ValueError('a\\x00b') 'the first' from KeyError('c')"),
        (ValueError("x" * 5_000), f"ValueError('{'x' * 5_000}"[:FAULT_MAX_LENGTH]),
    ):
        lease = leases.claim(file.pk)
        assert lease is not None
        lease.end_with_fault(fault)
        let_pauses_pass()
        file.refresh_from_db()
        assert file.last_fault == expected


def _noted(fault: Exception) -> Exception:
    fault.add_note("the first")
    fault.__cause__ = KeyError("c")
    return fault


@pytest.mark.parametrize("stop", [SystemExit(0), KeyboardInterrupt()])
def test_a_worker_that_is_told_to_stop_gives_its_file_back_without_a_fault(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    file = announced(api, demo)

    def stopped(*_: object) -> None:
        raise stop

    monkeypatch.setattr(verification, "_work", stopped)
    with pytest.raises(type(stop)):
        verification.verify(file.pk)
    file.refresh_from_db()
    assert (file.status, file.fault_count, file.lease_token, file.retry_at) == ("VERIFYING", 0, None, None)


# --- workers that fall silent --------------------------------------------------------------------------


def test_a_worker_that_falls_silent_is_a_fault_and_the_next_one_reads_at_once(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    assert leases.claim(file.pk) is not None
    let_leases_run_out()
    lease = leases.claim(file.pk)
    assert lease is not None
    file.refresh_from_db()
    assert (file.fault_count, file.last_fault, file.lease_token) == (1, SILENCE, lease.token)


def test_a_file_that_kills_each_worker_is_given_up(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    with capture_logs() as logs:
        for _ in range(FAULTS_MAX):
            assert sweeping.files_to_resend(1) == [file.pk]
            assert leases.claim(file.pk) is not None
            let_leases_run_out()
        assert leases.claim(file.pk) is None
    file.refresh_from_db()
    assert (file.fault_count, file.last_fault, file.lease_token) == (FAULTS_MAX, SILENCE, None)
    assert file.verification_failed_at is not None
    assert sweeping.files_to_resend(1) == []
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["verification_given_up"]


@pytest.mark.django_db(transaction=True)
def test_of_several_that_see_a_silent_worker_one_counts_it_and_one_reads(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    leases.claim(file.pk)
    let_leases_run_out()

    def run(_: int) -> bool:
        try:
            return leases.claim(file.pk) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(run, range(6))) == [False] * 5 + [True]
    file.refresh_from_db()
    assert file.fault_count == 1


def test_a_silent_worker_that_wakes_up_after_its_file_was_given_up_records_nothing(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    File.objects.update(fault_count=FAULTS_MAX - 1)
    slow = leases.claim(file.pk)
    assert slow is not None
    let_leases_run_out()
    assert leases.claim(file.pk) is None
    before = File.objects.values().get()
    slow.end_with_fault(StorageUnavailableError())
    with pytest.raises(leases.LeaseLostError):
        slow.end(status=File.Status.VERIFIED)
    assert File.objects.values().get() == before


# --- what submitters see ---------------------------------------------------------------------------------


def test_a_submitter_is_told_that_it_is_our_fault_and_nothing_of_the_fault_itself(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    location = submitted(api, demo, file, "supplementary")
    storage.delete(file.staging_key)
    assert api.get(f"files/{file.pk}").json()["problem"] is None
    try_until_given_up(file)
    body = api.get(f"files/{file.pk}")
    assert body.json()["status"] == "VERIFYING"
    assert body.json()["problem"]["code"] == OURS
    assert "our fault and not yours" in body.json()["problem"]["detail"]
    answer = api.client.get(location)
    [shown] = answer.json()["entries"][0]["files"]
    assert (shown["status"], shown["problem"]["code"]) == ("VERIFYING", OURS)
    assert answer.json()["status"] == "VERIFYING"
    for text in (body.content.decode(), answer.content.decode()):
        assert "ObjectMissingError" not in text
        assert file.staging_key not in text


def test_the_page_of_a_submission_says_so_too_and_not_as_a_problem_of_the_file(
    client: Any, api: Api, demo: Demo
) -> None:
    file = announced(api, demo)
    location = submitted(api, demo, file, "supplementary").removeprefix("/api")
    client.force_login(demo.alice)
    assert "our fault" not in client.get(location).content.decode()
    File.objects.update(
        status="VERIFYING", verification_failed_at=timezone.now(), fault_count=1, last_fault="OSError('disk')"
    )
    page = client.get(location).content.decode()
    assert '<p class="file-hold-up">We could not verify this file, which is our fault and not yours.' in page
    assert 'data-file-state="VERIFYING"' in page
    assert "OSError" not in page
    assert 'class="file-problem"' not in page


def test_a_verified_file_whose_check_is_there_is_not_held_up_by_another_categorys_check(api: Api, demo: Demo) -> None:
    file = announced(api, demo)
    tasks.verify_file(str(file.pk))
    location = submitted(api, demo, file, "supplementary")
    File.objects.update(verification_failed_at=timezone.now(), fault_count=1, last_fault="OSError('disk')")
    assert not ContentCheckResult.objects.exists()
    [shown] = api.client.get(location).json()["entries"][0]["files"]
    assert (shown["status"], shown["problem"]) == ("VERIFIED", None)


def test_a_file_that_is_gone_is_not_claimed(db: None) -> None:
    assert leases.claim(uuid.uuid4()) is None
    assert leases.claim(FileFactory.create(status=File.Status.UPLOADED, deleting_at=timezone.now()).pk) is None
