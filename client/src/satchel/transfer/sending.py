"""One upload that the server awaits: which parts are there, which go where, and how many bytes went."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from satchel.api import ApiError, bodies
from satchel.errors import Problem, SatchelError
from satchel.transfer.completing import GONE, Completer
from satchel.transfer.connections import Connection
from satchel.transfer.following import Follower
from satchel.transfer.jobs import Job, Terms
from satchel.transfer.lanes import Lanes
from satchel.transfer.parts import bounds_of, number_of_parts
from satchel.transfer.puts import Body, UploadGoneError, UrlExpiredError, UrlRefusedError, Watch, put
from satchel.transfer.urls import Urls

# A fresh URL that is refused at once has not expired. So many refusals without a byte of progress are the end.
MOST_REFUSALS = 3


@dataclass(frozen=True)
class Means:
    """What an upload goes by."""

    terms: Terms
    lanes: Lanes
    singles: Completer
    multiparts: Completer
    on_error: Callable[[Job, BaseException], None]


class Sending:
    """An upload; `part_size` is None for a file in one piece. Its work is done by lanes, parts in any order."""

    def __init__(self, means: Means, job: Job, file_id: str, part_size: int | None) -> None:
        self._means = means
        self._job = job
        self._file_id = file_id
        self._part_size = part_size
        self._number_parts = number_of_parts(job.file.size, part_size) if part_size else 1
        self._urls = Urls()
        self._etags: dict[int, str] = {}
        self._sent: dict[int, int] = {}
        self._digest = ""
        self._refusals = 0
        self._is_there = False  # the store has the whole object
        self._is_over = False
        self._state = threading.Lock()
        self._renewing = threading.Lock()
        self._follower: Follower | None = None

    def begin(self, urls: Iterable[str]) -> None:
        """Send all of it to the URLs of a new upload, in part order."""
        self._urls.take(dict(enumerate(urls, 1)))
        self._send_missing()

    def resume(self, _: Connection) -> None:
        """A lane's work: find out what is there, and have the rest sent. Raises `UploadGoneError`."""
        self._means.terms.start(self._job)
        self._means.terms.recognise(self._job, self._renew())
        self._send_missing()
        if self._is_there and self._part_size is None:
            self._completed(self._job.source.sha256())

    def give_up(self) -> None:
        """The job has failed, or is begun anew: parts that nobody has begun are not sent."""
        self._is_over = True
        if self._follower:
            self._follower.stop()

    def _send_missing(self) -> None:
        if self._part_size is not None:
            self._follower = Follower(self._job.source, self._part_size, self._completed, self._failed)
            self._follower.start()
            self._follower.may_read(number for number in self._all_numbers() if number not in self._missing())
        for number in self._missing():
            self._means.lanes.add(self._job, number, partial(self._send, number))

    def _all_numbers(self) -> range:
        return range(1, self._number_parts + 1)

    def _missing(self) -> list[int]:
        return [] if self._is_there else [number for number in self._all_numbers() if number not in self._etags]

    def _bounds(self, number: int) -> tuple[int, int]:
        return bounds_of(number, self._part_size, self._job.file.size)

    def _send(self, number: int, connection: Connection) -> None:
        """A lane's work: a part. Only the first thing that goes wrong with an upload is raised."""
        try:
            self._send_part(number, connection)
        except SatchelError:
            if self._is_first_to_end():
                raise

    def _is_first_to_end(self) -> bool:
        with self._state:
            was_over, self._is_over = self._is_over, True
        return not was_over

    def _send_part(self, number: int, connection: Connection) -> None:
        """The part, with a new URL where its own is refused, unless it turns out to be there."""
        self._means.terms.start(self._job)
        if self._follower:
            self._follower.may_read([number])
        while not (self._is_over or self._is_there or number in self._etags):
            generation = self._urls.generation
            try:
                self._put(number, connection)
            except UrlRefusedError as refusal:
                self._renew_after(refusal, generation)
        if self._part_size is not None:
            self._completed()
        elif self._is_there and not self._is_over:
            self._completed(self._job.source.sha256())

    def _put(self, number: int, connection: Connection) -> None:
        start, end = self._bounds(number)
        digest: Any = None

        def chunks() -> Iterable[memoryview]:
            nonlocal digest
            digest = hashlib.sha256() if self._part_size is None else None
            return self._job.source.chunks(start, end, digest)

        terms = self._means.terms
        watch = Watch(
            on_sent=lambda number_bytes: self._count(number, number_bytes),
            on_lost=lambda: self._recount(number, 0),
            on_retry=terms.retrying(self._job),
        )
        body = Body(end - start, chunks)
        etag = put(connection, partial(self._urls.of, number), body, watch=watch, patience=terms.patience)
        with self._state:
            self._etags[number] = etag
            self._refusals = 0
        if digest:
            self._completed(digest.hexdigest())

    def _completed(self, digest: str = "") -> None:
        """A part is there, or the sha256 is known; the last of both says that all was sent."""
        with self._state:
            self._digest = digest or self._digest
            if self._is_over or not self._digest or self._missing():
                return
            self._is_over = True
        item = bodies.Completion(fileId=self._file_id, sha256=self._digest)
        if self._part_size is None or self._is_there:
            self._means.singles.add(self._job, item)
        else:
            item["etags"] = [self._etags[number] for number in self._all_numbers()]
            self._means.multiparts.add(self._job, item)

    def _failed(self, error: BaseException) -> None:
        if self._is_first_to_end():
            self._means.on_error(self._job, error)

    def _count(self, number: int, number_bytes: int) -> None:
        self._recount(number, self._sent.get(number, 0) + number_bytes)

    def _recount(self, number: int, total: int) -> None:
        """So many bytes of the part are on their way; those of one that is tried again no longer count."""
        if not self._is_over:
            self._means.terms.count(self._job, self._more(number, total))

    def _more(self, number: int, total: int) -> int:
        """By how much this changes what was counted of the part."""
        with self._state:
            before = self._sent.get(number, 0)
            self._sent[number] = total
        return total - before

    def _renew_after(self, refusal: UrlRefusedError, generation: int) -> None:
        """New URLs, once for all parts that were refused theirs."""
        with self._renewing:
            if generation != self._urls.generation or self._is_over:
                return
            if not isinstance(refusal, UrlExpiredError):
                self._refusals += 1
            if self._refusals >= MOST_REFUSALS:
                raise refusal
            self._means.terms.count(self._job, self._renew())
            if self._follower:
                self._follower.may_read(number for number in self._all_numbers() if number not in self._missing())

    def _renew(self) -> int:
        """New URLs for what the store does not have; how many bytes it has, of which nothing was known."""
        try:
            answer = self._means.terms.api.renew(self._file_id)
        except ApiError as error:
            raise UploadGoneError(error.problem) if error.code in GONE else error from error
        if answer["status"] in {"REJECTED", "EXPIRED"}:
            raise UploadGoneError(Problem("upload_expired", "The server does not take this upload any more."))
        if answer["status"] != "REQUESTED":
            self._is_there = True
            return sum(self._more(number, self._size_of(number)) for number in self._all_numbers())
        if self._part_size is None:
            self._urls.take({1: answer["url"]})
            return 0
        return self._take_parts(answer)

    def _take_parts(self, answer: bodies.RenewedUpload) -> int:
        """Parts that are there need no sending, also where the store's answer was lost."""
        self._urls.take({item["partNumber"]: item["url"] for item in answer["urls"]})
        found = {part["partNumber"]: part for part in answer["uploadedParts"]}
        if any(number > self._number_parts or found[number]["size"] != self._size_of(number) for number in found):
            raise UploadGoneError(Problem("part_not_ours", "The parts in the store are of another file."))
        with self._state:
            self._etags |= {number: part["etag"] for number, part in found.items()}
        return sum(self._more(number, self._size_of(number)) for number in found)

    def _size_of(self, number: int) -> int:
        start, end = self._bounds(number)
        return end - start
