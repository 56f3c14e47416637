"""Acts of submitting, and the sequence entries that they made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q

from submissions.models.groups import Group
from submissions.models.organisms import Organism, RuleSet

if TYPE_CHECKING:
    from accounts.models import User


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Submissions, as a person may see them, and with what is derived from their entries."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The submissions of the user's groups."""
        return self.filter(group__members=user) if user.is_authenticated else self.none()

    def with_counts(self) -> Self:
        """Adds `entry_count`, `verifying_count`, `accepted_count` and `rejected_count`, in the same query."""
        counts = {
            f"{status.lower()}_count": Count("entries", filter=Q(entries__status=status))
            for status in SequenceEntry.Status.values
        }
        return self.annotate(entry_count=Count("entries"), **counts)

    def with_entries(self, status: SequenceEntry.Status) -> Self:
        """Those that have an entry of this status."""
        return self.filter(Exists(SequenceEntry.objects.filter(submission=OuterRef("pk"), status=status)))

    def without_entries(self, status: SequenceEntry.Status) -> Self:
        """Those that have no entry of this status."""
        return self.filter(~Exists(SequenceEntry.objects.filter(submission=OuterRef("pk"), status=status)))


class Submission(models.Model):
    """One act of submitting: a metadata table, sequences and a file mapping, kept as they were sent."""

    class Status(models.TextChoices):
        """Derived from the entries, never stored."""

        VERIFYING = "VERIFYING", "Verifying"
        ACCEPTED = "ACCEPTED", "Accepted"
        PARTLY_ACCEPTED = "PARTLY_ACCEPTED", "Partly accepted"
        REJECTED = "REJECTED", "Rejected"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"

    organism = models.ForeignKey(Organism, on_delete=models.PROTECT, related_name="submissions")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="submissions")
    submitted_at = models.DateTimeField(auto_now_add=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submissions")
    metadata_file = models.FileField(upload_to="metadata/%Y/%m/%d/", max_length=300)
    sequence_file = models.FileField(upload_to="sequences/%Y/%m/%d/", max_length=300, blank=True)
    withdrawn_count = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many of its entries were withdrawn; nothing else is left of them."
    )

    # Set by `with_counts()`.
    entry_count: int
    verifying_count: int
    accepted_count: int
    rejected_count: int

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        indexes = [
            # The list of a group's submissions, newest first.
            models.Index(fields=["group", "-id"], name="submission_of_group"),
        ]

    def __str__(self) -> str:
        return f"Submission {self.pk}"

    @property
    def counts(self) -> dict[str, int]:
        """The number of entries, in all, by status, and of withdrawn ones; only of what was loaded `with_counts()`."""
        return {
            "entries": self.entry_count,
            "verifying": self.verifying_count,
            "accepted": self.accepted_count,
            "rejected": self.rejected_count,
            "withdrawn": self.withdrawn_count,
        }

    @property
    def status(self) -> Submission.Status:
        """What the entries' statuses come to; only of what was loaded `with_counts()`."""
        if self.verifying_count:
            return Submission.Status.VERIFYING
        if self.withdrawn_count and not self.entry_count:
            return Submission.Status.WITHDRAWN
        if not self.rejected_count:
            return Submission.Status.ACCEPTED
        return Submission.Status.PARTLY_ACCEPTED if self.accepted_count else Submission.Status.REJECTED


class SequenceEntryQuerySet(models.QuerySet["SequenceEntry"]):
    """Sequence entries, as a person may see them."""

    def named(self, words: str) -> Self:
        """Those whose submission ID has these words in it, in any case, or whose accession they are."""
        accession = words.partition(".")[0]
        return self.filter(Q(given_submission_id__icontains=words) | Q(accession__iexact=accession))

    def of_members(self, user: User | AnonymousUser) -> Self:
        """The entries of the user's groups."""
        return self.filter(submission__group__in=Group.objects.visible_to(user))

    def releasable(self) -> Self:
        """Accepted entries that are not released, and none of whose files is held back."""
        held_back = Q(attachments__file__quarantined_at__isnull=False)
        return self.filter(status=SequenceEntry.Status.ACCEPTED, released_at__isnull=True).exclude(held_back)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Released entries, and all entries of the user's groups."""
        released = Q(released_at__isnull=False)
        if not user.is_authenticated:
            return self.filter(released)
        return self.filter(released | Q(submission__group__in=Group.objects.visible_to(user)))


