"""Forms of the pages: to log in, to change the password, to make a token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts

from accounts.models import User
from common.forms import SummedUpForm, one_line


class LogInForm(SummedUpForm):
    """Username and password; whether they are right is decided by `accounts.services.log_in`."""

    username = forms.CharField(
        max_length=150,
        error_messages={"required": "Enter your username."},
        widget=forms.TextInput(
            {"class": "form-control", "autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        max_length=4096,
        strip=False,
        error_messages={"required": "Enter your password."},
        widget=forms.PasswordInput({"class": "form-control", "autocomplete": "current-password"}),
    )


class ChangePasswordForm(SummedUpForm, PasswordChangeForm):
    """Django's own form, with its validators, in our look and words."""

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": "This is not your present password; look at upper and lower case.",
        "password_mismatch": "The new password was typed in two ways. Type it again.",
    }

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        texts = {
            "old_password": ("Present password", "Enter your present password."),
            "new_password1": ("New password", "Enter a new password."),
            "new_password2": ("New password again", "Enter the new password a second time."),
        }
        for name, (label, required) in texts.items():
            field = self.fields[name]
            field.label, field.help_text = label, ""
            field.error_messages["required"] = required
            field.widget.attrs |= {"class": "form-control"}
            # The summary of the problems has the focus where there is one.
            field.widget.attrs.pop("autofocus", None)
        self.fields["new_password1"].help_text = " ".join(password_validators_help_texts())


class TokenForm(SummedUpForm):
    """The name and the lifetime of a new personal API token."""

    name = forms.CharField(
        max_length=100,
        label="Name",
        help_text="What it is for, so that you know it again: “cluster”, “laptop”.",
        error_messages={"required": "Give the token a name."},
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    lifetime = forms.TypedChoiceField(
        label="Works for",
        coerce=lambda days: timedelta(days=int(days)),
        error_messages={
            "required": "Choose for how long the token works.",
            "invalid_choice": "Choose for how long the token works.",
        },
        widget=forms.Select({"class": "form-select"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(days), f"{days} days") for days in settings.API_TOKEN_LIFETIMES_DAYS]
        cast("forms.TypedChoiceField", self.fields["lifetime"]).choices = choices

    def clean_name(self) -> str:
        """The name on one line."""
        return one_line(self.cleaned_data["name"])
