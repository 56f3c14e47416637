"""Presigned URLs, AWS Signature Version 4 in the query string, and presigned POSTs, the same in the fields of a form.

Follows "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "Browser-Based Uploads Using
POST (AWS Signature Version 4)" of the Amazon S3 API Reference. An own signer because a request for uploads asks for up
to 20,000 URLs at once and botocore makes 5,000 a second; the tests hold it against botocore to the letter. Signing
needs no network.

A body is not part of the signature (`UNSIGNED-PAYLOAD`), its length is where it is given as a header.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MAX_EXPIRES_IN = 7 * 24 * 60 * 60  # seconds; the longest life that SigV4 allows
ALGORITHM = "AWS4-HMAC-SHA256"
TIMESTAMP = "%Y%m%dT%H%M%SZ"
DEFAULT_PORTS = {"http": 80, "https": 443}


def presign(
    method: str,
    key: str,
    *,
    expires_in: int,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> str:
    """Return a URL that lets its holder do `method` on the object at `key` for `expires_in` seconds.

    `query` holds further parameters (`response-content-disposition`, …), in the order in which they shall
    stand. The request must carry each of `headers` (Content-Length, …) with that very value. `now` is aware
    and defaults to the present. Raises `ValueError` for a life of under a second or over seven days.
    """
    signed = {name.lower(): " ".join(value.split()) for name, value in (headers or {}).items()}
    signer = _signer(method, key, expires_in=expires_in, signed_headers=[*signed, "host"], now=now)
    lines = "".join([f"{name}:{value}\n" for name, value in sorted({**signed, "host": signer.host}.items())])
    pairs = [(quote(name, safe=""), quote(value, safe="")) for name, value in (query or {}).items()]
    return signer.url(lines, _joined(pairs), _joined(sorted(pairs)))


def presign_own(method: str, key: str, *, expires_in: int) -> str:
    """Return a URL for ourselves: at the address under which we see the store, not that under which clients do.

    Raises `ValueError` as `presign` does.
    """
    endpoint = _endpoint(settings.S3_ENDPOINT_URL, settings.S3_BUCKET, settings.S3_ADDRESSING_STYLE)
    signer = _signer(method, key, expires_in=expires_in, signed_headers=["host"], endpoint=endpoint)
    return signer.url(f"host:{signer.host}\n", "", "")


def presign_parts(
    key: str,
    upload_id: str,
    part_numbers: Sequence[int],
    *,
    expires_in: int,
    lengths: Sequence[int] | None = None,
    now: datetime | None = None,
) -> list[str]:
    """Return a URL for each part of a multipart upload, in the order of `part_numbers`, for PUT.

    `lengths` are the sizes of these parts in bytes; where given, a part of another length is refused.
    All that the parts have in common is made once, so that 10,000 URLs take 50 ms. Raises `ValueError` as
    `presign` does, and when there are not as many lengths as part numbers.
    """
    signed_headers = ["host"] if lengths is None else ["content-length", "host"]
    signer = _signer("PUT", key, expires_in=expires_in, signed_headers=signed_headers, now=now)
    host = f"host:{signer.host}\n"
    if lengths is None:
        lines = [host] * len(part_numbers)
    else:
        lines = [f"content-length:{length}\n{host}" for length in lengths]
    upload = f"uploadId={quote(upload_id, safe='')}"
    return [
        signer.url(own_lines, f"{upload}&partNumber={number}", f"partNumber={number}&{upload}")
        for number, own_lines in zip(part_numbers, lines, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """Where a form is to be sent, `fields` first and then the object's bytes as `file`."""

    url: str
    fields: Mapping[str, str]


