"""Who may do what with groups and entries; one answer for pages, API and admin."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from submissions.errors import (
    EntryNotFoundError,
    GroupNotFoundError,
    NotAMemberError,
    NotPublicError,
    OrganismNotFoundError,
    SubmissionNotFoundError,
    quoted,
)
from submissions.models import Group, Organism, SequenceEntry, Submission


def group_for_member(*, user: User, group_id: int) -> Group:
    """The group, for one of its members; raises `GroupNotFoundError` or `NotAMemberError`. Two queries."""
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        raise GroupNotFoundError(f"There is no group {group_id}.")
    if not group.memberships.filter(user=user).exists():
        raise NotAMemberError(f"You are not a member of group {group_id}.")
    return group


def submission_for_member(*, user: User, submission_id: int) -> Submission:
    """The submission with its counts, organism and people, for a member of its group; one query.

    Raises `SubmissionNotFoundError`, also for one of another group.
    """
    visible = Submission.objects.visible_to(user).with_counts().select_related("organism", "group", "submitted_by")
    submission = visible.filter(pk=submission_id).first()
    if submission is None:
        text = f"There is no submission {submission_id} in a group that you are a member of."
        raise SubmissionNotFoundError(text)
    return submission


def organism_of_slug(slug: str) -> Organism:
    """The organism, or `OrganismNotFoundError`."""
    organism = Organism.objects.filter(slug=slug).first()
    if organism is None:
        raise OrganismNotFoundError(f"There is no organism {quoted(slug)}.")
    return organism


def entry_for_reader(
    *, user: User | AnonymousUser, accession: str, version: int, organism_slug: str | None = None
) -> SequenceEntry:
    """The entry, for anyone once it is released, before that for members of its group.

    It comes with its submission, organism and group, in two queries at most; with an organism's slug it has to be of
    that organism. Raises `OrganismNotFoundError` and `EntryNotFoundError`, on an unreleased one `NotPublicError` for
    anonymous, `NotAMemberError` else.
    """
    entry = _entry(accession, version, organism_slug)
    if entry.released_at is not None:
        return entry
    if not user.is_authenticated:
        raise NotPublicError(f"{entry} is not released; log in as a member of its group.")
    if not _is_member(user, entry):
        raise NotAMemberError(f"{entry} is not released, and you are not a member of its group.")
    return entry


def entry_for_member(*, user: User, accession: str, version: int, organism_slug: str | None = None) -> SequenceEntry:
    """The entry, for a member of its group, released or not; otherwise as `entry_for_reader`.

    Raises `OrganismNotFoundError`, `EntryNotFoundError` or `NotAMemberError`.
    """
    entry = _entry(accession, version, organism_slug)
    if not _is_member(user, entry):
        raise NotAMemberError(f"You are not a member of the group of {entry}.")
    return entry


def _is_member(user: User, entry: SequenceEntry) -> bool:
    """Asked of the group: the entry may have been withdrawn since it was read."""
    return entry.submission.group.memberships.filter(user=user).exists()


def _entry(accession: str, version: int, organism_slug: str | None) -> SequenceEntry:
    entries = SequenceEntry.objects.select_related("submission__organism", "submission__group")
    if organism_slug is not None:
        entries = entries.filter(submission__organism__slug=organism_slug)
    entry = entries.filter(accession=accession, version=version).first()
    if entry is not None:
        return entry
    if organism_slug is None:
        raise EntryNotFoundError(f"There is no entry {quoted(f'{accession}.{version}')}.")
    organism_of_slug(organism_slug)
    raise EntryNotFoundError(f"{quoted(organism_slug)} has no entry {quoted(f'{accession}.{version}')}.")
