"""The admin's site: Django's own, with one door for everybody."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse


class SatchelAdminSite(admin.AdminSite):
    """Django's admin under our name."""

    site_title = "Satchel"
    site_header = "Satchel"
    index_title = "Administration"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the log-in page, which counts failures; the admin's own would let them guess.

        Raises `PermissionDenied` for those who are logged in and are no admins.
        """
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
