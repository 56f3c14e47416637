"""The bytes, their rules and their life: file categories, files, attachments, results of content checks."""

from __future__ import annotations

from files.models.attachments import FileAttachment, FileAttachmentQuerySet
from files.models.categories import ContentCheck, FileCategory
from files.models.files import File, FileQuerySet
from files.models.results import ContentCheckResult

__all__ = [
    "ContentCheck",
    "ContentCheckResult",
    "File",
    "FileAttachment",
    "FileAttachmentQuerySet",
    "FileCategory",
    "FileQuerySet",
]
