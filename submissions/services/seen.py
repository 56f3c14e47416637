"""What somebody has seen of an entry, and what others have changed since."""

from __future__ import annotations

from datetime import datetime

from common.errors import Location
from submissions.errors import EntryChangedError
from submissions.models import SequenceEntry


def changed_since(
    as_of: datetime | None, entry: SequenceEntry, to_do: str, where: Location | None = None
) -> EntryChangedError | None:
    """What to tell who wants `to_do` something about an entry that they saw as it was settled then.

    None where it is still as they saw it, or they have not said what they saw.
    """
    return None if as_of in {None, entry.settled_at} else changed(entry, to_do, where)


def changed(entry: SequenceEntry, to_do: str, where: Location | None = None) -> EntryChangedError:
    """That others have replaced its files."""
    text = f"Somebody has replaced the files of {entry} meanwhile. Look at them before you {to_do}."
    return EntryChangedError(text, where)
