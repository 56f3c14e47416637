"""What several pages of this app ask, and releasing, which two of them do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from common.errors import DomainError, ValidationFailedError
from files.models import File, FileQuerySet
from submissions import services
from submissions.models import Organism, Submission, SubmissionQuerySet

REASONS_TOLD = 3
"""How many of the reasons why nothing was released a page tells; the states of the entries tell the rest."""

RECENT = timedelta(days=30)
"""Uploads from before are not reminded of: with a bound, the years of a busy group need not be looked through."""


@dataclass(frozen=True, slots=True)
class SentBefore:
    """Files for an organism that no entry has, of one of the user's groups; `unfinished` of them have not arrived."""

    group_id: int
    group_name: str
    number: int
    unfinished: int


def member(request: HttpRequest) -> User:
    """The user of a page behind `login_required`."""
    return cast("User", request.user)


def visible_submissions(user: User) -> SubmissionQuerySet:
    """The submissions that the user may see, newest first."""
    return Submission.objects.visible_to(user).order_by("-pk")


def recent_unattached(user: User) -> FileQuerySet:
    """Lately requested files of the user's groups that belong to no entry."""
    recent = File.objects.visible_to(user).unattached().filter(requested_at__gte=timezone.now() - RECENT)
    return recent.exclude(status=File.Status.EXPIRED)


def sent_before(user: User, organism: Organism) -> list[SentBefore]:
    """What one can go on with on a page to submit to the organism, by group; one query."""
    files = recent_unattached(user).attachable().filter(claimed_category__organism=organism)
    groups = files.values_list("group", "group__name").order_by("group__name")
    return [
        SentBefore(*row)
        for row in groups.annotate(number=Count("pk"), unfinished=Count("pk", filter=Q(status=File.Status.REQUESTED)))
    ]


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
