"""The pages about groups: one's own, a group with its members, and its unattached uploads."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import User
from files.models import ContentCheckResult, File
from submissions.models import Group
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
    GroupFactory,
    GroupMembershipFactory,
    SubmissionFactory,
    UserFactory,
    group_of,
)


@pytest.fixture
def alice(client: Client, db: None) -> User:
    """Who is logged in."""
    alice = UserFactory.create(username="alice")
    client.force_login(alice)
    return alice


@pytest.fixture
def group(alice: User) -> Group:
    """Alice's group; she is its only member."""
    return group_of(alice)


def upload(group: Group, **values: object) -> File:
    """A file of the group that no entry has."""
    return FileFactory.create(group=group, **values)


# --- one's groups ----------------------------------------------------------------------------------


def test_anonymous_is_asked_to_log_in(client: Client, db: None) -> None:
    for path in ("/groups", "/groups/1", "/groups/1/members/bob/remove", "/groups/1/uploads/discard"):
        assertRedirects(client.get(path), f"/login?next={path}")


def test_groups_of_mine_are_listed_with_what_is_in_them(client: Client, group: Group) -> None:
    GroupMembershipFactory.create(group=group)
    SubmissionFactory.create_batch(3, group=group)
    upload(group, status="VERIFIED")
    upload(group, deleting_at=timezone.now())
    FileAttachmentFactory.create(file=upload(group, status="VERIFIED"))
    other = GroupFactory.create()
    page = client.get("/groups")
    assertContains(page, f'href="/groups/{group.pk}"')
    assertContains(page, "2 members · 3 submissions · group ID")
    assertContains(page, "1 unattached upload<")
    assertNotContains(page, other.name)


