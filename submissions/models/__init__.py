"""Who submits what: organisms, groups, submissions and their sequence entries."""

from __future__ import annotations

from submissions.models.groups import Group, GroupMembership, GroupQuerySet
from submissions.models.idempotency import IdempotencyRecord
from submissions.models.organisms import RESERVED_SLUGS, MetadataField, Organism, RuleSet, check_slug_not_reserved
from submissions.models.submissions import (
    AccessionCounter,
    SequenceEntry,
    SequenceEntryQuerySet,
    Submission,
    SubmissionQuerySet,
)

__all__ = [
    "RESERVED_SLUGS",
    "AccessionCounter",
    "Group",
    "GroupMembership",
    "GroupQuerySet",
    "IdempotencyRecord",
    "MetadataField",
    "Organism",
    "RuleSet",
    "SequenceEntry",
    "SequenceEntryQuerySet",
    "Submission",
    "SubmissionQuerySet",
    "check_slug_not_reserved",
]
