"""Who people are: accounts, personal API tokens, and the subjects of an OIDC issuer."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone


class User(AbstractUser):
    """An account. A submitter is any account; an admin is a superuser, with no further rights in the API."""


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Personal API tokens, by whether they still work."""

    def usable(self) -> Self:
        """Those that were not revoked and have not expired."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=timezone.now())


class ApiToken(models.Model):
    """A personal API token: shown once, stored as its sha256, with a name, an expiry and its last use."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            # One name for one token of a person.
            models.UniqueConstraint(fields=["user", "name"], name="api_token_name_unique"),
            # A token ends after it was made.
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="api_token_expires_after_creation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    @property
    def is_usable(self) -> bool:
        """Whether it was not revoked and has not expired."""
        return self.revoked_at is None and self.expires_at > timezone.now()


class OidcSubject(models.Model):
    """The account that stands for (issuer, subject); never joined to another by name or mail."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="oidc_subject")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # One account for one subject of one issuer.
            models.UniqueConstraint(fields=["issuer", "subject"], name="oidc_subject_unique"),
            # An empty name is nobody.
            models.CheckConstraint(condition=~Q(issuer="") & ~Q(subject=""), name="oidc_subject_named"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
