"""What people do with submissions; each call is one function."""

from submissions.services.receipts import Receipt, receipt_for, receipt_name, receipt_text
from submissions.services.submitting import Sent, organism_of_slug, submit

__all__ = ["Receipt", "Sent", "organism_of_slug", "receipt_for", "receipt_name", "receipt_text", "submit"]
