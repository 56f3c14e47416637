"""Accounts, tokens and OIDC subjects as they are called in the admin."""

from __future__ import annotations

import pytest

from tests.factories import ApiTokenFactory, OidcSubjectFactory

pytestmark = [pytest.mark.embedded, pytest.mark.django_db]


def test_rows_are_called_what_people_call_them() -> None:
    token = ApiTokenFactory.create(name="laptop")
    subject = OidcSubjectFactory.create(issuer="https://login.example.org", subject="ada")

    assert str(token) == f"laptop of {token.user_id}"
    assert str(subject) == "ada at https://login.example.org"


def test_equal_token_names_of_two_people_are_fine() -> None:
    ApiTokenFactory.create_batch(2, name="laptop")


def test_equal_subjects_of_two_issuers_are_two_accounts() -> None:
    first, second = (
        OidcSubjectFactory.create(issuer=f"https://{host}.example.org", subject="ada") for host in ("one", "two")
    )

    assert first.user != second.user
