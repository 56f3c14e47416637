"""Forms of the pages about groups."""

from __future__ import annotations

from django import forms

from common.forms import SummedUpForm, one_line


class GroupForm(SummedUpForm):
    """The name of a new group; whether it is taken is decided by `services.make_group`."""

    name = forms.CharField(
        max_length=200,
        label="Name of the group",
        help_text="Members and administrators see it, for example “Virology, University of Somewhere”.",
        error_messages={"required": "Give the group a name."},
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        """The name on one line."""
        return one_line(self.cleaned_data["name"])


class MemberForm(SummedUpForm):
    """The username of somebody to add; whose it is is decided by `services.add_member`."""

    username = forms.CharField(
        max_length=150,
        label="Username",
        help_text="It stands at the top of their account page.",
        error_messages={"required": "Enter the username of the person to add."},
        widget=forms.TextInput(
            {"class": "form-control", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
