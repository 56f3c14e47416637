"""Where files are attached: to which sequence entry, in which category, under which name."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from files.models.categories import ContentCheck, FileCategory
from files.models.results import ContentCheckResult
from files.models.status import FileStatus
from files.problem import FileProblem
from submissions.models import SequenceEntry


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
        results = ContentCheckResult.objects.filter(file=OuterRef("file"), check_name=OuterRef("content_check"))
        return self.exclude(content_check=ContentCheck.NONE).filter(~Exists(results))

    def failed(self) -> Self:
        """Attachments whose file was rejected, is too large, failed its content check, or is no pair with its mate."""
        results = ContentCheckResult.objects.filter(
            file=OuterRef("file"), check_name=OuterRef("content_check"), passed=False
        )
        too_large = Q(file__size__gt=models.F("max_file_size"))
        unpaired = ~Q(pair_problem_code="")
        return self.filter(Q(file__status=FileStatus.REJECTED) | too_large | unpaired | Exists(results))

    def pending(self) -> Self:
        """Attachments about which it is not yet known whether they are good."""
        results = ContentCheckResult.objects.filter(file=OuterRef("file"), check_name=OuterRef("content_check"))
        unread = ~Q(file__status__in=[FileStatus.VERIFIED, FileStatus.REJECTED])
        unchecked = ~Q(content_check=ContentCheck.NONE) & ~Exists(results)
        uncompared = Q(pairing=True, pair_compared_at__isnull=True)
        return self.filter(unread | Q(file__quarantined_at__isnull=False) | unchecked | uncompared)

    def comparable(self) -> Self:
        """Files of pairs that were not compared yet and can be: both are verified and have passed their check."""
        passed = ContentCheckResult.objects.filter(
            file=OuterRef("file"), check_name=OuterRef("content_check"), passed=True
        )
        pair = FileAttachment.objects.filter(entry=OuterRef("entry"), category=OuterRef("category"))
        waiting = pair.exclude(Q(Exists(passed), file__status=FileStatus.VERIFIED))
        return self.filter(~Exists(waiting), pairing=True, pair_compared_at__isnull=True)


class FileAttachment(models.Model):
    """That a file belongs to a sequence entry, in a category, under a file name.

    What the category asked for when this was submitted is kept here, so that a later change of its rules touches
    neither what was accepted nor what is being verified.
    """

    entry = models.ForeignKey(SequenceEntry, on_delete=models.CASCADE, related_name="attachments")
    file = models.ForeignKey("files.File", on_delete=models.PROTECT, related_name="attachments")
    category = models.ForeignKey(FileCategory, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=255)
    name_key = models.CharField(max_length=765, help_text="The name after NFC and case folding, for comparing.")
    position = models.PositiveIntegerField(help_text="Place in its category, from 0.")

    content_check = models.CharField(max_length=10, choices=ContentCheck, default=ContentCheck.NONE)
    max_file_size = models.PositiveBigIntegerField("largest file, in bytes", null=True, blank=True)
    pairing = models.BooleanField(default=False)

    # Of the two files of a pair: when they were compared, and what was found to differ.
    pair_compared_at = models.DateTimeField(null=True, blank=True)
    pair_problem_code = models.CharField(max_length=60, blank=True)
    pair_problem_detail = models.TextField(blank=True)

    objects = FileAttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            # A file name stands once in a category of an entry (compared after NFC and case folding).
            models.UniqueConstraint(fields=["entry", "category", "name_key"], name="attachment_name_unique"),
            # A name is not empty.
            models.CheckConstraint(condition=~Q(name="") & ~Q(name_key=""), name="attachment_named"),
            # The content check is one that we have.
            models.CheckConstraint(
                condition=Q(content_check__in=["none", "gzip", "fastq", "bam", "cram", "fasta"]),
                name="attachment_check_known",
            ),
            # Only reads are paired.
            models.CheckConstraint(
                condition=Q(pairing=False) | Q(content_check="fastq"), name="attachment_pairs_reads"
            ),
            # Only a pair is compared, and what differs was found at a time.
            models.CheckConstraint(
                condition=Q(pair_compared_at__isnull=True) | Q(pairing=True), name="attachment_compared_is_paired"
            ),
            models.CheckConstraint(
                condition=Q(pair_problem_code="") | Q(pair_compared_at__isnull=False),
                name="attachment_pair_problem_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def check_result(self) -> ContentCheckResult | None:
        """The result of the content check that the category asks for; reads what `with_results()` loaded."""
        for result in self.file.check_results.all():
            if result.check_name == self.content_check:
                return result
        return None

    def problem(self) -> FileProblem | None:
        """Why this file sinks its entry, if it does; reads what `with_results()` loaded.

        An entry that was accepted stays so, whatever its category's rules have become since.
        """
        if self.entry.status == SequenceEntry.Status.ACCEPTED:
            return None
        if self.file.status == FileStatus.REJECTED:
            return FileProblem(self.file.problem_code, self.file.problem_detail)
        size, limit = self.file.size, self.max_file_size
        if size is not None and limit is not None and size > limit:
            text = f"The file has {size:,} bytes; “{self.category}” allows {limit:,}."
            return FileProblem("file_too_large", text)
        result = self.check_result()
        if result is not None and not result.passed:
            return FileProblem(result.code, result.detail, result.line, result.offset)
        if self.pair_problem_code:
            return FileProblem(self.pair_problem_code, self.pair_problem_detail)
        return None

    def state(self) -> FileStatus:
        """The file's status as this category sees it: a failed check is REJECTED, a missing one VERIFYING."""
        if self.problem() is not None:
            return FileStatus.REJECTED
        wants_check = self.content_check != ContentCheck.NONE
        verifying = self.entry.status == SequenceEntry.Status.VERIFYING
        if verifying and self.file.status == FileStatus.VERIFIED and wants_check and self.check_result() is None:
            return FileStatus.VERIFYING
        return FileStatus(self.file.status)

    def hold_up(self) -> FileProblem | None:
        """That verification for this category was given up, through no fault of the file."""
        return self.file.hold_up() if self.state() == FileStatus.VERIFYING else None
