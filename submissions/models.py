"""Who submits what: organisms, groups, submissions and their sequence entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

if TYPE_CHECKING:
    from accounts.models import User

RESERVED_SLUGS = frozenset(
    {"auth", "docs", "entries", "files", "groups", "me", "organisms", "schema", "submissions", "tokens"}
)
"""First words of the API's own paths, which an organism's slug would hide."""


def check_slug_not_reserved(slug: str) -> None:
    """Refuse a slug that is one of the API's own first words."""
    if slug in RESERVED_SLUGS:
        message = f"“{slug}” is a word of the API's own paths (/api/{slug}); choose another slug."
        raise ValidationError(message, code="slug_reserved")


class Organism(models.Model):
    """What is submitted to; its slug stands in every path (`/organisms/<slug>/submit`)."""

    class Sequences(models.TextChoices):
        REQUIRED = "REQUIRED", "Required"
        OPTIONAL = "OPTIONAL", "Optional"
        FORBIDDEN = "FORBIDDEN", "Forbidden"

    slug = models.SlugField(
        max_length=80,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Use lower-case letters, digits and single hyphens."),
            check_slug_not_reserved,
        ],
        help_text="Stands in addresses, e.g. “ebola-sudan”. Changing it breaks the scripts of submitters.",
    )
    name = models.CharField(max_length=200, help_text="As people read it, e.g. “Ebola Sudan”.")
    sequences = models.CharField(
        max_length=10,
        choices=Sequences,
        default=Sequences.REQUIRED,
        help_text="Whether a submission must, may or must not contain sequences.",
    )
    file_sharing = models.BooleanField(
        default=False, help_text="Whether extra files can be handed in alongside the sequences."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # Whether sequences are wanted is one of three words.
            models.CheckConstraint(
                condition=Q(sequences__in=["REQUIRED", "OPTIONAL", "FORBIDDEN"]),
                name="organism_sequences_known",
            ),
            # No slug hides one of the API's own paths.
            models.CheckConstraint(condition=~Q(slug__in=sorted(RESERVED_SLUGS)), name="organism_slug_not_reserved"),
        ]

    def __str__(self) -> str:
        return self.name


