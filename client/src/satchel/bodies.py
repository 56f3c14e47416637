"""The JSON bodies of the API, as docs/api.md describes them; times are ISO 8601 in UTC, sizes are in bytes."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

FileStatus = Literal["REQUESTED", "UPLOADED", "VERIFYING", "VERIFIED", "REJECTED", "EXPIRED"]
EntryStatus = Literal["VERIFYING", "ACCEPTED", "REJECTED"]


class Token(TypedDict):
    """A token and its life in seconds."""

    access: str
    expiresIn: int


class Claim(TypedDict):
    """What is said of a file before it is sent; only what is known."""

    name: NotRequired[str]
    size: NotRequired[int]
    sha256: NotRequired[str]
    md5: NotRequired[str]
    fingerprint: NotRequired[str]
    organism: NotRequired[str]
    category: NotRequired[str]
    partSize: NotRequired[int]


class RequestedUpload(TypedDict):
    """A new file for one PUT."""

    fileId: str
    url: str
    expiresAt: str


class RequestedMultipartUpload(TypedDict):
    """A new file in parts, the URLs in part order."""

    fileId: str
    urls: list[str]
    expiresAt: str


class Completion(TypedDict):
    """An upload that was sent; `etags` in part order for one in parts."""

    fileId: str
    etags: NotRequired[list[str]]
    size: NotRequired[int]
    sha256: NotRequired[str]
    md5: NotRequired[str]


class FileState(TypedDict):
    """The present status of a file."""

    fileId: str
    status: FileStatus


class PartUrl(TypedDict):
    """Where a part goes; numbers begin with 1."""

    partNumber: int
    url: str


class UploadedPart(TypedDict):
    """A part that the object store has."""

    partNumber: int
    size: int
    etag: str


class RenewedUpload(FileState):
    """How to go on with an upload: `url`, or `urls` and `uploadedParts`; nothing of it once all was sent."""

    expiresAt: str | None
    url: NotRequired[str]
    urls: NotRequired[list[PartUrl]]
    uploadedParts: NotRequired[list[UploadedPart]]


class Reason(TypedDict):
    """Why a file was refused or is held up; `line` and `offset` as far as they apply."""

    code: str
    detail: str
    line: NotRequired[int | None]
    offset: NotRequired[int | None]


class Check(TypedDict):
    """The result of a content check."""

    check: str
    version: int
    status: Literal["PASSED", "FAILED"]
    code: str | None
    detail: str | None
    line: int | None
    offset: int | None


class Claims(TypedDict):
    """What was claimed of a file; null what was not."""

    name: str | None
    size: int | None
    sha256: str | None
    md5: str | None
    fingerprint: str | None
    organism: str | None
    category: str | None
    partSize: int | None


class AttachedTo(TypedDict):
    """A place where a file is used."""

    accession: str
    version: int
    submissionId: str
    category: str
    name: str


class File(TypedDict):
    """A file as the server knows it; hashes once it was read, or null. `numberParts` is null for a simple upload."""

    fileId: str
    status: FileStatus
    groupId: int
    size: int | None
    sha256: str | None
    md5: str | None
    numberParts: int | None
    claims: Claims
    requestedAt: str
    uploadedAt: str | None
    verifiedAt: str | None
    rejectedAt: str | None
    keptUntil: str | None
    problem: Reason | None
    checks: list[Check]
    attachedTo: list[AttachedTo]


class EntryFile(TypedDict):
    """A file of a sequence entry, its state as its category sees it."""

    category: str
    name: str
    fileId: str
    status: str
    size: int | None
    sha256: str | None
    md5: str | None
    problem: Reason | None


class SubmittedEntry(TypedDict):
    """What submitting and revising answer for one row."""

    accession: str
    version: int
    submissionId: str
    status: EntryStatus


class SubmissionEntry(SubmittedEntry):
    """An entry of a submission."""

    files: list[EntryFile]


class Entry(SubmissionEntry):
    """An entry on its own; the last three for members only."""

    organism: str
    groupId: int
    submittedAt: str
    settledAt: str | None
    releasedAt: str | None
    metadata: dict[str, str]
    sequences: Any
    submission: NotRequired[int]
    submittedBy: NotRequired[str]
    releasedBy: NotRequired[str | None]


class Counts(TypedDict):
    """How many entries a submission has, by state; those that were withdrawn are none of its `entries` any more."""

    entries: int
    verifying: int
    accepted: int
    rejected: int
    withdrawn: int


class Submission(TypedDict):
    """A submission without its entries."""

    id: int
    organism: str
    groupId: int
    submittedAt: str
    submittedBy: str
    status: Literal["VERIFYING", "ACCEPTED", "PARTLY_ACCEPTED", "REJECTED", "WITHDRAWN"]
    counts: Counts


class SubmissionPage(Submission):
    """A submission with up to a hundred entries, and what to ask for the next as `cursor`."""

    entries: list[SubmissionEntry]
    nextCursor: str | int | None


class AccessionVersion(TypedDict):
    """Which entry is meant."""

    accession: str
    version: int


class ReleasedEntry(AccessionVersion):
    """An entry that everybody can see."""

    releasedAt: str


class FileName(TypedDict):
    """A file of a file mapping, under the name that it has there."""

    fileId: str
    name: str


class FileCategory(TypedDict):
    """A file category with its rules."""

    name: str
    shownName: str
    helpText: str
    required: bool
    minFiles: int | None
    maxFiles: int | None
    maxFileSize: int | None
    extensions: list[str]
    contentCheck: str | None
    pairing: Any


class MetadataField(TypedDict):
    """A column of the metadata table."""

    name: str
    shownName: str
    kind: str
    choices: list[str]
    required: bool
    helpText: str


class Organism(TypedDict):
    """What can be submitted to, and by which rules."""

    slug: str
    name: str
    sequences: str
    fileSharing: bool
    fileCategories: list[FileCategory]
    metadataFields: list[MetadataField]


class Group(TypedDict):
    """A group that one is in, with the usernames of its members."""

    id: int
    name: str
    members: list[str]


FilesByCategory = dict[str, list[FileName]]
"""The file mapping of one entry."""

FileMapping = dict[str, FilesByCategory]
"""The file mapping of a submission, by submission ID."""
