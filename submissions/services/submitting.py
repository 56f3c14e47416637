"""Submitting: everything is checked before anything is stored, and nothing is half stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import User
from common.errors import DomainError, ErrorList, Location, ParameterMissingError, ValidationFailedError
from files import acceptance, rules, storage, tasks
from files.errors import StorageUnavailableError
from files.models import FileAttachment, FileCategory
from submissions.access import group_for_member, organism_of_slug
from submissions.checksums import SubmittedPaths
from submissions.mapping import FileMapping, parse_mapping
from submissions.models import AccessionCounter, Group, Organism, RuleSet, SequenceEntry, Submission
from submissions.sequences import FIELD as SEQUENCES_FIELD
from submissions.sequences import SequenceRecord
from submissions.services.attaching import PlannedAttachment, create_attachments, lock_files, plan_attachments
from submissions.services.checking import read_documents
from submissions.services.checksums import ChecksumClaims, Document, check_checksums, record_claims
from submissions.services.file_columns import mapping_of_columns, require_file_sharing
from submissions.services.idempotency import Answer, IdempotencyKey, Record, answer_of, answer_once
from submissions.services.predecessors import (
    Carried,
    Predecessors,
    carry_over,
    find_predecessors,
    lock_predecessors,
    tell_as_carried,
)
from submissions.tables import FIELD as TABLE_FIELD
from submissions.tables import Row, Table

log = structlog.get_logger(__name__)

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class _Checked:
    """A submission in which nothing was found wrong."""

    rows: list[Row]
    sequences: dict[str, tuple[SequenceRecord, ...]]
    attachments: list[PlannedAttachment]
    categories: list[FileCategory]
    claims: ChecksumClaims
    predecessors: Predecessors


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, as it was sent: seekable binary streams, and the file mapping's JSON text.

    `names` has the names of the files that table and sequences were sent from, by form part.
    `file_columns_resolved` are the categories in whose `files.` columns the table names folders and files of the
    submitter's computer: who sent this has looked them up, and their files are those of the mapping.
    """

    metadata_file: BinaryIO
    sequence_file: BinaryIO | None = None
    file_mapping: str | None = None
    checksum_file: BinaryIO | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    file_columns_resolved: frozenset[str] = frozenset()

    @property
    def documents(self) -> dict[str, Document]:
        """Table and sequences by their form parts, as far as they came as files with names."""
        streams = {TABLE_FIELD: self.metadata_file, SEQUENCES_FIELD: self.sequence_file}
        named = {part: stream for part, stream in streams.items() if stream is not None and part in self.names}
        return {part: Document(self.names[part], stream) for part, stream in named.items()}


def submit(*, user: User, organism_slug: str, group_id: int, sent: Sent, key: IdempotencyKey | None = None) -> Answer:
    """Check a submission as a whole and store it, its entries and their files; verification follows by itself.

    Entries about whose files nothing is open are ACCEPTED at once. Raises `OrganismNotFoundError`,
    `GroupNotFoundError`, `NotAMemberError`, `ParameterMissingError`, `FileSharingDisabledError`,
    `StorageUnavailableError`, and `ValidationFailedError` with everything else that is wrong. A number of queries that
    does not grow with the submission, but for batches of 1,000 rows; the object store is asked once for each request
    that the files stem from. A second call makes a second submission, but for one with the same `key`: see
    `answer_once`.
    """
    return hand_in(user=user, organism_slug=organism_slug, group_id=group_id, sent=sent, key=key, revising=False)


def hand_in(
    *, user: User, organism_slug: str, group_id: int, sent: Sent, key: IdempotencyKey | None, revising: bool
) -> Answer:
    """What submitting and revising have in common. A key counts only once it is known who may use it."""
    organism = organism_of_slug(organism_slug)
    group = group_for_member(user=user, group_id=group_id)

    def act(record: Record) -> Answer:
        checked = _check(organism, group, sent, revising=revising)
        submission = Submission(organism=organism, group=group, submitted_by=user)
        _keep_documents(submission, sent)
        try:
            return _store(submission, checked, record)
        except (DomainError, ValidationFailedError):
            # Refused after all. After any other failure the commit may have gone through, and the documents stay.
            _discard_documents(submission)
            raise

    return answer_once(user=user, group=group, key=key, act=act)


# --- checking ----------------------------------------------------------------------------------------


def _parsed_mapping(organism: Organism, text: str | None) -> FileMapping | None:
    """The mapping, None where none was sent; raises what makes the request one that cannot be read."""
    if text is None:
        return None
    mapping = parse_mapping(text)
    if mapping.has_files:
        require_file_sharing(organism)
    return mapping


def _check(organism: Organism, group: Group, sent: Sent, *, revising: bool) -> _Checked:
    if sent.sequence_file is None and organism.sequences == Organism.Sequences.REQUIRED:
        text = "This organism needs sequences; send them as “sequenceFile”."
        raise ParameterMissingError(text, Location(field="sequenceFile"))
    mapping = _parsed_mapping(organism, sent.file_mapping)
    errors = ErrorList()
    documents = read_documents(
        organism,
        metadata_file=sent.metadata_file,
        sequence_file=sent.sequence_file,
        errors=errors,
        with_accessions=revising,
    )
    table = documents.table
    if table.file_categories:
        require_file_sharing(organism, field=TABLE_FIELD)
        mapping = mapping_of_columns(table, mapping, errors, resolved=sent.file_columns_resolved)
    mapping = mapping or FileMapping()
    predecessors: Predecessors = {}
    carried: Carried = {}
    if revising:
        predecessors = find_predecessors(organism=organism, group=group, rows=table.rows, errors=errors)
        mapping, carried = carry_over(mapping, predecessors)
        if carried:
            require_file_sharing(organism)
    plan = plan_attachments(organism=organism, group=group, table=table, mapping=mapping, errors=errors)
    tell_as_carried(errors, carried)
    claims = _checked_checksums(organism=organism, group=group, sent=sent, table=table, mapping=mapping, errors=errors)
    errors.raise_if_any()
    return _Checked(table.rows, documents.sequences, plan.attachments, plan.categories, claims, predecessors)


