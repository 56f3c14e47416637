"""What an admin can do with the files of the list: have them verified again, hold them back, let them go."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from accounts.models import User
from common.admin import ModelAdmin
from files import services
from files.models import File


@admin.action(description="Requeue selected files for verification", permissions=["operate"])
def requeue(model_admin: ModelAdmin[File], request: HttpRequest, files: QuerySet[File]) -> None:
    """Have files verified that wait after faults or were given up."""
    number = files.count()
    changed = services.requeue(files)
    _note(request, changed, "Requeued for verification.")
    _tell(
        model_admin,
        request,
        f"{_counted(len(changed))} put into the queue again.",
        _left_alone(number - len(changed), "there is nothing to verify, or a worker has it now"),
    )


@admin.action(description="Quarantine selected files", permissions=["operate"])
def quarantine(model_admin: ModelAdmin[File], request: HttpRequest, files: QuerySet[File]) -> TemplateResponse | None:
    """Hold files back, once that is confirmed on a page of its own."""
    number = files.count()
    if request.POST.get("confirmed") != "yes":
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Quarantine files",
            "opts": model_admin.opts,
            "counted": _counted(number, "is", "are"),
            "action": "quarantine",
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "media": model_admin.media,
        }
        return TemplateResponse(request, "admin/files/quarantine_confirmation.html", context)
    changed = services.quarantine(files=files, user=cast("User", request.user))
    _note(request, changed, "Quarantined.")
    _tell(
        model_admin,
        request,
        f"{_counted(len(changed))} put into quarantine.",
        _left_alone(number - len(changed), "it is in quarantine already, or being deleted"),
    )
    return None


@admin.action(description="Lift quarantine of selected files", permissions=["operate"])
def lift_quarantine(model_admin: ModelAdmin[File], request: HttpRequest, files: QuerySet[File]) -> None:
    """Let files go, and with them the entries that wait for them."""
    number = files.count()
    changed = services.lift_quarantine(files)
    _note(request, changed, "Quarantine lifted.")
    _tell(
        model_admin,
        request,
        f"{_counted(len(changed))} let out of quarantine.",
        _left_alone(number - len(changed), "it is not in quarantine"),
    )


def _counted(number: int, one: str = "was", many: str = "were") -> str:
    return f"1 file {one}" if number == 1 else f"{number:,} files {many}"


def _left_alone(number: int, reason: str) -> str:
    return f" {_counted(number)} left alone: {reason}." if number else ""


def _note(request: HttpRequest, files: QuerySet[File], message: str) -> None:
    """Write into each file's history who has done what."""
    LogEntry.objects.log_actions(cast("User", request.user).pk, files, CHANGE, message)


def _tell(model_admin: ModelAdmin[File], request: HttpRequest, done: str, left: str) -> None:
    level = messages.WARNING if left else messages.SUCCESS
    model_admin.message_user(request, done + left, level)
