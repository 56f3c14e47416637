"""Reading accepted files again: what is found, who hears of it, and how it is asked for."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from embedded.ports import free_port
from embedded.programs import ROOT
from files import fixity, storage, tasks
from files.models import File
from files.storage.client import client
from submissions.models import SequenceEntry
from tests.accepted_files import BYTES, accepted, deleted, finding, later, overwritten, run, store, truncated
from tests.admin_pages import words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker")]


# --- what is found ------------------------------------------------------------------------------------


def test_a_file_that_is_as_it_was_is_noted_as_read(events: Any) -> None:
    file = accepted()
    assert run() == {"INTACT": 1}
    assert finding(file) == ("", True)
    assert events("fixity_alarm") == []


DAMAGES = [
    (overwritten, "fixity_sha256_mismatch", hashlib.sha256(BYTES[::-1]).hexdigest()),
    (truncated, "fixity_size_mismatch", "verified with 2,048 bytes; the object store now has 2,047"),
    (deleted, "fixity_object_missing", "has no object for this file"),
]


@pytest.mark.parametrize(("damage", "code", "detail"), DAMAGES, ids=[code for _, code, _ in DAMAGES])
def test_damage_is_recorded_and_sets_off_the_alarm(
    damage: Callable[[File], None], code: str, detail: str, events: Any, settings: Settings
) -> None:
    settings.ALARM_EMAILS = ["operator@example.org"]
    file = accepted()
    entry = SequenceEntry.objects.get()
    damage(file)
    assert run() == {"DAMAGED": 1}
    assert finding(file) == (code, True)
    assert detail in file.fixity_problem_detail
    [event] = events("fixity_alarm")
    assert (event["level"], event["file_id"], event["code"]) == ("error", str(file.pk), code)
    assert event["accessions"] == (str(entry),)
    [sent] = mail.outbox
    assert sent.to == ["operator@example.org"]
    for said in (str(file.pk), code, detail, str(entry)):
        assert said in sent.body


def test_bytes_changed_behind_the_same_etag_are_found_too(events: Any) -> None:
    file = accepted()
    File.objects.filter(pk=file.pk).update(etag=store(file.object_key, BYTES[::-1]))
    assert run() == {"DAMAGED": 1}
    assert finding(file) == ("fixity_sha256_mismatch", True)


@pytest.mark.embedded
def test_a_damaged_file_stays_accepted() -> None:
    file = accepted()
    overwritten(file)
    before = File.objects.values("status", "size", "sha256", "md5", "etag", "quarantined_at").get()
    run()
    assert File.objects.values(*before).get() == before
    assert SequenceEntry.objects.get().status == SequenceEntry.Status.ACCEPTED


def test_the_alarm_is_raised_once_for_a_finding_and_again_for_another(events: Any, settings: Settings) -> None:
    settings.ALARM_EMAILS = ["operator@example.org"]
    file = accepted()
    overwritten(file)
    run()
    assert run() == {}
    later(file)
    assert run() == {"DAMAGED": 1}
    assert (len(events("fixity_alarm")), len(events("fixity_problem_remains")), len(mail.outbox)) == (1, 1, 1)
    later(file)
    deleted(file)
    run()
    assert (len(events("fixity_alarm")), len(mail.outbox)) == (2, 2)


def test_a_finding_goes_when_the_object_is_restored(events: Any) -> None:
    file = accepted()
    deleted(file)
    run()
    assert store(file.object_key, BYTES) == file.etag
    later(file)
    assert run() == {"INTACT": 1}
    assert finding(file) == ("", True)
    assert [event["was"] for event in events("fixity_restored")] == ["fixity_object_missing"]


def test_a_file_restored_in_parts_is_intact_and_known_by_its_new_etag() -> None:
    file = accepted()
    started = storage.create_multipart(file.object_key)
    part = client().upload_part(
        Bucket=django_settings.S3_BUCKET, Key=file.object_key, UploadId=started, PartNumber=1, Body=BYTES
    )
    storage.complete_multipart(key=file.object_key, upload_id=started, parts=[(1, part["ETag"])])
    restored = storage.head(file.object_key)
    assert restored is not None
    assert restored.etag != file.etag
    assert run() == {"INTACT": 1}
    assert finding(file) == ("", True)
    assert file.etag == restored.etag


def test_many_findings_of_a_run_are_one_mail(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALARM_EMAILS = ["operator@example.org"]
    monkeypatch.setattr(fixity, "NAMED", 2)
    for _ in range(3):
        deleted(accepted())
    run()
    [sent] = mail.outbox
    assert sent.subject == "Satchel: 3 files are damaged"
    assert sent.body.count("fixity_object_missing") == 2
    assert "and 1 more." in sent.body


def test_a_mail_that_cannot_be_sent_is_logged_and_the_finding_stays(events: Any, settings: Settings) -> None:
    settings.ALARM_EMAILS = ["operator@example.org"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    file = accepted()
    deleted(file)
    run()
    assert finding(file) == ("fixity_object_missing", True)
    assert [event["findings"] for event in events("fixity_alarm_not_mailed")] == [1]


def test_without_anybody_to_mail_the_log_alone_has_the_alarm(events: Any) -> None:
    deleted(accepted())
    run()
    assert mail.outbox == []
    assert len(events("fixity_alarm")) == 1


# --- how it is called ---------------------------------------------------------------------------------


def test_beat_has_the_runs_made_beside_the_sweeps(settings: Settings) -> None:
    file = accepted()
    tasks.check_fixity()
    assert finding(file) == ("", True)
    tasks.check_fixity()
    scheduled = [each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()]
    assert tasks.check_fixity.name in scheduled
    assert settings.CELERY_TASK_ROUTES[tasks.check_fixity.name] == {"queue": settings.SWEEPS_QUEUE}


def check_by_hand(*arguments: str) -> str:
    """What the command prints."""
    output = StringIO()
    call_command("check_fixity", *arguments, stdout=output)
    return output.getvalue()


def test_by_hand_those_due_are_read_or_all_or_some() -> None:
    due, fresh = accepted(), accepted(ago=timedelta(days=1))
    assert str(due.pk) in (printed := check_by_hand())
    assert str(fresh.pk) not in printed
    assert printed.endswith("1 files, none damaged.\n")
    assert check_by_hand("--all").endswith("2 files, none damaged.\n")
    assert str(fresh.pk) in (printed := check_by_hand("--file", str(fresh.pk)))
    assert str(due.pk) not in printed


@pytest.mark.embedded
def test_by_hand_damage_is_in_the_table_and_in_the_exit_status(events: Any, settings: Settings) -> None:
    settings.ALARM_EMAILS = ["operator@example.org"]
    good, bad = accepted(), accepted()
    deleted(bad)
    output = StringIO()
    with pytest.raises(CommandError, match="1 of 2 files are damaged") as failure:
        call_command("check_fixity", "--all", stdout=output)
    assert failure.value.returncode == 1
    rows = {row.split()[0]: row.split()[1:] for row in output.getvalue().splitlines()[1:]}
    [accession] = [str(entry) for entry in SequenceEntry.objects.filter(attachments__file=bad)]
    assert rows[str(good.pk)] == ["2,048", "intact"]
    assert rows[str(bad.pk)] == ["2,048", "fixity_object_missing", accession]
    assert (len(events("fixity_alarm")), len(mail.outbox)) == (1, 1)


@pytest.mark.usefixtures("_one_try")
def test_by_hand_a_store_that_does_not_answer_has_an_exit_status_of_its_own(settings: Settings) -> None:
    accepted()
    settings.S3_ENDPOINT_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="1 of 1 files could not be read") as failure:
        check_by_hand()
    assert failure.value.returncode == 2


@pytest.mark.embedded
def test_by_hand_a_file_that_no_accepted_entry_has_is_refused(settings: Settings) -> None:
    rejected = accepted(entry_status="REJECTED")
    with pytest.raises(CommandError, match=str(rejected.pk)):
        check_by_hand("--file", str(rejected.pk))
    settings.FIXITY_EVERY = timedelta(0)
    with pytest.raises(CommandError, match="FIXITY_EVERY_DAYS is 0"):
        check_by_hand()


@pytest.mark.embedded
def test_admins_find_damaged_files_and_see_what_was_found(admin_client: Client) -> None:
    damaged, good, _unread = accepted(), accepted(), accepted(ago=timedelta(0))
    deleted(damaged)
    run()
    listed = {
        choice: set(admin_client.get("/admin/files/file/", parameters).context["cl"].queryset)
        for choice, parameters in (("found", {"fixity_problem": "found"}), ("none", {"fixity_problem": "none"}))
    }
    assert listed == {"found": {damaged}, "none": {good}}
    assert "fixity_object_missing" in words(admin_client.get(f"/admin/files/file/{damaged.pk}/change/"))


@pytest.mark.parametrize(("url", "said"), [("", "EMAIL_URL"), ("smtp+tls://u:p@mail.example.org:587", "")])
def test_somebody_to_tell_without_a_server_to_send_it_is_refused_at_the_start(url: str, said: str) -> None:
    environment = {**os.environ, "ALARM_EMAILS": "operator@example.org", **({"EMAIL_URL": url} if url else {})}
    started = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(started.returncode) == bool(said)
    assert said in started.stderr
