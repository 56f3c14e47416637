"""Checking the metadata table and the sequences: before files are sent, and once more when all is submitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings

from accounts.models import User
from common.errors import DomainError, ErrorList
from submissions.access import group_for_member, organism_of_slug
from submissions.field_rules import FieldKind, FieldRule
from submissions.models import Organism
from submissions.sequences import Requirement, SequenceRecord, match_sequences, parse_fasta
from submissions.services.file_columns import check_file_columns
from submissions.services.predecessors import find_predecessors
from submissions.tables import Row, Table, parse_table


@dataclass(frozen=True, slots=True)
class ReadDocuments:
    """What table and sequences hold: the sequences by submission ID, none while one of the two is incomplete."""

    table: Table
    sequences: dict[str, tuple[SequenceRecord, ...]]


@dataclass(frozen=True, slots=True)
class DocumentCheck:
    """The rows that a table has, and what is wrong with table and sequences: the first problems, and their number."""

    rows: list[Row]
    problems: list[DomainError]
    problem_count: int


def check_documents(
    *, organism_slug: str, metadata_file: BinaryIO, sequence_file: BinaryIO | None = None
) -> DocumentCheck:
    """Read table and sequences as submitting them would, and store nothing; safe to repeat.

    Sequences that were not sent are not missed: they may be chosen later. Raises `OrganismNotFoundError`, and
    `FileSharingDisabledError` for `files.` columns of an organism that takes no files.
    """
    organism = organism_of_slug(organism_slug)
    errors = ErrorList()
    documents = read_documents(
        organism, metadata_file=metadata_file, sequence_file=sequence_file, errors=errors, need_sequences=False
    )
    check_file_columns(organism, documents.table, errors)
    return DocumentCheck(documents.table.rows, errors.errors, errors.count)


def check_before_sending(
    *,
    user: User,
    organism_slug: str,
    group_id: int,
    metadata_file: BinaryIO,
    sequence_file: BinaryIO | None = None,
    revising: bool = False,
) -> int:
    """The number of rows in a table in which, as in the sequences, nothing is wrong; stores nothing, safe to repeat.

    For members who have files to send first. What is said is what submitting would say, or revising; about files that
    the rows name nothing is. Sequences that were not sent are not missed. Raises `OrganismNotFoundError`,
    `GroupNotFoundError`, `NotAMemberError`, `FileSharingDisabledError`, and `ValidationFailedError` with all else that
    is wrong.
    """
    organism = organism_of_slug(organism_slug)
    group = group_for_member(user=user, group_id=group_id)
    errors = ErrorList()
    table = read_documents(
        organism,
        metadata_file=metadata_file,
        sequence_file=sequence_file,
        errors=errors,
        need_sequences=False,
        with_accessions=revising,
    ).table
    check_file_columns(organism, table, errors)
    if revising:
        find_predecessors(organism=organism, group=group, rows=table.rows, errors=errors)
    errors.raise_if_any()
    return len(table.rows)


def read_documents(
    organism: Organism,
    *,
    metadata_file: BinaryIO,
    sequence_file: BinaryIO | None,
    errors: ErrorList,
    need_sequences: bool = True,
    with_accessions: bool = False,
) -> ReadDocuments:
    """Read both by the organism's rules and match them; adds all that is wrong to `errors`. One query."""
    table = parse_table(
        metadata_file,
        fields=field_rules(organism),
        errors=errors,
        limit=settings.TABLE_MAX_BYTES,
        with_accessions=with_accessions,
    )
    fasta = None
    if sequence_file is not None:
        fasta = parse_fasta(sequence_file, errors=errors, limit=settings.SEQUENCES_MAX_BYTES)
    sequences: dict[str, tuple[SequenceRecord, ...]] = {}
    is_matched = fasta is not None or need_sequences
    if is_matched and table.complete and (fasta is None or fasta.complete):
        records = None if fasta is None else fasta.records
        requirement = Requirement(organism.sequences)
        sequences = match_sequences(table.rows, records, requirement=requirement, errors=errors)
    return ReadDocuments(table, sequences)


def field_rules(organism: Organism) -> list[FieldRule]:
    """The organism's metadata fields as the table's parser wants them, in the order of the form."""
    return [
        FieldRule(
            name=field.name,
            shown_name=field.shown_name,
            kind=FieldKind(field.kind),
            required=field.required,
            choices=tuple(field.choices),
        )
        for field in organism.metadata_fields.order_by("order", "name")
    ]
