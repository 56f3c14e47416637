"""Files that are on the server already, whole or in part, from before an end or from another machine."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from satchel.api import bodies
from satchel.transfer.jobs import Job, Terms
from satchel.transfer.parts import number_of_parts

# The best first: what is decided, what will be, what only needs its missing parts.
RANKS: tuple[bodies.FileStatus, ...] = ("VERIFIED", "VERIFYING", "UPLOADED", "REQUESTED")
MOST_IN_AN_ADDRESS = 50  # a fingerprint has 64 digits, and servers bound the length of an address
MOST_OF_A_CALL = 500  # only files that were sent hundreds of times have more


def is_finished(file: bodies.File) -> bool:
    """Whether all of the file's bytes are in the object store."""
    return file["status"] != "REQUESTED"


class Recogniser:
    """Looks for what the server has, and sees to it that no two jobs of the run send to one file ID."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._has_any: bool | None = None
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def candidates(self, jobs: Sequence[Job]) -> dict[Job, list[bodies.File]]:
        """For each job the group's files that may be its own, best first: equal in size, begin and end."""
        found = self._found({job.fingerprint for job in jobs})
        return {job: sorted((file for file in found[job.fingerprint] if _may_be(file, job)), key=_rank) for job in jobs}

    def hold(self, file_id: str, job: Job) -> bool:
        """Take a file for one job; False where another job is sending it."""
        with self._lock:
            if file_id in self._held:
                return False
            self._held.add(file_id)
            job.held.add(file_id)
            return True

    def release(self, job: Job) -> None:
        """Let the others have what the job held."""
        with self._lock:
            self._held -= job.held
            job.held.clear()

    def _found(self, fingerprints: Iterable[str]) -> dict[str, list[bodies.File]]:
        found: dict[str, list[bodies.File]] = defaultdict(list)
        wanted = sorted(fingerprints)
        if len(wanted) > MOST_IN_AN_ADDRESS and not self._group_has_any():
            return found
        for start in range(0, len(wanted), MOST_IN_AN_ADDRESS):
            some = wanted[start : start + MOST_IN_AN_ADDRESS]
            files = self._terms.api.files(self._terms.group_id, statuses=RANKS, fingerprints=some)
            for file in islice(files, MOST_OF_A_CALL):
                found[file["claims"]["fingerprint"] or ""].append(file)
        return found

    def _group_has_any(self) -> bool:
        """Asked once, before this run has sent anything: in an empty group nothing needs looking up."""
        if self._has_any is None:
            files = self._terms.api.files(self._terms.group_id, statuses=RANKS, limit=1)
            self._has_any = next(files, None) is not None
        return self._has_any


def _may_be(file: bodies.File, job: Job) -> bool:
    """`size` of a file that is under way is what was claimed."""
    size = job.file.size
    if is_finished(file):
        return file["size"] == size
    part_size, number = file["claims"]["partSize"], file["numberParts"]
    if file["claims"]["size"] != size:
        return False
    return number is None or (part_size is not None and number == number_of_parts(size, part_size))


def _rank(file: bodies.File) -> tuple[int, bool]:
    """Of two uploads on their way, one in parts may be there in part."""
    return RANKS.index(file["status"]), file["numberParts"] is None
