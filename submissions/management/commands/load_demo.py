"""`manage.py load_demo`: accounts, groups and organisms to try Satchel with, on this machine alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from files.models import ContentCheck, FileCategory
from submissions.models import Group, GroupMembership, MetadataField, Organism

PASSWORD = "satchel-demo"  # noqa: S105  the demo's, known to all, refused where others can reach it
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
FIELDS = (("country", "Country", MetadataField.Kind.TEXT), ("date", "Date", MetadataField.Kind.DATE))
CATEGORIES = (
    (
        "rawReads",
        "Raw reads",
        ContentCheck.FASTQ,
        "The reads as they came from the sequencer, best gzipped.",
    ),
    (
        "supplementary",
        "Supplementary files",
        ContentCheck.NONE,
        "Whatever helps to understand the sequences: assembly graphs, notes, photos of the gel.",
    ),
)


class Command(BaseCommand):
    """Creates what is missing of the demo and leaves what is there as it is."""

    help = "Create the demo's accounts, groups and organisms; refused where Satchel is reachable from elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse anywhere but on loopback; safe to repeat."""
        reachable = set(settings.ALLOWED_HOSTS) - LOOPBACK
        if reachable:
            message = (
                f"The demo has a known password, and this Satchel answers to {', '.join(sorted(reachable))}. "
                "It is loaded only where ALLOWED_HOSTS is localhost, 127.0.0.1 and [::1]."
            )
            raise CommandError(message)
        with transaction.atomic():
            self._people()
            self._organism("ebola-sudan", "Ebola Sudan", file_sharing=True)
            self._organism("west-nile", "West Nile", file_sharing=False)

    def _people(self) -> None:
        for username, group_name in (("alice", "Demo Lab"), ("bob", "Other Lab")):
            user = self._user(username)
            group, _ = Group.objects.get_or_create(name=group_name, defaults={"created_by": user})
            GroupMembership.objects.get_or_create(group=group, user=user)
        self._user("admin", is_staff=True, is_superuser=True)

    def _user(self, username: str, **rights: bool) -> User:
        user, created = User.objects.get_or_create(username=username, defaults=rights)
        if created:
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
        return user

    def _organism(self, slug: str, name: str, *, file_sharing: bool) -> None:
        organism, created = Organism.objects.get_or_create(
            slug=slug, defaults={"name": name, "file_sharing": file_sharing}
        )
        if not created:
            return
        for order, (field, shown_name, kind) in enumerate(FIELDS):
            MetadataField.objects.create(organism=organism, name=field, shown_name=shown_name, kind=kind, order=order)
        for order, (category, shown_name, check, help_text) in enumerate(CATEGORIES):
            FileCategory.objects.create(
                organism=organism,
                name=category,
                shown_name=shown_name,
                content_check=check,
                help_text=help_text,
                order=order,
            )
