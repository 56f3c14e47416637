"""Organisms, groups, submissions and their entries in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.admin import CountedDeletionMixin, ModelAdmin, ModelForm, ReadOnlyAdmin, TabularInline
from common.words import size_words
from files.admin import AttachmentInline, FileCategoryInline
from files.rules import RecordedRules, rules_in
from files.services import usage_of
from submissions.admin_forms import GroupForm, MembershipFormSet, MetadataFieldForm
from submissions.models import Group, GroupMembership, MetadataField, Organism, SequenceEntry, Submission


class MetadataFieldInline(TabularInline[MetadataField, Organism]):
    """An organism's metadata fields."""

    model = MetadataField
    form = MetadataFieldForm
    extra = 0
    ordering = ("order", "name")


@admin.register(Organism)
class OrganismAdmin(CountedDeletionMixin, ModelAdmin[Organism]):
    """Organisms with their file categories and metadata fields."""

    list_display = ("name", "slug", "sequences", "file_sharing", "category_count", "field_count")
    list_filter = ("file_sharing",)
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    fields = ("name", "slug", "sequences", "file_sharing")
    inlines = (FileCategoryInline, MetadataFieldInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organism]:
        """With the numbers that the list shows."""
        counts = {
            "category_count": Count("file_categories", distinct=True),
            "field_count": Count("metadata_fields", distinct=True),
        }
        return super().get_queryset(request).annotate(**counts)

    @admin.display(description="file categories", ordering="category_count")
    def category_count(self, organism: Organism) -> int:
        """How many file categories it has."""
        return organism.category_count  # type: ignore[attr-defined, no-any-return]  # from get_queryset

    @admin.display(description="metadata fields", ordering="field_count")
    def field_count(self, organism: Organism) -> int:
        """How many metadata fields it has."""
        return organism.field_count  # type: ignore[attr-defined, no-any-return]  # from get_queryset


class MembershipInline(TabularInline[GroupMembership, Group]):
    """A group's members; a membership is made and ended, never turned into somebody else's."""

    model = GroupMembership
    formset = MembershipFormSet
    extra = 1
    autocomplete_fields = ("user",)
    readonly_fields = ("joined_at",)
    verbose_name = "member"
    verbose_name_plural = "members"

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupMembership]:
        """With the names that a row shows."""
        return super().get_queryset(request).select_related("user", "group").order_by("user__username")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Nobody."""
        return False


@admin.register(Group)
class GroupAdmin(CountedDeletionMixin, ModelAdmin[Group]):
    """Groups with their members."""

    list_display = ("name", "id", "member_count", "created_by", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("name", "members__username")
    ordering = ("name",)
    form = GroupForm
    fields = ("name", "id", "quota_bytes", "used", "created_by", "created_at")
    readonly_fields = ("id", "used", "created_by", "created_at")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """With the number that the list shows."""
        return super().get_queryset(request).annotate(member_count=Count("memberships", distinct=True))

    def save_model(self, request: HttpRequest, obj: Group, form: ModelForm[Group], change: bool) -> None:
        """A new group is the admin's work, whoever its members are."""
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]  # nobody anonymous comes here
        super().save_model(request, obj, form, change)

    @admin.display(description="used of it")
    def used(self, group: Group) -> str:
        """What its files take, with uploads that are under way, and what they may."""
        if not group.pk:
            return "nothing yet"
        usage = usage_of(group)
        return f"{size_words(usage.used)} of {size_words(usage.quota) if usage.quota else 'any number'}"

    @admin.display(description="members", ordering="member_count")
    def member_count(self, group: Group) -> int:
        """How many members it has."""
        return group.member_count  # type: ignore[attr-defined, no-any-return]  # from get_queryset


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin[Submission]):
    """Submissions with what their entries' statuses come to."""

    list_display = ("__str__", "derived_status", "entries", "organism", "group", "submitted_at")
    list_filter = ("organism", "group")
    list_select_related = ("organism", "group")
    search_fields = ("=id", "group__name", "submitted_by__username")
    search_help_text = "Number of the submission, group or username."
    ordering = ("-pk",)
    fields = (
        "organism",
        "group",
        "submitted_at",
        "submitted_by",
        "derived_status",
        "entries",
        "metadata_file_key",
        "sequence_file_key",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        """With the counts that the status is derived from."""
        return Submission.objects.with_counts()

    @admin.display(description="status")
    def derived_status(self, submission: Submission) -> str:
        """What the entries' statuses come to."""
        return submission.status.label

    @admin.display(ordering="entry_count")
    def entries(self, submission: Submission) -> SafeString:
        """How many entries it has, and the way to them, which may be thousands."""
        address = reverse("admin:submissions_sequenceentry_changelist")
        counts = submission.counts
        total = counts.pop("entries")
        parts = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
        text = f"{total:,}: {parts}"
        return format_html('<a href="{}?submission__id__exact={}">{}</a>', address, submission.pk, text)

    @admin.display(description="metadata table")
    def metadata_file_key(self, submission: Submission) -> str:
        """Where the table is kept; no link, which would be a signed URL."""
        return str(submission.metadata_file.name)

    @admin.display(description="sequences")
    def sequence_file_key(self, submission: Submission) -> str:
        """Where the FASTA is kept; no link, which would be a signed URL."""
        return submission.sequence_file.name or "none"


@admin.register(SequenceEntry)
class SequenceEntryAdmin(ReadOnlyAdmin[SequenceEntry]):
    """Sequence entries with their files."""

    list_display = ("__str__", "given_submission_id", "status", "organism", "group", "settled_at")
    list_filter = ("status", ("released_at", admin.EmptyFieldListFilter), "submission__organism")
    list_select_related = ("submission__organism", "submission__group")
    search_fields = ("accession", "given_submission_id", "submission__group__name")
    search_help_text = "Accession, submission ID or group."
    ordering = ("-pk",)
    fields = (
        "accession",
        "version",
        "given_submission_id",
        "submission",
        "organism",
        "group",
        "position",
        "status",
        "settled_at",
        "rules",
        "released_at",
        "released_by",
        "metadata",
        "sequences",
    )
    inlines = (AttachmentInline,)

    @admin.display(ordering="submission__organism__name")
    def organism(self, entry: SequenceEntry) -> str:
        """The organism of its submission."""
        return entry.submission.organism.name

    @admin.display(ordering="submission__group__name")
    def group(self, entry: SequenceEntry) -> str:
        """The group of its submission."""
        return entry.submission.group.name

    @admin.display(description="verified under")
    def rules(self, entry: SequenceEntry) -> SafeString | str:
        """The rules of the file categories as they stood when its files were submitted."""
        if entry.rule_set is None:
            return "no rules for files"
        return format_html_join("", "<div>{} ({}), {}. {}</div>", map(_told, rules_in(entry.rule_set)))


def _told(rules: RecordedRules) -> tuple[str, str, str, str]:
    """Shown name and name of a category, whether it is required, and its other rules in words."""
    required = "required" if rules.required else "optional"
    return rules.shown_name, rules.name, required, " ".join(rules.sentences())
