"""For each constraint of our models, rows that break it and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.utils import timezone
from factory.django import DjangoModelFactory

from files.models import File
from submissions.models import AccessionCounter, MetadataField, SequenceEntry
from tests.factories.accounts import ApiTokenFactory, OidcSubjectFactory, UserFactory
from tests.factories.files import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileCategoryFactory,
    FileFactory,
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
)

AnyFactory = type[DjangoModelFactory[Any]]


@dataclass(frozen=True)
class Violation:
    """A way to break a constraint: `build` returns a row that was stored and then changed, to be saved.

    A field that is `unique` by itself counts as a constraint named `app.Model.field`.
    """

    constraint: str
    how: str
    build: Callable[[], Model]

    def __str__(self) -> str:
        return f"{self.constraint}, {self.how}"


def changed(constraint: str, how: str, factory: AnyFactory, valid: dict[str, Any], **fields: Any) -> Violation:
    """A row made with `valid`, then given `fields`; functions among them are called with the row."""

    def build() -> Model:
        row: Model = factory.create(**valid)
        for name, value in fields.items():
            setattr(row, name, value(row) if callable(value) else value)
        return row

    return Violation(constraint, how, build)


def doubled(constraint: str, factory: AnyFactory, *names: str, **valid: Any) -> Violation:
    """Two rows, the second given the same values as the first in these fields."""

    def build() -> Model:
        first, second = factory.create_batch(2, **valid)
        for name in names:
            setattr(second, name, getattr(first, name))
        return second  # type: ignore[no-any-return]  # what create_batch returns is untyped

    return Violation(constraint, "twice", build)


def now(_row: Model) -> object:
    """A time, whatever the row."""
    return timezone.now()


def anybody(_row: Model) -> object:
    """A person, whatever the row."""
    return UserFactory.create()


def second_counter() -> Model:
    """A counter beside the one."""
    AccessionCounter.objects.get_or_create(pk=1)
    return AccessionCounter(pk=2)


VERIFYING: dict[str, Any] = {"status": SequenceEntry.Status.VERIFYING}
ACCEPTED: dict[str, Any] = {"status": SequenceEntry.Status.ACCEPTED}
REJECTED: dict[str, Any] = {"status": SequenceEntry.Status.REJECTED}
FILE: dict[str, dict[str, Any]] = {status: {"status": status} for status in File.Status.values}
MULTIPART: dict[str, Any] = {"multipart": True}

OF_ACCOUNTS = [
    doubled("accounts.User.username", UserFactory, "username"),
    doubled("accounts.ApiToken.token_sha256", ApiTokenFactory, "token_sha256"),
    doubled("api_token_name_unique", ApiTokenFactory, "user", "name"),
    changed(
        "api_token_expires_after_creation",
        "at once",
        ApiTokenFactory,
        {},
        expires_at=lambda row: row.created_at,
    ),
    doubled("accounts.OidcSubject.user", OidcSubjectFactory, "user"),
    doubled("oidc_subject_unique", OidcSubjectFactory, "issuer", "subject"),
    changed("oidc_subject_named", "no issuer", OidcSubjectFactory, {}, issuer=""),
    changed("oidc_subject_named", "no subject", OidcSubjectFactory, {}, subject=""),
]

OF_ORGANISMS_AND_GROUPS = [
    doubled("rule_set_unique", RuleSetFactory, "organism", "digest"),
    doubled("submissions.Organism.slug", OrganismFactory, "slug"),
    changed("organism_sequences_known", "another word", OrganismFactory, {}, sequences="SOMETIMES"),
    changed("organism_slug_not_reserved", "files", OrganismFactory, {}, slug="files"),
    changed("organism_slug_not_reserved", "submissions", OrganismFactory, {}, slug="submissions"),
    doubled("metadata_field_name_unique", MetadataFieldFactory, "organism", "name"),
    changed("metadata_field_kind_known", "another word", MetadataFieldFactory, {}, kind="COLOUR"),
    changed(
        "metadata_field_choices_for_choice_only",
        "a choice without choices",
        MetadataFieldFactory,
        {"kind": MetadataField.Kind.CHOICE, "choices": ["blood"]},
        choices=[],
    ),
    changed("metadata_field_choices_for_choice_only", "a text with choices", MetadataFieldFactory, {}, choices=["a"]),
    *(
        changed("metadata_field_name_not_reserved", name, MetadataFieldFactory, {}, name=name)
        for name in ("id", "submissionId", "fastaIds", "accession")
    ),
    doubled("submissions.Group.name", GroupFactory, "name"),
    doubled("group_membership_unique", GroupMembershipFactory, "group", "user"),
]

OF_SUBMISSIONS = [
    doubled("entry_accession_version_unique", SequenceEntryFactory, "accession", "version"),
    doubled("entry_submission_id_unique", SequenceEntryFactory, "submission", "given_submission_id"),
    doubled("entry_position_unique", SequenceEntryFactory, "submission", "position"),
    changed("entry_next_version_is_higher", "the same", SequenceEntryFactory, {}, version=2, next_version=2),
    changed("entry_version_from_1", "0", SequenceEntryFactory, {}, version=0),
    changed("entry_status_known", "another word", SequenceEntryFactory, ACCEPTED, status="LOST"),
    changed("entry_settled_when_not_verifying", "settled early", SequenceEntryFactory, VERIFYING, settled_at=now),
    changed("entry_settled_when_not_verifying", "accepted never", SequenceEntryFactory, ACCEPTED, settled_at=None),
    changed("entry_settled_when_not_verifying", "rejected never", SequenceEntryFactory, REJECTED, settled_at=None),
    changed("entry_released_at_and_by", "by nobody", SequenceEntryFactory, ACCEPTED, released_at=now),
    changed("entry_released_at_and_by", "at no time", SequenceEntryFactory, ACCEPTED, released_by=anybody),
    changed(
        "entry_released_is_accepted",
        "verifying",
        SequenceEntryFactory,
        VERIFYING,
        released_at=now,
        released_by=anybody,
    ),
    changed(
        "entry_released_is_accepted", "rejected", SequenceEntryFactory, REJECTED, released_at=now, released_by=anybody
    ),
    Violation("accession_counter_single", "a second one", second_counter),
    doubled("idempotency_key_unique", IdempotencyRecordFactory, "user", "group", "path", "key"),
    changed("idempotency_answered_with_submission", "nothing", IdempotencyRecordFactory, {}, answered_at=now),
    changed(
        "idempotency_answered_with_submission",
        "at no time",
        IdempotencyRecordFactory,
        {},
        submission=lambda _: SubmissionFactory.create(),
    ),
    changed("idempotency_answered_with_submission", "no submission", IdempotencyRecordFactory, {}, answer=[]),
    changed(
        "idempotency_answered_with_submission",
        "no entries",
        IdempotencyRecordFactory,
        {},
        answered_at=now,
        submission=lambda _: SubmissionFactory.create(),
    ),
]

OF_FILES = [
    changed("file_status_known", "another word", FileFactory, {}, status="LOST"),
    *(
        changed("file_verified_has_hashes", f"{field}={value!r}", FileFactory, FILE["VERIFIED"], **{field: value})
        for field, value in (
            ("size", None),
            ("verified_at", None),
            ("sha256", ""),
            ("sha256", "A" * 64),
            ("sha256", "a" * 63),
            ("md5", ""),
            ("md5", "A" * 32),
            ("md5", "a" * 31),
            ("object_key", ""),
            ("etag", ""),
        )
    ),
    changed("file_rejected_has_reason", "at no time", FileFactory, FILE["REJECTED"], rejected_at=None),
    changed("file_rejected_has_reason", "without a code", FileFactory, FILE["REJECTED"], problem_code=""),
    changed("file_rejected_has_reason", "a verified one's time", FileFactory, FILE["VERIFIED"], rejected_at=now),
    changed("file_rejected_has_reason", "a verified one's code", FileFactory, FILE["VERIFIED"], problem_code="odd"),
    *(
        changed("file_uploaded_has_time", status, FileFactory, FILE[status], uploaded_at=None)
        for status in ("UPLOADED", "VERIFYING", "VERIFIED")
    ),
    changed("file_single_or_multipart", "neither", FileFactory, {}, staging_key=""),
    changed("file_single_or_multipart", "single, an upload ID", FileFactory, {}, upload_id="u", object_key="k"),
    changed("file_single_or_multipart", "single, parts", FileFactory, {}, number_parts=1),
    changed("file_single_or_multipart", "both", FileFactory, MULTIPART, staging_key="staging/x"),
    changed("file_single_or_multipart", "multipart, no upload ID", FileFactory, MULTIPART, upload_id=""),
    changed("file_single_or_multipart", "multipart, parts unknown", FileFactory, MULTIPART, number_parts=None),
    changed("file_single_or_multipart", "multipart, no parts", FileFactory, MULTIPART, number_parts=0),
    changed("file_single_or_multipart", "multipart, no key", FileFactory, MULTIPART, object_key=""),
    changed("file_lease_whole", "no end", FileFactory, FILE["VERIFYING"], lease_expires_at=None),
    changed("file_lease_whole", "no holder", FileFactory, FILE["VERIFYING"], lease_token=None),
    *(
        changed(
            "file_verification_failed_after_faults",
            how,
            FileFactory,
            {**FILE[status], "fault_count": 3, "last_fault": "the store fell silent"},
            verification_failed_at=now,
            **fields,
        )
        for how, status, fields in (
            ("without faults", "VERIFYING", {"fault_count": 0}),
            ("for no known fault", "VERIFYING", {"last_fault": ""}),
            ("requested alone", "REQUESTED", {}),
            ("rejected", "REJECTED", {}),
        )
    ),
    changed("file_fixity_problem_has_time", "never read", FileFactory, FILE["VERIFIED"], fixity_problem_code="odd"),
    changed(
        "file_fixity_problem_has_time",
        "unverified",
        FileFactory,
        FILE["UPLOADED"],
        fixity_problem_code="odd",
        fixity_checked_at=now,
    ),
    changed("file_quarantined_at_and_by", "by nobody", FileFactory, {}, quarantined_at=now),
    changed("file_quarantined_at_and_by", "at no time", FileFactory, {}, quarantined_by=anybody),
    doubled("file_staging_key_unique", FileFactory, "staging_key"),
    doubled("file_object_key_unique", FileFactory, "object_key", multipart=True),
]

OF_CATEGORIES_AND_ATTACHMENTS = [
    doubled("file_category_name_unique", FileCategoryFactory, "organism", "name"),
    changed("file_category_min_files_from_1", "0", FileCategoryFactory, {}, min_files=0),
    changed("file_category_max_not_below_min", "3 and 2", FileCategoryFactory, {}, min_files=3, max_files=2),
    changed("file_category_check_known", "another word", FileCategoryFactory, {}, content_check="exe"),
    *(
        changed(
            "file_category_pairs_reads", f"pairs of {check}", FileCategoryFactory, {}, content_check=check, pairing=True
        )
        for check in ("none", "bam")
    ),
    changed("attachment_check_known", "another word", FileAttachmentFactory, {}, content_check="exe"),
    *(
        changed(
            "attachment_pairs_reads", f"pairs of {check}", FileAttachmentFactory, {}, content_check=check, pairing=True
        )
        for check in ("none", "bam")
    ),
    changed("attachment_compared_is_paired", "no pair", FileAttachmentFactory, {}, pair_compared_at=now),
    changed(
        "attachment_pair_problem_has_time", "at no time", FileAttachmentFactory, {}, pair_problem_code="pair_mixed"
    ),
    doubled("attachment_name_unique", FileAttachmentFactory, "entry", "category", "name_key"),
    changed("attachment_named", "no name", FileAttachmentFactory, {}, name=""),
    changed("attachment_named", "no name to compare", FileAttachmentFactory, {}, name_key=""),
    doubled("check_result_unique", ContentCheckResultFactory, "file", "check_name"),
    changed("check_result_code_on_failure", "passed, a code", ContentCheckResultFactory, {}, code="fastq_empty"),
    changed("check_result_code_on_failure", "failed, no code", ContentCheckResultFactory, {"passed": False}, code=""),
    changed("check_result_of_a_check", "none", ContentCheckResultFactory, {}, check_name="none"),
]

VIOLATIONS = [
    *OF_ACCOUNTS,
    *OF_ORGANISMS_AND_GROUPS,
    *OF_SUBMISSIONS,
    *OF_FILES,
    *OF_CATEGORIES_AND_ATTACHMENTS,
]
