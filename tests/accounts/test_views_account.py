"""The account page: who one is, the password, personal API tokens."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import ApiToken, User
from tests.factories import ApiTokenFactory, GroupMembershipFactory, UserFactory
from tests.factories.accounts import PASSWORD

NEW_PASSWORD = "quite-another-9321"


@pytest.fixture
def user(client: Client, db: None) -> User:
    """Who is logged in."""
    user = UserFactory.create()
    client.force_login(user)
    return user


def make(client: Client, **sent: str) -> str:
    return client.post("/account/tokens", {"name": "cluster", "lifetime": "90", **sent}).content.decode()


@pytest.mark.parametrize("path", ["/account", "/account/password", "/account/tokens", "/account/tokens/1/revoke"])
def test_anonymous_is_asked_to_log_in_and_so_is_a_script_with_a_token(db: None, path: str) -> None:
    for client in (Client(), Client(headers={"Authorization": f"Bearer satchel_{'x' * 43}"})):
        assertRedirects(client.get(path), f"/login?next={path}")


def test_the_account_shows_who_one_is_ones_groups_and_ones_own_tokens(client: Client, user: User) -> None:
    membership = GroupMembershipFactory.create(user=user)
    mine = ApiTokenFactory.create(user=user, name="my laptop")
    revoked = ApiTokenFactory.create(user=user, name="old laptop", revoked_at=timezone.now())
    ApiTokenFactory.create(name="of somebody else")
    page = client.get("/account")
    assertContains(page, user.username)
    assertContains(page, membership.group.name)
    assertContains(page, f'href="/account/tokens/{mine.pk}/revoke"')
    assertContains(page, "old laptop")
    assertNotContains(page, f'href="/account/tokens/{revoked.pk}/revoke"')
    assertNotContains(page, "of somebody else")


def test_who_is_in_no_group_is_told_what_to_do(client: Client, user: User) -> None:
    assertContains(client.get("/account"), "You are not a member of any group yet.")


def test_the_number_of_queries_does_not_grow(
    client: Client, user: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    GroupMembershipFactory.create_batch(3, user=user)
    ApiTokenFactory.create_batch(5, user=user)
    ApiTokenFactory.create_batch(12, user=user, revoked_at=timezone.now())
    with django_assert_max_num_queries(5):
        client.get("/account")


# --- tokens ----------------------------------------------------------------------------------------


def test_a_token_is_shown_in_the_answer_that_nobody_stores_and_never_again(client: Client, user: User) -> None:
    answer = client.post("/account/tokens", {"name": " my  cluster ", "lifetime": "90"})
    assert "no-store" in answer.headers["Cache-Control"]
    [text] = re.findall(r'value="(satchel_[^"]+)"', answer.content.decode())
    token = ApiToken.objects.get(user=user)
    assert (token.name, round((token.expires_at - token.created_at) / timedelta(days=1))) == ("my cluster", 90)
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/submissions?groupId=999999").status_code == 404
    assertNotContains(client.get("/account"), text)
    assertRedirects(client.get("/account/tokens"), "/account")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": ""}, "Give the token a name."),
        ({"name": "a\u202eb"}, "characters in it that cannot be seen"),
        ({"name": "taken"}, "You have or had a token named “taken”."),
        ({"name": "taken"}, "[^<]*If you have just made it and reloaded the page, it cannot be shown again:"),
        ({"lifetime": "100000"}, "Choose for how long the token works."),
    ],
)
def test_what_is_wrong_with_a_token_is_told_at_its_field(
    client: Client, user: User, sent: dict[str, str], words: str
) -> None:
    ApiTokenFactory.create(user=user, name="taken", revoked_at=timezone.now())
    field = next(iter(sent))
    page = make(client, **sent)
    assert "<title>Error: Account" in page
    assert re.search(rf'<a href="#id_{field}">[^<]*{words}', page)
    assert ApiToken.objects.count() == 1


def test_a_limit_is_told_in_words(client: Client, user: User, settings: Settings) -> None:
    settings.API_TOKENS_PER_USER_MAX = 0
    assert "You have 0 tokens already; revoke one that is not needed." in make(client)


def test_revoking_asks_first_and_works_at_once(client: Client, user: User) -> None:
    [text] = re.findall(r'value="(satchel_[^"]+)"', make(client))
    path = f"/account/tokens/{ApiToken.objects.get().pk}/revoke"
    assertContains(client.get(path), "Revoke “cluster”?")
    script = Client(headers={"Authorization": f"Bearer {text}"})
    assert script.get("/api/submissions?groupId=999999").status_code == 404
    assertContains(client.post(path, follow=True), "The token “cluster” is revoked.")
    assert script.get("/api/submissions?groupId=999999").status_code == 401
    assertContains(client.get(path), "does not work any more")


def test_somebody_elses_token_does_not_exist(client: Client, user: User) -> None:
    token = ApiTokenFactory.create()
    path = f"/account/tokens/{token.pk}/revoke"
    assert (client.get(path).status_code, client.post(path).status_code) == (404, 404)
    token.refresh_from_db()
    assert token.revoked_at is None


# --- the password ----------------------------------------------------------------------------------


def change(client: Client, old: str = PASSWORD, new: str = NEW_PASSWORD, again: str = NEW_PASSWORD) -> str:
    sent = {"old_password": old, "new_password1": new, "new_password2": again}
    return client.post("/account/password", sent, follow=True).content.decode()


def test_the_password_is_changed_here_and_other_sessions_end(client: Client, user: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(user)
    assert "Your password is changed." in change(client)
    assert client.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"old": "guessed"}, "old_password", "This is not your present password"),
        ({"again": "typed-otherwise"}, "new_password2", "typed in two ways"),
        ({"new": "12345678", "again": "12345678"}, "new_password2", "too common"),
        ({"old": ""}, "old_password", "Enter your present password."),
    ],
)
def test_what_is_wrong_with_a_password_is_told_and_it_stays_as_it_was(
    client: Client, user: User, sent: dict[str, str], field: str, words: str
) -> None:
    page = change(client, **sent)
    assert re.search(rf'<a href="#id_{field}">[^<]*{words}', page)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_an_account_without_a_password_has_none_to_change(client: Client, user: User) -> None:
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    assertNotContains(client.get("/account"), "Change password")
    assert client.get("/account/password").status_code == 404
