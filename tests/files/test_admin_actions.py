"""What an admin does with files of the list: requeue, quarantine, let go."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from files import services, storage, sweeping, tasks, verification
from files.models import File
from submissions.models import SequenceEntry
from tests.admin_pages import words
from tests.factories import FileFactory, UserFactory
from tests.fixtures import FASTQ, Api, Demo, codes, mapping_of

pytestmark = pytest.mark.django_db

LIST = "/admin/files/file/"
GIVEN_UP: dict[str, Any] = {
    "status": "VERIFYING",
    "lease_token": None,
    "lease_expires_at": None,
    "fault_count": 10,
    "last_fault": "OSError('disk')",
    "verification_failed_at": timezone.now(),
    "retry_at": timezone.now() + timedelta(minutes=10),
}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> set[uuid.UUID]:
    """The files that were sent to be verified, whether that is committed or not."""
    found: set[uuid.UUID] = set()
    monkeypatch.setattr(tasks, "enqueue", found.update)
    return found


def act(client: Client, action: str, files: Iterable[File], **more: str) -> Any:
    """Choose an action for files of the list."""
    chosen = {"action": action, "_selected_action": [str(file.pk) for file in files], "index": "0", **more}
    return client.post(LIST, chosen, follow=True)


def confirm(client: Client, page: Any) -> Any:
    """Send the form of the page that asks."""
    context = page.context
    form = {"action": context["action"], "select_across": context["select_across"], "confirmed": "yes"}
    return client.post(LIST, {**form, "_selected_action": context["selected"]}, follow=True)


def history() -> list[tuple[str | None, str]]:
    """What was written into the histories of files: which, and what."""
    return list(LogEntry.objects.order_by("pk").values_list("object_id", "change_message"))


# --- requeue -------------------------------------------------------------------------------------------


def test_a_file_that_was_given_up_is_verified_again(admin_client: Client, sent: set[uuid.UUID]) -> None:
    file = FileFactory.create(**GIVEN_UP)
    page = act(admin_client, "requeue", [file])
    file.refresh_from_db()
    assert (file.fault_count, file.verification_failed_at, file.retry_at) == (0, None, None)
    assert file.last_fault == "OSError('disk')"
    assert sent == {file.pk}
    assert sweeping.files_to_resend(10) == [file.pk]
    assert "1 file was put into the queue again." in words(page)
    assert history() == [(str(file.pk), "Requeued for verification.")]


@pytest.mark.embedded
@pytest.mark.parametrize("search", ["reads", "q"])
def test_files_that_were_searched_for_can_be_acted_on(admin_client: Client, sent: set[uuid.UUID], search: str) -> None:
    file = FileFactory.create(**GIVEN_UP, claimed_name="reads q")
    form = {"action": "requeue", "_selected_action": [str(file.pk)], "index": "0"}
    assert admin_client.post(f"{LIST}?q={search}&verification_failed=given-up", form).status_code == 302
    assert sent == {file.pk}


@pytest.mark.embedded
def test_requeueing_goes_on_where_it_makes_sense_and_counts_the_rest(
    admin_client: Client, sent: set[uuid.UUID]
) -> None:
    waiting = FileFactory.create(**{**GIVEN_UP, "verification_failed_at": None})
    late_check = FileFactory.create(**{**GIVEN_UP, "status": "VERIFIED"})
    unread = FileFactory.create(status="UPLOADED")
    others = [
        FileFactory.create(status="VERIFYING"),  # a worker has it
        FileFactory.create(status="VERIFIED"),
        FileFactory.create(status="REJECTED"),
        FileFactory.create(status="REQUESTED"),
        FileFactory.create(**GIVEN_UP, deleting_at=timezone.now()),
    ]
    before = list(File.objects.filter(pk__in=[file.pk for file in others]).order_by("pk").values())
    page = act(admin_client, "requeue", [waiting, late_check, unread, *others])
    assert sent == {waiting.pk, late_check.pk, unread.pk}
    assert list(File.objects.filter(pk__in=[file.pk for file in others]).order_by("pk").values()) == before
    told = "3 files were put into the queue again. 5 files were left alone: there is nothing to verify, or a worker"
    assert told in words(page)


@pytest.mark.embedded
def test_a_requeued_file_is_verified_once_its_trouble_is_gone(api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    api.post("files/complete-upload", [{"fileId": file_id}])
    File.objects.update(**GIVEN_UP)
    assert verification.verify(uuid.UUID(file_id)) is False
    assert len(services.requeue(File.objects.all())) == 1
    assert len(services.requeue(File.objects.filter(status="VERIFIED"))) == 0
    tasks.verify_file(file_id)
    assert api.get(f"files/{file_id}").json()["status"] == "VERIFIED"


# --- quarantine ------------------------------------------------------------------------------------------


@pytest.mark.embedded
def test_quarantine_asks_first_and_then_holds_files_back(admin_client: Client, admin_user: User) -> None:
    files = FileFactory.create_batch(2, status="VERIFIED")
    asked = act(admin_client, "quarantine", files)
    assert "2 files are to be put into quarantine" in words(asked)
    assert not File.objects.exclude(quarantined_at=None).exists()
    assert history() == []
    done = confirm(admin_client, asked)
    assert "2 files were put into quarantine." in words(done)
    assert {file.quarantined_by for file in File.objects.all()} == {admin_user}
    assert sorted(history()) == sorted((str(file.pk), "Quarantined.") for file in files)


@pytest.mark.embedded
def test_a_file_in_quarantine_already_keeps_its_time_and_person(admin_client: Client) -> None:
    held = FileFactory.create(quarantined_at=timezone.now() - timedelta(days=1), quarantined_by=UserFactory.create())
    deleting = FileFactory.create(deleting_at=timezone.now())
    before = list(File.objects.order_by("pk").values())
    page = confirm(admin_client, act(admin_client, "quarantine", [held, deleting]))
    assert "0 files were put into quarantine. 2 files were left alone" in words(page)
    assert list(File.objects.order_by("pk").values()) == before


def test_all_files_of_a_filtered_list_can_be_chosen_at_once(admin_client: Client) -> None:
    chosen, other = FileFactory.create_batch(101, status="VERIFIED"), FileFactory.create(status="REJECTED")
    address = f"{LIST}?status__exact=VERIFIED"
    form = {"action": "quarantine", "_selected_action": [str(chosen[0].pk)], "select_across": "1"}
    asked = admin_client.post(address, {**form, "index": "0"})
    assert "101 files are to be put into quarantine" in words(asked)
    admin_client.post(address, {**form, "confirmed": "yes"})
    assert File.objects.exclude(quarantined_at=None).count() == 101
    assert File.objects.get(pk=other.pk).quarantined_at is None


@pytest.mark.embedded
def test_lifting_a_quarantine_settles_the_entries_that_waited(
    admin_client: Client, api: Api, demo: Demo, sent: set[uuid.UUID]
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = mapping_of("sample1", "supplementary", (file_id, "a.txt"))
    api.submit(demo.organism, demo.group, mapping=mapping)
    [file] = File.objects.all()
    confirm(admin_client, act(admin_client, "quarantine", [file]))
    tasks.verify_file(file_id)
    entry = SequenceEntry.objects.get(given_submission_id="sample1")
    assert entry.status == "VERIFYING"
    sent.clear()
    page = act(admin_client, "lift_quarantine", [file])
    assert "1 file was let out of quarantine." in words(page)
    assert sent == {file.pk}
    tasks.verify_file(file_id)
    entry.refresh_from_db()
    assert entry.status == "ACCEPTED"
    assert history() == [(file_id, "Quarantined."), (file_id, "Quarantine lifted.")]
    assert "1 file was left alone: it is not in quarantine" in words(act(admin_client, "lift_quarantine", [file]))


def test_a_file_in_quarantine_is_neither_attached_nor_handed_out(admin_client: Client, api: Api, demo: Demo) -> None:
    file_id = api.upload(demo.group, FASTQ)
    mapping = mapping_of("sample1", "supplementary", (file_id, "a.txt"))
    [entry, _] = api.submit(demo.organism, demo.group, mapping=mapping).json()
    tasks.verify_file(file_id)
    address = f"files/get/{entry['accession']}/1/supplementary/a.txt"
    assert api.get(address).status_code == 307
    services.quarantine(files=File.objects.all(), user=demo.admin)
    answer = api.submit(demo.organism, demo.group, mapping=mapping)
    assert (answer.status_code, codes(answer)) == (422, ["file_rejected"])
    assert api.get(address).json()["code"] == "file_not_available"


def test_a_file_that_is_put_into_quarantine_while_it_is_submitted_is_not_attached(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = api.upload(demo.group, FASTQ)
    api.post("files/complete-upload", [{"fileId": file_id}])
    keep_document = storage.keep_document

    def quarantine_first(*arguments: Any) -> str:
        services.quarantine(files=File.objects.all(), user=demo.admin)
        return keep_document(*arguments)

    monkeypatch.setattr(storage, "keep_document", quarantine_first)
    mapping = mapping_of("sample1", "supplementary", (file_id, "a.txt"))
    answer = api.submit(demo.organism, demo.group, mapping=mapping)
    assert (answer.status_code, codes(answer)) == (422, ["file_not_found"])
    assert "held back" in answer.json()["detail"]
    assert not SequenceEntry.objects.exists()


# --- who may, and what is shown ----------------------------------------------------------------------------


@pytest.mark.embedded
def test_staff_may_act_only_with_the_right_to_change_files(client: Client, sent: set[uuid.UUID]) -> None:
    staff = UserFactory.create(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_file"))
    client.force_login(staff)
    file = FileFactory.create(**GIVEN_UP)
    for action in ("requeue", "quarantine", "lift_quarantine"):
        act(client, action, [file], confirmed="yes")
    file.refresh_from_db()
    assert (file.fault_count, file.quarantined_at, sent) == (10, None, set())
    staff.user_permissions.add(Permission.objects.get(codename="change_file"))
    act(client, "requeue", [file])
    assert sent == {file.pk}


def test_people_who_are_no_admins_cannot_act(client: Client, demo: Demo, sent: set[uuid.UUID]) -> None:
    file = FileFactory.create(**GIVEN_UP)
    for person in (None, demo.alice):
        if person is not None:
            client.force_login(person)
        act(client, "requeue", [file])
    assert sent == set()


@pytest.mark.embedded
def test_files_that_were_given_up_are_found_by_a_filter_and_shown_with_their_last_fault(admin_client: Client) -> None:
    given_up, retrying = FileFactory.create(**GIVEN_UP), FileFactory.create(status="UPLOADED", fault_count=2)
    FileFactory.create(status="VERIFIED")
    for choice, expected in (("given-up", given_up), ("retrying", retrying)):
        page = admin_client.get(LIST, {"verification_failed": choice})
        assert list(page.context["cl"].queryset) == [expected]
    shown = words(admin_client.get(f"{LIST}{given_up.pk}/change/"))
    assert "OSError('disk')" in shown
    assert "Verification failed at" in shown
