"""What people do with files; each call is one function."""

from files.services.claims import Claims
from files.services.completing import CompleteItem, complete_multipart_uploads, complete_uploads
from files.services.discarding import discard_file, discard_files
from files.services.downloading import download_url
from files.services.listing import FileCursor, FileFilter, FilePage, file_details, list_files
from files.services.operating import lift_quarantine, quarantine, requeue
from files.services.presence import mark_uploaded
from files.services.quotas import Usage, usage_of
from files.services.renewing import RenewedUpload, renew_upload
from files.services.requesting import RequestedUpload, request_multipart_uploads, request_uploads

__all__ = [
    "Claims",
    "CompleteItem",
    "FileCursor",
    "FileFilter",
    "FilePage",
    "RenewedUpload",
    "RequestedUpload",
    "Usage",
    "complete_multipart_uploads",
    "complete_uploads",
    "discard_file",
    "discard_files",
    "download_url",
    "file_details",
    "lift_quarantine",
    "list_files",
    "mark_uploaded",
    "quarantine",
    "renew_upload",
    "request_multipart_uploads",
    "request_uploads",
    "requeue",
    "usage_of",
]
