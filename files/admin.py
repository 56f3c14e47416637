"""Files in the admin, read-only, and the file categories that stand on an organism's page."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from common.admin import ReadOnlyAdmin, ReadOnlyInline, StackedInline
from files.admin_actions import lift_quarantine, quarantine, requeue
from files.admin_forms import FileCategoryForm, FileCategoryFormSet
from files.admin_views import try_a_file
from files.models import ContentCheckResult, File, FileAttachment, FileCategory
from submissions.models import Organism, SequenceEntry

ATTACHMENTS_SHOWN = 50


class FileCategoryInline(StackedInline[FileCategory, Organism]):
    """An organism's file categories with their rules."""

    model = FileCategory
    form = FileCategoryForm
    formset = FileCategoryFormSet
    template = "admin/files/file_category_inline.html"
    extra = 0
    ordering = ("order", "name")
    fieldsets = (
        (None, {"fields": (("name", "shown_name"), "help_text", ("order", "content_check", "pairing"))}),
        ("Rules", {"fields": ("required", ("min_files", "max_files"), ("max_file_size", "extensions"))}),
    )

    most_bytes_to_try = settings.TRY_A_FILE_MAX_BYTES  # for the template, as is the next
    most_files_to_try = settings.DATA_UPLOAD_MAX_NUMBER_FILES

    class Media:
        css = {"all": ["files/try_a_file.css"]}
        js = [Script("files/try_a_file.js", type="module")]


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
        """Why the file sinks the entry or holds it up, if it does."""
        problem = attachment.problem() or attachment.hold_up()
        return "none" if problem is None else f"{problem.code}: {problem.detail}"


class VerificationFailedFilter(admin.SimpleListFilter):
    """Files that were given up after too many faults of ours."""

    title = "verification failed"
    parameter_name = "verification_failed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Given up, or tried in vain so far."""
        return [("given-up", "Given up"), ("retrying", "Will be tried again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[File]) -> QuerySet[File]:
        """The files of the choice."""
        match self.value():
            case "given-up":
                return queryset.filter(verification_failed_at__isnull=False)
            case "retrying":
                return queryset.filter(verification_failed_at__isnull=True, fault_count__gt=0)
        return queryset


class FixityProblemFilter(admin.SimpleListFilter):
    """Accepted files in which a later reading found damage."""

    title = "fixity problem"
    parameter_name = "fixity_problem"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Damaged, or read again and found as they were."""
        return [("found", "Found"), ("none", "None, read again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[File]) -> QuerySet[File]:
        """The files of the choice."""
        match self.value():
            case "found":
                return queryset.exclude(fixity_problem_code="")
            case "none":
                return queryset.filter(fixity_problem_code="", fixity_checked_at__isnull=False)
        return queryset


@admin.register(File)
class FileAdmin(ReadOnlyAdmin[File]):
    """Files with everything that is known of them; searched by ID, sha256 and the names they were given."""

    list_display = ("id", "status", "problem_code", "claimed_name", "bytes", "group", "requested_at")
    list_filter = (
        "status",
        VerificationFailedFilter,
        ("quarantined_at", admin.EmptyFieldListFilter),
        FixityProblemFilter,
        "group",
    )
    list_select_related = ("group",)
    search_fields = ("id__istartswith", "sha256__istartswith", "claimed_name", "attachments__name")
    search_help_text = "File ID or sha256, or the beginning of one, or a part of a file name."
    ordering = ("-requested_at",)
    actions = (requeue, quarantine, lift_quarantine)
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
        (
            "Worker",
            {
                "fields": (
                    "lease_token",
                    "lease_expires_at",
                    "fault_count",
                    "last_fault",
                    "retry_at",
                    "verification_failed_at",
                )
            },
        ),
        ("Fixity", {"fields": ("fixity_checked_at", "fixity_problem_code", "fixity_problem_detail")}),
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

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Django's hook for the actions, which change what the page itself only shows."""
        return request.user.has_perm("files.change_file")

    def get_urls(self) -> list[URLPattern]:
        """Django's hook: with the address to which the boxes “Try a file” send; before those that take any ID."""
        return [path("try-a-file/", try_a_file, name="files_try_a_file"), *super().get_urls()]

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
