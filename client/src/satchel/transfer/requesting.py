"""Asking for URLs, for many files in one call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from satchel.api import ApiError, bodies
from satchel.errors import SatchelError
from satchel.transfer.jobs import Job, Terms
from satchel.transfer.parts import MULTIPART_FROM, number_of_parts, part_size_for

MOST_FILES = 1000  # a call; so has the API
MOST_PARTS = 20_000  # a call; so has the API


@dataclass(frozen=True)
class Request:
    """What a job needs: `part_size` is None for a file that goes in one piece."""

    job: Job
    part_size: int | None
    number_parts: int


@dataclass(frozen=True)
class Granted:
    """A new file for the request, its URLs in part order."""

    request: Request
    file_id: str
    urls: list[str]


class Requester:
    """Gets new files for jobs; `on_error` is told of those that the server refuses."""

    def __init__(self, terms: Terms, on_error: Callable[[Job, BaseException], None]) -> None:
        self._terms = terms
        self._on_error = on_error

    def granted(self, jobs: Sequence[Job]) -> Iterator[Granted]:
        """One after another, those of a call together; raises what concerns all of the jobs."""
        alike: dict[int, list[Request]] = defaultdict(list)
        for job in jobs:
            request = self._request_for(job)
            alike[request.number_parts if request.part_size else 0].append(request)
        for number_parts, requests in alike.items():
            most = min(MOST_FILES, MOST_PARTS // (number_parts or 1))
            for start in range(0, len(requests), most):
                yield from self._asked(requests[start : start + most])

    def _request_for(self, job: Job) -> Request:
        size = job.file.size
        if size < MULTIPART_FROM:
            return Request(job, None, 1)
        part_size = part_size_for(size, self._terms.parallel)
        return Request(job, part_size, number_of_parts(size, part_size))

    def _asked(self, requests: Sequence[Request]) -> Iterator[Granted]:
        """By one call; where that is refused for what some of them claim, by calls for fewer."""
        try:
            yield from self._called(requests)
        except ApiError as error:
            if error.status != 422:
                raise
            if len(requests) > 1:
                middle = len(requests) // 2
                yield from self._asked(requests[:middle])
                yield from self._asked(requests[middle:])
                return
            problem = error.errors[0] if error.errors else error.problem
            self._on_error(requests[0].job, SatchelError(problem))

    def _called(self, requests: Sequence[Request]) -> list[Granted]:
        api, group_id = self._terms.api, self._terms.group_id
        claims = [self._claim(request) for request in requests]
        if requests[0].part_size is None:
            files = api.request_upload(group_id, claims)
            return [
                Granted(request, file["fileId"], [file["url"]]) for request, file in zip(requests, files, strict=True)
            ]
        in_parts = api.request_multipart_upload(group_id, claims, number_parts=requests[0].number_parts)
        return [
            Granted(request, file["fileId"], file["urls"]) for request, file in zip(requests, in_parts, strict=True)
        ]

    def _claim(self, request: Request) -> bodies.Claim:
        job = request.job
        claim = bodies.Claim(name=job.file.name, size=job.file.size, fingerprint=job.fingerprint)
        if self._terms.organism and job.file.category:
            claim["organism"], claim["category"] = self._terms.organism, job.file.category
        if request.part_size is not None:
            claim["partSize"] = request.part_size
        return claim
