"""The client of the object store, and the translation of what it raises."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.utils import parse_timestamp
from django.conf import settings
from urllib3.exceptions import HTTPError as Urllib3Error

from files.errors import StorageUnavailableError
from files.storage.outcomes import ObjectChangedError, ObjectMissingError, UploadMissingError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT = 5  # seconds in which a connection is made, or not
QUICK = 20  # seconds without a byte after which a call is given up
SLOW = 600  # the same for copy and complete, during which a store may be silent for long
CONNECTIONS = 64  # kept, by each client
# urllib3's own are what is left of a TLS connection that breaks off while a body is read.
TRANSPORT_ERRORS = (HTTPClientError, BotoConnectionError, IncompleteReadError, Urllib3Error)


@dataclass(frozen=True, slots=True)
class _Access:
    """What a client is made of, taken from the settings."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    addressing_style: Literal["path", "virtual"]


def client(read_timeout: int = QUICK) -> S3Client:
    access = _Access(
        endpoint_url=settings.S3_ENDPOINT_URL,
        region=settings.S3_REGION,
        access_key_id=settings.S3_ACCESS_KEY_ID,
        secret_access_key=settings.S3_SECRET_ACCESS_KEY,
        addressing_style=settings.S3_ADDRESSING_STYLE,
    )
    # A client for each process: connections must not be shared with a forked process.
    return _client_of(os.getpid(), access, read_timeout)


@lru_cache(maxsize=8)
def _client_of(_pid: int, access: _Access, read_timeout: int) -> S3Client:
    """Make a client, which threads may share; two that come at once make two, of which one is kept."""
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return boto3.session.Session(botocore_session=session).client(
        "s3",
        endpoint_url=access.endpoint_url,
        region_name=access.region,
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=access.secret_access_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": access.addressing_style},
            # Not every store knows the newer checksums that boto3 adds and asks for by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=CONNECT,
            read_timeout=read_timeout,
            max_pool_connections=CONNECTIONS,
        ),
    )


def _moment(value: str) -> datetime:
    """A time in an answer. What botocore uses knows every way to write one, and takes 70 % of reading a listing."""
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return parse_timestamp(value)


@contextmanager
def answers(key: str = "") -> Iterator[None]:
    """Turn what botocore raises for a call that concerns `key` into our own errors."""
    try:
        yield
    except ClientError as error:
        if status(error) == 412:
            raise ObjectChangedError(key) from error
        if code(error) == "NoSuchKey":
            raise ObjectMissingError(key) from error
        if code(error) == "NoSuchUpload":
            raise UploadMissingError(key) from error
        raise StorageUnavailableError from error
    except TRANSPORT_ERRORS as error:
        raise StorageUnavailableError from error


def fault(reason: str) -> StorageUnavailableError:
    """Return an error whose reason is for the log alone: people are not shown what S3 says."""
    error = StorageUnavailableError()
    error.add_note(reason)
    return error


def code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def bare(etag: str) -> str:
    return etag.strip().strip('"')


def quoted(etag: str) -> str:
    return f'"{bare(etag)}"'
