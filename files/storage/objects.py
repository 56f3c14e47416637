"""The bucket and the objects in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botocore.exceptions import ClientError
from django.conf import settings

from files.storage import quick
from files.storage.client import SLOW, answers, bare, client, fault, quoted, status
from files.storage.outcomes import StoredObject

MAX_SINGLE_SIZE = 5 * 1024**3
"""Bytes that one PUT carries, and one CopyObject (Amazon S3 User Guide, "Uploading objects")."""
DELETE_BATCH = 1_000  # the most keys that DeleteObjects takes


def bucket_ready() -> bool:
    """Return whether the bucket is there; False only when the store says that it is not."""
    with answers():
        try:
            client().head_bucket(Bucket=settings.S3_BUCKET)
        except ClientError as error:
            if status(error) != 404:
                raise
            return False
    return True


def head(key: str) -> StoredObject | None:
    """Return the object at `key`, or None when there is none."""
    return quick.head(key) or _head(key)


def _head(key: str) -> StoredObject | None:
    with answers():
        try:
            answer = client().head_object(Bucket=settings.S3_BUCKET, Key=key)
        except ClientError as error:
            if status(error) != 404:
                raise
            # The answer to a HEAD has no body to tell a missing object from a missing bucket.
            client().head_bucket(Bucket=settings.S3_BUCKET)
            return None
    return StoredObject(
        key=key, size=answer["ContentLength"], etag=bare(answer["ETag"]), last_modified=answer["LastModified"]
    )


def list_prefix(prefix: str) -> Iterator[StoredObject]:
    """Yield every object whose key begins with `prefix`, in key order; a request for each 1,000."""
    with answers():
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=settings.S3_BUCKET, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", []):
                yield StoredObject(
                    key=item["Key"], size=item["Size"], etag=bare(item["ETag"]), last_modified=item["LastModified"]
                )


def copy_frozen(source: StoredObject, target_key: str) -> StoredObject:
    """Copy an object inside the store and return the copy; what it may be served as is not copied along.

    The content type becomes octet-stream and a sent Content-Encoding or metadata are dropped. Raises
    `ObjectMissingError` when there is no source, `ObjectChangedError` when it has another ETag. A second
    run overwrites the copy with the same bytes. At most 5 GiB, which is S3's limit for CopyObject.
    """
    with answers(source.key):
        answer = client(SLOW).copy_object(
            Bucket=settings.S3_BUCKET,
            Key=target_key,
            CopySource={"Bucket": settings.S3_BUCKET, "Key": source.key},
            CopySourceIfMatch=quoted(source.etag),
            MetadataDirective="REPLACE",
            ContentType="application/octet-stream",
        )
    made = answer["CopyObjectResult"]
    return StoredObject(key=target_key, size=source.size, etag=bare(made["ETag"]), last_modified=made["LastModified"])


def delete(key: str) -> None:
    """Delete the object at `key`; that there is none is fine too."""
    with answers():
        client().delete_object(Bucket=settings.S3_BUCKET, Key=key)


def delete_many(keys: Sequence[str]) -> None:
    """Delete the objects at `keys`, 1,000 a request; those that are not there are fine too.

    Raises `StorageUnavailableError` when the store kept one of them; the others may be gone, run it again.
    """
    for start in range(0, len(keys), DELETE_BATCH):
        batch = keys[start : start + DELETE_BATCH]
        with answers():
            answer = client().delete_objects(
                Bucket=settings.S3_BUCKET, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
            )
        if kept := answer.get("Errors"):
            raise fault(f"{len(kept)} of {len(batch)} objects were not deleted, the first for {kept[0]}")