def test_the_number_of_queries_does_not_grow_with_the_groups(
    client: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for group in [group_of(alice) for _ in range(4)]:
        upload(group)
    with django_assert_max_num_queries(3):
        client.get("/groups")


@pytest.mark.embedded
def test_a_group_is_made_and_shown(client: Client, alice: User) -> None:
    page = client.post("/groups", {"name": "  My   lab "}, follow=True)
    group = Group.objects.get()
    assert (group.name, page.redirect_chain) == ("My lab", [(f"/groups/{group.pk}", 302)])
    assertContains(page, "The group “My lab” is made.")


@pytest.mark.parametrize(
    ("name", "most", "words"),
    [
        ("", 9, "Give the group a name."),
        ("Taken", 9, "There is a group named “Taken”."),
        ("x" * 201, 9, "at most 200 characters"),
        ("a\u200bb", 9, "cannot be seen"),
        ("Lab", 0, "You have made 0 groups"),
    ],
)
def test_what_is_wrong_with_a_name_is_told_at_the_field(
    client: Client, alice: User, settings: Settings, name: str, most: int, words: str
) -> None:
    settings.GROUPS_PER_USER_MAX = most
    GroupFactory.create(name="Taken")
    page = client.post("/groups", {"name": name})
    assertContains(page, "<title>Error: Groups")
    assertContains(page, 'href="#id_name"')
    assertContains(page, words)
    assertContains(page, "You are not a member of any group yet.")
    assert Group.objects.count() == 1


# --- members ---------------------------------------------------------------------------------------


def test_a_group_of_others_does_not_exist(client: Client, alice: User) -> None:
    theirs = group_of(UserFactory.create(username="bob"))
    file = upload(theirs)
    for path in ("", "/members/bob/remove", f"/uploads/discard?fileId={file.pk}"):
        assert client.get(f"/groups/{theirs.pk}{path}").status_code == 404
        sent = {"username": "alice", "fileId": str(file.pk)}
        assert client.post(f"/groups/{theirs.pk}{path}", sent).status_code == 404
    assert theirs.memberships.count() == 1
    assert File.objects.get().deleting_at is None


def test_a_member_is_added_once_and_told_so_kindly(client: Client, group: Group) -> None:
    UserFactory.create(username="bob")
    added = client.post(f"/groups/{group.pk}", {"username": " bob "}, follow=True)
    assertContains(added, "bob is a member now.")
    again = client.post(f"/groups/{group.pk}", {"username": "bob"}, follow=True)
    assertContains(again, "bob is a member already.")
    assert group.memberships.count() == 2


@pytest.mark.embedded
@pytest.mark.parametrize(("username", "words"), [("nobody", "No account has the username “nobody”"), ("", "Enter the")])
def test_who_cannot_be_added_is_told_at_the_field(client: Client, group: Group, username: str, words: str) -> None:
    page = client.post(f"/groups/{group.pk}", {"username": username})
    assertContains(page, f'<a href="#id_username">{words}')
    assert group.memberships.count() == 1


def test_removing_a_member_asks_first(client: Client, group: Group) -> None:
    GroupMembershipFactory.create(group=group, user=UserFactory.create(username="bob"))
    path = f"/groups/{group.pk}/members/bob/remove"
    assertContains(client.get(path), f"Remove bob from “{group.name}”?")
    assert group.memberships.count() == 2
    assertContains(client.post(path, follow=True), "bob is no longer a member.")
    assert group.memberships.count() == 1
    assert client.get(path).status_code == 404


@pytest.mark.embedded
def test_leaving_leads_to_the_other_groups(client: Client, group: Group) -> None:
    GroupMembershipFactory.create(group=group)
    path = f"/groups/{group.pk}/members/alice/remove"
    assertContains(client.get(path), f"Leave “{group.name}”?")
    page = client.post(path, follow=True)
    assert page.redirect_chain == [("/groups", 302)]
    assertContains(page, "You have left the group")
    assert client.get(f"/groups/{group.pk}").status_code == 404


def test_the_last_member_hears_why_they_cannot_leave(client: Client, group: Group) -> None:
    GroupMembershipFactory.create(group=group, user=UserFactory.create(username="carol", is_active=False))
    path = f"/groups/{group.pk}/members/alice/remove"
    page = client.post(path, follow=True)
    assertContains(page, "You are the last member")
    assert group.memberships.count() == 2
    assertContains(page, "The last member cannot leave. Add somebody else first.")
    assertNotContains(page, path)
    assertContains(page, f"/groups/{group.pk}/members/carol/remove")
    question = client.get(path)
    assertContains(question, f"You cannot leave “{group.name}”")
    assertNotContains(question, '<button type="submit" class="btn btn-danger">')
    assertContains(client.get(f"/groups/{group.pk}/members/carol/remove"), "Remove carol</button>")


def test_who_is_not_the_last_member_may_leave(client: Client, group: Group) -> None:
    GroupMembershipFactory.create(group=group)
    page = client.get(f"/groups/{group.pk}")
    assertContains(page, f'href="/groups/{group.pk}/members/alice/remove">Leave</a>')
    assertNotContains(page, "The last member cannot leave.")


# --- unattached uploads ----------------------------------------------------------------------------


def test_members_see_how_much_of_the_quota_is_used(client: Client, group: Group, settings: Settings) -> None:
    upload(group, status="UPLOADED", size=7_500)
    page = f"/groups/{group.pk}"
    no_quota = client.get(page)
    assertContains(no_quota, "7.5 kB of files, with uploads that are under way")
    assertNotContains(no_quota, "<meter")
    settings.GROUP_QUOTA_BYTES = 10_000
    assertContains(client.get(page), "7.5 kB of 10.0 kB used, with uploads that are under way")
    assertContains(client.get(page), '<meter min="0" max="10000" value="7500" aria-labelledby="usage-words">')
    assertNotContains(client.get(page), "used up")
    upload(group, claimed_size=2_500)
    assertContains(client.get(page), "The quota is used up")


def test_a_group_without_uploads_says_what_will_be_listed(client: Client, group: Group) -> None:
    FileAttachmentFactory.create(file=upload(group, status="VERIFIED", claimed_name="attached.fastq"))
    page = client.get(f"/groups/{group.pk}")
    assertContains(page, "There are none.")
    assertNotContains(page, "attached.fastq")


def test_an_upload_is_told_with_its_state_who_and_how_long_and_how_to_go_on(client: Client, group: Group) -> None:
    category = FileCategoryFactory.create()
    file = upload(group, claimed_name="a<b.fastq", claimed_size=16_430_000, claimed_category=category)
    page = client.get(f"/groups/{group.pk}")
    kept_until = file.last_activity_at + timedelta(days=7)
    for words in (
        "a&lt;b.fastq",
        "Not finished",
        "16.4 MB",
        f"by {file.requested_by}",
        f'Kept until <time datetime="{kept_until:%Y-%m-%d}">',
        f'href="/organisms/{category.organism.slug}/submit?groupId={group.pk}"',
        f'href="/groups/{group.pk}/uploads/discard?fileId={file.pk}"',
    ):
        assertContains(page, words)


def test_what_is_wrong_with_uploads_is_told_in_words(client: Client, group: Group) -> None:
    ContentCheckResultFactory.create(
        file=upload(group, status="VERIFIED"), passed=False, code="fastq_truncated", detail="It breaks off."
    )
    upload(group, status="REJECTED", problem_code="size_mismatch", problem_detail="It has another size.")
    held = upload(group, status="VERIFIED", quarantined_at=timezone.now(), quarantined_by=UserFactory.create())
    page = client.get(f"/groups/{group.pk}")
    assert ContentCheckResult.objects.count() == 1
    for words in (
        "Failed its check",
        "It breaks off.",
        "fastq_truncated",
        "It has another size.",
        "Held back by an administrator",
    ):
        assertContains(page, words)
    assertNotContains(page, f"discard?fileId={held.pk}")


@pytest.mark.embedded
def test_uploads_come_25_a_page_and_the_number_of_queries_does_not_grow(
    client: Client, group: Group, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(27):
        upload(group, requested_by=UserFactory.create(), claimed_category=FileCategoryFactory.create())
    with django_assert_max_num_queries(8):
        assertContains(client.get(f"/groups/{group.pk}"), 'class="upload"', count=25)
    assertContains(client.get(f"/groups/{group.pk}?page=2"), 'class="upload"', count=2)
    assertContains(client.get(f"/groups/{group.pk}"), "Discard all 27")


@pytest.mark.embedded
def test_chosen_uploads_are_discarded_once_confirmed(client: Client, group: Group) -> None:
    chosen, kept = [upload(group) for _ in range(2)], upload(group)
    attached = FileAttachmentFactory.create(file=upload(group, status="VERIFIED")).file
    ids = [str(file.pk) for file in chosen]
    path = f"/groups/{group.pk}/uploads/discard"
    question = client.get(path, {"fileId": [*ids, str(attached.pk), "no-uuid"]})
    assertContains(question, "Discard 2 uploads?")
    assertContains(question, "2 are not finished")
    assert File.objects.count() == 4
    page = client.post(path, {"fileId": ids}, follow=True)
    assertContains(page, "2 uploads are discarded.")
    assert set(File.objects.all()) == {kept, attached}


def test_what_was_attached_since_the_question_stays_and_that_is_said(client: Client, group: Group) -> None:
    file = upload(group, status="VERIFIED")
    attached = FileAttachmentFactory.create(file=upload(group, status="VERIFIED")).file
    path = f"/groups/{group.pk}/uploads/discard"
    page = client.post(path, {"fileId": [str(file.pk), str(attached.pk)]}, follow=True)
    assertContains(page, "1 upload is discarded. The others were discarded already, belong to an entry by now")
    assert File.objects.get() == attached


@pytest.mark.embedded
def test_all_are_those_that_were_there_when_it_was_asked(client: Client, group: Group) -> None:
    path = f"/groups/{group.pk}/uploads/discard"
    for number in range(27):
        upload(group, claimed_name=f"reads{number}", claimed_size=1_000_000)
    question = client.get(path, {"all": "1"})
    assertContains(question, "Discard 27 uploads?")
    assertContains(question, "and 17 more")
    assertContains(question, "27.0 MB")
    later = upload(group, requested_at=timezone.now() + timedelta(seconds=1))
    page = client.post(path, {"all": "1", "until": question.context["until"]}, follow=True)
    assertContains(page, "27 uploads are discarded.")
    assert File.objects.filter(deleting_at__isnull=True).get() == later


@pytest.mark.parametrize("until", ["", "soon", "2026-02-31T00:00:00", "0001-01-01T00:00:00+23:59"])
def test_all_until_a_time_that_is_none_are_none(client: Client, group: Group, until: str) -> None:
    upload(group)
    client.post(f"/groups/{group.pk}/uploads/discard", {"all": "1", "until": until})
    assert File.objects.count() == 1


def test_choosing_nothing_discards_nothing(client: Client, group: Group) -> None:
    upload(group)
    for sent in ({}, {"fileId": [str(uuid.uuid4()), "x"]}):
        page = client.get(f"/groups/{group.pk}/uploads/discard", sent, follow=True)
        assertContains(page, "choose files first")
    assert File.objects.count() == 1
