"""The bytes, their rules and their life: file categories, files, attachments, results of content checks."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q

from files.problem import FileProblem
from submissions.models import Group, Organism, SequenceEntry

if TYPE_CHECKING:
    from accounts.models import User


class ContentCheck(models.TextChoices):
    """What a category's files must be readable as; the values name the modules of `files/content/`."""

    NONE = "none", "None"
    GZIP = "gzip", "gzip"
    FASTQ = "fastq", "FASTQ, plain or gzipped"


class FileCategory(models.Model):
    """A kind of extra file that an organism takes, with its rules, e.g. `rawReads`, shown as “Raw reads”."""

    organism = models.ForeignKey(Organism, on_delete=models.CASCADE, related_name="file_categories")
    name = models.CharField(
        max_length=80,
        validators=[RegexValidator(r"^[A-Za-z][A-Za-z0-9_]*\Z", "Use letters, digits and underscores.")],
        help_text="As scripts write it in the file mapping, e.g. “rawReads”.",
    )
    shown_name = models.CharField(max_length=200, help_text="As people read it, e.g. “Raw reads”.")
    help_text = models.CharField(max_length=500, blank=True, help_text="Shown above the upload box.")
    order = models.PositiveIntegerField(default=0, help_text="Categories with smaller numbers come first.")
    content_check = models.CharField(
        max_length=10,
        choices=ContentCheck,
        default=ContentCheck.NONE,
        help_text="What each file must be readable as before its entry is accepted.",
    )
    required = models.BooleanField(default=False, help_text="Whether each entry must have files of this category.")
    min_files = models.PositiveIntegerField(
        "fewest files",
        default=1,
        validators=[MinValueValidator(1)],
        help_text="The fewest files an entry may have here, if it has any.",
    )
    max_files = models.PositiveIntegerField(
        "most files",
        null=True,
        blank=True,
        help_text="The most files an entry may have here; empty for no limit.",
    )
    max_file_size = models.PositiveBigIntegerField(
        "largest file, in bytes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Empty for no limit.",
    )
    extensions = models.JSONField(
        default=list,
        blank=True,
        help_text='The endings that file names may have, e.g. [".fastq.gz", ".fq.gz"]; empty for any.',
    )

    class Meta:
        verbose_name_plural = "file categories"
        constraints = [
            # One category of a name in an organism.
            models.UniqueConstraint(fields=["organism", "name"], name="file_category_name_unique"),
            # At least one file, if any, and never more wanted than allowed.
            models.CheckConstraint(condition=Q(min_files__gte=1), name="file_category_min_files_from_1"),
            models.CheckConstraint(
                condition=Q(max_files__isnull=True) | Q(max_files__gte=models.F("min_files")),
                name="file_category_max_not_below_min",
            ),
            # The content check is one that we have.
            models.CheckConstraint(
                condition=Q(content_check__in=["none", "gzip", "fastq"]), name="file_category_check_known"
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name


class FileQuerySet(models.QuerySet["File"]):
    """Files, as a person may see them and as the workers look for them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The files of the user's groups."""
        return self.filter(group__members=user) if user.is_authenticated else self.none()

    def attachable(self) -> Self:
        """Files that are neither being deleted nor in quarantine."""
        return self.filter(deleting_at__isnull=True, quarantined_at__isnull=True)

    def free_at(self, now: datetime) -> Self:
        """Files that no living worker holds, and whose pause after a fault is over."""
        return self.filter(
            Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=now),
            Q(retry_at__isnull=True) | Q(retry_at__lte=now),
            deleting_at__isnull=True,
        )

    def awaiting_verification(self) -> Self:
        """Files whose bytes are here and unread."""
        return self.filter(status__in=[File.Status.UPLOADED, File.Status.VERIFYING])

    def awaiting_checks(self) -> Self:
        """Verified files that an entry still being verified wants a content check of, without a result."""
        # From the few entries that are being verified to their files, not through all files that there are.
        verifying = FileAttachment.objects.filter(entry__status=SequenceEntry.Status.VERIFYING)
        return self.filter(pk__in=verifying.without_result().values("file"), status=File.Status.VERIFIED)

    def awaiting_work(self) -> Self:
        """Files that a worker should take up, for either reason."""
        return self.awaiting_verification() | self.awaiting_checks()


class File(models.Model):
    """One object: handed in by a group, verified once, attached any number of times.

    `REQUESTED → UPLOADED → VERIFYING → VERIFIED | REJECTED`, and `EXPIRED`. A single upload lands at
    `staging_key`, which its URL can replay, and is copied to `object_key`, which is never signed for PUT; a
    multipart upload goes to `object_key` at once. Integrity (size, hashes, claims) is a state of the file;
    what its content can be read as is a `ContentCheckResult`.
    """

    class Status(models.TextChoices):
        REQUESTED = "REQUESTED", "Requested"
        UPLOADED = "UPLOADED", "Uploaded"
        VERIFYING = "VERIFYING", "Verifying"
        VERIFIED = "VERIFIED", "Verified"
        REJECTED = "REJECTED", "Rejected"
        EXPIRED = "EXPIRED", "Expired"

    id = models.UUIDField("file ID", primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="files")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requested_files")
    requested_at = models.DateTimeField()
    request_id = models.UUIDField(
        "request ID", help_text="Shared by the files of one request; prefix of their staging keys."
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    last_activity_at = models.DateTimeField()
    urls_expire_at = models.DateTimeField("URLs expire at")

    # Where the bytes are.
    staging_key = models.CharField(max_length=200, blank=True)
    object_key = models.CharField(max_length=200, blank=True)
    etag = models.CharField("ETag", max_length=100, blank=True)

    # Multipart uploads only; `completed_etags` is the list that completed it, `aborted_at` when it was given up.
    upload_id = models.CharField("upload ID", max_length=500, blank=True)
    number_parts = models.PositiveIntegerField("number of parts", null=True, blank=True)
    completed_etags = models.JSONField(null=True, blank=True)
    completing_until = models.DateTimeField(null=True, blank=True)
    aborted_at = models.DateTimeField(null=True, blank=True)

    # What the client said about the file before sending it.
    claimed_name = models.CharField(max_length=255, blank=True)
    claimed_size = models.PositiveBigIntegerField(null=True, blank=True)
    claimed_sha256 = models.CharField(max_length=64, blank=True)
    claimed_md5 = models.CharField(max_length=32, blank=True)
    claimed_fingerprint = models.CharField(max_length=64, blank=True)
    claimed_part_size = models.PositiveBigIntegerField(null=True, blank=True)
    claimed_category = models.ForeignKey(
        FileCategory, on_delete=models.SET_NULL, null=True, blank=True, related_name="claiming_files"
    )

    # What we found.
    size = models.PositiveBigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    md5 = models.CharField(max_length=32, blank=True)
    uploaded_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    rejected_at = models.DateTimeField(null=True, blank=True)
    problem_code = models.CharField(max_length=60, blank=True)
    problem_detail = models.TextField(blank=True)

    # Which worker reads it, until when it may be silent, and how often reading failed without its fault.
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    fault_count = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)

    # Beside the state: no attaching, releasing or downloading while quarantined; no attaching while deleting.
    quarantined_at = models.DateTimeField(null=True, blank=True)
    quarantined_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="quarantined_files",
    )
    deleting_at = models.DateTimeField(null=True, blank=True)

    objects = FileQuerySet.as_manager()

    class Meta:
        constraints = [
            # A file's status is one of six words.
            models.CheckConstraint(
                condition=Q(status__in=["REQUESTED", "UPLOADED", "VERIFYING", "VERIFIED", "REJECTED", "EXPIRED"]),
                name="file_status_known",
            ),
            # VERIFIED implies that size, sha256 and md5 are recorded, where the bytes are, and when.
            models.CheckConstraint(
                condition=~Q(status="VERIFIED")
                | (
                    Q(size__isnull=False, verified_at__isnull=False)
                    & Q(sha256__regex=r"^[0-9a-f]{64}$")
                    & Q(md5__regex=r"^[0-9a-f]{32}$")
                    & ~Q(object_key="")
                    & ~Q(etag="")
                ),
                name="file_verified_has_hashes",
            ),
            # REJECTED has a reason and a time, and nothing else has.
            models.CheckConstraint(
                condition=(Q(status="REJECTED", rejected_at__isnull=False) & ~Q(problem_code=""))
                | (~Q(status="REJECTED") & Q(rejected_at__isnull=True, problem_code="")),
                name="file_rejected_has_reason",
            ),
            # What is uploaded has a time of upload.
            models.CheckConstraint(
                condition=~Q(status__in=["UPLOADED", "VERIFYING", "VERIFIED"]) | Q(uploaded_at__isnull=False),
                name="file_uploaded_has_time",
            ),
            # A single upload has a staging key, a multipart upload has an upload ID, parts and its final key.
            models.CheckConstraint(
                # A comparison with NULL is neither true nor false, and a check refuses only what is false.
                condition=(~Q(staging_key="") & Q(upload_id="", number_parts__isnull=True))
                | (
                    Q(staging_key="", number_parts__isnull=False, number_parts__gte=1)
                    & ~Q(upload_id="")
                    & ~Q(object_key="")
                ),
                name="file_single_or_multipart",
            ),
            # A lease has a holder and an end, or neither.
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_expires_at__isnull=True)
                | Q(lease_token__isnull=False, lease_expires_at__isnull=False),
                name="file_lease_whole",
            ),
            # A quarantine has a time and a person, or neither.
            models.CheckConstraint(
                condition=Q(quarantined_at__isnull=True, quarantined_by__isnull=True)
                | Q(quarantined_at__isnull=False, quarantined_by__isnull=False),
                name="file_quarantined_at_and_by",
            ),
            # No two files share an object.
            models.UniqueConstraint(
                fields=["staging_key"], condition=~Q(staging_key=""), name="file_staging_key_unique"
            ),
            models.UniqueConstraint(fields=["object_key"], condition=~Q(object_key=""), name="file_object_key_unique"),
        ]
        indexes = [
            # A group's files, newest first.
            models.Index(fields=["group", "-requested_at", "id"], name="file_of_group"),
            # The sweeper looks for files whose bytes are here and unread.
            models.Index(fields=["retry_at"], name="file_unread", condition=Q(status__in=["UPLOADED", "VERIFYING"])),
        ]

    def __str__(self) -> str:
        return f"{self.claimed_name or 'File'} {self.pk}"

    @property
    def is_multipart(self) -> bool:
        """Whether it is sent in parts."""
        return bool(self.upload_id)


