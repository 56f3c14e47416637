"""The start page, and the pages that say that something is not there."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.views.defaults import bad_request, permission_denied, server_error
from pytest_django import DjangoAssertNumQueries
from pytest_django.asserts import assertContains, assertNotContains

from submissions.models import SequenceEntry
from tests.factories import (
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
    MetadataFieldFactory,
    OrganismFactory,
    SequenceEntryFactory,
    SubmissionFactory,
    UserFactory,
    group_of,
)
from tests.fixtures import Demo


def test_anonymous_sees_the_organisms_and_is_asked_to_log_in(client: Client, demo: Demo) -> None:
    page = client.get("/")
    assertContains(page, "Ebola Sudan")
    assertContains(page, "Raw reads, Supplementary files")
    assertContains(page, "Log in to submit")
    assertNotContains(page, "My submissions")


@pytest.mark.parametrize("path", ["/", "/groups", "/submissions", "/submissions?show=problems"])
def test_what_is_shown_to_one_person_is_kept_by_no_cache(client: Client, demo: Demo, path: str) -> None:
    client.force_login(demo.alice)
    assert "no-store" in client.get(path)["Cache-Control"]


def test_a_member_sees_where_to_submit_and_the_latest_submissions(client: Client, demo: Demo) -> None:
    mine = SubmissionFactory.create(group=demo.group, organism=demo.organism)
    other = SubmissionFactory.create(group=demo.other_group, organism=demo.organism)
    client.force_login(demo.alice)
    page = client.get("/")
    assertContains(page, 'href="/organisms/ebola-sudan/submit"')
    assertContains(page, 'href="/organisms/ebola-sudan/submit/bulk"')
    assertContains(page, f'href="/submissions/{mine.pk}"')
    assertNotContains(page, f'href="/submissions/{other.pk}"')


def test_who_is_in_no_group_is_told_what_to_do(client: Client, demo: Demo) -> None:
    client.force_login(UserFactory.create(username="carol"))
    page = client.get("/")
    assertContains(page, "You are not a member of any group yet.")
    assertContains(page, "add <strong>carol</strong>")


def test_what_waits_is_told_with_the_way_to_it(client: Client, demo: Demo) -> None:
    client.force_login(demo.alice)
    assertNotContains(client.get("/"), "What is under way")
    submission = SubmissionFactory.create(group=demo.group, organism=demo.organism)
    for status in ("VERIFYING", "VERIFYING", "REJECTED"):
        SequenceEntryFactory.create(submission=submission, status=status)
    for group in (demo.group, demo.group, demo.other_group):
        FileFactory.create(group=group)
    FileFactory.create(group=demo.group, status="EXPIRED")
    FileAttachmentFactory.create(file=FileFactory.create(group=demo.group))
    page = client.get("/")
    assertContains(page, '<a href="/submissions?show=verifying">1 submission</a> is being verified.')
    assertContains(page, f'Demo Lab has <a href="/groups/{demo.group.pk}">2 uploads</a> that are unfinished')
    assertNotContains(page, "Other Lab has")
    assertContains(page, f'<a href="/submissions/{submission.pk}?show=problems">Correct 1 entry with problems</a>')


def test_without_organisms_the_page_says_who_makes_them(client: Client, db: None) -> None:
    assertContains(client.get("/"), "There is no organism yet.")


def test_the_number_of_queries_does_not_grow_with_what_there_is(
    client: Client, db: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    alice = UserFactory.create()
    for organism in OrganismFactory.create_batch(4):
        FileCategoryFactory.create_batch(2, organism=organism)
        MetadataFieldFactory.create_batch(2, organism=organism)
        for _ in range(2):
            submission = SubmissionFactory.create(organism=organism, group=group_of(alice))
            SequenceEntryFactory.create(submission=submission, status=SequenceEntry.Status.REJECTED)
    client.force_login(alice)
    FileFactory.create_batch(3, group=group_of(alice))
    with django_assert_max_num_queries(12):
        client.get("/")


def test_admins_and_only_they_have_a_link_to_the_admin(client: Client, demo: Demo) -> None:
    client.force_login(demo.alice)
    assertNotContains(client.get("/"), 'href="/admin/"')
    client.force_login(demo.admin)
    assertContains(client.get("/"), 'href="/admin/"')


def test_an_address_without_a_page_is_told_kindly(client: Client, demo: Demo) -> None:
    page = client.get("/no/such/page")
    assertContains(page, "There is nothing here for you", status_code=404)
    assertContains(page, 'href="/login?next=%2Fno%2Fsuch%2Fpage"', status_code=404)
    client.force_login(demo.alice)
    assertContains(client.get("/no/such/page"), "a group that <strong>alice</strong>", status_code=404)


def test_faults_and_refusals_have_pages_of_ours(rf: RequestFactory) -> None:
    request = rf.get("/")
    assert b"The mistake is ours" in server_error(request).content
    assert b"This request cannot be read" in bad_request(request, ValueError()).content
    assert b"This is not yours to see" in permission_denied(request, PermissionError()).content