def presign_post(
    key: str, *, expires_in: int, shortest: int, longest: int, now: datetime | None = None
) -> PresignedPost:
    """Return a form that puts one object at `key`, of `shortest` to `longest` bytes, within `expires_in` seconds.

    A browser sends it across origins without asking first (a preflight), which it does before each PUT. Some stores
    take fields of the sender's own beside these, such as a type, which the verifier's copy does not keep. Raises
    `ValueError` as `presign` does.
    """
    endpoint = _public_endpoint()
    moment = _moment(now)
    scope = _scope(moment, expires_in)
    fields = {
        "key": key,
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": f"{settings.S3_ACCESS_KEY_ID}/{scope}",
        "x-amz-date": moment.strftime(TIMESTAMP),
    }
    expiration = (moment + timedelta(seconds=expires_in)).strftime("%Y-%m-%dT%H:%M:%SZ")
    own: list[object] = [["content-length-range", shortest, longest], {"bucket": settings.S3_BUCKET}]
    conditions = own + [{name: value} for name, value in fields.items()]
    policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode())
    signing_key = _signing_key(settings.S3_SECRET_ACCESS_KEY, scope[:8], settings.S3_REGION)
    signature = hmac.digest(signing_key, policy, "sha256").hex()
    fields |= {"policy": policy.decode(), "x-amz-signature": signature}
    return PresignedPost(f"{endpoint.origin}{endpoint.bucket_path or '/'}", fields)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Where the bucket is found: `origin` as in the URL, `host` as in the Host header."""

    origin: str
    host: str
    bucket_path: str


@dataclass(frozen=True, slots=True)
class _Signer:
    """All that the URLs for one method, key and moment have in common, in the form in which it is signed."""

    method: str
    origin: str
    host: str
    path: str
    authentication: str
    header_names: str
    string_to_sign: str
    signing_key: bytes

    def url(self, header_lines: str, query: str, sorted_query: str) -> str:
        """Sign one URL with a query of its own, given encoded, both as it shall stand and sorted.

        Every own parameter of S3 begins with a lower-case letter and so sorts behind the `X-Amz-` ones.
        """
        request = (
            f"{self.method}\n{self.path}\n{self.authentication}{'&' * bool(query)}{sorted_query}\n"
            f"{header_lines}\n{self.header_names}\nUNSIGNED-PAYLOAD"
        )
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"{self.string_to_sign}{digest}"
        signature = hmac.digest(self.signing_key, text.encode(), "sha256").hex()
        return f"{self.origin}{self.path}?{query}{'&' * bool(query)}{self.authentication}&X-Amz-Signature={signature}"


def _signer(
    method: str,
    key: str,
    *,
    expires_in: int,
    signed_headers: Sequence[str],
    now: datetime | None = None,
    endpoint: _Endpoint | None = None,
) -> _Signer:
    endpoint = endpoint or _public_endpoint()
    moment = _moment(now)
    timestamp, scope = moment.strftime(TIMESTAMP), _scope(moment, expires_in)
    header_names = ";".join(sorted(signed_headers))
    return _Signer(
        method=method,
        origin=endpoint.origin,
        host=endpoint.host,
        path=f"{endpoint.bucket_path}/{quote(key, safe='/')}",
        authentication=(
            f"X-Amz-Algorithm={ALGORITHM}"
            f"&X-Amz-Credential={quote(f'{settings.S3_ACCESS_KEY_ID}/{scope}', safe='')}"
            f"&X-Amz-Date={timestamp}&X-Amz-Expires={expires_in}"
            f"&X-Amz-SignedHeaders={quote(header_names, safe='')}"
        ),
        header_names=header_names,
        string_to_sign=f"{ALGORITHM}\n{timestamp}\n{scope}\n",
        signing_key=_signing_key(settings.S3_SECRET_ACCESS_KEY, scope[:8], settings.S3_REGION),
    )


def _moment(now: datetime | None) -> datetime:
    return (now or datetime.now(UTC)).astimezone(UTC)


def _scope(moment: datetime, expires_in: int) -> str:
    """What a signature is good for, beginning with its day."""
    if not 1 <= expires_in <= MAX_EXPIRES_IN:
        raise ValueError(f"A presigned URL lives 1 to {MAX_EXPIRES_IN} seconds, not {expires_in}.")
    return f"{moment:%Y%m%d}/{settings.S3_REGION}/s3/aws4_request"


def _public_endpoint() -> _Endpoint:
    return _endpoint(settings.S3_PUBLIC_ENDPOINT_URL, settings.S3_BUCKET, settings.S3_ADDRESSING_STYLE)


def _joined(pairs: Sequence[tuple[str, str]]) -> str:
    return "&".join([f"{name}={value}" for name, value in pairs])


@lru_cache(maxsize=4)
def _signing_key(secret: str, date: str, region: str) -> bytes:
    """Derive the key of a day; the same for all URLs of that day."""
    signing_key = f"AWS4{secret}".encode()
    for step in (date, region, "s3", "aws4_request"):
        signing_key = hmac.digest(signing_key, step.encode(), "sha256")
    return signing_key


@lru_cache(maxsize=4)
def _endpoint(url: str, bucket: str, addressing_style: str) -> _Endpoint:
    """Put the bucket into the path or into the host name, as `S3_ADDRESSING_STYLE` says."""
    parts = urlsplit(url)
    netloc, bucket_path = parts.netloc, parts.path.rstrip("/")
    if addressing_style == "virtual":
        netloc = f"{bucket}.{netloc}"
    elif addressing_style == "path":
        bucket_path = f"{bucket_path}/{bucket}"
    else:
        raise ImproperlyConfigured(f"S3_ADDRESSING_STYLE is path or virtual, not {addressing_style!r}.")
    # Clients leave the scheme's own port out of the Host header, so it is not signed either.
    host = netloc.lower().removesuffix(f":{DEFAULT_PORTS.get(parts.scheme)}")
    return _Endpoint(origin=f"{parts.scheme}://{netloc}", host=host, bucket_path=bucket_path)
