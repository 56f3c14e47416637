"""Accounts in the admin; Django's own permission groups are not used and not shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group as PermissionGroup

from accounts.models import User
from common.admin import CountedDeletionMixin, UserAdmin, UserChangeForm

admin.site.unregister(PermissionGroup)


class AccountForm(UserChangeForm[User]):
    """Changing an account."""

    class Meta(UserChangeForm.Meta):
        model = User

    def clean(self) -> dict[str, Any] | None:
        """An admin is staff and superuser, everybody else neither; an OIDC issuer's subject is never an admin."""
        cleaned = super().clean()
        staff = self.cleaned_data.get("is_staff")
        if staff != self.cleaned_data.get("is_superuser"):
            self.add_error("is_superuser", "An admin has staff and superuser status, any other account neither.")
        elif staff and hasattr(self.instance, "oidc_subject"):
            self.add_error("is_staff", "This account logs in through OIDC; such an account is never an admin.")
        return cleaned


@admin.register(User)
class AccountAdmin(CountedDeletionMixin, UserAdmin[User]):
    """Accounts; their groups are set on the group's page."""

    form = AccountForm
    list_display = ("username", "email", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "logs_in_through")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Rights",
            {
                "fields": ("is_active", "is_staff", "is_superuser"),
                "description": "Close an account by taking away “active”: what it has submitted stays.",
            },
        ),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined", "logs_in_through")

    @admin.display(description="OIDC subject")
    def logs_in_through(self, user: User) -> str:
        """The OIDC issuer's subject that the account stands for."""
        return str(user.oidc_subject) if hasattr(user, "oidc_subject") else "-"
