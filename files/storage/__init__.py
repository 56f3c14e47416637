"""The object store: the only package that knows boto3.

Follows the Amazon S3 API Reference. Plain dataclasses go out, ETags without their quotes. Only what the store
clearly says is told as such (`ObjectMissingError`, `ObjectChangedError`, `UploadMissingError`, …); all else,
403, throttling, 5xx, time-outs and broken connections among them, is `StorageUnavailableError`: a fault, from
which nothing may be concluded about an object. boto3 itself tries three times, with backoff.
"""

from __future__ import annotations

from files.errors import StorageUnavailableError
from files.storage.documents import delete_documents, documents_prefix, keep_document
from files.storage.multipart import (
    MAX_MULTIPART_SIZE,
    MIN_PART_SIZE,
    abort_multipart,
    complete_multipart,
    create_many_multiparts,
    create_multipart,
    list_multiparts,
    list_parts,
    multipart_etag,
)
from files.storage.objects import (
    MAX_SINGLE_SIZE,
    bucket_ready,
    copy_frozen,
    delete,
    delete_many,
    head,
    list_prefix,
)
from files.storage.outcomes import (
    ObjectChangedError,
    ObjectMissingError,
    PartMissingError,
    PartTooSmallError,
    StoredObject,
    StoredPart,
    StoredUpload,
    UploadMissingError,
)
from files.storage.streams import MEBIBYTE, open_stream

__all__ = [
    "MAX_MULTIPART_SIZE",
    "MAX_SINGLE_SIZE",
    "MEBIBYTE",
    "MIN_PART_SIZE",
    "ObjectChangedError",
    "ObjectMissingError",
    "PartMissingError",
    "PartTooSmallError",
    "StorageUnavailableError",
    "StoredObject",
    "StoredPart",
    "StoredUpload",
    "UploadMissingError",
    "abort_multipart",
    "bucket_ready",
    "complete_multipart",
    "copy_frozen",
    "create_many_multiparts",
    "create_multipart",
    "delete",
    "delete_documents",
    "delete_many",
    "documents_prefix",
    "head",
    "keep_document",
    "list_multiparts",
    "list_parts",
    "list_prefix",
    "multipart_etag",
    "open_stream",
]
