"""What can be wrong with files, in the words of the contract; without HTTP."""

from __future__ import annotations

from common.errors import DomainError, RetryLaterError


class StorageUnavailableError(RetryLaterError):
    """The object store did not answer as it should: a fault of ours or of the network, never of a file."""

    code = "storage_unavailable"
    title = "The object store does not answer"

    def __init__(self, detail: str = "The file storage does not answer right now; try again in a moment.") -> None:
        super().__init__(detail, retry_after=5)


class FileNotFoundInGroupError(DomainError):
    """No such file for this group; another group's file is the same case, and so is one being deleted."""

    code = "file_not_found"
    title = "There is no such file"


class FileNotUploadedError(DomainError):
    """A URL was requested, but the object store has no object."""

    code = "file_not_uploaded"
    title = "A file was not uploaded"


class MultipartNotCompletedError(DomainError):
    """A multipart upload whose complete call is still to come."""

    code = "multipart_not_completed"
    title = "A multipart upload was not completed"


class NotMultipartError(DomainError):
    """A complete-multipart call for a file that was requested as a single upload."""

    code = "not_multipart"
    title = "The file is no multipart upload"


class EtagsMissingError(DomainError):
    """A complete-multipart call without ETags."""

    code = "etags_missing"
    title = "The ETags are missing"


class EtagsDifferError(DomainError):
    """A completed upload, completed again with another list of ETags."""

    code = "etags_differ"
    title = "The upload was completed with other ETags"


class PartNotFoundError(DomainError):
    """The object store has no part of that number with that ETag."""

    code = "part_not_found"
    title = "A part was not found"


class PartTooSmallError(DomainError):
    """A part other than the last is smaller than S3 allows."""

    code = "part_too_small"
    title = "A part is too small"


class UploadExpiredError(DomainError):
    """The upload was given up before it was completed."""

    code = "upload_expired"
    title = "The upload has expired"


class UploadCompletingError(RetryLaterError):
    """The parts of the upload are being put together right now; what comes of it is known in a moment."""

    code = "upload_completing"
    title = "The upload is being completed"

    def __init__(self, detail: str = "The upload is being completed right now; try again in a moment.") -> None:
        super().__init__(detail, retry_after=2)


class FileAttachedError(DomainError):
    """The file belongs to a sequence entry and is kept for as long as it does."""

    code = "file_attached"
    title = "The file is attached"


class FileRejectedError(DomainError):
    """The file's verification, or the content check that this category asks for, has failed."""

    code = "file_rejected"
    title = "A file was rejected"


class CategoryUnknownError(DomainError):
    """The organism has no such file category."""

    code = "category_unknown"
    title = "There is no such file category"


class TooFewFilesError(DomainError):
    """Fewer files than the category asks for."""

    code = "too_few_files"
    title = "Too few files"


class TooManyFilesError(DomainError):
    """More files than the category allows."""

    code = "too_many_files"
    title = "Too many files"


class FileTooLargeError(DomainError):
    """Larger than the category allows, or than S3 takes in one piece."""

    code = "file_too_large"
    title = "A file is too large"


class ExtensionNotAllowedError(DomainError):
    """A file name without one of the endings that the category allows."""

    code = "extension_not_allowed"
    title = "A file name has the wrong ending"


class PairFileNamesError(DomainError):
    """Two files of a category of pairs whose names differ in more, or in something else, than a 1 and a 2."""

    code = "pair_file_names"
    title = "Two files are not named as a pair"


class FileNotAvailableError(DomainError):
    """A file that is not verified, or is in quarantine, is not handed out; nor is one in quarantine discarded."""

    code = "file_not_available"
    title = "The file is not available"


class SizeMismatchError(DomainError):
    """A claimed size that is not the file's, or not the one claimed before."""

    code = "size_mismatch"
    title = "The file has another size"


class Sha256MismatchError(DomainError):
    """A claimed sha256 that is not the file's, or not the one claimed before."""

    code = "sha256_mismatch"
    title = "The file has another sha256"


class Md5MismatchError(DomainError):
    """A claimed MD5 that is not the file's, or not the one claimed before."""

    code = "md5_mismatch"
    title = "The file has another MD5"


class QuotaExceededError(RetryLaterError):
    """The files of the group take what they may, or would with those that are asked for."""

    code = "quota_exceeded"
    title = "The group's quota does not suffice"


class TooManyOpenUploadsError(RetryLaterError):
    """The group has as many uploads under way as it may, or would with those that are asked for."""

    code = "too_many_open_uploads"
    title = "Too many uploads under way"
