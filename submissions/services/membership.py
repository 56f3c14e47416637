"""Groups and their members.

Whoever changes the members of a group holds the lock of its row: of two people who leave at once, or remove each
other, the second sees what the first has done.
"""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from submissions.access import group_for_member
from submissions.errors import GroupNameTakenError, LastMemberError, TooManyGroupsError, UserNotFoundError, quoted
from submissions.models import Group, GroupMembership


def make_group(*, user: User, name: str) -> Group:
    """A new group with the user as its only member.

    Raises `GroupNameTakenError`, and `TooManyGroupsError` for who has made `GROUPS_PER_USER_MAX`, be they still a
    member or not.
    """
    try:
        with transaction.atomic():
            # Two forms at once are counted one after the other.
            User.objects.select_for_update(no_key=True).get(pk=user.pk)
            if user.created_groups.count() >= settings.GROUPS_PER_USER_MAX:
                most = settings.GROUPS_PER_USER_MAX
                raise TooManyGroupsError(f"You have made {most} groups, and one person may make no more.")
            group = Group.objects.create(name=name, created_by=user)
            GroupMembership.objects.create(group=group, user=user)
    except IntegrityError as error:
        raise GroupNameTakenError(f"There is a group named {quoted(name)}. Choose another name.") from error
    return group


def add_member(*, user: User, group_id: int, username: str) -> tuple[GroupMembership, bool]:
    """Make somebody a member, and whether they were none before; safe to repeat.

    The user must be a member: raises `GroupNotFoundError` or `NotAMemberError`; `UserNotFoundError` where no open
    account has that username.
    """
    with transaction.atomic():
        group = _locked_group(user, group_id)
        person = User.objects.filter(username=username, is_active=True).first()
        if person is None:
            text = f"No account has the username {quoted(username)}; look at upper and lower case."
            raise UserNotFoundError(text)
        return GroupMembership.objects.get_or_create(group=group, user=person)


def remove_member(*, user: User, group_id: int, username: str) -> bool:
    """Take a member out of the group, oneself perhaps; whether it was this call that did. Safe to repeat.

    What they have handed in stays with the group. The user must be a member: raises `GroupNotFoundError` or
    `NotAMemberError`; `LastMemberError` where no other member has an open account.
    """
    with transaction.atomic():
        group = _locked_group(user, group_id)
        others = group.memberships.filter(user__is_active=True).exclude(user__username=username)
        if not others.exists():
            text = f"You are the last member of {quoted(group.name)}. Add somebody else before you leave."
            raise LastMemberError(text)
        deleted, _ = group.memberships.filter(user__username=username).delete()
        return bool(deleted)


def _locked_group(user: User, group_id: int) -> Group:
    """The group, for one of its members as it is once the lock of its row is ours. Three queries."""
    Group.objects.select_for_update(no_key=True).filter(pk=group_id).first()
    return group_for_member(user=user, group_id=group_id)
