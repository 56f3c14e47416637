"""What an admin can do with the files of the list: have them verified again, hold them back, let them go."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Words:
    """What stands in a file's history, what was done with files, and why it was not with others."""

    history: str
    done: str
    why_not: str


@admin.action(description="Requeue selected files for verification", permissions=["operate"])
def requeue(model_admin: ModelAdmin[File], request: HttpRequest, files: QuerySet[File]) -> None:
    """Have files verified that wait after faults or were given up."""
    number = files.count()
    words = _Words(
        "Requeued for verification.",
        "put into the queue again",
        "there is nothing to verify, or a worker has it now",
    )
    _tell(model_admin, request, number, services.requeue(files), words)


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
    words = _Words("Quarantined.", "put into quarantine", "it is in quarantine already, or being deleted")
    _tell(model_admin, request, number, changed, words)
    return None


@admin.action(description="Lift quarantine of selected files", permissions=["operate"])
def lift_quarantine(model_admin: ModelAdmin[File], request: HttpRequest, files: QuerySet[File]) -> None:
    """Let files go, and with them the entries that wait for them."""
    number = files.count()
    words = _Words("Quarantine lifted.", "let out of quarantine", "it is not in quarantine")
    _tell(model_admin, request, number, services.lift_quarantine(files), words)


def _counted(number: int, one: str = "was", many: str = "were") -> str:
    return f"1 file {one}" if number == 1 else f"{number:,} files {many}"


def _tell(
    model_admin: ModelAdmin[File], request: HttpRequest, number: int, changed: QuerySet[File], words: _Words
) -> None:
    """Write into each changed file's history who has done what, and tell how many of the `number` they were."""
    LogEntry.objects.log_actions(cast("User", request.user).pk, changed, CHANGE, words.history)
    text = f"{_counted(len(changed))} {words.done}."
    if left := number - len(changed):
        text += f" {_counted(left)} left alone: {words.why_not}."
    model_admin.message_user(request, text, messages.WARNING if left else messages.SUCCESS)
