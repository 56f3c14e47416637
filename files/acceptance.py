"""Settling entries: accepted when all their files are good, rejected as soon as one is not."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from common.database import is_one_of
from files.models import ContentCheckResult, FileAttachment
from files.pairs import FILES_OF_A_PAIR, Reads, compare
from submissions.models import SequenceEntry

BATCH = 1_000


def settle_entries_of(file_ids: Collection[uuid.UUID]) -> None:
    """Settle the entries that have these files, as far as it is known how they end.

    Call it after what was found is committed: of two workers that finish the last two files of an entry, the
    later sees both.
    """
    attached = FileAttachment.objects.filter(is_one_of("file_id", file_ids))
    # By their keys: told of their status, too, the database begins with all entries that are being verified, of which
    # it expects few, and of which there are thousands right after a large submission.
    if entries := set(attached.values_list("entry_id", flat=True)):
        settle(SequenceEntry.objects.filter(is_one_of("pk", entries, "bigint")))


def settle(entries: QuerySet[SequenceEntry]) -> None:
    """Accept or reject those of the entries about which nothing is open, whatever their number.

    Three queries, an update for each of the two where there are any, and as much again where there are pairs that can
    be compared. An entry without files is accepted. Safe to repeat: only entries still VERIFYING change.
    """
    attachments = FileAttachment.objects.filter(entry=OuterRef("pk"))
    failed, pending = Exists(attachments.failed()), Exists(attachments.pending())
    verifying = entries.filter(status=SequenceEntry.Status.VERIFYING)
    uncompared = FileAttachment.objects.filter(pairing=True, pair_compared_at__isnull=True)
    if uncompared.filter(entry__in=verifying.values("pk")).exists():
        compare_pairs(verifying)
    _settle_as(SequenceEntry.Status.REJECTED, verifying.filter(failed))
    _settle_as(SequenceEntry.Status.ACCEPTED, verifying.filter(~failed, ~pending))


def _settle_as(status: SequenceEntry.Status, entries: QuerySet[SequenceEntry]) -> None:
    """Locked in order: other workers may be settling some of the same, for the other files that they have."""
    with transaction.atomic():
        locked = list(entries.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
        if locked:
            SequenceEntry.objects.filter(is_one_of("pk", locked, "bigint")).update(
                status=status, settled_at=timezone.now()
            )


def compare_pairs(entries: QuerySet[SequenceEntry]) -> None:
    """Compare read 1 and read 2 of those pairs of the entries that can be, and record what was found at both.

    Safe to repeat and to run at once: who comes second waits for the first, in the order of the rows, and finds
    nothing left.
    """
    results = ContentCheckResult.objects.filter(file=OuterRef("file"), check_name=OuterRef("content_check"))
    comparable = FileAttachment.objects.comparable().filter(entry__in=entries.values("pk"))
    with transaction.atomic():
        rows = (
            comparable.select_related("file")
            .only("entry", "category", "name", "pair_problem_code", "file__sha256")
            .annotate(found=Subquery(results.values("data")[:1]))
            .order_by("entry", "category", "pk")
            .select_for_update(of=("self",))
        )
        _record(_compared(rows))


def _compared(rows: Iterable[FileAttachment]) -> Iterator[FileAttachment]:
    """Both attachments of each pair, with what the comparison says; submitting has seen to it that they are two."""
    now = timezone.now()
    for _, group in groupby(rows, key=lambda row: (row.entry_id, row.category_id)):
        pair = list(group)
        if len(pair) != FILES_OF_A_PAIR:
            continue
        problem = compare(*map(_reads, pair))
        for row in pair:
            row.pair_compared_at = now
            if problem is not None:
                row.pair_problem_code, row.pair_problem_detail = problem.code, problem.detail
            yield row


def _reads(row: FileAttachment) -> Reads:
    return Reads.of(row.name, row.file.sha256, row.found)  # type: ignore[attr-defined]  # annotated in compare_pairs


def _record(compared: Iterable[FileAttachment]) -> None:
    """Store it: one update for all pairs that fit, and one a thousand rows for those with a problem of their own."""
    rows = list(compared)
    good = [row for row in rows if not row.pair_problem_code]
    if good:
        fitting = FileAttachment.objects.filter(is_one_of("pk", (row.pk for row in good), "bigint"))
        fitting.update(pair_compared_at=good[0].pair_compared_at)
    FileAttachment.objects.bulk_update(
        [row for row in rows if row.pair_problem_code],
        ["pair_compared_at", "pair_problem_code", "pair_problem_detail"],
        batch_size=BATCH,
    )
