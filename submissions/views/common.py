"""What several pages of this app ask, and releasing, which two of them do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from accounts.models import User
from common.errors import DomainError, ValidationFailedError
from submissions import services
from submissions.models import Organism, Submission, SubmissionQuerySet

REASONS_TOLD = 3
"""How many of the reasons why nothing was released a page tells; the states of the entries tell the rest."""


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


def moment_of(text: str) -> datetime | None:
    """The time that was written into a form, None if it is none."""
    try:
        moment = parse_datetime(text)
        # In UTC, as databases know no times of a year before the first.
        return moment and moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def release_and_tell(request: HttpRequest, organism: Organism, wanted: Sequence[services.AccessionVersion]) -> None:
    """Release the entries, all or none of them, and leave a message that says what came of it."""
    try:
        released = services.release(user=member(request), organism_slug=organism.slug, wanted=wanted)
    except ValidationFailedError as failure:
        reasons = [error.detail for error in failure.errors[:REASONS_TOLD]]
        messages.error(request, " ".join(["Nothing is released.", *reasons]))
    except DomainError as error:
        messages.error(request, f"Nothing is released. {error.detail}")
    else:
        what = f"{released[0]} is" if len(released) == 1 else f"{len(released):,} entries are"
        messages.success(request, f"{what} released. Everybody can see {'it' if len(released) == 1 else 'them'} now.")
