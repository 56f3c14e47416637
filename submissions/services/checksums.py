"""The checksum file of a submission: what it says of the files is compared, or left for the verifier to compare."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from common.database import update_each
from common.errors import DomainError, ErrorList, Location
from files.models import File
from files.services.claims import MISMATCHES
from submissions.checksums import FIELD, Checksum, Meaning, SubmittedPaths, at_line, read_checksums
from submissions.errors import ChecksumAmbiguousError, ChecksumContradictionError, ChecksumUnmatchedError, quoted
from submissions.mapping import MappedFile
from submissions.models import Group

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ChecksumClaim:
    """That a file has this checksum, as a line of the checksum file says; `mapped` is where it is mapped."""

    checksum: Checksum
    mapped: MappedFile

    @property
    def location(self) -> Location:
        """Where an error about this claim is."""
        return replace(self.mapped.location, field=FIELD, pointer=None, line=self.checksum.line)


@dataclass(slots=True)
class ChecksumClaims:
    """What a checksum file says: of files by file ID, of parts of the form by their names; by algorithm."""

    files: dict[uuid.UUID, dict[str, ChecksumClaim]] = field(default_factory=dict)
    documents: dict[str, dict[str, Checksum]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """A part of the form that is kept as it was sent, and the name of the file that it was sent from."""

    name: str
    stream: BinaryIO


def check_checksums(
    stream: BinaryIO,
    *,
    group: Group,
    paths: SubmittedPaths,
    documents: Mapping[str, Document],
    limit: int,
    errors: ErrorList,
) -> ChecksumClaims:
    """Read a checksum file of at most `limit` unpacked bytes, and compare it as far as that can be done now.

    Adds to `errors` each line that is wrong, and what is claimed otherwise than it was found or claimed before.
    Of files that were not read yet and of which nothing was claimed, `record_claims` lets the verifier compare
    what is returned. `documents` are by the names of their form parts. One query.
    """
    claims = ChecksumClaims()
    for checksum in read_checksums(stream, errors=errors, limit=limit):
        problem = _take(checksum, paths.meaning_of(checksum.path), claims)
        if problem is not None:
            errors.add(problem)
    files = File.objects.filter(group=group, deleting_at__isnull=True).in_bulk(list(claims.files))
    for file_id, of_file in claims.files.items():
        if file_id in files:
            errors.extend(_mismatches(files[file_id], of_file))
    for part, of_document in claims.documents.items():
        errors.extend(_document_mismatches(documents[part], of_document.values()))
    return claims


def record_claims(claims: ChecksumClaims) -> None:
    """Note what is claimed of files that were not read yet; the verifier compares it.

    Call it in the transaction that holds the locks on the files' rows: what was found or claimed since
    `check_checksums` is compared here, and nothing changes meanwhile. Raises `ValidationFailedError` where
    it differs. One query, and one update each for sha256 and MD5.
    """
    if not claims.files:
        return
    errors = ErrorList()
    noted: dict[str, list[File]] = {"claimed_sha256": [], "claimed_md5": []}
    for file in File.objects.in_bulk(list(claims.files)).values():
        of_file = claims.files[file.pk]
        errors.extend(_mismatches(file, of_file))
        if file.status in {File.Status.UPLOADED, File.Status.VERIFYING}:
            for name in _note(file, of_file):
                noted[name].append(file)
    errors.raise_if_any()
    for name, files in noted.items():
        update_each(File, {file.pk: {name: getattr(file, name)} for file in files})


def _take(checksum: Checksum, meaning: Meaning, claims: ChecksumClaims) -> DomainError | None:
    """Keep what a line says, or tell why that cannot be."""
    if len(meaning) != 1:
        return _unclear(checksum, meaning)
    [(target, mapped)] = meaning.items()
    if mapped is None:
        earlier = claims.documents.setdefault(str(target), {}).setdefault(checksum.algorithm, checksum)
        where = at_line(checksum.line)
    else:
        claim = ChecksumClaim(checksum, mapped)
        of_file = claims.files.setdefault(mapped.file_id, {})
        earlier = of_file.setdefault(checksum.algorithm, claim).checksum
        where = claim.location
    if earlier.digest == checksum.digest:
        return None
    text = (
        f"Line {checksum.line} says that the {checksum.algorithm} of {quoted(checksum.path)} is {checksum.digest}, "
        f"but line {earlier.line} says {earlier.digest} of the same file."
    )
    return ChecksumContradictionError(text, where)


def _unclear(checksum: Checksum, meaning: Meaning) -> DomainError:
    path = quoted(checksum.path)
    if not meaning:
        text = f"Line {checksum.line} is about {path}, which is none of the submitted files."
        return ChecksumUnmatchedError(text, at_line(checksum.line))
    text = (
        f"Line {checksum.line} is about {path}, which could be any of {len(meaning)} submitted files. "
        "Write “category/submission ID/file name”."
    )
    return ChecksumAmbiguousError(text, at_line(checksum.line))


def _mismatches(file: File, of_file: Mapping[str, ChecksumClaim]) -> Iterator[DomainError]:
    for algorithm, claim in of_file.items():
        is_read = file.status == File.Status.VERIFIED
        known = getattr(file, algorithm if is_read else f"claimed_{algorithm}")
        if known and known != claim.checksum.digest:
            text = (
                f"The {algorithm} of {quoted(claim.mapped.name)} is {claim.checksum.digest} in line "
                f"{claim.checksum.line} of the checksum file, but {known} "
                f"{'in what was uploaded' if is_read else 'was announced for it before'}."
            )
            yield MISMATCHES[algorithm](text, claim.location)


def _document_mismatches(document: Document, checksums: Iterable[Checksum]) -> Iterator[DomainError]:
    for checksum in checksums:
        found = _digest(document.stream, checksum.algorithm)
        if found != checksum.digest:
            text = (
                f"The {checksum.algorithm} of {quoted(document.name)} is {checksum.digest} in line {checksum.line} of "
                f"the checksum file, but {found} in what was sent."
            )
            yield MISMATCHES[checksum.algorithm](text, replace(at_line(checksum.line), name=document.name))


def _digest(stream: BinaryIO, algorithm: str) -> str:
    """The checksum of all of a stream, in hexadecimal."""
    stream.seek(0)
    digest = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _note(file: File, of_file: Mapping[str, ChecksumClaim]) -> list[str]:
    """Set the claims that the file has not yet; the names of their fields."""
    said = {f"claimed_{algorithm}": claim.checksum.digest for algorithm, claim in of_file.items()}
    new = {name: digest for name, digest in said.items() if not getattr(file, name)}
    for name, digest in new.items():
        setattr(file, name, digest)
    return list(new)
