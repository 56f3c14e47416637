"""File categories, files in each state of their life, attachments and results of content checks."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from files.models import ContentCheck, ContentCheckResult, File, FileAttachment, FileCategory
from submissions.models import Organism
from submissions.names import name_key
from tests.factories.submissions import GroupFactory, OrganismFactory, SequenceEntryFactory

UPLOADED = (File.Status.UPLOADED, File.Status.VERIFYING, File.Status.VERIFIED, File.Status.REJECTED)
"""The states of which there is an object."""


class FileCategoryFactory(DjangoModelFactory[FileCategory]):
    """A category without rules."""

    class Meta:
        model = FileCategory

    organism = factory.SubFactory(OrganismFactory)
    name = factory.Sequence(lambda n: f"category{n}")
    shown_name = factory.LazyAttribute(lambda category: category.name.capitalize())


def demo_categories(organism: Organism) -> tuple[FileCategory, FileCategory]:
    """The demo's categories: raw reads, checked to be FASTQ, and supplementary files, not checked."""
    raw_reads = FileCategoryFactory.create(
        organism=organism, name="rawReads", shown_name="Raw reads", content_check=ContentCheck.FASTQ
    )
    supplementary = FileCategoryFactory.create(
        organism=organism, name="supplementary", shown_name="Supplementary files", order=1
    )
    return raw_reads, supplementary


class FileFactory(DjangoModelFactory[File]):
    """A file with all that its `status` implies, single unless `multipart=True`; no object stands behind it."""

    class Meta:
        model = File

    class Params:
        multipart = False
        content = factory.Sequence(lambda n: f"content {n}\n".encode())
        has_object = factory.LazyAttribute(lambda file: file.status in UPLOADED)
        verified = factory.LazyAttribute(lambda file: file.status == File.Status.VERIFIED)
        rejected = factory.LazyAttribute(lambda file: file.status == File.Status.REJECTED)

    id = factory.LazyFunction(uuid.uuid4)
    group = factory.SubFactory(GroupFactory)
    requested_by = factory.SelfAttribute("group.created_by")
    requested_at = factory.LazyFunction(timezone.now)
    request_id = factory.LazyFunction(uuid.uuid4)
    status = File.Status.REQUESTED
    last_activity_at = factory.SelfAttribute("requested_at")
    urls_expire_at = factory.LazyAttribute(lambda file: file.requested_at + timedelta(minutes=30))

    staging_key = factory.LazyAttribute(lambda file: "" if file.multipart else f"staging/{file.request_id}/{file.id}")
    object_key = factory.LazyAttribute(lambda file: f"files/{file.id}" if file.multipart or file.verified else "")
    upload_id = factory.LazyAttribute(lambda file: f"upload-{file.id}" if file.multipart else "")
    number_parts = factory.LazyAttribute(lambda file: 2 if file.multipart else None)
    etag = factory.LazyAttribute(lambda file: file.md5)

    size = factory.LazyAttribute(lambda file: len(file.content) if file.verified else None)
    sha256 = factory.LazyAttribute(lambda file: hashlib.sha256(file.content).hexdigest() if file.verified else "")
    md5 = factory.LazyAttribute(
        lambda file: hashlib.md5(file.content, usedforsecurity=False).hexdigest() if file.verified else ""
    )
    uploaded_at = factory.LazyAttribute(lambda file: file.requested_at if file.has_object else None)
    verified_at = factory.LazyAttribute(lambda file: file.requested_at if file.verified else None)
    rejected_at = factory.LazyAttribute(lambda file: file.requested_at if file.rejected else None)
    problem_code = factory.LazyAttribute(lambda file: "sha256_mismatch" if file.rejected else "")
    problem_detail = factory.LazyAttribute(lambda file: "The sha256 is another one." if file.rejected else "")
    lease_token = factory.LazyAttribute(lambda file: uuid.uuid4() if file.lease_expires_at else None)
    lease_expires_at = factory.LazyAttribute(
        lambda file: timezone.now() + timedelta(minutes=1) if file.status == File.Status.VERIFYING else None
    )


class FileAttachmentFactory(DjangoModelFactory[FileAttachment]):
    """A verified file of the entry's group, attached in a category of the entry's organism."""

    class Meta:
        model = FileAttachment

    entry = factory.SubFactory(SequenceEntryFactory)
    file = factory.SubFactory(
        FileFactory, status=File.Status.VERIFIED, group=factory.SelfAttribute("..entry.submission.group")
    )
    category = factory.SubFactory(FileCategoryFactory, organism=factory.SelfAttribute("..entry.submission.organism"))
    name = factory.Sequence(lambda n: f"reads{n}.fastq.gz")
    name_key = factory.LazyAttribute(lambda attachment: name_key(attachment.name))
    position = 0
    content_check = factory.SelfAttribute("category.content_check")
    max_file_size = factory.SelfAttribute("category.max_file_size")
    pairing = factory.SelfAttribute("category.pairing")


class ContentCheckResultFactory(DjangoModelFactory[ContentCheckResult]):
    """A passed FASTQ check of a verified file; `passed=False` fails it."""

    class Meta:
        model = ContentCheckResult

    file = factory.SubFactory(FileFactory, status=File.Status.VERIFIED)
    check_name = ContentCheck.FASTQ
    version = 1
    passed = True
    code = factory.LazyAttribute(lambda result: "" if result.passed else f"{result.check_name}_truncated")
    detail = factory.LazyAttribute(lambda result: "" if result.passed else "The file ends in the middle.")
    offset = factory.LazyAttribute(lambda result: None if result.passed else 7)
