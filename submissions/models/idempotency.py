"""What a repeated submit is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from submissions.models.groups import Group
from submissions.models.submissions import Submission


class IdempotencyRecordQuerySet(models.QuerySet["IdempotencyRecord"]):
    """Records of idempotency keys."""

    def void(self) -> Self:
        """Those that count no more: answered long ago, or begun by a process that must have died."""
        now = timezone.now()
        answered = Q(answered_at__lt=now - IdempotencyRecord.ANSWER_KEPT)
        return self.filter(
            answered | Q(answered_at__isnull=True, created_at__lt=now - IdempotencyRecord.TAKEN_FOR_DEAD_AFTER)
        )


class IdempotencyRecord(models.Model):
    """The first answer to a submit with an `Idempotency-Key`; belongs to user, group and path.

    `answer` has accession, version, submission ID and status of each entry, as they were told the first time:
    entries are verified, replaced and withdrawn later.
    """

    ANSWER_KEPT = timedelta(hours=24)
    TAKEN_FOR_DEAD_AFTER = timedelta(minutes=10)
    """Longer than any call takes. One that does take longer finds its record gone, and stores nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="idempotency_records")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="idempotency_records")
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    submission = models.ForeignKey(
        Submission, on_delete=models.CASCADE, null=True, blank=True, related_name="idempotency_records"
    )
    answer = models.JSONField(null=True, blank=True)

    objects = IdempotencyRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            # One record for a key of a user, group and path.
            models.UniqueConstraint(fields=["user", "group", "path", "key"], name="idempotency_key_unique"),
            # An answer has a time, a submission and its entries, or nothing of that.
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, submission__isnull=True, answer__isnull=True)
                | Q(answered_at__isnull=False, submission__isnull=False, answer__isnull=False),
                name="idempotency_answered_with_submission",
            ),
        ]

    def __str__(self) -> str:
        return self.key