class FileAttachmentQuerySet(models.QuerySet["FileAttachment"]):
    """Attachments, by what verification has still to say about them."""

    def with_results(self) -> Self:
        """Loads, in two queries, what `problem()` and `state()` look at; ordered as they were submitted."""
        return (
            self.select_related("file", "category", "entry")
            .prefetch_related("file__check_results")
            .order_by("category__order", "category__name", "position", "pk")
        )

    def without_result(self) -> Self:
        """Attachments whose category asks for a content check that has not been run on the file."""
        results = ContentCheckResult.objects.filter(
            file=OuterRef("file"), check_name=OuterRef("category__content_check")
        )
        return self.exclude(category__content_check=ContentCheck.NONE).filter(~Exists(results))

    def failed(self) -> Self:
        """Attachments whose file was rejected, is too large for the category, or failed its content check."""
        results = ContentCheckResult.objects.filter(
            file=OuterRef("file"), check_name=OuterRef("category__content_check"), passed=False
        )
        too_large = Q(file__size__gt=models.F("category__max_file_size"))
        return self.filter(Q(file__status=File.Status.REJECTED) | too_large | Exists(results))

    def pending(self) -> Self:
        """Attachments about which it is not yet known whether they are good."""
        results = ContentCheckResult.objects.filter(
            file=OuterRef("file"), check_name=OuterRef("category__content_check")
        )
        unread = ~Q(file__status__in=[File.Status.VERIFIED, File.Status.REJECTED])
        unchecked = ~Q(category__content_check=ContentCheck.NONE) & ~Exists(results)
        return self.filter(unread | Q(file__quarantined_at__isnull=False) | unchecked)


