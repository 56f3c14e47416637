"""File categories and their rules."""

from __future__ import annotations

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from submissions.models import Organism


class ContentCheck(models.TextChoices):
    """What a category's files must be readable as; the values name the modules of `files/content/`."""

    NONE = "none", "None"
    GZIP = "gzip", "gzip"
    FASTQ = "fastq", "FASTQ, plain or gzipped"
    BAM = "bam", "BAM"
    CRAM = "cram", "CRAM"
    FASTA = "fasta", "FASTA, plain or gzipped"


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
    pairing = models.BooleanField(
        default=False,
        help_text="Whether the files are read 1 and read 2 of a pair: two files whose names differ only in 1 and 2.",
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
                condition=Q(content_check__in=["none", "gzip", "fastq", "bam", "cram", "fasta"]),
                name="file_category_check_known",
            ),
            # Only reads are paired: the FASTQ check counts them and digests their names.
            models.CheckConstraint(
                condition=Q(pairing=False) | Q(content_check="fastq"), name="file_category_pairs_reads"
            ),
        ]

    def __str__(self) -> str:
        return self.shown_name
