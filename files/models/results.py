"""What content checks found in files."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from files.models.categories import ContentCheck


class ContentCheckResult(models.Model):
    """What a content check found in a file: one result for a file and a check, with the check's version."""

    file = models.ForeignKey("files.File", on_delete=models.CASCADE, related_name="check_results")
    check_name = models.CharField(max_length=10, choices=ContentCheck)
    version = models.PositiveIntegerField()
    passed = models.BooleanField()
    code = models.CharField(max_length=60, blank=True)
    detail = models.TextField(blank=True)
    line = models.PositiveBigIntegerField(null=True, blank=True)
    offset = models.PositiveBigIntegerField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True, help_text="What the check counted, e.g. reads.")
    checked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # A check that was run is not run again.
            models.UniqueConstraint(fields=["file", "check_name"], name="check_result_unique"),
            # A failure has a code, and only a failure has.
            models.CheckConstraint(
                condition=Q(passed=True, code="") | (Q(passed=False) & ~Q(code="")),
                name="check_result_code_on_failure",
            ),
            # No check is not a check.
            models.CheckConstraint(condition=~Q(check_name="none"), name="check_result_of_a_check"),
        ]

    def __str__(self) -> str:
        return f"{self.check_name} {'passed' if self.passed else self.code}"
