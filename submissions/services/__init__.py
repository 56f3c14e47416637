"""What people do with submissions; each call is one function."""

from submissions.services.checking import DocumentCheck, check_documents, organism_of_slug
from submissions.services.membership import add_member, make_group, remove_member
from submissions.services.receipts import Receipt, receipt_for, receipt_name, receipt_text
from submissions.services.replacing import Replacement, replace_files
from submissions.services.submitting import Sent, submit

__all__ = [
    "DocumentCheck",
    "Receipt",
    "Replacement",
    "Sent",
    "add_member",
    "check_documents",
    "make_group",
    "organism_of_slug",
    "receipt_for",
    "receipt_name",
    "receipt_text",
    "remove_member",
    "replace_files",
    "submit",
]
