"""Downloading: a presigned URL for one attached, verified file."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.http import content_disposition_header

from accounts.models import User
from common.errors import Location
from files import signing
from files.errors import FileNotAvailableError, FileNotFoundInGroupError
from files.models import File, FileAttachment
from submissions.access import entry_for_reader
from submissions.names import name_key


def download_url(
    *, user: User | AnonymousUser, accession: str, version: int, category: str, name: str, method: str
) -> str:
    """A URL, presigned for `method` (GET or HEAD), under which the file comes as an attachment of that name.

    Released entries are for all, others for members. Raises `EntryNotFoundError`, `NotPublicError`,
    `NotAMemberError`, `FileNotFoundInGroupError`, and `FileNotAvailableError` for a file that is not verified
    or is in quarantine. The file name travels as RFC 6266 says.
    """
    entry = entry_for_reader(user=user, accession=accession, version=version)
    attachment = (
        FileAttachment.objects.filter(entry=entry, category__name=category, name_key=name_key(name))
        .select_related("file")
        .first()
    )
    if attachment is None:
        text = f"{accession}.{version} has no file “{name}” in the category “{category}”."
        raise FileNotFoundInGroupError(text, Location(category=category, name=name))
    file = attachment.file
    if file.status != File.Status.VERIFIED or file.quarantined_at is not None:
        text = "This file is not available: only verified files that nobody holds back can be downloaded."
        raise FileNotAvailableError(text, Location(category=category, name=name))
    return signing.presign(
        method,
        file.object_key,
        expires_in=int(settings.DOWNLOAD_URL_LIFETIME.total_seconds()),
        query={
            "response-content-disposition": content_disposition_header(True, attachment.name) or "attachment",
            "response-content-type": "application/octet-stream",
        },
    )
