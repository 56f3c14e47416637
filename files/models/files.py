"""Files and their life."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from files.models.attachments import FileAttachment
from files.models.categories import FileCategory
from files.models.results import ContentCheckResult
from files.models.status import FileStatus
from files.problem import FileProblem
from submissions.models import Group, SequenceEntry

if TYPE_CHECKING:
    from accounts.models import User


BATCHED_FILE_BYTES = 1024 * 1024
"""Up to this size files are read many in a task, and without threads: what a task costs is more than reading them."""


class FileQuerySet(models.QuerySet["File"]):
    """Files, as a person may see them and as the workers look for them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The files of the user's groups."""
        return self.filter(group__members=user) if user.is_authenticated else self.none()

    def with_details(self) -> Self:
        """Loads, in two more queries, what checks have found, where each is attached and what it was claimed for."""
        attachments = FileAttachment.objects.select_related("entry", "category").order_by("pk")
        attachments = attachments.defer("entry__metadata", "entry__sequences")  # large, and of no use here
        return self.select_related("claimed_category__organism").prefetch_related(
            Prefetch("check_results", ContentCheckResult.objects.order_by("check_name")),
            Prefetch("attachments", attachments),
        )

    def attached(self) -> Self:
        """Files that a sequence entry has."""
        return self.filter(Exists(FileAttachment.objects.filter(file=OuterRef("pk"))))

    def unattached(self) -> Self:
        """Files that no sequence entry has and that are not being deleted."""
        attachments = FileAttachment.objects.filter(file=OuterRef("pk"))
        return self.filter(~Exists(attachments), deleting_at__isnull=True)

    def attachable(self) -> Self:
        """Files that are neither being deleted nor in quarantine."""
        return self.filter(deleting_at__isnull=True, quarantined_at__isnull=True)

    def free_at(self, now: datetime) -> Self:
        """Files that no living worker holds, whose pause after a fault is over, and that were not given up."""
        return self.filter(
            Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=now),
            Q(retry_at__isnull=True) | Q(retry_at__lte=now),
            deleting_at__isnull=True,
            verification_failed_at__isnull=True,
        )

    def requeueable(self) -> Self:
        """Files that are to be read or checked, or were given up, and that no worker has."""
        unread = Q(status__in=[File.Status.UPLOADED, File.Status.VERIFYING])
        faulty = Q(status=File.Status.VERIFIED) & (Q(verification_failed_at__isnull=False) | Q(retry_at__isnull=False))
        return self.filter(unread | faulty, lease_token__isnull=True, deleting_at__isnull=True)

    def of_size(self, *, large: bool) -> Self:
        """Files that wait in the queue for large ones, or the others, by what is known of their size."""
        least = settings.LARGE_FILE_BYTES
        is_large = Q(size__gte=least) | Q(size__isnull=True, claimed_size__gte=least)
        return self.filter(is_large) if large else self.exclude(is_large)

    def batchable(self) -> Self:
        """Small files that have never failed to be read and that no worker has: they may be read many in a task.

        One at which a worker died, or that a bug keeps from being read, goes alone, so that it can fail no other.
        """
        return self.filter(size__lte=BATCHED_FILE_BYTES, fault_count=0, lease_token__isnull=True)

    def occupying(self) -> Self:
        """Files that take, or are about to take, room in the object store."""
        return self.filter(~Q(status=File.Status.EXPIRED), deleting_at__isnull=True)

    def under_way(self) -> Self:
        """Files that were requested and whose upload is neither finished nor given up."""
        return self.filter(status=File.Status.REQUESTED, deleting_at__isnull=True)

    def deletable(self) -> Self:
        """Files that are attached nowhere, that nobody holds back, and that no call is completing right now."""
        return self.unattached().not_completing().filter(quarantined_at__isnull=True)

    def not_completing(self) -> Self:
        """Files that no call is completing right now."""
        return self.filter(Q(completing_until__isnull=True) | Q(completing_until__lt=timezone.now()))

    def unattached_since(self, moment: datetime) -> Self:
        """Files without attachments that are no longer on their way, and to which nothing has happened since then."""
        return self.deletable().filter(
            Q(verified_at__isnull=True) | Q(verified_at__lt=moment),
            Q(rejected_at__isnull=True) | Q(rejected_at__lt=moment),
            ~Q(status=File.Status.REQUESTED),
            lease_token__isnull=True,
            last_activity_at__lt=moment,
        )

    def awaiting_verification(self) -> Self:
        """Files whose bytes are here and unread."""
        return self.filter(status__in=[File.Status.UPLOADED, File.Status.VERIFYING])

    def awaiting_checks(self) -> Self:
        """Verified files that an entry still being verified wants a content check of, without a result."""
        # From the few entries that are being verified to their files, not through all files that there are.
        verifying = FileAttachment.objects.filter(entry__status=SequenceEntry.Status.VERIFYING)
        return self.filter(pk__in=verifying.without_result().values("file"), status=File.Status.VERIFIED)


