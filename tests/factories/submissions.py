"""Organisms, groups, submissions and their entries."""

from __future__ import annotations

import hashlib
import uuid

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import User
from submissions.models import (
    Group,
    GroupMembership,
    IdempotencyRecord,
    MetadataField,
    Organism,
    RuleSet,
    SequenceEntry,
    Submission,
)
from tests.factories.accounts import UserFactory


class OrganismFactory(DjangoModelFactory[Organism]):
    """An organism with file sharing, without categories and metadata fields."""

    class Meta:
        model = Organism

    slug = factory.Sequence(lambda n: f"organism-{n}")
    name = factory.Sequence(lambda n: f"Organism {n}")
    file_sharing = True


class MetadataFieldFactory(DjangoModelFactory[MetadataField]):
    """An optional text field."""

    class Meta:
        model = MetadataField

    organism = factory.SubFactory(OrganismFactory)
    name = factory.Sequence(lambda n: f"field{n}")
    shown_name = factory.LazyAttribute(lambda field: field.name.capitalize())


class RuleSetFactory(DjangoModelFactory[RuleSet]):
    """The rules of an organism that had no file categories."""

    class Meta:
        model = RuleSet

    organism = factory.SubFactory(OrganismFactory)
    digest = factory.Sequence(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
    categories = factory.LazyFunction(list)


class GroupFactory(DjangoModelFactory[Group]):
    """A group without members."""

    class Meta:
        model = Group

    name = factory.Sequence(lambda n: f"Lab {n}")
    created_by = factory.SubFactory(UserFactory)


class GroupMembershipFactory(DjangoModelFactory[GroupMembership]):
    """That somebody is a member."""

    class Meta:
        model = GroupMembership

    group = factory.SubFactory(GroupFactory)
    user = factory.SubFactory(UserFactory)


def group_of(*members: User) -> Group:
    """A group that the first of these people made, with all of them as members."""
    group = GroupFactory.create(created_by=members[0])
    for member in members:
        GroupMembershipFactory.create(group=group, user=member)
    return group


class SubmissionFactory(DjangoModelFactory[Submission]):
    """A submission without entries; its documents are names alone, nothing is stored."""

    class Meta:
        model = Submission

    organism = factory.SubFactory(OrganismFactory)
    group = factory.SubFactory(GroupFactory)
    submitted_by = factory.SelfAttribute("group.created_by")
    metadata_file = factory.LazyFunction(lambda: f"metadata/{uuid.uuid4()}")


class SequenceEntryFactory(DjangoModelFactory[SequenceEntry]):
    """An entry with the times and people that its status implies; `released=True` releases it."""

    class Meta:
        model = SequenceEntry

    class Params:
        released = factory.Trait(
            status=SequenceEntry.Status.ACCEPTED,
            released_at=factory.LazyFunction(timezone.now),
            released_by=factory.SelfAttribute("submission.submitted_by"),
        )

    submission = factory.SubFactory(SubmissionFactory)
    position = factory.Sequence(lambda n: n)
    given_submission_id = factory.Sequence(lambda n: f"sample{n}")
    accession = factory.Sequence(lambda n: f"SAT_{n:08d}")
    status = SequenceEntry.Status.VERIFYING
    settled_at = factory.LazyAttribute(
        lambda entry: None if entry.status == SequenceEntry.Status.VERIFYING else timezone.now()
    )


class IdempotencyRecordFactory(DjangoModelFactory[IdempotencyRecord]):
    """A running submit with an idempotency key."""

    class Meta:
        model = IdempotencyRecord

    group = factory.SubFactory(GroupFactory)
    user = factory.SelfAttribute("group.created_by")
    path = "/api/ebola-sudan/submit"
    key = factory.Sequence(lambda n: f"key-{n}")
    body_sha256 = hashlib.sha256(b"").hexdigest()