class FileAttachment(models.Model):
    """That a file belongs to a sequence entry, in a category, under a file name."""

    entry = models.ForeignKey(SequenceEntry, on_delete=models.CASCADE, related_name="attachments")
    file = models.ForeignKey(File, on_delete=models.PROTECT, related_name="attachments")
    category = models.ForeignKey(FileCategory, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=255)
    name_key = models.CharField(max_length=765, help_text="The name after NFC and case folding, for comparing.")
    position = models.PositiveIntegerField(help_text="Place in its category, from 0.")

    objects = FileAttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            # A file name stands once in a category of an entry (compared after NFC and case folding).
            models.UniqueConstraint(fields=["entry", "category", "name_key"], name="attachment_name_unique"),
            # A name is not empty.
            models.CheckConstraint(condition=~Q(name="") & ~Q(name_key=""), name="attachment_named"),
        ]

    def __str__(self) -> str:
        return self.name

    def check_result(self) -> ContentCheckResult | None:
        """The result of the content check that the category asks for; reads what `with_results()` loaded."""
        for result in self.file.check_results.all():
            if result.check_name == self.category.content_check:
                return result
        return None

    def problem(self) -> FileProblem | None:
        """Why this file sinks its entry, if it does; reads what `with_results()` loaded.

        An entry that was accepted stays so, whatever its category's rules have become since.
        """
        if self.entry.status == SequenceEntry.Status.ACCEPTED:
            return None
        if self.file.status == File.Status.REJECTED:
            return FileProblem(self.file.problem_code, self.file.problem_detail)
        size, limit = self.file.size, self.category.max_file_size
        if size is not None and limit is not None and size > limit:
            text = f"The file has {size:,} bytes; “{self.category}” allows {limit:,}."
            return FileProblem("file_too_large", text)
        result = self.check_result()
        if result is None or result.passed:
            return None
        return FileProblem(result.code, result.detail, result.line, result.offset)

    def state(self) -> File.Status:
        """The file's status as this category sees it: a failed check is REJECTED, a missing one VERIFYING."""
        if self.problem() is not None:
            return File.Status.REJECTED
        wants_check = self.category.content_check != ContentCheck.NONE
        verifying = self.entry.status == SequenceEntry.Status.VERIFYING
        if verifying and self.file.status == File.Status.VERIFIED and wants_check and self.check_result() is None:
            return File.Status.VERIFYING
        return File.Status(self.file.status)


class ContentCheckResult(models.Model):
    """What a content check found in a file: one result for a file and a check, with the check's version."""

    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="check_results")
    check_name = models.CharField(max_length=10, choices=ContentCheck)
    version = models.PositiveIntegerField()
    passed = models.BooleanField()
    code = models.CharField(max_length=60, blank=True)
    detail = models.TextField(blank=True)
    line = models.PositiveBigIntegerField(null=True, blank=True)
    offset = models.PositiveBigIntegerField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True, help_text="What the check counted, e.g. reads.")
    checked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A check that was run is not run again.
            models.UniqueConstraint(fields=["file", "check_name"], name="check_result_unique"),
            # A failure has a code, and only a failure has.
            models.CheckConstraint(
                condition=Q(passed=True, code="") | (Q(passed=False) & ~Q(code="")),
                name="check_result_code_on_failure",
            ),
            # No check is not a check.
            models.CheckConstraint(condition=~Q(check_name="none"), name="check_result_of_a_check"),
        ]

    def __str__(self) -> str:
        return f"{self.check_name} {'passed' if self.passed else self.code}"
