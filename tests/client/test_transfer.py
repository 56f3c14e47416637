"""Files that the client sends arrive as they are, whatever the network does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from satchel.api import Api, ApiError, bodies
from satchel.transfer import Done, Event, Failed, LocalFile, Retrying, Settled, Started, Uploaded, Uploader, parts, urls

from tests.client.conftest import ALICES_GROUP, Events, logged_in, make_files, stored
from tests.link import Link
from tests.linked import URL_LIFETIME, Linked

MIB = 1024 * 1024
EDGES = [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 16 * MIB - 1, 16 * MIB]


def assert_same(api: Api, uploaded: list[Uploaded]) -> None:
    """Each file is on the server, verified, with the sha256 that it has here."""
    assert [result.problem for result in uploaded] == [None] * len(uploaded)
    ids = [result.file_id for result in uploaded if result.file_id]
    found = {file["fileId"]: file for start in range(0, len(ids), 50) for file in listed(api, ids[start : start + 50])}
    for result in uploaded:
        digest = hashlib.sha256(result.file.path.read_bytes()).hexdigest()
        assert found[result.file_id or ""]["sha256"] == digest


def listed(api: Api, ids: list[str]) -> Iterator[bodies.File]:
    """The group's files with these IDs."""
    return api.files(ALICES_GROUP, ids=ids)


def test_every_file_arrives_over_a_bad_line_to_a_busy_store(
    alice: Api, link: Link, tmp_path: Path, events: Events
) -> None:
    files = make_files(tmp_path, [*EDGES, *[20_000] * 60], "supplementary")
    link.busy_every, link.cut_after = 20, MIB
    uploader = Uploader(alice, group_id=ALICES_GROUP, organism="ebola-sudan", on_event=events)
    uploaded = uploader.upload(files)
    assert [result.file for result in uploaded] == files
    assert events.total == sum(file.size for file in files)
    assert events.count(Done) == len(files)
    failed = [put for put in link.puts if not put.succeeded]
    assert len([put for put in failed if put.status == 503]) >= 3
    assert len([put for put in failed if put.status == 0]) == 1
    assert events.count(Retrying) == len(failed)
    assert_same(alice, uploader.wait(uploaded))
    assert events.count(Settled) == len(files)


def test_urls_that_expire_while_files_wait_are_renewed(
    alice: Api, link: Link, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the files in one piece the client learns it from the store's 403 alone, as where its clock stood still.
    lifetime_of = urls._lifetime_of
    monkeypatch.setattr(urls, "_lifetime_of", lambda url: lifetime_of(url) if "partNumber" in url else float("inf"))
    files = make_files(tmp_path, [17 * MIB, 100_000, 100_000])
    waited: list[Event] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Started) and not waited:
            waited.append(event)
            time.sleep(URL_LIFETIME + 1)  # the condition is time itself: S3 counts in seconds

    uploader = Uploader(alice, group_id=ALICES_GROUP, parallel=3, on_event=on_event)
    uploaded = uploader.upload(files)
    assert [result.problem for result in uploaded] == [None] * len(files)
    refused = [put for put in link.puts if put.status == 403]
    assert refused
    assert not any(put.part for put in refused)
    assert sum(put.length for put in stored(link)) == sum(file.size for file in files)


def test_what_the_server_has_is_not_sent_again_unless_it_differs(alice: Api, link: Link, tmp_path: Path) -> None:
    uploader = Uploader(alice, group_id=ALICES_GROUP)
    [file] = make_files(tmp_path, [3 * MIB])
    [first] = uploader.upload([file])
    assert len(link.puts) == 1
    assert uploader.upload([file, file]) == [first, first]
    assert len(link.puts) == 1

    content = bytearray(file.path.read_bytes())
    content[len(content) // 2] ^= 1  # the fingerprint does not see it
    file.path.write_bytes(content)
    [other] = uploader.upload([file])
    assert other.problem is None
    assert other.file_id != first.file_id
    assert len(link.puts) == 2


def test_a_file_that_changes_is_refused_and_the_others_are_sent(alice: Api, tmp_path: Path, events: Events) -> None:
    listed_before, growing, whole = make_files(tmp_path, [1000, 30 * MIB, 1000])
    listed_before.path.write_bytes(b"shorter")
    missing = LocalFile(tmp_path / "nowhere", "nowhere", None, 5)

    def on_event(event: Event) -> None:
        events(event)
        if isinstance(event, Started) and event.file == growing:
            with growing.path.open("ab") as file:
                file.write(b"more")

    uploader = Uploader(alice, group_id=ALICES_GROUP, on_event=on_event)
    results = uploader.upload([listed_before, growing, missing, whole])
    codes = [result.problem and result.problem.code for result in results]
    assert codes == ["file_changed", "file_changed", "file_unreadable", None]
    assert [result.file_id is None for result in results] == [True, True, True, False]
    assert events.count(Failed) == 3


def test_what_one_file_claims_wrongly_is_its_own_problem_and_no_membership_is_everybodys(
    alice: Api, linked: Linked, link: Link, tmp_path: Path
) -> None:
    good, bad, fine = make_files(tmp_path, [10, 20, 30], "rawReads")
    bad = LocalFile(bad.path, bad.name, "holidayPhotos", bad.size)
    uploader = Uploader(alice, group_id=ALICES_GROUP, organism="ebola-sudan")
    results = uploader.upload([good, bad, fine])
    assert [result.problem and result.problem.code for result in results] == [None, "category_unknown", None]
    # They are no FASTQ: sent all the same, and the check of their category says so.
    settled = uploader.wait(results)
    assert all(result.problem and result.problem.code.startswith("fastq_") for result in (settled[0], settled[2]))
    link.puts.clear()
    with logged_in(linked.product, "bob") as bob, pytest.raises(ApiError) as refusal:
        Uploader(bob, group_id=ALICES_GROUP).upload([good])
    assert refusal.value.code == "not_a_member"
    assert link.puts == []


def test_parts_are_within_the_rules_of_s3_for_every_size() -> None:
    for size in (16 * MIB, 16 * MIB + 1, 100 * MIB, 2 << 30, 100 << 30, 5 << 40):
        for parallel in (1, 3, 8, 64):
            part_size = parts.part_size_for(size, parallel)
            number = parts.number_of_parts(size, part_size)
            assert 5 * MIB <= part_size <= 5 << 30
            assert number <= 9_999
            assert parts.bounds_of(1, part_size, size)[0] == 0
            assert parts.bounds_of(number, part_size, size)[1] == size
