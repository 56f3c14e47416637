"""Files in the admin, read-only, and the file categories that stand on an organism's page."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from common.admin import ReadOnlyAdmin, ReadOnlyInline, StackedInline
from files.admin_forms import FileCategoryForm, FileCategoryFormSet
from files.models import ContentCheckResult, File, FileAttachment, FileCategory
from submissions.models import Organism, SequenceEntry

ATTACHMENTS_SHOWN = 50


class FileCategoryInline(StackedInline[FileCategory, Organism]):
    """An organism's file categories with their rules."""

    model = FileCategory
    form = FileCategoryForm
    formset = FileCategoryFormSet
    extra = 0
    ordering = ("order", "name")
    fieldsets = (
        (None, {"fields": (("name", "shown_name"), "help_text", ("order", "content_check"))}),
        ("Rules", {"fields": ("required", ("min_files", "max_files"), ("max_file_size", "extensions"))}),
    )


class ContentCheckResultInline(ReadOnlyInline[ContentCheckResult, File]):
    """What the content checks found in a file."""

    model = ContentCheckResult
    fields = ("check_name", "version", "passed", "code", "detail", "line", "offset", "data", "checked_at")
    readonly_fields = ("checked_at",)  # which no form can have
    ordering = ("check_name",)


class AttachmentInline(ReadOnlyInline[FileAttachment, SequenceEntry]):
    """The files of a sequence entry, each with its state as its category sees it."""

    model = FileAttachment
    verbose_name_plural = "files"
    fields = ("category", "name", "file", "state", "problem")
    readonly_fields = ("state", "problem")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FileAttachment]:
        """With what state and problem look at."""
        return FileAttachment.objects.with_results()

    @admin.display
    def state(self, attachment: FileAttachment) -> str:
        """Where the file is in its life, for this category."""
        return attachment.state().label

    @admin.display
    def problem(self, attachment: FileAttachment) -> str:
        """Why the file sinks the entry, if it does."""
        problem = attachment.problem()
        return "none" if problem is None else f"{problem.code}: {problem.detail}"


@admin.register(File)
class FileAdmin(ReadOnlyAdmin[File]):
    """Files with everything that is known of them; searched by ID, sha256 and the names they were given."""

    list_display = ("id", "status", "problem_code", "claimed_name", "bytes", "group", "requested_at")
    list_filter = ("status", ("quarantined_at", admin.EmptyFieldListFilter), "group")
    list_select_related = ("group",)
    search_fields = ("id__istartswith", "sha256__istartswith", "claimed_name", "attachments__name")
    search_help_text = "File ID or sha256, or the beginning of one, or a part of a file name."
    ordering = ("-requested_at",)
    inlines = (ContentCheckResultInline,)
    fieldsets = (
        (None, {"fields": ("id", "group", "status", "problem_code", "problem_detail", "attached_to")}),
        ("What we found", {"fields": ("bytes", "sha256", "md5", "etag")}),
        (
            "What the client said",
            {
                "fields": (
                    "claimed_name",
                    "claimed_size",
                    "claimed_sha256",
                    "claimed_md5",
                    "claimed_fingerprint",
                    "claimed_part_size",
                    "claimed_category",
                )
            },
        ),
        ("Worker", {"fields": ("lease_token", "lease_expires_at", "fault_count", "retry_at")}),
        (
            "Times",
            {
                "fields": (
                    "requested_at",
                    "requested_by",
                    "urls_expire_at",
                    "last_activity_at",
                    "uploaded_at",
                    "verified_at",
                    "rejected_at",
                    "quarantined_at",
                    "quarantined_by",
                    "deleting_at",
                )
            },
        ),
        (
            "Where the bytes are",
            {"fields": ("request_id", "staging_key", "object_key", "upload_id", "number_parts", "completing_until")},
        ),
    )

    @admin.display(ordering="size")
    def bytes(self, file: File) -> str:
        """The size, its digits grouped."""
        return "unknown" if file.size is None else f"{file.size:,}"

    @admin.display
    def attached_to(self, file: File) -> str:
        """The first entries that have the file, each with category and name, and how many more there are."""
        attachments = file.attachments.select_related("entry", "category").order_by("pk")
        shown = list(attachments[: ATTACHMENTS_SHOWN + 1])
        if not shown:
            return "nowhere"
        lines = format_html_join(
            mark_safe("<br>"),
            '<a href="{}">{}</a> in “{}” as {}',
            (
                (_entry_address(attachment), attachment.entry, attachment.category, attachment.name)
                for attachment in shown[:ATTACHMENTS_SHOWN]
            ),
        )
        if len(shown) > ATTACHMENTS_SHOWN:
            more = file.attachments.count() - ATTACHMENTS_SHOWN
            lines += format_html("<br>and {} more", f"{more:,}")
        return lines


def _entry_address(attachment: FileAttachment) -> str:
    return reverse("admin:submissions_sequenceentry_change", args=[attachment.entry_id])
