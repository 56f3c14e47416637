"""Files to the object store, several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from satchel.api import Api
from satchel.transfer.events import Event, LocalFile, Uploaded
from satchel.transfer.jobs import Terms
from satchel.transfer.run import Run
from satchel.transfer.waiting import settled

PARALLEL = 8


class Uploader:
    """Sends files of a group, `parallel` PUTs at once over all files and parts.

    `on_event` is called by several threads, never two at once; it should return quickly.
    """

    def __init__(
        self,
        api: Api,
        *,
        group_id: int,
        organism: str | None = None,
        parallel: int = PARALLEL,
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self._api = api
        self._group_id = group_id
        self._organism = organism
        self._parallel = parallel
        self._on_event = on_event

    def upload(self, files: Sequence[LocalFile]) -> list[Uploaded]:
        """Send what the server does not have of them; what came of each, in the order given.

        A problem of one file is in its result. Raises `ApiError` for what concerns all of them (no member of the
        group, a token that has expired), `UnreachableError` where server or object store stay away, and
        `KeyboardInterrupt` as it comes: the same call again goes on from there, in another process too.
        """
        return Run(self._terms(), files).results()

    def wait(self, uploaded: Sequence[Uploaded]) -> list[Uploaded]:
        """Wait until the server has read those that have a file ID and no problem; they get the problem it found.

        That may be one of the file or of the content check of its category. Tells `Settled`; raises as `upload`.
        """
        return settled(self._terms(), uploaded)

    def _terms(self) -> Terms:
        return Terms(self._api, self._group_id, self._organism, self._parallel, self._on_event)
