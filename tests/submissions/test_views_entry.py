"""The page of a sequence entry."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from files import rules
from files.models import File
from files.services.operating import quarantine
from submissions.models import SequenceEntry
from tests.factories import FileAttachmentFactory, GroupMembershipFactory, SequenceEntryFactory, SubmissionFactory
from tests.fixtures import Demo


def entry_of(demo: Demo, **fields: object) -> SequenceEntry:
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    entry: SequenceEntry = SequenceEntryFactory.create(submission=submission, **{"status": "ACCEPTED", **fields})
    return entry


def test_an_unreleased_entry_is_for_members_alone(client: Client, demo: Demo) -> None:
    entry = entry_of(demo)
    member = GroupMembershipFactory.create(group=demo.group).user
    for user, status in ((demo.alice, 200), (member, 200), (demo.bob, 404), (demo.admin, 404)):
        client.force_login(user)
        assert client.get(f"/entries/{entry}").status_code == status, user
    client.logout()
    page = client.get(f"/entries/{entry}")
    assertContains(page, f'href="/login?next=%2Fentries%2F{entry}"', status_code=404)


def test_a_released_entry_is_for_all(client: Client, demo: Demo) -> None:
    entry = entry_of(demo, released=True)
    page = client.get(f"/entries/{entry}")
    assertContains(page, "released on")
    assertNotContains(page, "My submissions")
    assertNotContains(page, f"/entries/{entry}/files")
    for user in (demo.alice, demo.bob):
        client.force_login(user)
        assert client.get(f"/entries/{entry}").status_code == 200


@pytest.mark.parametrize(
    ("status", "words", "link"),
    [
        ("VERIFYING", "Its files are being verified.", None),
        ("ACCEPTED", "The entry is accepted.", "Change the files"),
        ("REJECTED", "The entry is rejected.", "Correct the files"),
    ],
)
def test_members_are_told_what_has_become_of_it_and_what_to_do(
    client: Client, demo: Demo, status: str, words: str, link: str | None
) -> None:
    entry = entry_of(demo, status=status)
    client.force_login(demo.alice)
    page = client.get(f"/entries/{entry}")
    assertContains(page, f'data-entry-status="{status}"')
    assertContains(page, words)
    if link is None:
        assertNotContains(page, f"/entries/{entry}/files")
    else:
        assertContains(page, f'href="/entries/{entry}/files">{link}</a>')
    part = client.get(f"/entries/{entry}/live")
    assertContains(page, f'data-live="/entries/{entry}/live"')
    assert part.content in page.content
    client.force_login(demo.bob)
    assert client.get(f"/entries/{entry}/live").status_code == 404


@pytest.mark.parametrize("name", ["SAT_99999999.1", "{}.2", "{}", "{}.x"])
def test_an_entry_that_does_not_exist_is_not_found(client: Client, demo: Demo, name: str) -> None:
    entry = entry_of(demo)
    client.force_login(demo.alice)
    assert client.get(f"/entries/{name.format(entry.accession)}").status_code == 404


def test_metadata_comes_in_the_organisms_order_with_shown_names_and_then_the_rest(client: Client, demo: Demo) -> None:
    entry = entry_of(demo, metadata={"lab_note": "a <b>", "date": "2024", "country": "Uganda"})
    client.force_login(demo.alice)
    page = client.get(f"/entries/{entry}")
    assert page.context["metadata"] == [("Country", "Uganda"), ("Date", "2024"), ("lab_note", "a <b>")]
    assertContains(page, "a &lt;b&gt;")


def test_sequences_have_names_and_lengths(client: Client, demo: Demo) -> None:
    entry = entry_of(
        demo, sequences=[{"fastaId": "segment-1", "length": 18_956}, {"fastaId": "segment-2", "length": 1}]
    )
    client.force_login(demo.alice)
    page = client.get(f"/entries/{entry}")
    assertContains(page, "<dt>segment-1</dt><dd>18,956 letters</dd>", html=True)
    assertContains(page, "<dt>segment-2</dt><dd>1 letter</dd>", html=True)


def test_files_are_grouped_by_category_in_the_admins_order(client: Client, demo: Demo) -> None:
    entry = entry_of(demo)
    categories = {category.name: category for category in demo.organism.file_categories.all()}
    for name in ("supplementary", "rawReads"):
        FileAttachmentFactory.create(entry=entry, category=categories[name], name=f"{name}.gz")
    client.force_login(demo.alice)
    text = client.get(f"/entries/{entry}").content.decode()
    places = [text.index(word) for word in (">Raw reads<", ">rawReads.gz<", ">Supplementary files<")]
    assert places == sorted(places)
    assert f"/api/files/get/{entry.accession}/1/rawReads/rawReads.gz" in text


@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("ACCEPTED", "Rules it was accepted under"),
        ("VERIFYING", "Rules it is verified under"),
        ("REJECTED", "Rules it was verified under"),
    ],
)
def test_the_rules_as_they_stood_are_told_in_words(client: Client, demo: Demo, status: str, title: str) -> None:
    categories = demo.organism.file_categories.order_by("order")
    entry = entry_of(demo, status=status, rule_set=rules.record(demo.organism, list(categories)))
    categories.update(content_check="gzip", required=True, shown_name="Renamed")
    client.force_login(demo.alice)
    page = client.get(f"/entries/{entry}")
    assertContains(page, f"<summary>{title}</summary>", html=True)
    told = "Optional. Each file is checked to be readable as FASTQ, plain or gzipped."
    assertContains(page, f"<dt>Raw reads</dt><dd>{told}</dd>", html=True)
    assertContains(page, "<dt>Supplementary files</dt><dd>Optional.</dd>", html=True)
    assertNotContains(page, "Renamed")


def test_an_entry_from_before_rules_were_kept_shows_none(client: Client, demo: Demo) -> None:
    client.force_login(demo.alice)
    assertNotContains(client.get(f"/entries/{entry_of(demo)}"), '<details class="rules">')


def test_the_pages_queries_do_not_grow(
    client: Client, demo: Demo, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rule_set = rules.record(demo.organism, list(demo.organism.file_categories.all()))
    entry = entry_of(demo, metadata={"country": "Uganda", "date": "2024"}, rule_set=rule_set)
    category = demo.organism.file_categories.get(name="rawReads")
    FileAttachmentFactory.create_batch(5, entry=entry, category=category)
    client.force_login(demo.alice)
    with django_assert_max_num_queries(7):
        client.get(f"/entries/{entry}")


# --- releasing and withdrawing it --------------------------------------------------------------------


def held_back(entry: SequenceEntry) -> None:
    """Somebody in the admin holds back a file of the entry."""
    category = entry.submission.organism.file_categories.get(name="supplementary")
    attachment = FileAttachmentFactory.create(entry=entry, category=category)
    quarantine(files=File.objects.filter(pk=attachment.file_id), user=entry.submission.submitted_by)


@pytest.mark.parametrize(
    ("fields", "can_be_released", "can_be_withdrawn"),
    [
        ({"status": "ACCEPTED"}, True, True),
        ({"status": "VERIFYING"}, False, True),
        ({"status": "REJECTED"}, False, True),
        ({"released": True}, False, False),
        ({"status": "ACCEPTED", "held_back": True}, False, True),
    ],
)
def test_there_are_links_to_what_can_be_done_and_the_pages_behind_the_others_lead_back(
    client: Client, demo: Demo, fields: dict[str, object], *, can_be_released: bool, can_be_withdrawn: bool
) -> None:
    is_held_back = fields.pop("held_back", False)
    entry = entry_of(demo, **fields)
    if is_held_back:
        held_back(entry)
    client.force_login(demo.alice)
    page = client.get(f"/entries/{entry}").content.decode()
    for word, can in (("release", can_be_released), ("withdraw", can_be_withdrawn)):
        assert (f'href="/entries/{entry}/{word}"' in page) == can
        answer = client.get(f"/entries/{entry}/{word}")
        if can:
            assertContains(answer, "This cannot be undone")
        else:
            assertRedirects(answer, f"/entries/{entry}")


def test_a_release_is_asked_for_and_done_as_it_was_seen(client: Client, demo: Demo) -> None:
    entry = entry_of(demo)
    client.force_login(demo.alice)
    path = f"/entries/{entry}/release"
    seen = client.get(path).context["entry"].settled_at
    assertContains(client.get(path), f'name="asOf" value="{seen.isoformat()}"')
    SequenceEntry.objects.update(settled_at=timezone.now())
    page = client.post(path, {"asOf": seen.isoformat()}, follow=True)
    assertContains(page, f"Nothing is released. Somebody has replaced the files of {entry}")
    entry.refresh_from_db()
    client.post(path)
    assert entry.released_at is None
    assert entry.settled_at is not None
    page = client.post(path, {"asOf": entry.settled_at.isoformat()}, follow=True)
    assertRedirects(page, f"/entries/{entry}")
    assertContains(page, f"{entry} is released. Everybody can see it now.")
    entry.refresh_from_db()
    assert entry.released_by == demo.alice


def test_a_withdrawal_is_asked_for_done_once_and_leads_to_the_submission(client: Client, demo: Demo) -> None:
    entry = entry_of(demo)
    client.force_login(demo.alice)
    client.get(f"/entries/{entry}/withdraw")
    assert SequenceEntry.objects.count() == 1
    page = client.post(f"/entries/{entry}/withdraw", follow=True)
    assertRedirects(page, f"/submissions/{entry.submission_id}")
    assertContains(page, f"{entry} ({entry.given_submission_id}) is withdrawn.")
    assertContains(page, "The entry was withdrawn.")
    assertContains(page, 'data-submission-status="WITHDRAWN"')
    assert client.post(f"/entries/{entry}/withdraw").status_code == 404
    released = entry_of(demo, released=True)
    page = client.post(f"/entries/{released}/withdraw", follow=True)
    assertContains(page, "what is released can no longer be withdrawn")
    assert SequenceEntry.objects.get() == released


@pytest.mark.parametrize("word", ["release", "withdraw"])
def test_only_members_release_and_withdraw(client: Client, demo: Demo, word: str) -> None:
    entry = entry_of(demo)
    path = f"/entries/{entry}/{word}"
    sent = {"asOf": entry.settled_at.isoformat()} if entry.settled_at else {}
    for user in (demo.bob, demo.admin):
        client.force_login(user)
        assert [client.get(path).status_code, client.post(path, sent).status_code] == [404, 404]
    client.logout()
    assertRedirects(client.post(path, sent), f"/login?next={path}")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(demo.alice)
    assert strict.post(path, sent).status_code == 403
    assert not SequenceEntry.objects.get().released_at
