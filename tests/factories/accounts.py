"""Accounts, tokens and OIDC subjects."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import ApiToken, OidcSubject, User

PASSWORD = "a-password-of-tests"


class UserFactory(DjangoModelFactory[User]):
    """An account whose password is `PASSWORD`; `admin=True` makes it an admin."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        admin = factory.Trait(is_staff=True, is_superuser=True)

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password(PASSWORD)


class ApiTokenFactory(DjangoModelFactory[ApiToken]):
    """A personal API token that ends in a week."""

    class Meta:
        model = ApiToken

    user = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda n: f"token {n}")
    token_sha256 = factory.Sequence(lambda n: hashlib.sha256(f"token {n}".encode()).hexdigest())
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))


class OidcSubjectFactory(DjangoModelFactory[OidcSubject]):
    """An account that logs in through an issuer."""

    class Meta:
        model = OidcSubject

    user = factory.SubFactory(UserFactory)
    issuer = "https://issuer.example.org"
    subject = factory.Sequence(lambda n: f"subject-{n}")
