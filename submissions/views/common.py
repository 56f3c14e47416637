"""What several pages of this app ask."""

from __future__ import annotations

from typing import cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from submissions.models import Submission, SubmissionQuerySet


def member(request: HttpRequest) -> User:
    """The user of a page behind `login_required`."""
    return cast("User", request.user)


def visible_submissions(user: User) -> SubmissionQuerySet:
    """The submissions that the user may see, newest first."""
    return Submission.objects.visible_to(user).order_by("-pk")


def counted_page(submissions: QuerySet[Submission], number: str | None, size: int) -> Page[Submission]:
    """A page of submissions with their counts, in their order; three queries.

    The entries of this page alone are counted: of a group with a million of them, all would be too many.
    """
    page = Paginator(submissions, size).get_page(number)
    counted = Submission.objects.with_counts().select_related("organism", "group", "submitted_by")
    by_key = counted.in_bulk([submission.pk for submission in page])
    page.object_list = [by_key[submission.pk] for submission in page]
    return page