class File(models.Model):
    """One object: handed in by a group, verified once, attached any number of times.

    `REQUESTED → UPLOADED → VERIFYING → VERIFIED | REJECTED`, and `EXPIRED`. A single upload lands at
    `staging_key`, which its URL can replay, and is copied to `object_key`, which is never signed for PUT; a
    multipart upload goes to `object_key` at once. Integrity (size, hashes, claims) is a state of the file;
    what its content can be read as is a `ContentCheckResult`.
    """

    Status = FileStatus

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
    last_fault = models.TextField(blank=True, help_text="What went wrong on our side the last time; for admins only.")
    verification_failed_at = models.DateTimeField(
        null=True, blank=True, help_text="When we gave up after too many faults; an admin can requeue the file."
    )

    # The last time that the stored bytes were read again, and what was found wrong with them then.
    fixity_checked_at = models.DateTimeField(null=True, blank=True)
    fixity_problem_code = models.CharField(max_length=60, blank=True)
    fixity_problem_detail = models.TextField(blank=True)

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
            # We give up on files that are being verified or checked, after faults.
            models.CheckConstraint(
                condition=Q(verification_failed_at__isnull=True)
                | (Q(status__in=["UPLOADED", "VERIFYING", "VERIFIED"], fault_count__gte=1) & ~Q(last_fault="")),
                name="file_verification_failed_after_faults",
            ),
            # Stored bytes are found damaged by reading them again, which has a time.
            models.CheckConstraint(
                condition=Q(fixity_problem_code="") | Q(status="VERIFIED", fixity_checked_at__isnull=False),
                name="file_fixity_problem_has_time",
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
            # The bytes of a group's files are summed up before it gets more; what is summed stands in the index.
            models.Index(
                fields=["group", "size", "claimed_size"],
                name="file_occupying",
                condition=~Q(status="EXPIRED") & Q(deleting_at__isnull=True),
            ),
            # So are its uploads that are under way counted.
            models.Index(
                fields=["group"], name="file_under_way", condition=Q(status="REQUESTED", deleting_at__isnull=True)
            ),
            # Clients look whether a group has a file already.
            models.Index(
                fields=["group", "claimed_fingerprint"], name="file_fingerprint", condition=~Q(claimed_fingerprint="")
            ),
            # The sweeper looks for files whose bytes are here and unread.
            models.Index(fields=["retry_at"], name="file_unread", condition=Q(status__in=["UPLOADED", "VERIFYING"])),
            # Fixity takes those first that were read longest ago.
            models.Index(
                Coalesce("fixity_checked_at", "verified_at"), "id", name="file_fixity", condition=Q(status="VERIFIED")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claimed_name or 'File'} {self.pk}"

    @property
    def is_multipart(self) -> bool:
        """Whether it is sent in parts."""
        return bool(self.upload_id)

    @property
    def kept_until(self) -> datetime | None:
        """When it is deleted, or given up if it is still on its way, should nothing more happen to it; None for never.

        Holds for a file that is attached nowhere; whether it is, is not looked at.
        """
        patience = settings.ABANDONED_AFTER if self.status == File.Status.REQUESTED else settings.UNATTACHED_KEPT
        if not patience or self.quarantined_at is not None:
            return None
        happened = [self.last_activity_at, self.verified_at, self.rejected_at]
        latest: datetime = max(moment for moment in happened if moment is not None)
        return latest + patience

    def problem(self) -> FileProblem | None:
        """Why it was rejected, or that we, and not the submitter, have failed to read it."""
        if self.status == File.Status.REJECTED:
            return FileProblem(self.problem_code, self.problem_detail)
        return None if self.status == File.Status.VERIFIED else self.hold_up()

    def hold_up(self) -> FileProblem | None:
        """That verification was given up after too many faults of ours; what these were is for admins alone."""
        if self.verification_failed_at is None:
            return None
        text = (
            "We could not verify this file, which is our fault and not yours. An administrator sees this and will "
            "have it verified again; you need do nothing."
        )
        return FileProblem("verification_failed_internally", text)
