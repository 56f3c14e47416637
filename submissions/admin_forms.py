"""Forms of the admin for organisms' metadata fields and for the members of groups."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME

from common.admin import BaseInlineFormSet, ModelForm
from files.admin_forms import FileSizeField
from submissions.models import Group, GroupMembership, MetadataField


class LinesField(forms.Field):
    """A list of texts, one a line; blank lines and white space around a text do not count."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 14})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """The list of texts."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


class MetadataFieldForm(ModelForm[MetadataField]):
    """A metadata field of an organism."""

    choices = LinesField(required=False, help_text="For a choice: the allowed values, one a line.")

    class Meta:
        model = MetadataField
        fields = ("name", "shown_name", "kind", "choices", "required", "help_text", "order")
        # Narrow, so that a row of all fields fits beside the admin's navigation.
        widgets = {
            "name": forms.TextInput(attrs={"size": 12}),
            "shown_name": forms.TextInput(attrs={"size": 12}),
            "help_text": forms.Textarea(attrs={"rows": 3, "cols": 18}),
        }


class GroupForm(ModelForm[Group]):
    """A group; its members are rows of their own."""

    quota_bytes = FileSizeField(
        label="Quota",
        required=False,
        help_text="How much its files may have together, with a unit, e.g. “500 GB” or “2 TiB”; empty for what the "
        "settings say (GROUP_QUOTA_BYTES), 0 for any number.",
    )

    class Meta:
        model = Group
        fields = ("name", "quota_bytes")


class MembershipFormSet(BaseInlineFormSet[GroupMembership, Group, ModelForm[GroupMembership]]):
    """The members of one group."""

    def clean(self) -> None:
        """A group without members would own what nobody can see: the last one stays."""
        super().clean()
        named = [form for form in self.forms if form.instance.pk or form.cleaned_data.get("user")]
        if all(form.cleaned_data.get(DELETION_FIELD_NAME) for form in named):
            raise ValidationError("A group has at least one member; name one who stays.", code="last_member")
