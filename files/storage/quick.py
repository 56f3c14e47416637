"""HEAD and GET of one object without botocore's model of the API, which takes three times as long as the rest.

Only a plain answer is taken here. Anything else, a missing object, a fault or a redirect among it, is None, upon which
the caller asks again by way of the client, which tries repeatedly and knows what errors mean.
"""

from __future__ import annotations

import os
from email.utils import parsedate_to_datetime
from functools import lru_cache

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from django.conf import settings

from files.signing import presign_own
from files.storage.client import CONNECT, CONNECTIONS, QUICK, TRANSPORT_ERRORS, bare, quoted
from files.storage.outcomes import StoredObject

EXPIRES_IN = 900  # seconds; as far as the clocks of client and store may differ in a request of botocore's


def head(key: str) -> StoredObject | None:
    """The object at `key`; None if the store does not simply say what it is."""
    answer = _answer("HEAD", key)
    if answer is None:
        return None
    try:
        size, last_modified = (
            int(answer.headers["Content-Length"]),
            parsedate_to_datetime(answer.headers["Last-Modified"]),
        )
        return StoredObject(key=key, size=size, etag=bare(answer.headers["ETag"]), last_modified=last_modified)
    except (KeyError, ValueError):
        return None


def get(key: str, etag: str, size: int) -> bytes | None:
    """The bytes of the object at `key` that has this ETag, without quotes, and this size; None if they do not come."""
    answer = _answer("GET", key, {"If-Match": quoted(etag)})
    if answer is None or bare(answer.headers.get("ETag", "")) != etag or len(answer.content) != size:
        return None
    return answer.content


def _answer(method: str, key: str, headers: dict[str, str] | None = None) -> AWSResponse | None:
    url = presign_own(method, key, expires_in=EXPIRES_IN)
    request = AWSPreparedRequest(method, url, HeadersDict(headers or {}), body=None, stream_output=False)  # type: ignore[arg-type]
    try:
        answer = _session(os.getpid(), settings.S3_ENDPOINT_URL).send(request)
    except TRANSPORT_ERRORS:
        return None
    return answer if answer.status_code == 200 else None


@lru_cache(maxsize=4)
def _session(_pid: int, endpoint_url: str) -> URLLib3Session:
    """What botocore sends with: its connections, time-outs, proxies and certificates; threads may share it."""
    return URLLib3Session(
        verify=os.environ.get("AWS_CA_BUNDLE") or True,  # type: ignore[arg-type]
        proxies=get_environ_proxies(endpoint_url),
        timeout=(CONNECT, QUICK),  # type: ignore[arg-type]
        max_pool_connections=CONNECTIONS,
    )
