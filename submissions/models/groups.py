"""Who owns files and submissions: groups and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models

if TYPE_CHECKING:
    from accounts.models import User


class GroupQuerySet(models.QuerySet["Group"]):
    """Groups, as a person may see them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The groups that the user is a member of."""
        return self.filter(members=user) if user.is_authenticated else self.none()


class Group(models.Model):
    """Owns files and submissions; people are its members. Membership is looked at in every call."""

    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="created_groups")
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="GroupMembership", related_name="submitting_groups"
    )
    quota_bytes = models.PositiveBigIntegerField(
        "quota",
        null=True,
        blank=True,
        help_text="How much its files may have together; none: what the settings say, 0: any number.",
    )

    objects = GroupQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def quota(self) -> int | None:
        """How many bytes its files may have together; None for any number."""
        quota = settings.GROUP_QUOTA_BYTES if self.quota_bytes is None else self.quota_bytes
        return quota or None


class GroupMembership(models.Model):
    """That a person is a member of a group."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="group_memberships")
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A person is a member once.
            models.UniqueConstraint(fields=["group", "user"], name="group_membership_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.group}"
