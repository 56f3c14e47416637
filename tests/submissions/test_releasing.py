"""Releasing: all that is named or none, once and for good, and never beside a quarantine or a withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.errors import DomainError, ValidationFailedError
from files.models import File, FileAttachment
from files.services.operating import quarantine
from submissions import services
from submissions.errors import EntryReleasedError
from submissions.models import SequenceEntry
from submissions.services import AccessionVersion
from tests.factories import (
    FileAttachmentFactory,
    FileFactory,
    GroupMembershipFactory,
    SequenceEntryFactory,
)
from tests.fixtures import Demo
from tests.locks import kept_waiting


def entry_of(demo: Demo, status: str = "ACCEPTED", files: int = 1, **fields: object) -> SequenceEntry:
    """An entry of alice's, with files that are verified."""
    fields.setdefault("submission__organism", demo.organism)
    fields.setdefault("submission__group", demo.group)
    entry: SequenceEntry = SequenceEntryFactory.create(status=status, **fields)
    for _ in range(files):
        category = entry.submission.organism.file_categories.first()
        FileAttachmentFactory.create(entry=entry, category=category)
    return entry


def named(*entries: SequenceEntry) -> list[AccessionVersion]:
    return [AccessionVersion(entry.accession, entry.version) for entry in entries]


def release(demo: Demo, *wanted: AccessionVersion) -> list[SequenceEntry]:
    """As alice does it."""
    return services.release(user=demo.alice, organism_slug=demo.organism.slug, wanted=wanted)


def outcome(demo: Demo, *entries: SequenceEntry) -> list[str]:
    """The codes of what stands in alice's way; none, and they are released."""
    try:
        release(demo, *named(*entries))
    except ValidationFailedError as failure:
        return [error.code for error in failure.errors]
    except DomainError as error:
        return [error.code]
    return []


def released() -> set[int]:
    return set(SequenceEntry.objects.filter(released_at__isnull=False).values_list("pk", flat=True))


@pytest.mark.embedded
def test_entries_are_released_together_once_and_come_back_as_they_were_named(demo: Demo) -> None:
    first, second, third = (entry_of(demo) for _ in range(3))
    later = entry_of(demo, accession=first.accession, version=2)
    before = timezone.now()
    answer = release(demo, *named(third, first, third))
    assert answer == [third, first, third]
    assert {(entry.released_at, entry.released_by) for entry in answer} == {(answer[0].released_at, demo.alice)}
    assert answer[0].released_at is not None
    assert answer[0].released_at > before
    member = GroupMembershipFactory.create(group=demo.group).user
    again = services.release(user=member, organism_slug=demo.organism.slug, wanted=named(first, second))
    assert [(entry.pk, entry.released_by) for entry in again] == [(first.pk, demo.alice), (second.pk, member)]
    assert again[0].released_at == answer[0].released_at
    assert outcome(demo, later) == []
    assert released() == {first.pk, second.pk, third.pk, later.pk}


@pytest.mark.embedded
def test_everything_that_stands_in_the_way_is_told_and_nothing_is_released(demo: Demo) -> None:
    good, verifying, rejected = entry_of(demo), entry_of(demo, "VERIFYING"), entry_of(demo, "REJECTED")
    elsewhere = entry_of(demo, submission__organism=demo.organism_without_files, files=0)
    theirs = [entry_of(demo, submission__group=demo.other_group, released=done) for done in (False, True)]
    held = entry_of(demo, files=3)
    first, *_ = held.attachments.order_by("pk")
    quarantine(files=File.objects.filter(pk=first.file_id), user=demo.admin)
    entries = [good, verifying, rejected, elsewhere, *theirs, held]
    wanted = [*named(*entries), AccessionVersion(good.accession, 2), AccessionVersion("SAT \u202e", 1)]
    with pytest.raises(ValidationFailedError) as raised:
        release(demo, *wanted)
    told = [(error.code, error.location.pointer) for error in raised.value.errors]
    assert told == [
        ("entry_not_accepted", "/accessionVersions/1"),
        ("entry_not_accepted", "/accessionVersions/2"),
        ("entry_not_found", "/accessionVersions/3"),
        ("entry_not_found", "/accessionVersions/4"),
        ("entry_not_found", "/accessionVersions/5"),
        ("file_not_available", "/accessionVersions/6"),
        ("entry_not_found", "/accessionVersions/7"),
        ("entry_not_found", "/accessionVersions/8"),
    ]
    where = raised.value.errors[5].location
    assert (where.submission_id, where.file_id, where.name) == (
        held.given_submission_id,
        str(first.file_id),
        first.name,
    )
    assert released() == {theirs[1].pk}


