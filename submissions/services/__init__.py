"""What people do with submissions; each call is one function."""

from submissions.services.submitting import Sent, organism_of_slug, submit

__all__ = ["Sent", "organism_of_slug", "submit"]
