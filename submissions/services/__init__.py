"""What people do with submissions; each call is one function."""

from submissions.services.checking import DocumentCheck, check_before_sending, check_documents
from submissions.services.idempotency import Answer, BodyPart, IdempotencyKey, SubmittedEntry
from submissions.services.membership import add_member, make_group, remove_member
from submissions.services.receipts import Receipt, receipt_for, receipt_name, receipt_text
from submissions.services.releasing import AccessionVersion, release
from submissions.services.replacing import Replacement, replace_files
from submissions.services.revising import revise
from submissions.services.submitting import Sent, submit
from submissions.services.withdrawing import withdraw

__all__ = [
    "AccessionVersion",
    "Answer",
    "BodyPart",
    "DocumentCheck",
    "IdempotencyKey",
    "Receipt",
    "Replacement",
    "Sent",
    "SubmittedEntry",
    "add_member",
    "check_before_sending",
    "check_documents",
    "make_group",
    "receipt_for",
    "receipt_name",
    "receipt_text",
    "release",
    "remove_member",
    "replace_files",
    "revise",
    "submit",
    "withdraw",
]
