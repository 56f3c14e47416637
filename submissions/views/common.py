"""What several pages of this app ask."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from submissions.models import Submission


def member(request: HttpRequest) -> User:
    """The user of a page behind `login_required`."""
    return cast("User", request.user)


def visible_submissions(user: User) -> QuerySet[Submission]:
    """The submissions that the user may see, newest first, with their counts."""
    visible = Submission.objects.visible_to(user).with_counts()
    return visible.select_related("organism", "group", "submitted_by").order_by("-pk")
