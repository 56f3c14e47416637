"""Metadata tables and FASTA as they were sent, kept through django-storages beside the files."""

from __future__ import annotations

import uuid
from typing import BinaryIO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from files.storage.client import answers


def keep_document(folder: str, stream: BinaryIO) -> str:
    """Keep the stream, from its beginning, in a folder of the default storage; returns its new name.

    Raises `StorageUnavailableError`.
    """
    stream.seek(0)
    with answers():
        return default_storage.save(f"{folder}/{uuid.uuid4()}", File(stream))


def documents_prefix() -> str:
    """What their keys begin with in the bucket; a document's name is the rest of its key."""
    return f"{settings.STORAGES['default']['OPTIONS']['location']}/"


def delete_documents(*names: str | None) -> None:
    """Delete what `keep_document` kept; empty names are passed over. Raises `StorageUnavailableError`."""
    with answers():
        for name in filter(None, names):
            default_storage.delete(name)
