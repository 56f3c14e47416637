"""The form to log in with."""

from __future__ import annotations

from django import forms


class LogInForm(forms.Form):
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

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Every problem with the `id` of the input to mend it in."""
        found = [(field.id_for_label, str(error)) for field in self for error in field.errors]
        return [(self["username"].id_for_label, str(error)) for error in self.non_field_errors()] + found
