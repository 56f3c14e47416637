"""Rows for tests, valid as they come: `FileFactory.create(status="VERIFIED")` has all that VERIFIED implies."""

from __future__ import annotations

from tests.factories.accounts import ApiTokenFactory, OidcSubjectFactory, UserFactory
from tests.factories.files import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
    demo_categories,
)
from tests.factories.submissions import (
    GroupFactory,
    GroupMembershipFactory,
    IdempotencyRecordFactory,
    MetadataFieldFactory,
    OrganismFactory,
    RuleSetFactory,
    SequenceEntryFactory,
    SubmissionFactory,
    group_of,
)

__all__ = [
    "ApiTokenFactory",
    "ContentCheckResultFactory",
    "FileAttachmentFactory",
    "FileCategoryFactory",
    "FileFactory",
    "GroupFactory",
    "GroupMembershipFactory",
    "IdempotencyRecordFactory",
    "MetadataFieldFactory",
    "OidcSubjectFactory",
    "OrganismFactory",
    "RuleSetFactory",
    "SequenceEntryFactory",
    "SubmissionFactory",
    "UserFactory",
    "demo_categories",
    "group_of",
]
