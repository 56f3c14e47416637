"""What a client says about a file before, or after, sending it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from common.errors import DomainError, ErrorList, Location
from files.errors import (
    CategoryUnknownError,
    FileTooLargeError,
    Md5MismatchError,
    Sha256MismatchError,
    SizeMismatchError,
)
from files.models import File, FileCategory
from files.storage import MAX_SINGLE_SIZE

Categories = Mapping[tuple[str, str], FileCategory]
"""File categories by the organism's slug and the category's name."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a client says about a file; sizes in bytes, hashes in lower-case hexadecimal, empty for unsaid.

    The verifier compares size, sha256 and md5 with what it reads; a named category lets its content check run
    at once; the fingerprint lets a client recognise the file again.
    """

    name: str = ""
    size: int | None = None
    sha256: str = ""
    md5: str = ""
    fingerprint: str = ""
    organism: str = ""
    category: str = ""
    part_size: int | None = None

    def integrity_fields(self) -> dict[str, str | int]:
        """The claims that the verifier compares, as fields of `File`; only those that were made."""
        made: dict[str, str | int] = {}
        if self.size is not None:
            made["claimed_size"] = self.size
        if self.sha256:
            made["claimed_sha256"] = self.sha256
        if self.md5:
            made["claimed_md5"] = self.md5
        return made


def claimed_categories(claims: Sequence[Claims], *, largest: int) -> Categories:
    """The categories that the claims name, in one query.

    Raises `ValidationFailedError` with every claim that cannot hold: an unknown category, or a size over the
    category's limit or over `largest`, in bytes.
    """
    organisms = {claim.organism for claim in claims if claim.category}
    found: dict[tuple[str, str], FileCategory] = {}
    if organisms:
        categories = FileCategory.objects.select_related("organism").filter(
            organism__slug__in=organisms, organism__file_sharing=True
        )
        found = {(category.organism.slug, category.name): category for category in categories}
    errors = ErrorList()
    for index, claim in enumerate(claims):
        errors.extend(_errors_of(claim, index, found, largest))
    errors.raise_if_any()
    return found


def _errors_of(claim: Claims, index: int, found: Categories, largest: int) -> Iterable[DomainError]:
    name = claim.name or None
    category = found.get((claim.organism, claim.category))
    if claim.category and category is None:
        where = Location(pointer=f"/{index}/category", category=claim.category, name=name)
        yield CategoryUnknownError(_unknown_text(claim, found), where)
        return
    size_at = Location(pointer=f"/{index}/size", category=claim.category or None, name=name)
    limit = None if category is None else category.max_file_size
    if claim.size is None:
        return
    if claim.size > largest:
        advice = " Use a multipart upload." if largest == MAX_SINGLE_SIZE else ""
        text = f"{claim.size:,} bytes are more than the {largest:,} that S3 takes.{advice}"
        yield FileTooLargeError(text, size_at)
    elif limit is not None and claim.size > limit:
        text = f"{claim.size:,} bytes are more than the {limit:,} that “{claim.category}” allows."
        yield FileTooLargeError(text, size_at)


def _unknown_text(claim: Claims, found: Categories) -> str:
    names = sorted(name for organism, name in found if organism == claim.organism)
    if names:
        return f"“{claim.organism}” has no file category “{claim.category}”; it has {', '.join(names)}."
    return f"There is no organism “{claim.organism}” with file categories; name it as its address does."


MISMATCHES = {"size": SizeMismatchError, "sha256": Sha256MismatchError, "md5": Md5MismatchError}


ARRIVED_UNREAD = (File.Status.UPLOADED, File.Status.VERIFYING)


def record_late_claims(claims: Sequence[tuple[File, Claims]]) -> Mapping[uuid.UUID, File]:
    """Record claims that come with a complete call, to be compared by the verifier; what was claimed before stays.

    Only of files that have come and are not verified: of what never comes, a claim would stay for good. Returns the
    files that have claims as they are then, without those that are gone. One query for each kind of claim, and one to
    look again, whatever the number of files. Safe to repeat.
    """
    claimed = [(file, made) for file, late in claims if (made := late.integrity_fields())]
    for name, unsaid in (("claimed_size", None), ("claimed_sha256", ""), ("claimed_md5", "")):
        said: list[File] = []
        for file, made in claimed:
            if name in made and getattr(file, name) == unsaid and file.status in ARRIVED_UNREAD:
                setattr(file, name, made[name])
                said.append(file)
        still_unsaid = {f"{name}__isnull": True} if unsaid is None else {name: unsaid}
        File.objects.filter(status__in=ARRIVED_UNREAD, **still_unsaid).bulk_update(said, [name], batch_size=500)
    return File.objects.in_bulk([file.pk for file, _ in claimed]) if claimed else {}


def unsaid_before(file: File, claims: Claims) -> dict[str, str | int]:
    """Those of the claims, as fields of `File`, of which the file has none yet."""
    return {name: value for name, value in claims.integrity_fields().items() if getattr(file, name) in {None, ""}}


def check_late_claims(file: File, claims: Claims, where: Location) -> None:
    """Raise `SizeMismatchError`, `Sha256MismatchError` or `Md5MismatchError` where a claim that came late contradicts
    an earlier one, or what was found already."""
    for name, value in claims.integrity_fields().items():
        what = name.removeprefix("claimed_")
        found = getattr(file, what) if file.status == File.Status.VERIFIED else None
        known = getattr(file, name) if getattr(file, name) not in {None, ""} else found
        if known not in {None, "", value}:
            text = f"The {what} of this file is {known}, not {value}."
            raise MISMATCHES[what](text, where)
