"""Revising: released entries get a next version, from a table as in submitting with a column for the accessions."""

from __future__ import annotations

from accounts.models import User
from submissions.services.idempotency import Answer, IdempotencyKey
from submissions.services.submitting import Sent, hand_in


def revise(*, user: User, organism_slug: str, group_id: int, sent: Sent, key: IdempotencyKey | None = None) -> Answer:
    """Store the next version of each entry that the table's `accession` column names, checked as a whole.

    Metadata and sequences are those that are sent. A file category that the mapping, or a cell of the table, names for
    a row is replaced; the files of the others are carried over, and judged and verified by the rules as they stand
    now. Only an entry whose latest version is released has a next one, so that of two revisions at once one is told
    that it came second.

    Raises what `submit` raises, among it errors with the codes accession_missing, accession_duplicate,
    accession_unknown and entry_not_released, and takes as many queries, and five more. A second call is refused while
    what the first has made is not released, but for one with the same `key`: see `answer_once`.
    """
    return hand_in(user=user, organism_slug=organism_slug, group_id=group_id, sent=sent, key=key, revising=True)
