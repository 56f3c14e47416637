"""Presigned URLs and POSTs, held against the documentation's example, against botocore and against a real store."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from django.conf import settings as live_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils.http import content_disposition_header
from hypothesis import given, settings
from hypothesis import strategies as st

from files import signing, storage
from files.signing import PresignedPost
from tests import web

HOUR = 3600
ACCESS_KEY_ID = "AKIA/odd+key"
SECRET = "secret/with+odd=letters"
# What a UTF-8 key may consist of; a lone surrogate has no bytes to sign.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
PLACES = [
    ("http://127.0.0.1:8333", "path"),
    ("https://s3.example.org", "path"),
    ("https://s3.example.org:443", "path"),
    ("http://S3.Example.org:80", "path"),
    ("https://gateway.example.org:9000/s3", "path"),
    ("https://s3.example.org", "virtual"),
    ("https://s3.example.org:9000", "virtual"),
]


@dataclass(frozen=True)
class Asked:
    """What every URL is asked for with."""

    place: tuple[str, str]
    region: str
    key: str
    expires_in: int
    now: datetime


ASKED = st.builds(
    Asked,
    place=st.sampled_from(PLACES),
    region=st.sampled_from(["us-east-1", "eu-central-1", "garage"]),
    key=TEXT,
    expires_in=st.integers(1, signing.MAX_EXPIRES_IN),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)


@lru_cache
def botocore_client(endpoint: str, style: Any, region: str) -> Any:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": style},
            request_checksum_calculation="when_required",
        ),
    )


def botocore_url(asked: Asked, operation: str, **params: Any) -> str:
    client = botocore_client(*asked.place, asked.region)
    params = {"Bucket": "media", "Key": asked.key, **params}
    with patch("botocore.auth.get_current_datetime", lambda: asked.now.replace(tzinfo=None)):
        url: str = client.generate_presigned_url(operation, Params=params, ExpiresIn=asked.expires_in)
    return url


def botocore_post(asked: Asked, length_range: Sequence[int]) -> Any:
    client = botocore_client(*asked.place, asked.region)
    now = asked.now.replace(tzinfo=None)
    with (
        patch("botocore.auth.get_current_datetime", lambda: now),
        patch("botocore.signers.get_current_datetime", lambda: now),
    ):
        return client.generate_presigned_post(
            "media", asked.key, Conditions=[["content-length-range", *length_range]], ExpiresIn=asked.expires_in
        )


def settings_for(asked: Asked) -> Any:
    return override_settings(
        S3_PUBLIC_ENDPOINT_URL=asked.place[0],
        S3_ADDRESSING_STYLE=asked.place[1],
        S3_REGION=asked.region,
        S3_BUCKET="media",
        S3_ACCESS_KEY_ID=ACCESS_KEY_ID,
        S3_SECRET_ACCESS_KEY=SECRET,
    )


def test_the_url_of_the_documentations_example_comes_out() -> None:
    """The example of "Authenticating Requests: Using Query Parameters" in the Amazon S3 API Reference."""
    with override_settings(
        S3_PUBLIC_ENDPOINT_URL="https://s3.amazonaws.com",
        S3_ADDRESSING_STYLE="virtual",
        S3_REGION="us-east-1",
        S3_BUCKET="examplebucket",
        S3_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        S3_SECRET_ACCESS_KEY="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ):
        url = signing.presign("GET", "test.txt", expires_in=86400, now=datetime(2013, 5, 24, tzinfo=UTC))
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


@settings(deadline=None)  # the first URL of a place waits for botocore's client
@given(ASKED, st.sampled_from(["get_object", "head_object"]), TEXT, TEXT)
def test_a_download_url_is_botocores_to_the_letter(
    asked: Asked, operation: str, disposition: str, content_type: str
) -> None:
    theirs = botocore_url(asked, operation, ResponseContentDisposition=disposition, ResponseContentType=content_type)
    method = "GET" if operation == "get_object" else "HEAD"
    query = {"response-content-disposition": disposition, "response-content-type": content_type}
    with settings_for(asked):
        ours = signing.presign(method, asked.key, expires_in=asked.expires_in, query=query, now=asked.now)
    assert ours == theirs


@settings(deadline=None)  # the first URL of a place waits for botocore's client
@given(ASKED, st.none() | st.integers(0, 5 * 1024**3))
def test_an_upload_url_is_botocores_to_the_letter(asked: Asked, length: int | None) -> None:
    params = {} if length is None else {"ContentLength": length}
    theirs = botocore_url(asked, "put_object", **params)
    headers = {} if length is None else {"Content-Length": str(length)}
    with settings_for(asked):
        ours = signing.presign("PUT", asked.key, expires_in=asked.expires_in, headers=headers, now=asked.now)
    assert ours == theirs


@settings(deadline=None)  # the first URL of a place waits for botocore's client
@given(ASKED, TEXT, st.lists(st.integers(1, 10_000), max_size=3), st.booleans())
def test_the_urls_of_parts_are_botocores_to_the_letter(
    asked: Asked, upload_id: str, numbers: list[int], with_lengths: bool
) -> None:
    lengths = [number * 1000 for number in numbers] if with_lengths else None
    theirs = []
    for number in numbers:
        length = {"ContentLength": number * 1000} if with_lengths else {}
        theirs.append(botocore_url(asked, "upload_part", UploadId=upload_id, PartNumber=number, **length))
    with settings_for(asked):
        ours = signing.presign_parts(
            asked.key, upload_id, numbers, expires_in=asked.expires_in, lengths=lengths, now=asked.now
        )
    assert ours == theirs


@settings(deadline=None)  # the first of a place waits for botocore's client
@given(ASKED, st.tuples(st.integers(0, 5 * 1024**3), st.integers(0, 5 * 1024**3)))
def test_a_presigned_post_is_botocores_to_the_letter(asked: Asked, length_range: tuple[int, int]) -> None:
    theirs = botocore_post(asked, length_range)
    shortest, longest = length_range
    with settings_for(asked):
        ours = signing.presign_post(
            asked.key, expires_in=asked.expires_in, shortest=shortest, longest=longest, now=asked.now
        )
    assert (ours.url, ours.fields) == (theirs["url"], theirs["fields"])


def test_the_order_of_the_query_does_not_count() -> None:
    names = ["response-expires", "response-content-type", "response-content", "partNumber"]
    now = datetime.now(UTC)
    signatures = {
        signing.presign("GET", "a", expires_in=HOUR, query=dict.fromkeys(order, "x"), now=now)[-64:]
        for order in (names, sorted(names))
    }
    assert len(signatures) == 1


def test_the_signing_key_of_one_day_is_not_used_on_another() -> None:
    for day in (1, 2):
        now = datetime(2026, 1, day, 12, tzinfo=UTC)
        asked = Asked(place=PLACES[0], region="us-east-1", key="a", expires_in=HOUR, now=now)
        with settings_for(asked):
            ours = signing.presign("GET", "a", expires_in=HOUR, now=now)
        assert ours == botocore_url(asked, "get_object")


@pytest.mark.parametrize("life", [0, -1, signing.MAX_EXPIRES_IN + 1])
def test_a_life_that_sigv4_does_not_know_is_refused(life: int) -> None:
    with pytest.raises(ValueError, match="seconds"):
        signing.presign("GET", "a", expires_in=life)
    with pytest.raises(ValueError, match="seconds"):
        signing.presign_parts("a", "upload", [1], expires_in=life)


def test_as_many_lengths_as_parts_are_asked_for() -> None:
    with pytest.raises(ValueError, match="shorter"):
        signing.presign_parts("a", "upload", [1, 2], expires_in=HOUR, lengths=[5])


def test_an_unknown_addressing_style_is_told() -> None:
    with override_settings(S3_ADDRESSING_STYLE="auto"), pytest.raises(ImproperlyConfigured, match="'auto'"):
        signing.presign("GET", "a", expires_in=HOUR)


# --- against the store ---


@pytest.fixture
def key() -> str:
    return f"tests/{uuid4()}/a b+ü~'%.fastq"


def put(url: str, body: bytes = b"hello") -> int:
    return web.put(url, content=body).status_code


def test_a_bare_curl_uploads_a_file(key: str, tmp_path: Path) -> None:
    source = tmp_path / "reads.fastq"
    source.write_bytes(b"@r1\nACGT\n+\n!!!!\n")
    url = signing.presign("PUT", key, expires_in=HOUR)
    curl = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", "-T", str(source), url]
    assert subprocess.run(curl, check=True, capture_output=True).stdout == b"200"
    stored = storage.head(key)
    assert stored is not None
    assert stored.size == 16


def test_a_url_that_was_tampered_with_is_refused(key: str) -> None:
    url = signing.presign("PUT", key, expires_in=HOUR)
    assert put(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200")) == 403
    assert put(url.replace("/tests/", "/other/")) == 403
    assert put(url + "&partNumber=1") == 403
    assert put(url[:-1] + ("1" if url[-1] == "0" else "0")) == 403
    assert put(url) == 200


def test_a_url_is_good_for_its_method_alone(key: str) -> None:
    url = signing.presign("GET", key, expires_in=HOUR)
    assert put(url) == 403
    assert storage.head(key) is None


def test_an_expired_url_is_refused(key: str) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert put(signing.presign("PUT", key, expires_in=HOUR - 60, now=an_hour_ago)) == 403
    assert put(signing.presign("PUT", key, expires_in=HOUR + 60, now=an_hour_ago)) == 200


@pytest.mark.parametrize("body", [b"hell", b"hello!", b""])
def test_another_length_than_the_signed_one_is_refused(key: str, body: bytes) -> None:
    url = signing.presign("PUT", key, expires_in=HOUR, headers={"Content-Length": "5"})
    assert put(url, body) == 403
    assert storage.head(key) is None
    assert put(url, b"hello") == 200


def test_a_part_of_another_length_than_the_signed_one_is_refused(key: str) -> None:
    upload_id = storage.create_multipart(key)
    first, second = signing.presign_parts(key, upload_id, [1, 2], expires_in=HOUR, lengths=[5, 3])
    assert put(first, b"abc") == 403
    assert put(second, b"abc") == 200
    assert put(first, b"hello") == 200
    assert [part.size for part in storage.list_parts(key=key, upload_id=upload_id)] == [5, 3]
    storage.abort_multipart(key=key, upload_id=upload_id)


def post(form: PresignedPost, body: bytes = b"hello", **changed: str) -> int:
    fields = {**form.fields, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return web.post(form.url, data=fields, files={"file": body}).status_code


def test_a_form_uploads_one_file_of_the_signed_length_to_its_place(key: str) -> None:
    form = signing.presign_post(key, expires_in=HOUR, shortest=5, longest=5)
    assert post(form, b"hell") == 400
    assert post(form, b"hello!") == 400
    assert post(form, key=key + "2") == 403
    another = signing.presign_post(key + "2", expires_in=HOUR, shortest=5, longest=5)
    assert post(form, policy=another.fields["policy"]) == 403
    assert post(form, x_amz_meta_more="1") == 403
    assert [storage.head(key), storage.head(key + "2")] == [None, None]
    assert post(form) == 204
    stored = storage.head(key)
    assert stored is not None
    assert stored.size == 5


def test_an_expired_form_is_refused(key: str) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    about_an_hour = ((HOUR - 60, 403), (HOUR + 60, 204))
    for seconds, status in about_an_hour:
        form = signing.presign_post(key, expires_in=seconds, shortest=0, longest=5, now=an_hour_ago)
        assert post(form) == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_download_is_an_attachment_with_the_name_asked_for(key: str, method: str) -> None:
    put(signing.presign("PUT", key, expires_in=HOUR), b"12345")
    disposition = content_disposition_header(as_attachment=True, filename='Räds "1".fastq.gz')
    assert disposition is not None
    query = {
        "response-content-disposition": disposition,
        "response-content-type": "application/octet-stream",
    }
    answer = web.request(method, signing.presign(method, key, expires_in=HOUR, query=query))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == disposition
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-length"] == "5"
    assert answer.content == (b"12345" if method == "GET" else b"")


def test_urls_are_signed_for_the_public_address(key: str) -> None:
    public = live_settings.S3_ENDPOINT_URL.replace("127.0.0.1", "localhost")
    with override_settings(S3_PUBLIC_ENDPOINT_URL=public):
        url = signing.presign("PUT", key, expires_in=HOUR)
    assert url.startswith(f"{public}/")
    assert put(url) == 200
    assert put(url.replace("localhost", "127.0.0.1")) == 403
