"""What people do with files; each call is one function."""

from files.services.claims import Claims
from files.services.completing import CompleteItem, complete_multipart_uploads, complete_uploads
from files.services.downloading import download_url
from files.services.operating import lift_quarantine, quarantine, requeue
from files.services.presence import mark_uploaded
from files.services.requesting import RequestedUpload, request_multipart_uploads, request_uploads

__all__ = [
    "Claims",
    "CompleteItem",
    "RequestedUpload",
    "complete_multipart_uploads",
    "complete_uploads",
    "download_url",
    "lift_quarantine",
    "mark_uploaded",
    "quarantine",
    "request_multipart_uploads",
    "request_uploads",
    "requeue",
]
