"""Where a file is in its life, in a module of its own: files know attachments, and attachments the states of files."""

from __future__ import annotations

from django.db import models


class FileStatus(models.TextChoices):
    """`REQUESTED → UPLOADED → VERIFYING → VERIFIED | REJECTED`, and `EXPIRED`; read as `File.Status`."""

    REQUESTED = "REQUESTED", "Requested"
    UPLOADED = "UPLOADED", "Uploaded"
    VERIFYING = "VERIFYING", "Verifying"
    VERIFIED = "VERIFIED", "Verified"
    REJECTED = "REJECTED", "Rejected"
    EXPIRED = "EXPIRED", "Expired"
