"""The list of submissions and the page of one, with its live part."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from files.models import File, FileAttachment
from submissions.models import SequenceEntry, Submission
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileFactory,
    GroupMembershipFactory,
    SequenceEntryFactory,
    SubmissionFactory,
    UserFactory,
)
from tests.fixtures import Demo

ACCEPTED, REJECTED, VERIFYING = "ACCEPTED", "REJECTED", "VERIFYING"


@pytest.fixture
def alice(client: Client, demo: Demo) -> Client:
    """Pages as alice sees them, who is in the Demo Lab."""
    client.force_login(demo.alice)
    return client


def submission_of(demo: Demo, *statuses: str) -> Submission:
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    for status in statuses:
        SequenceEntryFactory.create(submission=submission, status=status)
    return submission


def attach(entry: SequenceEntry, category: str, **file: Any) -> FileAttachment:
    group = entry.submission.group
    return FileAttachmentFactory.create(
        entry=entry,
        category=entry.submission.organism.file_categories.get(name=category),
        file=FileFactory.create(**{"status": File.Status.VERIFIED, "group": group, **file}),
    )


# --- the list --------------------------------------------------------------------------------------


@pytest.mark.embedded
def test_the_list_has_the_groups_submissions_newest_first_25_a_page(alice: Client, demo: Demo) -> None:
    submissions = [submission_of(demo, ACCEPTED) for _ in range(27)]
    SubmissionFactory.create(group=demo.other_group)
    first, second = (alice.get("/submissions", {"page": page}) for page in (1, 2))
    newest_first = [submission.pk for submission in reversed(submissions)]
    assert [submission.pk for submission in first.context["page"]] == newest_first[:25]
    assert [submission.pk for submission in second.context["page"]] == newest_first[25:]
    assertContains(first, 'rel="next"')
    assertContains(second, "Page 2 of 2")


def test_the_list_tells_states_and_counts(alice: Client, demo: Demo) -> None:
    submission_of(demo, ACCEPTED, REJECTED, VERIFYING)
    submission_of(demo, ACCEPTED, REJECTED)
    page = alice.get("/submissions")
    assertContains(page, '<span class="status" data-state="VERIFYING">Verifying</span>', html=True)
    assertContains(page, "(1 accepted, 1 rejected, 1 being verified)")
    assertContains(page, '<span class="status" data-state="PARTLY_ACCEPTED">Partly accepted</span>', html=True)


@pytest.mark.embedded
def test_an_empty_list_says_what_to_do(alice: Client, demo: Demo) -> None:
    assertContains(alice.get("/submissions"), "Nothing submitted yet")
    alice.force_login(UserFactory.create())
    assertContains(alice.get("/submissions"), "You are not a member of any group yet.")


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("show=problems", ["open", "partly"]),
        ("show=verifying", ["open"]),
        ("show=accepted", ["good", "elsewhere"]),
        ("show=nonsense", ["open", "partly", "good", "elsewhere"]),
        ("organism=west-nile", ["elsewhere"]),
        ("organism=ebola-sudan&show=accepted", ["good"]),
        ("organism=none%00", []),
    ],
)
def test_the_list_is_narrowed_by_state_and_organism(alice: Client, demo: Demo, query: str, expected: list[str]) -> None:
    elsewhere = SubmissionFactory.create(organism=demo.organism_without_files, group=demo.group)
    SequenceEntryFactory.create(submission=elsewhere, status=ACCEPTED)
    names = {
        elsewhere.pk: "elsewhere",
        submission_of(demo, ACCEPTED, ACCEPTED).pk: "good",
        submission_of(demo, ACCEPTED, REJECTED).pk: "partly",
        submission_of(demo, VERIFYING, REJECTED).pk: "open",
    }
    page = alice.get(f"/submissions?{query}")
    assert [names[submission.pk] for submission in page.context["page"]] == expected
    assertContains(page, "All organisms")
    if not expected:
        assertContains(page, "submissions is like that.")


def test_the_pages_of_a_narrowed_list_stay_narrowed(alice: Client, demo: Demo) -> None:
    for _ in range(26):
        submission_of(demo, REJECTED)
    assertContains(alice.get("/submissions?show=problems"), 'rel="next" href="?show=problems&amp;page=2"')


def test_the_lists_queries_do_not_grow(
    alice: Client, demo: Demo, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        submission_of(demo, ACCEPTED, REJECTED)
    with django_assert_max_num_queries(6):
        alice.get("/submissions")


# --- who sees what ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/submissions/{}", "/submissions/{}/live", "/submissions/{}/receipt"])
def test_members_see_a_submission_and_nobody_else(client: Client, demo: Demo, path: str) -> None:
    address = path.format(submission_of(demo, ACCEPTED).pk)
    member = GroupMembershipFactory.create(group=demo.group).user
    for user, status in ((demo.alice, 200), (member, 200), (demo.bob, 404), (demo.admin, 404)):
        client.force_login(user)
        assert client.get(address).status_code == status, user
    client.logout()
    assertRedirects(client.get(address), f"/login?next={address}")


def test_a_submission_that_does_not_exist_is_not_found(alice: Client) -> None:
    assert alice.get("/submissions/1000000").status_code == 404
    assert alice.get(f"/submissions/{10**30}").status_code == 404


# --- one submission --------------------------------------------------------------------------------


def test_the_page_carries_the_states_of_submission_and_entries(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, ACCEPTED, REJECTED)
    page = alice.get(f"/submissions/{submission.pk}")
    assertContains(page, 'data-submission-status="PARTLY_ACCEPTED"', count=1)
    assertContains(page, 'data-entry-status="ACCEPTED"', count=1)
    assertContains(page, 'data-entry-status="REJECTED"', count=1)
    assertContains(page, "1 of 2 entries are accepted.")
    assertContains(page, f"/organisms/ebola-sudan/submit?groupId={demo.group.pk}")


@pytest.mark.embedded
def test_a_verified_file_has_its_hash_and_a_download(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, ACCEPTED)
    entry = submission.entries.get()
    attachment = attach(entry, "supplementary", size=16_430_000)
    attachment.name = "gel #1 ü.png"
    attachment.save(update_fields=["name"])
    page = alice.get(f"/submissions/{submission.pk}")
    assertContains(page, f'href="/api/files/get/{entry.accession}/1/supplementary/gel%20%231%20%C3%BC.png"')
    assertContains(page, attachment.file.sha256)
    assertContains(page, "16.4 MB")
    assertContains(page, '<span class="state" data-state="VERIFIED">Verified</span>', html=True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("REQUESTED", "Not uploaded"),
        ("UPLOADED", "Waiting to be verified"),
        ("VERIFYING", "Being verified"),
        ("REJECTED", "Rejected"),
        ("EXPIRED", "Upload expired"),
    ],
)
def test_every_other_state_is_told_in_words_and_has_no_download(
    alice: Client, demo: Demo, status: str, words: str
) -> None:
    submission = submission_of(demo, VERIFYING)
    attach(submission.entries.get(), "supplementary", status=status)
    page = alice.get(f"/submissions/{submission.pk}")
    assertContains(page, f">{words}</span>")
    assertNotContains(page, "/api/files/get/")


def test_a_verified_file_is_being_verified_until_its_categorys_check_was_run(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, VERIFYING)
    attach(submission.entries.get(), "rawReads")
    assertContains(alice.get(f"/submissions/{submission.pk}"), ">Being verified</span>")


def test_a_rejected_file_says_why_and_where(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, REJECTED)
    attachment = attach(submission.entries.get(), "rawReads")
    ContentCheckResultFactory.create(file=attachment.file, passed=False, line=12_345, offset=None)
    page = alice.get(f"/submissions/{submission.pk}")
    assertContains(page, "The file ends in the middle.")
    assertContains(page, "Line 12,345.")
    assertContains(page, '<a href="/help/problems#fastq_truncated"><code>fastq_truncated</code></a>', html=True)


def test_a_file_held_back_is_told_and_cannot_be_downloaded(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, VERIFYING)
    held = {"quarantined_at": timezone.now(), "quarantined_by": demo.admin}
    attach(submission.entries.get(), "supplementary", **held)
    page = alice.get(f"/submissions/{submission.pk}")
    assertContains(page, "Held back by an administrator")
    assertNotContains(page, "/api/files/get/")


@pytest.mark.parametrize(
    ("statuses", "has_receipt"),
    [
        ((ACCEPTED,), True),
        ((ACCEPTED, REJECTED), True),
        ((ACCEPTED, VERIFYING), False),
        ((REJECTED,), False),
    ],
)
def test_once_something_is_accepted_and_nothing_is_open_there_is_a_receipt(
    alice: Client, demo: Demo, statuses: tuple[str, ...], has_receipt: bool
) -> None:
    submission = submission_of(demo, *statuses)
    address = f"/submissions/{submission.pk}"
    links = [f'href="/api{address}/receipt?as=text"', f'href="/api{address}/receipt?as=json"', f"{address}/receipt"]
    page = alice.get(address).content.decode()
    assert [link in page for link in links] == [has_receipt] * 3
    receipt = alice.get(f"{address}/receipt")
    if has_receipt:
        assertContains(receipt, f"Receipt for submission {submission.pk}")
    else:
        assertRedirects(receipt, address)


def test_the_receipt_has_every_accepted_file_with_its_hash(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, ACCEPTED, ACCEPTED, REJECTED)
    files = [attach(entry, "supplementary", size=16_430_000).file for entry in submission.entries.order_by("position")]
    page = alice.get(f"/submissions/{submission.pk}/receipt")
    for file in files[:2]:
        assertContains(page, f"<code>{file.sha256}</code>", count=1)
    assertNotContains(page, files[2].sha256)
    assertContains(page, "2 of 3 entries, with 2 files")
    assertContains(page, "Supplementary files, 16.4 MB", count=2)


def test_names_are_shown_as_text(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, ACCEPTED)
    SequenceEntryFactory.create(submission=submission, given_submission_id="<script>alert(1)</script>")
    page = alice.get(f"/submissions/{submission.pk}")
    assertContains(page, "&lt;script&gt;alert(1)&lt;/script&gt;")
    assertNotContains(page, "<script>alert")


def test_the_live_part_is_what_the_page_holds(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, VERIFYING, ACCEPTED)
    attach(submission.entries.order_by("position")[0], "supplementary", status="UPLOADED")
    page = alice.get(f"/submissions/{submission.pk}")
    part = alice.get(f"/submissions/{submission.pk}/live?page=1")
    assertContains(page, f'data-live="/submissions/{submission.pk}/live?page=1"')
    assert part.content in page.content
    assert b"<html" not in part.content
    assert "no-store" in part.headers["Cache-Control"]


def test_entries_come_100_a_page_in_table_order(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, *[ACCEPTED] * 101)
    in_order = list(submission.entries.order_by("position"))
    first, second = (alice.get(f"/submissions/{submission.pk}", {"page": page}) for page in (1, 2))
    assert list(first.context["page"]) == in_order[:100]
    assert list(second.context["page"]) == in_order[100:]
    assertContains(second, f'data-live="/submissions/{submission.pk}/live?page=2"')
    assertContains(second, "101 entries")


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("show=problems", [1, 3]),
        ("show=verifying", [2]),
        ("show=accepted", [0]),
        ("show=nonsense", [0, 1, 2, 3]),
        ("q=LAB-1", [1]),
        ("q=lab", [0, 1, 2, 3]),
        ("q=sat_99000002.1", [2]),
        ("q=lab&show=problems", [1, 3]),
        ("q=100%25", []),
        ("q=%00", [0, 1, 2, 3]),
    ],
)
def test_entries_are_narrowed_by_state_and_found_by_submission_id_or_accession(
    alice: Client, demo: Demo, query: str, expected: list[int]
) -> None:
    submission = submission_of(demo)
    for number, status in enumerate((ACCEPTED, REJECTED, VERIFYING, REJECTED)):
        SequenceEntryFactory.create(
            submission=submission,
            position=number,
            status=status,
            given_submission_id=f"Lab-{number}",
            accession=f"SAT_9900000{number}",
        )
    page = alice.get(f"/submissions/{submission.pk}?{query}")
    assert [entry.position for entry in page.context["page"]] == expected
    part = alice.get(f"/submissions/{submission.pk}/live?{query}")
    assert part.content.replace(b"&amp;page=1", b"") in page.content.replace(b"&amp;page=1", b"")
    if not expected:
        assertContains(page, "No entry has “100%” in its submission ID")


def test_pages_and_live_part_of_narrowed_entries_stay_narrowed(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, *[REJECTED] * 101)
    page = alice.get(f"/submissions/{submission.pk}?show=problems")
    assertContains(page, 'rel="next" href="?show=problems&amp;page=2"')
    assertContains(page, f'data-live="/submissions/{submission.pk}/live?show=problems&amp;page=1"')


@pytest.mark.embedded
def test_what_one_wants_next_is_a_button(alice: Client, demo: Demo) -> None:
    one, many = submission_of(demo, ACCEPTED, REJECTED), submission_of(demo, REJECTED, REJECTED)
    page = alice.get(f"/submissions/{one.pk}")
    rejected = one.entries.get(status=REJECTED)
    assertContains(page, f'class="btn btn-primary" href="/entries/{rejected}/files"')
    assertContains(page, f"/organisms/ebola-sudan/submit/bulk?groupId={demo.group.pk}")
    page = alice.get(f"/submissions/{many.pk}")
    assertContains(page, 'href="?show=problems">Show the 2 entries with problems</a>')
    for entry in many.entries.all():
        assertContains(page, f'class="btn btn-plain btn-sm" href="/entries/{entry}/files"')


@pytest.mark.embedded
def test_all_accepted_entries_are_released_together_but_for_those_accepted_since(alice: Client, demo: Demo) -> None:
    submission = submission_of(demo, *[ACCEPTED] * 4, REJECTED)
    first, second, held, late, _ = submission.entries.order_by("position")
    for entry in (first, second, held):
        attach(entry, "supplementary", size=1_000_000)
    File.objects.filter(attachments__entry=held).update(quarantined_at=timezone.now(), quarantined_by=demo.admin)
    path = f"/submissions/{submission.pk}/release"
    assertContains(alice.get(f"/submissions/{submission.pk}"), f'href="{path}">Release 3 accepted entries</a>')
    question = alice.get(path)
    assertContains(question, "Release all 3 accepted entries?")
    assertContains(question, "2 files, 2.0 MB.")
    assertContains(question, "1 rejected entry is not among them.")
    assertContains(question, "1 accepted entry has a file that an administrator holds back")
    until = question.context["until"].isoformat()
    assertContains(question, f'name="until" value="{until}"')
    SequenceEntry.objects.filter(pk=late.pk).update(settled_at=timezone.now())
    page = alice.post(path, {"until": until}, follow=True)
    assertRedirects(page, f"/submissions/{submission.pk}")
    assertContains(page, "2 entries are released. Everybody can see them now.")
    assertContains(page, "2 of the accepted are released.")
    assert set(submission.entries.filter(released_by=demo.alice)) == {first, second}
    for sent in ({"until": until}, {"until": "yesterday"}, {}):
        assertContains(alice.post(path, sent, follow=True), "Nothing is released: no accepted entry is left")
    for user in (demo.bob, demo.admin):
        alice.force_login(user)
        assert alice.post(path, {"until": timezone.now().isoformat()}).status_code == 404


@pytest.mark.embedded
def test_the_pages_queries_do_not_grow(
    alice: Client, demo: Demo, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    submission = submission_of(demo, *[VERIFYING] * 4)
    for entry in submission.entries.all():
        for category in ("rawReads", "supplementary"):
            attachment = attach(entry, category)
            ContentCheckResultFactory.create(file=attachment.file)
    for path, most in (("", 6), ("?q=sample", 7)):
        with django_assert_max_num_queries(most):
            alice.get(f"/submissions/{submission.pk}{path}")
    submission.entries.update(status=ACCEPTED, settled_at=timezone.now())
    with django_assert_max_num_queries(9):
        alice.get(f"/submissions/{submission.pk}/receipt")