@pytest.mark.embedded
def test_what_somebody_else_has_put_there_is_not_released_unseen(demo: Demo) -> None:
    entry = entry_of(demo)
    seen = AccessionVersion(entry.accession, 1, as_of=entry.settled_at)
    SequenceEntry.objects.update(settled_at=timezone.now())
    with pytest.raises(ValidationFailedError) as raised:
        release(demo, seen)
    assert [error.code for error in raised.value.errors] == ["entry_changed"]
    entry.refresh_from_db()
    assert release(demo, AccessionVersion(entry.accession, 1, as_of=entry.settled_at)) == [entry]


@pytest.mark.embedded
def test_the_number_of_queries_does_not_grow(demo: Demo) -> None:
    counts = []
    for number in (1, 40):
        entries = [entry_of(demo, files=2) for _ in range(number)]
        with CaptureQueriesContext(connection) as queries:
            release(demo, *named(*entries))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 11


# --- at once; on PostgreSQL alone: SQLite has one writer at a time -----------------------------------


def _quarantine(demo: Demo, entry: SequenceEntry) -> None:
    quarantine(files=File.objects.filter(attachments__entry=entry), user=demo.admin)


def _release(demo: Demo, entry: SequenceEntry) -> None:
    assert outcome(demo, entry) == []


def _withdraw(demo: Demo, entry: SequenceEntry) -> None:
    services.withdraw(user=demo.alice, accession=entry.accession, version=entry.version)


def _replace(demo: Demo, entry: SequenceEntry) -> None:
    file = FileFactory.create(status="VERIFIED", group=demo.group)
    files = f'{{"supplementary": [{{"fileId": "{file.pk}", "name": "a.png"}}]}}'
    services.replace_files(
        user=demo.alice, accession=entry.accession, version=entry.version, replacement=services.Replacement(files)
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("first", "codes", "is_released"),
    [
        (_release, [], True),
        (_quarantine, ["file_not_available"], False),
        (_withdraw, ["entry_not_found"], False),
        (_replace, ["entry_changed"], False),
    ],
)
def test_who_releases_waits_for_whoever_was_first_and_then_looks_again(
    demo: Demo, first: Callable[[Demo, SequenceEntry], None], codes: list[str], *, is_released: bool
) -> None:
    entry = entry_of(demo)
    with kept_waiting(lambda: outcome(demo, entry)) as releasing:
        first(demo, entry)
        at_first = SequenceEntry.objects.filter(released_at__isnull=False).values_list("released_at", flat=True)
        before = list(at_first)
    assert releasing.result() == codes
    assert list(at_first) == before
    assert bool(before) == is_released


@pytest.mark.django_db(transaction=True)
def test_who_comes_after_a_release_hears_of_it(demo: Demo) -> None:
    entry = entry_of(demo)
    for action in (_withdraw, _replace):
        SequenceEntry.objects.update(released_at=None, released_by=None)
        with kept_waiting(partial(action, demo, entry)) as acting:
            _release(demo, entry)
        assert isinstance(acting.exception(), EntryReleasedError)
    assert FileAttachment.objects.get().entry == entry


@pytest.mark.django_db(transaction=True)
def test_a_file_is_held_back_after_a_release_that_was_first(demo: Demo) -> None:
    entry = entry_of(demo)
    with kept_waiting(lambda: _quarantine(demo, entry)) as holding_back:
        _release(demo, entry)
    holding_back.result()
    assert released() == {entry.pk}
    assert File.objects.get().quarantined_at is not None
