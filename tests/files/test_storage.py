"""What `files.storage` says of a real object store, and of one that fails."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import httpx
import pytest
from django.conf import settings as live_settings
from pytest_django import Settings

from embedded.programs import wait_until
from files import signing, storage
from files.storage.client import client
from tests import web

PART = storage.MIN_PART_SIZE
NO_ETAG = "0" * 32
NOW = datetime.now(UTC)  # which does not count when objects are compared


@pytest.fixture
def prefix() -> str:
    return f"tests/{uuid4()}/"


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def put(key: str, body: bytes, **headers: str) -> storage.StoredObject:
    """Upload as a submitter does, and return what the store should now have."""
    url = signing.presign("PUT", key, expires_in=60)
    assert web.put(url, content=body, headers=headers).status_code == 200
    return storage.StoredObject(key=key, size=len(body), etag=md5(body), last_modified=NOW)


def put_part(key: str, upload_id: str, part_number: int, body: bytes) -> tuple[int, str]:
    """Upload one part as a submitter does, and return its number and the ETag that the submitter sees."""
    [url] = signing.presign_parts(key, upload_id, [part_number], expires_in=60)
    answer = web.put(url, content=body)
    assert answer.status_code == 200
    return part_number, answer.headers["etag"]


def fetch(key: str) -> httpx.Response:
    return web.get(signing.presign("GET", key, expires_in=60), headers={"Accept-Encoding": "identity"})


# --- objects ---


def test_head_tells_size_and_etag_or_none(prefix: str) -> None:
    stored = put(prefix + "a", b"hello")
    assert storage.head(prefix + "a") == stored
    assert storage.head(prefix + "b") is None


def test_a_listing_gives_what_begins_with_the_prefix_in_key_order(prefix: str) -> None:
    odd = put(prefix + "in/ü &<a>+%41", b"1")
    empty = put(prefix + "in/b", b"")
    put(prefix + "out", b"2")
    assert list(storage.list_prefix(prefix + "in/")) == sorted([odd, empty], key=lambda stored: stored.key)
    assert list(storage.list_prefix(prefix + "none/")) == []


def test_a_listing_tells_when_an_object_came_and_a_copy_is_as_young_as_it_is(prefix: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)  # the store counts whole seconds
    source = put(prefix + "a", b"hello")
    [first] = storage.list_prefix(prefix)
    assert before <= first.last_modified <= datetime.now(UTC)
    assert wait_until(lambda: datetime.now(UTC) - first.last_modified > timedelta(seconds=1.5), 5)
    copy = storage.copy_frozen(source, prefix + "b")
    assert copy.last_modified > first.last_modified


def test_a_listing_goes_on_behind_the_first_page_and_all_of_it_can_be_deleted(prefix: str) -> None:
    keys = [f"{prefix}many/{number:04}" for number in range(1001)]
    with web.client() as sender:
        for key in keys:
            assert sender.put(signing.presign("PUT", key, expires_in=60), content=b"x").status_code == 200
    assert [stored.key for stored in storage.list_prefix(prefix + "many/")] == keys
    storage.delete_many([*keys, prefix + "never-there"])
    assert list(storage.list_prefix(prefix)) == []


def test_deleting_twice_is_fine(prefix: str) -> None:
    put(prefix + "a", b"hello")
    storage.delete(prefix + "a")
    storage.delete(prefix + "a")
    storage.delete_many([])
    assert storage.head(prefix + "a") is None


def test_a_frozen_copy_has_the_bytes_and_nothing_else_of_what_was_sent(prefix: str) -> None:
    headers = {"content-type": "text/html", "content-encoding": "gzip", "x-amz-meta-mine": "1"}
    url = signing.presign("PUT", prefix + "a b+ü", expires_in=60, headers=headers)
    body = gzip.compress(b"<script>")
    assert web.put(url, content=body, headers=headers).status_code == 200
    source = storage.head(prefix + "a b+ü")
    assert source is not None

    copy = storage.copy_frozen(source, prefix + "copy")

    assert copy == storage.StoredObject(key=prefix + "copy", size=len(body), etag=source.etag, last_modified=NOW)
    answer = fetch(copy.key)
    assert answer.content == body
    assert answer.headers["content-type"] == "application/octet-stream"
    assert not {"content-encoding", "x-amz-meta-mine"} & set(answer.headers)


def test_a_source_that_was_overwritten_is_not_copied(prefix: str) -> None:
    old = put(prefix + "a", b"old")
    new = put(prefix + "a", b"new")
    with pytest.raises(storage.ObjectChangedError, match=prefix):
        storage.copy_frozen(old, prefix + "copy")
    assert storage.head(prefix + "copy") is None
    storage.copy_frozen(new, prefix + "copy")
    assert fetch(prefix + "copy").content == b"new"


def test_a_source_that_is_missing_is_told(prefix: str) -> None:
    with pytest.raises(storage.ObjectMissingError, match=prefix):
        storage.copy_frozen(storage.StoredObject(prefix + "a", 1, NO_ETAG, NOW), prefix + "copy")


def test_the_bucket_is_ready() -> None:
    assert storage.bucket_ready()


# --- multipart uploads ---


def test_parts_become_an_object_whatever_their_order_and_gaps(prefix: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    last = put_part(prefix + "a", upload_id, 7, b"tail")
    first = put_part(prefix + "a", upload_id, 2, b"x" * PART)

    made = storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[last, first])

    assert made == storage.head(prefix + "a")
    assert made.size == PART + 4
    assert made.etag == storage.multipart_etag([last, first])
    answer = fetch(prefix + "a")
    assert answer.content == b"x" * PART + b"tail"
    assert answer.headers["content-type"] == "application/octet-stream"


def test_parts_are_listed_by_number_and_the_latest_of_each(prefix: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    assert storage.list_parts(key=prefix + "a", upload_id=upload_id) == []
    # Numbers whose order as text is another, and enough of them that no lucky order passes for the latest.
    numbers = [10_000, 1_000, 3, 20, 100, 9_999, 1, 2]
    for number in numbers:
        put_part(prefix + "a", upload_id, number, b"old")
    sent_at = time.time()
    while int(time.time()) == int(sent_at):  # the store keeps whole seconds
        time.sleep(0.02)
    for number in numbers:
        put_part(prefix + "a", upload_id, number, b"newer")
    newer = md5(b"newer")
    assert storage.list_parts(key=prefix + "a", upload_id=upload_id) == [
        storage.StoredPart(part_number=number, size=5, etag=newer) for number in sorted(numbers)
    ]


@pytest.mark.parametrize("etag", [NO_ETAG, "", "not an etag", "<&\"'>", "\x00\ud800", '""'])
def test_a_part_with_another_etag_is_named_and_the_upload_goes_on(prefix: str, etag: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    parts = [put_part(prefix + "a", upload_id, 1, b"x" * PART), put_part(prefix + "a", upload_id, 2, b"tail")]
    with pytest.raises(storage.PartMissingError) as caught:
        storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[parts[0], (2, etag)])
    assert caught.value.part_number == 2
    assert storage.head(prefix + "a") is None
    storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=parts)


def test_a_part_that_was_never_sent_is_named(prefix: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    with pytest.raises(storage.PartMissingError) as caught:
        storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[(4, NO_ETAG)])
    assert caught.value.part_number == 4
    sent = put_part(prefix + "a", upload_id, 1, b"x" * PART)
    with pytest.raises(storage.PartMissingError) as caught:
        storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[sent, (3, sent[1])])
    assert caught.value.part_number == 3


def test_a_part_that_is_too_small_is_named_unless_it_is_the_last(prefix: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    first = put_part(prefix + "a", upload_id, 1, b"x" * PART)
    second = put_part(prefix + "a", upload_id, 2, b"y" * (PART - 1))
    third = put_part(prefix + "a", upload_id, 3, b"z")
    with pytest.raises(storage.PartTooSmallError) as caught:
        storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[first, second, third])
    assert (caught.value.part_number, caught.value.size) == (2, PART - 1)
    storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[first, second])


def test_an_upload_is_not_completed_with_nothing(prefix: str) -> None:
    with pytest.raises(ValueError, match="one part"):
        storage.complete_multipart(key=prefix + "a", upload_id="any", parts=[])


def test_a_repeated_complete_is_settled_by_head_and_etag(prefix: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    parts = [put_part(prefix + "a", upload_id, 1, b"x" * PART), put_part(prefix + "a", upload_id, 2, b"tail")]
    made = storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=parts)
    # SeaweedFS answers with what there is, also to another list; AWS may say that there is no such upload.
    again = storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=parts[:1])
    assert again == made
    assert again.etag == storage.multipart_etag(parts)
    assert again.etag != storage.multipart_etag(parts[:1])


def test_uploads_under_way_are_listed_by_prefix_until_they_are_completed_or_aborted(prefix: str) -> None:
    keys = [f"{prefix}in/{number}" for number in range(4)]
    ids = storage.create_many_multiparts([*keys, prefix + "out"])
    parts = [put_part(keys[0], ids[0], 1, b"x")]
    storage.complete_multipart(key=keys[0], upload_id=ids[0], parts=parts)
    storage.abort_multipart(key=keys[1], upload_id=ids[1])
    listed = sorted(storage.list_multiparts(prefix + "in/"), key=lambda upload: upload.key)
    assert [(upload.key, upload.upload_id) for upload in listed] == [(keys[2], ids[2]), (keys[3], ids[3])]
    assert all(timedelta() <= datetime.now(UTC) - upload.initiated_at < timedelta(minutes=1) for upload in listed)


def test_a_listing_of_uploads_under_way_goes_on_behind_the_first_page(prefix: str) -> None:
    keys = {f"{prefix}{number:04}" for number in range(1_005)}
    storage.create_many_multiparts(sorted(keys))
    assert {upload.key for upload in storage.list_multiparts(prefix)} == keys


def test_an_upload_that_was_aborted_is_missing_and_aborting_again_is_fine(prefix: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    part = put_part(prefix + "a", upload_id, 1, b"x")
    storage.abort_multipart(key=prefix + "a", upload_id=upload_id)
    storage.abort_multipart(key=prefix + "a", upload_id=upload_id)
    storage.abort_multipart(key=prefix + "a", upload_id="never-was")
    with pytest.raises(storage.UploadMissingError):
        storage.list_parts(key=prefix + "a", upload_id=upload_id)
    with pytest.raises(storage.UploadMissingError):
        storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[part])


def test_aborting_a_completed_upload_leaves_its_object(prefix: str) -> None:
    upload_id = storage.create_multipart(prefix + "a")
    part = put_part(prefix + "a", upload_id, 1, b"x")
    made = storage.complete_multipart(key=prefix + "a", upload_id=upload_id, parts=[part])
    storage.abort_multipart(key=prefix + "a", upload_id=upload_id)
    assert storage.head(prefix + "a") == made


def test_the_etag_of_parts_is_known_beforehand() -> None:
    one, two = (md5(body) for body in (b"one", b"two"))
    both = md5(bytes.fromhex(one + two))
    assert storage.multipart_etag([(2, f'"{two}"'), (1, one.upper())]) == f"{both}-2"
    assert storage.multipart_etag([(1, "not-an-md5")]) is None


def test_many_uploads_begin_at_once_in_the_order_of_their_keys(prefix: str) -> None:
    keys = [f"{prefix}{number}" for number in range(40)]
    upload_ids = storage.create_many_multiparts(keys)
    assert len(set(upload_ids)) == 40
    for key, upload_id in zip(keys, upload_ids, strict=True):
        assert storage.list_parts(key=key, upload_id=upload_id) == []
        storage.abort_multipart(key=key, upload_id=upload_id)
    assert storage.create_many_multiparts([]) == []


def test_when_one_of_many_uploads_cannot_begin_none_is_left_behind(prefix: str) -> None:
    keys = [f"{prefix}{number}" for number in range(20)]
    with pytest.raises(storage.StorageUnavailableError):
        storage.create_many_multiparts([*keys, prefix + "k" * 1100])
    answer = client().list_multipart_uploads(Bucket=live_settings.S3_BUCKET, Prefix=prefix)
    assert answer.get("Uploads", []) == []


# --- a store that fails ---

CALLS: dict[str, Callable[[], object]] = {
    "head": lambda: storage.head("a"),
    "list_prefix": lambda: list(storage.list_prefix("a")),
    "copy_frozen": lambda: storage.copy_frozen(storage.StoredObject("a", 1, NO_ETAG, NOW), "b"),
    "create_multipart": lambda: storage.create_multipart("a"),
    "create_many_multiparts": lambda: storage.create_many_multiparts(["a", "b"]),
    "list_parts": lambda: storage.list_parts(key="a", upload_id="u"),
    "complete_multipart": lambda: storage.complete_multipart(key="a", upload_id="u", parts=[(1, NO_ETAG)]),
    "abort_multipart": lambda: storage.abort_multipart(key="a", upload_id="u"),
    "delete": lambda: storage.delete("a"),
    "delete_many": lambda: storage.delete_many(["a"]),
    "bucket_ready": storage.bucket_ready,
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@each_call
def test_a_store_that_refuses_us_is_unavailable(call: Callable[[], object], settings: Settings) -> None:
    settings.S3_SECRET_ACCESS_KEY = "no-longer-ours"
    with pytest.raises(storage.StorageUnavailableError) as caught:
        call()
    assert "SignatureDoesNotMatch" not in caught.value.detail


@each_call
def test_a_store_whose_bucket_is_gone_says_nothing_of_objects(call: Callable[[], object], settings: Settings) -> None:
    with store_that_only_says(404, b"<Error><Code>NoSuchBucket</Code></Error>") as address:
        settings.S3_ENDPOINT_URL = address
        if call is storage.bucket_ready:
            assert not storage.bucket_ready()
        else:
            with pytest.raises(storage.StorageUnavailableError):
                call()


@pytest.mark.parametrize("status", [429, 503])
def test_a_store_that_is_overloaded_is_unavailable(status: int, settings: Settings) -> None:
    with store_that_only_says(status, b"<Error><Code>SlowDown</Code></Error>") as address:
        settings.S3_ENDPOINT_URL = address
        with pytest.raises(storage.StorageUnavailableError):
            storage.head("a")


def test_something_that_is_no_store_is_unavailable(settings: Settings) -> None:
    with store_that_only_says(200, b"<html><p>Please log in to this network") as address:
        settings.S3_ENDPOINT_URL = address
        with pytest.raises(storage.StorageUnavailableError):
            storage.list_parts(key="a", upload_id="u")


def test_a_store_that_is_down_is_unavailable(settings: Settings) -> None:
    with store_that_only_says(200, b"") as address:
        settings.S3_ENDPOINT_URL = address
    with pytest.raises(storage.StorageUnavailableError):
        storage.head("a")


def test_a_kept_object_is_told_when_many_are_deleted(settings: Settings) -> None:
    kept = b"<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    with store_that_only_says(200, kept) as address:
        settings.S3_ENDPOINT_URL = address
        with pytest.raises(storage.StorageUnavailableError):
            storage.delete_many(["a"])


def test_a_forked_process_has_a_client_of_its_own() -> None:
    ours = client()
    assert client() is ours
    child = os.fork()
    if child == 0:
        os._exit(client() is ours)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@contextmanager
def store_that_only_says(status: int, body: bytes) -> Iterator[str]:
    """Serve `status` and `body` to every request; yields the address, which nobody answers afterwards."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
