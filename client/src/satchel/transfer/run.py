"""One run of uploads: which files are begun when, and what came of each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from satchel.api import ApiError, bodies
from satchel.errors import SatchelError, UnreachableError
from satchel.transfer.completing import Completer
from satchel.transfer.events import Done, Event, Failed, LocalFile, Uploaded
from satchel.transfer.jobs import Job, Stopped, Terms
from satchel.transfer.lanes import Lanes
from satchel.transfer.puts import UploadGoneError
from satchel.transfer.recognising import Recogniser, is_finished
from satchel.transfer.requesting import Requester
from satchel.transfer.sending import Means, Sending

# Files that have a URL already: so many that a slow server keeps no lane waiting, so few that none expires.
OPEN_FILES = 512
OPEN_BYTES = 256 * 1024 * 1024
MOST_AT_A_TIME = 250  # files that are looked at, looked up and asked for together
UPLOADS_A_FILE = 3
TOO_MANY_OPEN = "too_many_open_uploads"
CONCERNS_ALL = frozenset({"group_not_found", "organism_not_found"})


class Run:
    """Uploads `files` under these terms, once. The calling thread asks for URLs, lanes send."""

    def __init__(self, terms: Terms, files: Sequence[LocalFile]) -> None:
        self._terms = terms
        self._results: dict[int, Uploaded] = {}
        self._files = files
        self._waiting = deque(Job(index, file) for index, file in enumerate(files))
        self._open: dict[Job, Sending | None] = {}
        self._fatal: BaseException | None = None
        self._news = threading.Condition()
        self._lanes = Lanes(terms.parallel, self._on_error)
        self._singles = Completer(terms.api.complete_upload, self._are_all, self._on_done, self._on_error)
        self._multiparts = Completer(terms.api.complete_multipart_upload, self._are_all, self._on_done, self._on_error)
        self._means = Means(terms, self._lanes, self._singles, self._multiparts, self._on_error)
        self._recogniser = Recogniser(terms)
        self._requester = Requester(terms, self._on_error)
        self._at_a_time = 2 * terms.parallel  # the first few begin while the others are looked at, then more and more

    def results(self) -> list[Uploaded]:
        """Upload them; what came of each. However it ends, nothing of it goes on afterwards."""
        threads = (self._lanes, self._singles, self._multiparts)
        try:
            for thread in threads:
                thread.start()
            while jobs := self._next():
                self._begin(jobs)
        finally:
            self._terms.stop()
            with self._news:
                sendings = [sending for sending in self._open.values() if sending]
            for sending in sendings:
                sending.give_up()
            for thread in threads:
                thread.stop()
        return [self._results[index] for index in range(len(self._files))]

    def _next(self) -> list[Job]:
        """The jobs to begin now, once there is room for them; none at the end. Raises what ended the run."""
        with self._news:
            while True:
                if self._fatal:
                    raise self._fatal
                if self._waiting and self._has_room():
                    return self._taken()
                if not self._waiting and not self._open:
                    return []
                self._news.wait(0.5)  # not for ever: some systems let no Ctrl-C through to a wait without an end

    def _has_room(self) -> bool:
        if self._lanes.waiting < 2 * self._terms.parallel:
            return True
        return len(self._open) < OPEN_FILES and sum(job.file.size for job in self._open) < OPEN_BYTES

    def _taken(self) -> list[Job]:
        """So many of those that wait as fit, at least one."""
        jobs: list[Job] = []
        room = OPEN_BYTES
        while self._waiting and len(jobs) < self._at_a_time and (room > 0 or len(jobs) < self._terms.parallel):
            job = self._waiting.popleft()
            jobs.append(job)
            room -= job.file.size
            self._open[job] = None
        return jobs

    def _begin(self, jobs: Sequence[Job]) -> None:
        """Find out what there is of each, and have what is missing sent."""
        readable = [job for job in jobs if self._is_readable(job)]
        found = self._recogniser.candidates([job for job in readable if not job.is_new])
        missing = [job for job in readable if not self._use(job, found.get(job, []))]
        try:
            for granted in self._requester.granted(missing):
                job = granted.request.job
                self._recogniser.hold(granted.file_id, job)
                self._sending(job, granted.file_id, granted.request.part_size).begin(granted.urls)
        except ApiError as error:
            if error.code != TOO_MANY_OPEN or not self._wait_for_an_end(missing):
                raise
        else:
            self._at_a_time = min(2 * self._at_a_time, MOST_AT_A_TIME)

    def _is_readable(self, job: Job) -> bool:
        try:
            return bool(job.fingerprint)
        except SatchelError as error:
            self._on_error(job, error)
            return False

    def _use(self, job: Job, found: Sequence[bodies.File]) -> bool:
        """Whether one of the server's files may spare sending the job's, or a part of it."""
        finished = [file for file in found if is_finished(file)]
        if finished:
            self._lanes.add(job, 0, lambda _: self._compare(job, finished))
            return True
        for file in found:
            if self._recogniser.hold(file["fileId"], job):
                part_size = file["claims"]["partSize"] if file["numberParts"] else None
                self._lanes.add(job, 0, self._sending(job, file["fileId"], part_size).resume)
                return True
        return False

    def _sending(self, job: Job, file_id: str, part_size: int | None) -> Sending:
        sending = Sending(self._means, job, file_id, part_size)
        with self._news:
            self._open[job] = sending
        return sending

    def _compare(self, job: Job, finished: Sequence[bodies.File]) -> None:
        """A lane's work: take the server's file that is the same to the last byte; without one, send it."""
        self._terms.start(job)
        sha256 = job.source.sha256()
        for file in finished:
            if (file["sha256"] or file["claims"]["sha256"]) == sha256:
                self._terms.recognise(job, job.file.size)
                self._on_done(job, file["fileId"])
                return
        unread = [file for file in finished if not (file["sha256"] or file["claims"]["sha256"])]
        if unread:  # sent, but nobody has said yet what it should be; if it is not that, the server says so
            self._terms.recognise(job, job.file.size)
            self._singles.add(job, bodies.Completion(fileId=unread[0]["fileId"], sha256=sha256))
            return
        self._again(job)

    def _are_all(self, number: int) -> bool:
        """Whether no more than so many jobs are open or waiting."""
        with self._news:
            return not self._waiting and len(self._open) <= number

    def _on_done(self, job: Job, file_id: str) -> None:
        self._settle(job, Uploaded(job.file, file_id), Done(job.file, file_id))

    def _on_error(self, job: Job, error: BaseException) -> None:
        """What the work for a job raised: it fails, or is begun anew, or the run ends."""
        if isinstance(error, Stopped) or self._terms.is_stopped:
            return
        if isinstance(error, UploadGoneError) and job.attempt + 1 < UPLOADS_A_FILE:
            self._again(job)
        elif isinstance(error, SatchelError) and not _concerns_all(error):
            self._settle(job, Uploaded(job.file, None, error.problem), Failed(job.file, error.problem))
        else:
            with self._news:
                self._fatal = self._fatal or error
                self._news.notify()

    def _again(self, job: Job) -> None:
        """Begin the job anew, as another file, whatever the server has of it."""
        with self._news:
            if self._closed(job):
                self._terms.count(job, -job.counted)
                job.attempt += 1
                job.is_new = True
                self._waiting.appendleft(job)
                self._news.notify()

    def _settle(self, job: Job, result: Uploaded, event: Event) -> None:
        """The job has ended so, unless it had ended before."""
        with self._news:
            if self._closed(job):
                self._results[job.index] = result
                self._terms.tell(event)
                self._news.notify()

    def _closed(self, job: Job) -> bool:
        """Whether the job was open; nothing more is sent of it. What comes of it must be noted under the same lock."""
        if job not in self._open:
            return False
        sending = self._open.pop(job)
        if sending:
            sending.give_up()
        self._recogniser.release(job)
        return True

    def _wait_for_an_end(self, jobs: Sequence[Job]) -> bool:
        """Too many uploads are open: put back those without a URL until another is done; False where there is none."""
        with self._news:
            back = [job for job in jobs if job in self._open and self._open[job] is None]
            self._at_a_time = max(1, len(back) // 2)
            number = len(self._open) - len(back)
            if number == 0:
                return False
            for job in reversed(back):
                del self._open[job]
                self._waiting.appendleft(job)
            self._news.wait_for(lambda: len(self._open) < number or self._fatal, timeout=10)
        return True


def _concerns_all(error: SatchelError) -> bool:
    """Whether the other files would fare no better."""
    if isinstance(error, ApiError):
        return error.status in {401, 403, 429} or error.status >= 500 or error.code in CONCERNS_ALL
    return isinstance(error, UnreachableError)
