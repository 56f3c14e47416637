"""Reading objects of any size through connections that may break."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from files.errors import StorageUnavailableError
from files.storage import quick
from files.storage.client import answers, bare, client, fault, quoted
from files.storage.outcomes import ObjectChangedError

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, GetObjectRequestTypeDef

log = structlog.get_logger(__name__)

MEBIBYTE = 1024 * 1024
STREAM_RETRIES = 5  # how many more connections are made that bring less than a chunk each
STREAM_BACKOFF = 0.2  # seconds before the first of these retries, doubled each time


@contextmanager
def open_stream(
    key: str, *, etag: str, start: int = 0, chunk_size: int = MEBIBYTE, size: int | None = None
) -> Iterator[Iterator[bytes]]:
    """Read the object at `key` that has `etag`, from byte `start` to its end, in chunks of `chunk_size`.

    Where its `size` is known, and is a single chunk's, that comes by a cheaper way.

    The bytes are those that are stored, whatever Content-Encoding they have; a chunk may be shorter. Where a
    connection breaks off, another goes on; an end before the object's end is never taken for one. While
    reading raises `ObjectMissingError`, `ObjectChangedError`, and, when `STREAM_RETRIES` more connections in
    a row brought less than a chunk each (within half a minute while they are refused),
    `StorageUnavailableError`. `start` must lie inside the object.
    """
    if size is not None and size <= chunk_size and not start:
        content = quick.get(key, bare(etag), size)
        if content is not None:
            yield iter([content])
            return
    with closing(_chunks(key, bare(etag), start, chunk_size)) as chunks:
        yield chunks


def _chunks(key: str, etag: str, start: int, chunk_size: int) -> Generator[bytes]:
    position, failures = start, 0
    while True:
        began_at = position
        try:
            with closing(_chunks_of_one_answer(key, etag, position, chunk_size)) as chunks:
                for chunk in chunks:
                    position += len(chunk)
                    yield chunk
        except StorageUnavailableError:
            failures = failures + 1 if position - began_at < chunk_size else 1
            if failures > STREAM_RETRIES:
                raise
            log.warning("stream broke off", key=key, position=position, failures=failures, exc_info=True)
            time.sleep(STREAM_BACKOFF * 2 ** (failures - 1))
        else:
            return


def _chunks_of_one_answer(key: str, etag: str, start: int, chunk_size: int) -> Generator[bytes]:
    with answers(key):
        request: GetObjectRequestTypeDef = {
            "Bucket": settings.S3_BUCKET,
            "Key": key,
            "IfMatch": quoted(etag),
        }
        if start:
            request["Range"] = f"bytes={start}-"
        answer = client().get_object(**request)
        with closing(answer["Body"]) as body:
            if bare(answer["ETag"]) != etag:
                raise ObjectChangedError(key)
            position, total = start, _total_size(answer, start)
            while chunk := body.read(chunk_size):
                position += len(chunk)
                yield chunk
            if position != total:
                raise fault(f"the answer ended at byte {position} of {total}")


def _total_size(answer: GetObjectOutputTypeDef, start: int) -> int:
    """Return the size of the whole object, once it is sure that the answer goes from `start` to its end."""
    if not start:
        return answer["ContentLength"]
    content_range = answer.get("ContentRange", "")
    total = content_range.rpartition("/")[2]
    if not total.isdecimal() or content_range != f"bytes {start}-{int(total) - 1}/{total}":
        raise fault(f"asked for the bytes from {start}, the store answers {content_range!r}")
    return int(total)
