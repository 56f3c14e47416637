"""Pages to log in and out."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertRedirects

from accounts.models import User
from tests.factories import UserFactory
from tests.factories.accounts import PASSWORD


@pytest.fixture
def user(db: None) -> User:
    """Somebody with a name of their own, so that failures of other tests are not theirs."""
    return UserFactory.create()


def user_of(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_username_and_password_log_in_and_lead_home(client: Client, user: User) -> None:
    answer = client.post("/login", {"username": user.username, "password": PASSWORD})
    assertRedirects(answer, "/")
    assert user_of(client) == str(user.pk)


def test_logging_in_leads_on_to_where_one_wanted_to_go(client: Client, user: User) -> None:
    page = client.get("/submissions", follow=True)
    assert page.redirect_chain == [("/login?next=/submissions", 302)]
    assertContains(page, '<input type="hidden" name="next" value="/submissions">', html=True)
    answer = client.post("/login", {"username": user.username, "password": PASSWORD, "next": "/submissions"})
    assertRedirects(answer, "/submissions")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_an_address_of_another_site_is_not_followed(client: Client, user: User, target: str) -> None:
    answer = client.post("/login", {"username": user.username, "password": PASSWORD, "next": target})
    assertRedirects(answer, "/")


def test_a_next_page_that_is_a_bare_word_is_an_address_and_no_name_of_a_view(client: Client, user: User) -> None:
    answer = client.post("/login", {"username": user.username, "password": PASSWORD, "next": "foo"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "foo")
    answer = client.get("/login?next=foo")
    assert (answer.status_code, answer.headers["Location"]) == (302, "foo")


def test_a_wrong_password_is_told_without_saying_which_of_the_two_is_wrong(client: Client, user: User) -> None:
    wrong = client.post("/login", {"username": user.username, "password": "guessed"})
    unknown = client.post("/login", {"username": f"no-{user.username}", "password": "guessed"})
    for answer in (wrong, unknown):
        assertContains(answer, "No account has this username and password")
        assertContains(answer, "<title>Error: Log in")
        assert b"guessed" not in answer.content
    assert user_of(client) is None


def test_an_empty_form_says_what_to_enter(client: Client, db: None) -> None:
    answer = client.post("/login", {})
    assertContains(answer, '<a href="#id_username">Enter your username.</a>', html=True)
    assertContains(answer, '<a href="#id_password">Enter your password.</a>', html=True)


def test_too_many_failures_are_told_in_words_and_with_a_time(client: Client, user: User, settings: Settings) -> None:
    settings.LOGIN_FAILURES_ALLOWED = 2
    for _ in range(2):
        assert client.post("/login", {"username": user.username, "password": "guessed"}).status_code == 200
    answer = client.post("/login", {"username": user.username, "password": PASSWORD})
    assertContains(answer, "Too many attempts failed", status_code=429)
    assert int(answer.headers["Retry-After"]) > 0
    assert user_of(client) is None


def test_who_is_logged_in_does_not_see_the_form(client: Client, user: User) -> None:
    client.force_login(user)
    assertRedirects(client.get("/login?next=/submissions"), "/submissions")


def test_logging_out_takes_a_post_and_ends_the_session(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.get("/logout").status_code == 405
    assert user_of(client) == str(user.pk)
    assertRedirects(client.post("/logout"), "/")
    assert user_of(client) is None


def test_a_form_without_its_token_is_refused_in_words(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login", {"username": user.username, "password": PASSWORD})
    assertContains(answer, "The form has expired", status_code=403)
    assertContains(answer, "Go back: what you filled in is still there.", status_code=403)
    assertContains(answer, '<a href="/login" target="_blank" rel="noopener">log in</a>', html=True, status_code=403)