def _checked_checksums(
    *, organism: Organism, group: Group, sent: Sent, table: Table, mapping: FileMapping, errors: ErrorList
) -> ChecksumClaims:
    """What the checksum file claims; of nothing, where none was sent."""
    if sent.checksum_file is None:
        return ChecksumClaims()
    paths = SubmittedPaths(
        mapping.files(),
        documents={part: document.name for part, document in sent.documents.items()},
        submission_ids=(row.submission_id for row in table.rows),
        categories=organism.file_categories.values_list("name", flat=True),
    )
    return check_checksums(
        sent.checksum_file,
        group=group,
        paths=paths,
        documents=sent.documents,
        limit=settings.TABLE_MAX_BYTES,
        errors=errors,
    )


# --- storing -----------------------------------------------------------------------------------------


def _keep_documents(submission: Submission, sent: Sent) -> None:
    """Put the table and the FASTA into the object store as they were sent, before the transaction begins; or neither.

    What stays because the process dies, or the store, is swept as an orphan.
    """
    submission.metadata_file.name = storage.keep_document("metadata", sent.metadata_file)
    if sent.sequence_file is not None:
        try:
            submission.sequence_file.name = storage.keep_document("sequences", sent.sequence_file)
        except Exception:
            storage.delete_documents(submission.metadata_file.name)
            raise


def _discard_documents(submission: Submission) -> None:
    """Delete the documents of a submission that is refused; what the store does not delete is swept as an orphan."""
    try:
        storage.delete_documents(submission.metadata_file.name, submission.sequence_file.name)
    except StorageUnavailableError as fault:
        # Why the submission is refused is what its sender has to hear.
        log.warning("documents_not_deleted", documents=submission.metadata_file.name, exc_info=fault)


def _store(submission: Submission, checked: _Checked, record: Record) -> Answer:
    accessions = take_accessions(len(checked.rows)) if not checked.predecessors else []
    rule_set = _record_rules(submission.organism, checked)
    with transaction.atomic():
        lock_files(checked.attachments)
        next_versions = lock_predecessors(checked.predecessors)
        record_claims(checked.claims)
        submission.save()
        names = [(accession, 1) for accession in accessions] or _names_of_revisions(checked, next_versions)
        entries = _create_entries(submission, checked, names, rule_set)
        create_attachments(entries, checked.attachments)
        acceptance.settle(submission.entries.all())
        unsettled = FileAttachment.objects.filter(
            entry__submission=submission, entry__status=SequenceEntry.Status.VERIFYING
        )
        # In the order of the table, so that entries are accepted one by one and not all of them at the end.
        tasks.enqueue(dict.fromkeys(unsettled.order_by("pk").values_list("file_id", flat=True)))
        answer = answer_of(submission)
        record(answer)
    return answer


def _names_of_revisions(checked: _Checked, next_versions: Mapping[int, int]) -> list[tuple[str, int]]:
    """Accession and version of each row."""
    revised = [checked.predecessors[row.submission_id] for row in checked.rows]
    return [(predecessor.accession, next_versions[predecessor.pk]) for predecessor in revised]


def _record_rules(organism: Organism, checked: _Checked) -> RuleSet | None:
    """The rules that were checked, as the entries keep them; outside the transaction, so that nobody waits for it."""
    return rules.record(organism, checked.categories) if organism.file_sharing else None


def _create_entries(
    submission: Submission, checked: _Checked, names: Sequence[tuple[str, int]], rule_set: RuleSet | None
) -> dict[str, SequenceEntry]:
    entries = [
        SequenceEntry(
            submission=submission,
            position=position,
            given_submission_id=row.submission_id,
            accession=accession,
            version=version,
            rule_set=rule_set,
            metadata=row.metadata,
            sequences=[
                {"fastaId": record.fasta_id, "length": record.length}
                for record in checked.sequences.get(row.submission_id, ())
            ],
        )
        for position, (row, (accession, version)) in enumerate(zip(checked.rows, names, strict=True))
    ]
    SequenceEntry.objects.bulk_create(entries, batch_size=BATCH)
    return {entry.given_submission_id: entry for entry in entries}


def take_accessions(number: int) -> list[str]:
    """`number` new accessions; a transaction of its own, so that submissions do not wait for each other.

    Numbers taken for a submission that then fails are not given out again.
    """
    AccessionCounter.objects.get_or_create(pk=1)
    with transaction.atomic():
        AccessionCounter.objects.filter(pk=1).update(next_number=F("next_number") + number)
        end = AccessionCounter.objects.values_list("next_number", flat=True).get(pk=1)
    return [f"{settings.ACCESSION_PREFIX}{value:08d}" for value in range(end - number, end)]
