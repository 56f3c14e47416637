"""Files that are verified together: what goes wrong with one of them is its own, and keeps no other from its end."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from files import storage
from files.errors import StorageUnavailableError
from files.leases import Lease, LeaseLostError

log = structlog.get_logger(__name__)

FAULTS = (StorageUnavailableError, storage.ObjectMissingError, storage.ObjectChangedError)


@dataclass(slots=True)
class Batch:
    """The files that are still to be verified, those that were rejected without being read, and bugs met with."""

    held: list[Lease]
    rejected_unread: list[uuid.UUID] = field(default_factory=list)
    bugs: list[Exception] = field(default_factory=list)

    def each(self) -> Iterator[Lease]:
        """The files one after another, without those that fall out meanwhile."""
        for lease in tuple(self.held):
            if lease in self.held:
                yield lease

    @contextmanager
    def alone(self, lease: Lease) -> Iterator[None]:
        """Work on one file; where that fails, the file falls out, and is given back with its fault."""
        try:
            yield
        except LeaseLostError:
            log.info("lease_lost", file_id=str(lease.file.pk))
        except FAULTS as fault:
            count = lease.file.fault_count + 1
            log.warning("verification_fault", file_id=str(lease.file.pk), fault=repr(fault), count=count)
            if isinstance(fault, StorageUnavailableError) and not _store_answers():
                self._put_off(fault)
                return
            lease.end_with_fault(fault)
        except Exception as bug:
            lease.end_with_fault(bug)
            self.bugs.append(bug)
        else:
            return
        self.held.remove(lease)

    def end(self, fault: BaseException) -> None:
        """Give back what is held: with a fault, unless this worker was told to stop, which is nobody's."""
        for lease in self.held:
            if isinstance(fault, SystemExit | KeyboardInterrupt):
                lease.give_back()
            else:
                lease.end_with_fault(fault)

    def raise_bugs(self) -> None:
        """Raise what was met with that is no fault of storage."""
        if len(self.bugs) == 1:
            raise self.bugs[0]
        if self.bugs:
            raise ExceptionGroup("several files could not be verified", self.bugs)

    def _put_off(self, fault: Exception) -> None:
        """Nothing can be read now: each further file would be waited for as long."""
        for lease in self.held:
            lease.put_off(fault)
        self.held.clear()


def _store_answers() -> bool:
    """Whether the object store is there at all: where it is not, no file can be blamed for it."""
    try:
        return storage.bucket_ready()
    except StorageUnavailableError:
        return False
