"""Personal API tokens: what they are good for, and when they no longer are."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.errors import TokenNameTakenError, TooManyTokensError
from accounts.models import ApiToken, User
from accounts.services import make_token, revoke_token, user_of_token
from tests.factories import ApiTokenFactory, UserFactory
from tests.fixtures import Api, Demo

MONTH = timedelta(days=30)


@pytest.fixture
def user(db: None) -> User:
    return UserFactory.create()


def _call(text: str, group_id: int = 1) -> Any:
    header = {"Authorization": f"Bearer {text}"}
    return Api(None).client.get("/api/submissions", data={"groupId": group_id}, headers=header)


@pytest.mark.embedded
def test_a_token_stands_for_its_account_in_the_api(demo: Demo) -> None:
    _, text = make_token(user=demo.alice, name="cluster", lifetime=MONTH)
    assert _call(text, demo.group.pk).status_code == 200
    assert _call(text, demo.other_group.pk).json()["code"] == "not_a_member"


@pytest.mark.embedded
def test_a_token_has_256_random_bits_and_is_stored_as_its_hash_alone(user: User) -> None:
    made = [make_token(user=user, name=name, lifetime=MONTH) for name in ("one", "two")]
    texts = [text for _, text in made]
    assert len(set(texts)) == 2
    for text in texts:
        assert re.fullmatch(r"satchel_[\w-]{43}", text, re.ASCII)
        stored = ApiToken.objects.values_list()
        assert not any(text.removeprefix("satchel_") in str(value) for row in stored for value in row)


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("changes", "closed", "words"),
    [
        ({"expires_at": timezone.now()}, False, "expired on"),
        ({"revoked_at": timezone.now()}, False, "was revoked"),
        ({"token_sha256": "0" * 64}, False, "copied as a whole"),
        ({}, True, "account of this token is closed"),
    ],
)
def test_a_token_that_does_not_work_is_401_and_says_why(
    user: User, changes: dict[str, Any], closed: bool, words: str
) -> None:
    token, text = make_token(user=user, name="cluster", lifetime=MONTH)
    ApiToken.objects.filter(pk=token.pk).update(created_at=timezone.now() - timedelta(days=60), **changes)
    User.objects.filter(pk=user.pk).update(is_active=not closed)
    answer = _call(text)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert words in answer.json()["detail"]
    assert ApiToken.objects.get(pk=token.pk).last_used_at is None


@pytest.mark.embedded
def test_the_last_use_is_written_once_a_minute_at_most(
    user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token, text = make_token(user=user, name="cluster", lifetime=MONTH)
    user_of_token(text)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        user_of_token(text)
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(seconds=61))
    user_of_token(text)
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert token.last_used_at >= first


def test_a_name_is_given_once_also_after_its_token_has_ended_and_others_may_have_it_too(user: User) -> None:
    token, _ = make_token(user=user, name="cluster", lifetime=MONTH)
    revoke_token(token)
    with pytest.raises(TokenNameTakenError):
        make_token(user=user, name="cluster", lifetime=MONTH)
    make_token(user=UserFactory.create(), name="cluster", lifetime=MONTH)


def test_tokens_in_use_are_limited_and_those_that_have_ended_do_not_count(user: User, settings: Settings) -> None:
    settings.API_TOKENS_PER_USER_MAX = 1
    ApiTokenFactory.create(user=user, revoked_at=timezone.now())
    token, _ = make_token(user=user, name="first", lifetime=MONTH)
    with pytest.raises(TooManyTokensError):
        make_token(user=user, name="second", lifetime=MONTH)
    revoke_token(token)
    make_token(user=user, name="second", lifetime=MONTH)


@pytest.mark.embedded
def test_revoking_again_changes_nothing(user: User) -> None:
    token, _ = make_token(user=user, name="cluster", lifetime=MONTH)
    assert revoke_token(token)
    token.refresh_from_db()
    revoked_at = token.revoked_at
    assert not revoke_token(token)
    token.refresh_from_db()
    assert token.revoked_at == revoked_at
