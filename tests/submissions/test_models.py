"""What is derived from groups, submissions and entries, and who sees them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from submissions.models import (
    RESERVED_SLUGS,
    Group,
    GroupMembership,
    MetadataField,
    Organism,
    SequenceEntry,
    Submission,
)
from tests.factories import (
    MetadataFieldFactory,
    OrganismFactory,
    SequenceEntryFactory,
    SubmissionFactory,
    UserFactory,
    group_of,
)

pytestmark = [pytest.mark.embedded, pytest.mark.django_db]

Status = Submission.Status


@dataclass(frozen=True)
class Cast:
    """A submission and the people around it: who submitted, another member, one who left, one of another group."""

    submission: Submission
    owner: User
    member: User
    former_member: User
    outsider: User


@pytest.fixture
def cast() -> Cast:
    owner, member, former_member, outsider = UserFactory.create_batch(4)
    group = group_of(owner, member, former_member)
    GroupMembership.objects.filter(user=former_member).delete()
    SubmissionFactory.create(group=group_of(outsider))
    return Cast(SubmissionFactory.create(group=group), owner, member, former_member, outsider)


def test_groups_and_submissions_are_visible_to_members_alone(cast: Cast) -> None:
    group = cast.submission.group

    for user in (cast.owner, cast.member):
        assert list(Group.objects.visible_to(user)) == [group]
        assert list(Submission.objects.visible_to(user)) == [cast.submission]
    for stranger in (cast.former_member, cast.outsider):
        assert group not in Group.objects.visible_to(stranger)
        assert cast.submission not in Submission.objects.visible_to(stranger)
    assert not Group.objects.visible_to(AnonymousUser())
    assert not Submission.objects.visible_to(AnonymousUser())


def test_an_admin_sees_no_more_than_the_groups_they_are_in(cast: Cast) -> None:
    admin = UserFactory.create(admin=True)

    assert not Group.objects.visible_to(admin)
    assert not Submission.objects.visible_to(admin)
    assert not SequenceEntry.objects.visible_to(admin)


def test_entries_are_visible_to_members_and_once_released_to_all(cast: Cast) -> None:
    unreleased = SequenceEntryFactory.create(submission=cast.submission)
    released = SequenceEntryFactory.create(submission=cast.submission, released=True)
    entries = SequenceEntry.objects.order_by("pk")

    for user in (cast.owner, cast.member):
        assert list(entries.visible_to(user)) == [unreleased, released]
    for stranger in (cast.former_member, cast.outsider, AnonymousUser()):
        assert list(entries.visible_to(stranger)) == [released]


def expected_status(verifying: int, accepted: int, rejected: int) -> Status:
    if verifying:
        return Status.VERIFYING
    if accepted and rejected:
        return Status.PARTLY_ACCEPTED
    return Status.REJECTED if rejected else Status.ACCEPTED


def test_counts_and_status_of_submissions_come_from_their_entries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    group = group_of(UserFactory.create())
    organism = OrganismFactory.create()
    expected = {}
    for numbers in product(range(3), repeat=3):
        submission = SubmissionFactory.create(group=group, organism=organism)
        expected[submission.pk] = numbers
        for status, number in zip(SequenceEntry.Status.values, numbers, strict=True):
            SequenceEntryFactory.create_batch(number, submission=submission, status=status)

    with django_assert_num_queries(1):
        found = {submission.pk: submission for submission in Submission.objects.with_counts()}

    assert found.keys() == expected.keys()
    for key, (verifying, accepted, rejected) in expected.items():
        assert found[key].counts == {
            "entries": verifying + accepted + rejected,
            "verifying": verifying,
            "accepted": accepted,
            "rejected": rejected,
            "withdrawn": 0,
        }
        assert found[key].status == expected_status(verifying, accepted, rejected)


def test_counts_are_right_for_a_person_in_several_groups() -> None:
    user = UserFactory.create()
    for _ in range(2):
        submission = SubmissionFactory.create(group=group_of(user, UserFactory.create()))
        SequenceEntryFactory.create_batch(3, submission=submission)

    found = Submission.objects.visible_to(user).with_counts()

    assert [submission.entry_count for submission in found] == [3, 3]


@pytest.mark.parametrize("slug", sorted(RESERVED_SLUGS))
def test_a_slug_of_the_api_is_refused_in_words(slug: str) -> None:
    organism = Organism(slug=slug, name="Any")

    with pytest.raises(ValidationError) as failure:
        organism.full_clean()
    assert failure.value.message_dict["slug"] == [
        f"“{slug}” is a word of the API's own paths (/api/{slug}); choose another slug."
    ]


@pytest.mark.parametrize("slug", ["Ebola", "ebola_sudan", "-ebola", "ebola-", "ebola--sudan", "ebola sudan", "ebola\n"])
def test_a_slug_is_lower_case_words_with_single_hyphens(slug: str) -> None:
    with pytest.raises(ValidationError) as failure:
        Organism(slug=slug, name="Any").full_clean()
    assert "Use lower-case letters, digits and single hyphens." in failure.value.message_dict["slug"]


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"name": "fastaIds"}, "name", "“fastaIds” is a column that every metadata table uses itself."),
        ({"kind": "CHOICE"}, "choices", "A choice needs values to choose from, and only a choice has them."),
        ({"choices": ["a"]}, "choices", "A choice needs values to choose from, and only a choice has them."),
        ({"kind": "CHOICE", "choices": ["a", "b", "a"]}, "choices", "One value stands twice in the list."),
        ({"kind": "CHOICE", "choices": ["a", ""]}, "choices", 'Give a list of texts, e.g. ["blood", "serum"].'),
        ({"kind": "CHOICE", "choices": {"a": 1}}, "choices", 'Give a list of texts, e.g. ["blood", "serum"].'),
        ({"name": "no spaces"}, "name", "Use letters, digits and underscores."),
    ],
)
def test_a_metadata_field_that_cannot_be_is_refused_in_words(fields: dict[str, object], place: str, words: str) -> None:
    field = MetadataField(organism=OrganismFactory.create(), **{"name": "host", "shown_name": "Host", **fields})

    with pytest.raises(ValidationError) as failure:
        field.full_clean()
    assert failure.value.message_dict[place] == [words]


def test_a_choice_with_values_is_fine() -> None:
    field = MetadataFieldFactory.build(
        organism=OrganismFactory.create(), kind=MetadataField.Kind.CHOICE, choices=["blood", "serum"]
    )
    field.full_clean()


def test_rows_are_called_what_people_call_them() -> None:
    entry = SequenceEntryFactory.create(accession="SAT_00000007", version=2)

    assert str(entry) == "SAT_00000007.2"
    assert str(entry.submission) == f"Submission {entry.submission.pk}"
    assert str(entry.submission.organism) == entry.submission.organism.name
    assert str(entry.submission.group) == entry.submission.group.name
