"""The page on which the files of an entry are replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from files.models import File, FileAttachment
from submissions import services
from submissions.models import SequenceEntry
from submissions.services import replacing
from submissions.services.attaching import Plan, plan_attachments
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileFactory,
    GroupMembershipFactory,
    SequenceEntryFactory,
    SubmissionFactory,
)
from tests.fixtures import Demo


@pytest.fixture
def entry(client: Client, demo: Demo) -> SequenceEntry:
    """A rejected entry with a FASTQ file that is cut short; alice is logged in."""
    client.force_login(demo.alice)
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    rejected: SequenceEntry = SequenceEntryFactory.create(submission=submission, status="REJECTED")
    attach(rejected)
    return rejected


def attach(entry: SequenceEntry, **result: Any) -> FileAttachment:
    category = entry.submission.organism.file_categories.get(name="rawReads")
    file = verified(entry, **{"passed": False, **result})
    return FileAttachmentFactory.create(entry=entry, category=category, file=file, content_check="fastq")


def verified(entry: SequenceEntry, **result: Any) -> File:
    file: File = FileFactory.create(status=File.Status.VERIFIED, group=entry.submission.group)
    ContentCheckResultFactory.create(file=file, **result)
    return file


def form_of(entry: SequenceEntry, *files: File, **fields: str) -> dict[str, str]:
    """The form as the browser sends it with these raw reads."""
    items = [{"fileId": str(file.pk), "name": f"{number}.fastq", "size": 1} for number, file in enumerate(files)]
    as_of = entry.settled_at.isoformat() if entry.settled_at else ""
    return {"asOf": as_of, "files.rawReads": json.dumps(items), "files.supplementary": "", **fields}


def test_the_present_files_stand_in_their_boxes_and_what_is_wrong_above(client: Client, entry: SequenceEntry) -> None:
    attachment = entry.attachments.get()
    page = client.get(f"/entries/{entry}/files")
    [raw_reads, supplementary] = page.context["form"].file_fields
    assert json.loads(raw_reads.value()) == [
        {"fileId": str(attachment.file_id), "name": attachment.name, "size": attachment.file.size, "attached": True}
    ]
    assert supplementary.value() == ""
    assertContains(page, "Why it was rejected")
    assertContains(page, "The file ends in the middle.")
    assertContains(page, f'name="asOf" value="{entry.settled_at.isoformat()}"')  # type: ignore[union-attr]
    assertContains(page, f'name="groupId" value="{entry.submission.group_id}"')


def test_saving_replaces_the_files_and_leads_to_the_entry(client: Client, entry: SequenceEntry) -> None:
    file = verified(entry)
    assertRedirects(client.post(f"/entries/{entry}/files", form_of(entry, file)), f"/entries/{entry}")
    entry.refresh_from_db()
    assert (entry.status, entry.attachments.get().file) == ("ACCEPTED", file)


def test_saving_says_what_becomes_of_the_entry_and_what_else_is_to_be_corrected(
    client: Client, entry: SequenceEntry
) -> None:
    unread = FileFactory.create(status=File.Status.UPLOADED, group=entry.submission.group)
    page = client.post(f"/entries/{entry}/files", form_of(entry, unread), follow=True)
    sentence = f"The files of {entry.given_submission_id} are saved; the entry is"
    assertContains(page, f"{sentence} verified again.")
    assertNotContains(page, "?show=problems")

    link = f'<a href="/submissions/{entry.submission_id}?show=problems">'
    for words in ("1 more entry has problems", "2 more entries have problems"):
        another = SequenceEntryFactory.create(submission=entry.submission, status="REJECTED")
        SequenceEntry.objects.filter(pk=entry.pk).update(status="REJECTED", settled_at=another.settled_at)
        entry.refresh_from_db()
        page = client.post(f"/entries/{entry}/files", form_of(entry, verified(entry)), follow=True)
        assertContains(page, f"{sentence} accepted. {link}{words}</a>.")


def test_what_was_opened_is_saved_as_it_is(client: Client, entry: SequenceEntry) -> None:
    SequenceEntry.objects.update(status="ACCEPTED")
    entry.attachments.get().file.check_results.update(passed=True, code="")
    page = client.get(f"/entries/{entry}/files")
    values = {field.html_name: field.value() for field in page.context["form"].file_fields}
    before = entry.attachments.get()
    client.post(f"/entries/{entry}/files", {"asOf": entry.settled_at.isoformat(), **values})  # type: ignore[union-attr]
    after = entry.attachments.get()
    assert (after.file_id, after.name, after.pk != before.pk) == (before.file_id, before.name, True)


def test_what_is_wrong_is_told_at_its_category_and_the_files_stay_on_the_page(
    client: Client, entry: SequenceEntry
) -> None:
    form = form_of(entry, entry.attachments.get().file)
    page = client.post(f"/entries/{entry}/files", form)
    assertContains(page, "<title>Error: Files of")
    assertContains(page, 'href="#files-rawReads"')
    assertContains(page, "cannot be used as “Raw reads”")
    assert page.context["form"]["files.rawReads"].value() == form["files.rawReads"]


def test_files_that_have_not_arrived_are_refused(client: Client, entry: SequenceEntry) -> None:
    before = entry.attachments.get()
    form = form_of(entry, **{"files.rawReads": json.dumps([{"name": "late.fastq", "size": 1}])})
    assertContains(client.post(f"/entries/{entry}/files", form), "is not uploaded yet, or failed.")
    assert entry.attachments.get() == before


def test_a_box_that_was_not_sent_takes_nothing_away(client: Client, entry: SequenceEntry) -> None:
    before = entry.attachments.get()
    form = form_of(entry, verified(entry))
    del form["files.supplementary"]
    assertContains(client.post(f"/entries/{entry}/files", form), "did not arrive as a whole")
    assert entry.attachments.get() == before


def test_a_race_is_told_in_words_and_what_was_chosen_stays(client: Client, entry: SequenceEntry) -> None:
    opened = form_of(entry, verified(entry))
    client.post(f"/entries/{entry}/files", form_of(entry, verified(entry)))
    page = client.post(f"/entries/{entry}/files", opened)
    assertContains(page, "Somebody has replaced the files of", status_code=409)
    assert page.context["form"]["files.rawReads"].value() == opened["files.rawReads"]
    entry.refresh_from_db()
    assertContains(page, f'name="asOf" value="{entry.settled_at.isoformat()}"', status_code=409)  # type: ignore[union-attr]
    SequenceEntry.objects.update(status="VERIFYING", settled_at=None)
    page = client.post(f"/entries/{entry}/files", opened)
    assertContains(page, "can be replaced once it is accepted or rejected", status_code=409)
    assertContains(page, ">Save</button>", status_code=409)


def test_an_entry_that_is_withdrawn_meanwhile_has_no_page(
    client: Client, entry: SequenceEntry, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_withdrawing(**arguments: Any) -> Plan:
        services.withdraw(user=demo.alice, accession=entry.accession, version=entry.version)
        return plan_attachments(**arguments)

    monkeypatch.setattr(replacing, "plan_attachments", after_withdrawing)
    assert client.post(f"/entries/{entry}/files", form_of(entry, verified(entry))).status_code == 404


def test_an_entry_that_is_verified_or_released_has_no_form(client: Client, entry: SequenceEntry, demo: Demo) -> None:
    SequenceEntry.objects.update(status="VERIFYING", settled_at=None)
    page = client.get(f"/entries/{entry}/files")
    assertContains(page, "Its files can be changed once it is accepted or rejected")
    assertNotContains(page, ">Save</button>")
    released = SequenceEntryFactory.create(submission=entry.submission, released=True)
    page = client.get(f"/entries/{released}/files")
    assertContains(page, "What is released stays as it is")
    assertNotContains(page, ">Save</button>")


def test_the_page_is_for_members_alone(client: Client, entry: SequenceEntry, demo: Demo) -> None:
    path = f"/entries/{entry}/files"
    member = GroupMembershipFactory.create(group=demo.group).user
    for user, status in ((member, 200), (demo.bob, 404), (demo.admin, 404)):
        client.force_login(user)
        assert [client.get(path).status_code, client.post(path).status_code] == [status] * 2
    client.logout()
    assertRedirects(client.get(path), f"/login?next={path}")


def test_an_organism_without_file_sharing_has_no_such_page(client: Client, entry: SequenceEntry) -> None:
    entry.submission.organism.file_sharing = False
    entry.submission.organism.save()
    for answer in (client.get(f"/entries/{entry}/files"), client.post(f"/entries/{entry}/files")):
        assert answer.status_code == 404
    assertNotContains(client.get(f"/entries/{entry}"), f"/entries/{entry}/files")
    assertNotContains(client.get(f"/submissions/{entry.submission_id}"), f"/entries/{entry}/files")
    assert entry.attachments.count() == 1


def test_the_pages_queries_do_not_grow(
    client: Client, entry: SequenceEntry, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        attach(entry)
    with django_assert_max_num_queries(9):
        client.get(f"/entries/{entry}/files")
