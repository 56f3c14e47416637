"""Making groups, and who comes and goes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.models import User
from common.errors import DomainError
from embedded.programs import wait_until
from submissions.errors import (
    GroupNameTakenError,
    GroupNotFoundError,
    LastMemberError,
    NotAMemberError,
    TooManyGroupsError,
    UserNotFoundError,
)
from submissions.models import Group
from submissions.services import add_member, make_group, remove_member
from tests.factories import GroupMembershipFactory, UserFactory, group_of
from tests.locks import waiting_for_a_lock


def members_of(group: Group) -> set[str]:
    return set(group.memberships.values_list("user__username", flat=True))


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="alice")


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory.create(username="bob")


@pytest.mark.embedded
def test_who_makes_a_group_is_its_member(alice: User) -> None:
    group = make_group(user=alice, name="Lab")
    assert (group.name, group.created_by, members_of(group)) == ("Lab", alice, {"alice"})


@pytest.mark.embedded
def test_a_name_belongs_to_one_group(alice: User, bob: User) -> None:
    make_group(user=alice, name="Lab")
    with pytest.raises(GroupNameTakenError):
        make_group(user=bob, name="Lab")
    assert Group.objects.count() == 1


def test_a_person_makes_groups_up_to_a_number_and_those_left_count_too(alice: User, settings: Settings) -> None:
    settings.GROUPS_PER_USER_MAX = 1
    group = make_group(user=alice, name="Lab")
    group.memberships.all().delete()
    with pytest.raises(TooManyGroupsError):
        make_group(user=alice, name="Another lab")


@pytest.mark.embedded
def test_a_member_adds_others_and_again_changes_nothing(alice: User, bob: User) -> None:
    group = group_of(alice)
    membership, is_new = add_member(user=alice, group_id=group.pk, username="bob")
    assert (membership.user, is_new) == (bob, True)
    assert add_member(user=alice, group_id=group.pk, username="bob") == (membership, False)
    assert members_of(group) == {"alice", "bob"}


@pytest.mark.parametrize("username", ["nobody", "Bob", "closed"])
def test_only_open_accounts_are_added_by_their_exact_username(alice: User, bob: User, username: str) -> None:
    UserFactory.create(username="closed", is_active=False)
    group = group_of(alice)
    with pytest.raises(UserNotFoundError):
        add_member(user=alice, group_id=group.pk, username=username)
    assert members_of(group) == {"alice"}


def test_nobody_else_changes_the_members(alice: User, bob: User) -> None:
    group = group_of(alice)
    outsiders: list[tuple[int, type[DomainError]]] = [(group.pk, NotAMemberError), (group.pk + 1, GroupNotFoundError)]
    for group_id, error in outsiders:
        with pytest.raises(error):
            add_member(user=bob, group_id=group_id, username="bob")
        with pytest.raises(error):
            remove_member(user=bob, group_id=group_id, username="alice")
    assert members_of(group) == {"alice"}


@pytest.mark.embedded
def test_a_member_removes_others_and_again_changes_nothing(alice: User, bob: User) -> None:
    group = group_of(alice, bob)
    assert remove_member(user=alice, group_id=group.pk, username="bob")
    assert not remove_member(user=alice, group_id=group.pk, username="bob")
    assert members_of(group) == {"alice"}


@pytest.mark.embedded
def test_a_member_leaves_but_not_the_last_with_an_open_account(alice: User, bob: User) -> None:
    group = group_of(alice, bob)
    GroupMembershipFactory.create(group=group, user=UserFactory.create(username="closed", is_active=False))
    assert remove_member(user=bob, group_id=group.pk, username="bob")
    with pytest.raises(LastMemberError):
        remove_member(user=alice, group_id=group.pk, username="alice")
    assert members_of(group) == {"alice", "closed"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("target", "loss"), [("alice", LastMemberError), ("bob", NotAMemberError)])
def test_of_two_who_leave_or_remove_each_other_at_once_one_stays(target: str, loss: type[DomainError]) -> None:
    """PostgreSQL only: SQLite has one writer at a time."""
    alice, bob = UserFactory.create(username="alice"), UserFactory.create(username="bob")
    group = group_of(alice, bob)
    begun = Event()
    # Alice leaves while Bob does, or removes Bob while Bob removes her.
    target_of_bob = "bob" if target == "alice" else "alice"

    def of_alice() -> None:
        begun.wait(10)
        try:
            remove_member(user=alice, group_id=group.pk, username=target)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        racing = pool.submit(of_alice)
        with transaction.atomic():
            remove_member(user=bob, group_id=group.pk, username=target_of_bob)
            begun.set()
            assert wait_until(waiting_for_a_lock, 10)
        with pytest.raises(loss):
            racing.result(timeout=10)
    assert group.memberships.count() == 1