class SequenceEntry(models.Model):
    """One row of a metadata table once submitted: an accession and a version.

    `given_submission_id` is the submission ID of SPEC, the submitter's own name for the row; Django keeps the
    attribute `submission_id` for the key of `submission`.
    """

    class Status(models.TextChoices):
        VERIFYING = "VERIFYING", "Verifying"
        ACCEPTED = "ACCEPTED", "Accepted"
        REJECTED = "REJECTED", "Rejected"

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="entries")
    position = models.PositiveIntegerField(help_text="Place in the metadata table, from 0.")
    given_submission_id = models.CharField("submission ID", max_length=255)
    accession = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    next_version = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="What its revision is given, where another was withdrawn: no version is given twice.",
    )
    metadata = models.JSONField(default=dict)
    sequences = models.JSONField(default=list, help_text="Of each sequence its FASTA ID and its length.")
    rule_set = models.ForeignKey(
        RuleSet,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entries",
        help_text="What it is verified under; none for an organism without file sharing.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.VERIFYING)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was accepted or rejected.")
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="released_entries",
    )

    objects = SequenceEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sequence entries"
        constraints = [
            # One entry for an accession and version.
            models.UniqueConstraint(fields=["accession", "version"], name="entry_accession_version_unique"),
            # A submission ID stands once in its table.
            models.UniqueConstraint(fields=["submission", "given_submission_id"], name="entry_submission_id_unique"),
            # A place in the table is taken once.
            models.UniqueConstraint(fields=["submission", "position"], name="entry_position_unique"),
            # What follows a version is higher.
            models.CheckConstraint(
                condition=Q(next_version__isnull=True) | Q(next_version__gt=F("version")),
                name="entry_next_version_is_higher",
            ),
            # Versions count from 1.
            models.CheckConstraint(condition=Q(version__gte=1), name="entry_version_from_1"),
            # An entry's status is one of three words.
            models.CheckConstraint(
                condition=Q(status__in=["VERIFYING", "ACCEPTED", "REJECTED"]), name="entry_status_known"
            ),
            # An entry is settled at a time, and only then.
            models.CheckConstraint(
                condition=(Q(status="VERIFYING") & Q(settled_at__isnull=True))
                | (~Q(status="VERIFYING") & Q(settled_at__isnull=False)),
                name="entry_settled_when_not_verifying",
            ),
            # A release has a time and a person, or neither.
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True)
                | Q(released_at__isnull=False, released_by__isnull=False),
                name="entry_released_at_and_by",
            ),
            # Only what is accepted is released.
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | Q(status="ACCEPTED"),
                name="entry_released_is_accepted",
            ),
        ]
        indexes = [
            # The sweeper looks for entries that are still being verified.
            models.Index(fields=["id"], name="entry_verifying", condition=Q(status="VERIFYING")),
        ]

    def __str__(self) -> str:
        return f"{self.accession}.{self.version}"

    @property
    def can_be_edited(self) -> bool:
        """Whether its files can be replaced now: it is settled and not released."""
        return self.status != SequenceEntry.Status.VERIFYING and self.released_at is None


class AccessionCounter(models.Model):
    """The next free accession number; one row, so that a block of numbers is taken by one update."""

    next_number = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = [
            # There is one counter.
            models.CheckConstraint(condition=Q(id=1), name="accession_counter_single"),
        ]

    def __str__(self) -> str:
        return f"next is {self.next_number}"
