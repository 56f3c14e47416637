"""What can be wrong with what is submitted, and how a submitter's own text is shown in such a sentence."""

from __future__ import annotations

from common.errors import DomainError, RetryLaterError


def quoted(text: str) -> str:
    """A submitter's text as it stands in a sentence: in quotation marks, cut at 60 characters.

    What cannot be seen (control characters, bidirectional overrides, lone surrogates) is written as an
    escape, so that the sentence can be encoded as UTF-8 and shows where the trouble is.
    """
    cut = text if len(text) <= 60 else f"{text[:59]}…"
    return "“" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + "”"


class CompressionInvalidError(DomainError):
    """A table or FASTA whose packing is broken, or that unpacks to too much."""

    code = "compression_invalid"
    title = "The file cannot be unpacked"


class MetadataInvalidError(DomainError):
    """The metadata table, or one value in it, is not what the organism asks for."""

    code = "metadata_invalid"
    title = "The metadata table is not valid"


class IdMissingError(DomainError):
    """A row of the metadata table without a submission ID."""

    code = "id_missing"
    title = "A row has no submission ID"


class IdDuplicateError(DomainError):
    """A submission ID that an earlier row has already."""

    code = "id_duplicate"
    title = "A submission ID stands in two rows"


class IdWhitespaceError(DomainError):
    """A submission ID with white space in it or around it."""

    code = "id_whitespace"
    title = "A submission ID contains white space"


class IdsUnmatchedError(DomainError):
    """A row without its sequence, or a sequence without its row."""

    code = "ids_unmatched"
    title = "The metadata table and the sequences do not match"


class SequenceInvalidError(DomainError):
    """The sequences are no FASTA of nucleotides, or there should be none."""

    code = "sequence_invalid"
    title = "The sequences are not valid"


class FileMappingInvalidError(DomainError):
    """A place where the text is no file mapping; without a JSON Pointer where it is not even JSON."""

    code = "file_mapping_invalid"
    title = "The file mapping is not valid"


class OrganismNotFoundError(DomainError):
    """No organism has that slug."""

    code = "organism_not_found"
    title = "There is no such organism"


class GroupNotFoundError(DomainError):
    """No group has that number."""

    code = "group_not_found"
    title = "There is no such group"


class NotAMemberError(DomainError):
    """Only members of the group may do this."""

    code = "not_a_member"
    title = "You are not a member of the group"


class GroupNameTakenError(DomainError):
    """Another group has that name."""

    code = "group_name_taken"
    title = "Another group has that name"


class TooManyGroupsError(DomainError):
    """The person has made as many groups as one may make."""

    code = "too_many_groups"
    title = "Too many groups"


class UserNotFoundError(DomainError):
    """No open account has that username."""

    code = "user_not_found"
    title = "There is no such account"


class MemberNotFoundError(DomainError):
    """No member of the group has that username."""

    code = "member_not_found"
    title = "The group has no such member"


class LastMemberError(DomainError):
    """The only member left, without whom nobody could reach what the group owns."""

    code = "last_member"
    title = "The last member cannot leave"


class SubmissionNotFoundError(DomainError):
    """No such submission in a group of the user."""

    code = "submission_not_found"
    title = "There is no such submission"


class EntryNotFoundError(DomainError):
    """No entry has that accession and version."""

    code = "entry_not_found"
    title = "There is no such sequence entry"


class EntryVerifyingError(DomainError):
    """An entry that is being verified, whose files stay as they are until that is over."""

    code = "entry_verifying"
    title = "The entry is being verified"


class EntryNotAcceptedError(DomainError):
    """An entry that is to be released and is being verified, or was rejected."""

    code = "entry_not_accepted"
    title = "The entry is not accepted"


class EntryReleasedError(DomainError):
    """A released entry, which stays as it is for good."""

    code = "entry_released"
    title = "The entry is released"


class EntryChangedError(DomainError):
    """An entry whose files somebody else has replaced meanwhile."""

    code = "entry_changed"
    title = "The entry's files were replaced meanwhile"


class NotPublicError(DomainError):
    """An unreleased entry, asked for without logging in."""

    code = "not_public"
    title = "The entry is not released"


class FileSharingDisabledError(DomainError):
    """Files for an organism that takes none."""

    code = "file_sharing_disabled"
    title = "The organism takes no extra files"


class SubmissionIdUnknownError(DomainError):
    """A submission ID in the file mapping that the metadata table does not have."""

    code = "submission_id_unknown"
    title = "The metadata table has no such submission ID"


class FileNameInvalidError(DomainError):
    """A name that a file cannot have everywhere."""

    code = "file_name_invalid"
    title = "A file name is not allowed"


class FileNameDuplicateError(DomainError):
    """A file name that stands twice in one category of one entry."""

    code = "file_name_duplicate"
    title = "A file name stands twice"


class ChecksumInvalidError(DomainError):
    """A line of the checksum file, or the file as a whole, is not what `sha256sum` or `md5sum` writes."""

    code = "checksum_invalid"
    title = "The checksum file is not valid"


class ChecksumUnmatchedError(DomainError):
    """A path in the checksum file that is none of the submitted files."""

    code = "checksum_unmatched"
    title = "A checksum belongs to no submitted file"


class ChecksumAmbiguousError(DomainError):
    """A path in the checksum file that several of the submitted files could have."""

    code = "checksum_ambiguous"
    title = "A checksum could belong to several files"


class ChecksumContradictionError(DomainError):
    """Two lines of the checksum file that say different things of one file."""

    code = "checksum_contradiction"
    title = "Two checksums of one file differ"


class AccessionMissingError(DomainError):
    """A revision whose table, or a row of it, does not say which entry is revised."""

    code = "accession_missing"
    title = "A row has no accession"


class AccessionDuplicateError(DomainError):
    """An accession that an earlier row has already."""

    code = "accession_duplicate"
    title = "An accession stands in two rows"


class AccessionUnknownError(DomainError):
    """An accession that no entry of the organism and group has."""

    code = "accession_unknown"
    title = "There is no such accession here"


class EntryNotReleasedError(DomainError):
    """An entry whose latest version is not released, and which is therefore not revised."""

    code = "entry_not_released"
    title = "The entry is not released"


class IdempotencyKeyReusedError(DomainError):
    """An idempotency key that came with another body before."""

    code = "idempotency_key_reused"
    title = "The idempotency key belongs to another body"


class IdempotencyKeyRunningError(RetryLaterError):
    """An idempotency key whose first call has not answered yet."""

    code = "idempotency_key_running"
    title = "A call with this idempotency key is running"


class ReceiptNotReadyError(RetryLaterError):
    """A receipt of a submission that is still being verified."""

    code = "receipt_not_ready"
    title = "The submission is still being verified"


class NothingAcceptedError(DomainError):
    """A receipt of a submission of which nothing was accepted."""

    code = "nothing_accepted"
    title = "Nothing of the submission was accepted"
