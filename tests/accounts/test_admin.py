"""Accounts in the admin, and who gets into it."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests.admin_pages import grows, sent_form, words
from tests.factories import FileFactory, OidcSubjectFactory, SubmissionFactory, UserFactory
from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/user/"


def page_of(user: User) -> str:
    return f"{LIST}{user.pk}/change/"


def test_anonymous_people_are_sent_to_the_page_to_log_in_and_back(client: Client) -> None:
    answer = client.get(LIST, follow=True)

    assert answer.redirect_chain[-1][0] == f"/login?next={LIST}"
    assert answer.status_code == 200


def test_the_admin_has_no_second_door_that_takes_passwords(client: Client) -> None:
    admin = UserFactory.create(admin=True)

    answer = client.post("/admin/login/", {"username": admin.username, "password": PASSWORD})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/admin/")
    assert "_auth_user_id" not in client.session


def test_people_who_are_no_admins_are_refused(client: Client) -> None:
    client.force_login(UserFactory.create())

    assert client.get(LIST, follow=True).status_code == 403


def test_an_admin_who_is_logged_in_goes_straight_to_the_index(admin_client: Client) -> None:
    assert admin_client.get("/admin/login/").headers["Location"] == "/admin/"


def test_the_index_offers_our_nouns_and_no_permission_groups(admin_client: Client) -> None:
    page = admin_client.get("/admin/")

    offered = {app["app_label"]: [model["name"] for model in app["models"]] for app in page.context["app_list"]}
    assert offered == {
        "accounts": ["Users"],
        "files": ["Files"],
        "submissions": ["Groups", "Organisms", "Sequence entries", "Submissions"],
    }


def test_an_admin_makes_an_account_that_can_log_in(admin_client: Client, client: Client) -> None:
    form = {"username": "carol", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    answer = admin_client.post(f"{LIST}add/", form)

    carol = User.objects.get(username="carol")
    assert answer.headers["Location"] == page_of(carol)
    assert (carol.is_staff, carol.is_superuser, carol.is_active) == (False, False, True)
    assert client.login(username="carol", password=PASSWORD)


def test_an_admin_closes_an_account_and_makes_another_admin(admin_client: Client) -> None:
    user = UserFactory.create()
    form = sent_form(admin_client.get(page_of(user)), is_active=None, is_staff="on", is_superuser="on")

    assert admin_client.post(page_of(user), form).status_code == 302

    user.refresh_from_db()
    assert (user.is_active, user.is_staff, user.is_superuser) == (False, True, True)


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_half_an_admin_is_refused_in_words(admin_client: Client, right: str) -> None:
    user = UserFactory.create()

    answer = admin_client.post(page_of(user), sent_form(admin_client.get(page_of(user))) | {right: "on"})

    assert "An admin has staff and superuser status, any other account neither." in words(answer)
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_an_account_of_an_oidc_issuer_is_never_made_an_admin(admin_client: Client) -> None:
    user = OidcSubjectFactory.create().user
    form = sent_form(admin_client.get(page_of(user))) | {"is_staff": "on", "is_superuser": "on"}

    answer = admin_client.post(page_of(user), form)

    assert "This account logs in through OIDC; such an account is never an admin." in words(answer)
    user.refresh_from_db()
    assert not user.is_staff


def test_an_account_that_has_submitted_is_kept_and_the_reason_told(admin_client: Client) -> None:
    used, unused = UserFactory.create_batch(2)
    SubmissionFactory.create_batch(2, group__created_by=used)
    FileFactory.create(requested_by=used)

    page = admin_client.get(f"{LIST}{used.pk}/delete/")
    sent = admin_client.post(f"{LIST}{used.pk}/delete/", {"post": "yes"})

    assert "2 groups 2 submissions 1 file" in words(page)
    assert "2 groups 2 submissions 1 file" in words(sent)
    assert User.objects.filter(pk=used.pk).exists()
    assert admin_client.post(f"{LIST}{unused.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=unused.pk).exists()


def test_the_list_of_accounts_takes_as_many_queries_for_many_rows_as_for_few(admin_client: Client) -> None:
    assert grows(admin_client, LIST, OidcSubjectFactory.create) == 0