class MetadataField(models.Model):
    """One column of an organism's metadata: it makes the form, the TSV template and the checks."""

    class Kind(models.TextChoices):
        TEXT = "TEXT", "Text"
        DATE = "DATE", "Date"
        NUMBER = "NUMBER", "Number"
        CHOICE = "CHOICE", "Choice"

    organism = models.ForeignKey(Organism, on_delete=models.CASCADE, related_name="metadata_fields")
    name = models.CharField(
        max_length=80,
        validators=[RegexValidator(r"^[A-Za-z][A-Za-z0-9_]*\Z", "Use letters, digits and underscores.")],
        help_text="The column's name in the metadata table.",
    )
    shown_name = models.CharField(max_length=200, help_text="As people read it in the form.")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TEXT)
    choices = models.JSONField(
        default=list,
        blank=True,
        help_text='For a choice: the list of allowed values, e.g. ["blood", "serum"].',
    )
    required = models.BooleanField(default=False)
    help_text = models.CharField(max_length=500, blank=True)
    order = models.PositiveIntegerField(default=0, help_text="Fields with smaller numbers come first.")

    class Meta:
        constraints = [
            # One field of a name in an organism.
            models.UniqueConstraint(fields=["organism", "name"], name="metadata_field_name_unique"),
            # A field's kind is one of four words.
            models.CheckConstraint(
                condition=Q(kind__in=["TEXT", "DATE", "NUMBER", "CHOICE"]), name="metadata_field_kind_known"
            ),
            # A choice has something to choose from, and nothing else has.
            models.CheckConstraint(
                condition=(Q(kind="CHOICE") & ~Q(choices=[])) | (~Q(kind="CHOICE") & Q(choices=[])),
                name="metadata_field_choices_for_choice_only",
            ),
            # The names that the table uses itself are not metadata.
            models.CheckConstraint(
                condition=~Q(name__in=["id", "submissionId", "fastaIds", "accession"]),
                name="metadata_field_name_not_reserved",
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name

    def clean(self) -> None:
        """Say in words what the constraints say, and that choices are different, non-empty texts."""
        if self.name in {"id", "submissionId", "fastaIds", "accession"}:
            raise ValidationError({"name": f"“{self.name}” is a column that every metadata table uses itself."})
        if not isinstance(self.choices, list) or not all(isinstance(c, str) and c for c in self.choices):
            raise ValidationError({"choices": 'Give a list of texts, e.g. ["blood", "serum"].'})
        if len(set(self.choices)) != len(self.choices):
            raise ValidationError({"choices": "One value stands twice in the list."})
        if (self.kind == self.Kind.CHOICE) != bool(self.choices):
            raise ValidationError({"choices": "A choice needs values to choose from, and only a choice has them."})


class RuleSet(models.Model):
    """The rules of an organism's file categories as they stood at one time; written once, never changed.

    An entry is verified and accepted under the rule set that stood when its files were submitted, so a change in
    the admin touches what is submitted afterwards and nothing else.
    """

    organism = models.ForeignKey(Organism, on_delete=models.CASCADE, related_name="rule_sets")
    digest = models.CharField(max_length=64, help_text="sha256 of the categories as canonical JSON.")
    categories = models.JSONField(help_text="Of each file category its name and its rules, in order.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # The same rules of an organism are one rule set.
            models.UniqueConstraint(fields=["organism", "digest"], name="rule_set_unique"),
        ]

    def __str__(self) -> str:
        return f"Rules of {self.organism_id} as of {self.recorded_at:%Y-%m-%d %H:%M}"


class GroupQuerySet(models.QuerySet["Group"]):
    """Groups, as a person may see them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The groups that the user is a member of."""
        return self.filter(members=user) if user.is_authenticated else self.none()


class Group(models.Model):
    """Owns files and submissions; people are its members. Membership is looked at in every call."""

    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="created_groups")
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="GroupMembership", related_name="submitting_groups"
    )

    objects = GroupQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class GroupMembership(models.Model):
    """That a person is a member of a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="group_memberships")
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A person is a member once.
            models.UniqueConstraint(fields=["group", "user"], name="group_membership_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"


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

    organism = models.ForeignKey(Organism, on_delete=models.PROTECT, related_name="submissions")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="submissions")
    submitted_at = models.DateTimeField(auto_now_add=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submissions")
    metadata_file = models.FileField(upload_to="metadata/%Y/%m/%d/", max_length=300)
    sequence_file = models.FileField(upload_to="sequences/%Y/%m/%d/", max_length=300, blank=True)

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
        """The number of entries, in all and by status; only of what was loaded `with_counts()`."""
        return {
            "entries": self.entry_count,
            "verifying": self.verifying_count,
            "accepted": self.accepted_count,
            "rejected": self.rejected_count,
        }

    @property
    def status(self) -> Submission.Status:
        """What the entries' statuses come to; only of what was loaded `with_counts()`."""
        if self.verifying_count:
            return Submission.Status.VERIFYING
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


class IdempotencyRecord(models.Model):
    """The first answer to a submit with an `Idempotency-Key`; belongs to user, group and path."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="idempotency_records")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="idempotency_records")
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, null=True, blank=True, related_name="idempotency_records"
    )

    class Meta:
        constraints = [
            # One record for a key of a user, group and path.
            models.UniqueConstraint(fields=["user", "group", "path", "key"], name="idempotency_key_unique"),
            # An answer has a time and a submission, or neither.
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, submission__isnull=True)
                | Q(answered_at__isnull=False, submission__isnull=False),
                name="idempotency_answered_with_submission",
            ),
        ]

    def __str__(self) -> str:
        return self.key
