"""One pass over an object: size, hashes and content checks, in constant memory.

What can run at once does: bytes are received, hashed twice, unpacked and checked by threads of their own, each a
few pieces ahead of the next. Hashing, unpacking and receiving let go of the interpreter's lock.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from files import storage
from files.content import CheckOutcome, CheckRun, run_of
from files.lanes import Lane
from files.storage import StoredObject

TEXT_DEPTH = 3
"""Pieces of unpacked text, of at most 2 MiB, that unpacking may be ahead of the checks."""
SWITCH_INTERVAL = 0.000_5
"""Seconds after which a thread that checks lets another have the interpreter's lock, of which that needs little."""

Step = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass over the bytes found; size in bytes, hashes in hexadecimal."""

    size: int
    sha256: str
    md5: str
    outcomes: list[CheckOutcome]


def read(stored: StoredObject, check_names: Sequence[str], *, before_chunk: Callable[[], object]) -> Reading:
    """Read the object from its first byte to its last, on condition that it is still the one with this ETag.

    `before_chunk` is called for every MiB and may raise to end it. Raises what `storage.open_stream` does while
    reading; a mismatch or a failed check is not an error but a part of the result.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    run = run_of(check_names, stored.size)
    size = 0
    with (
        storage.open_stream(stored.key, etag=stored.etag, size=stored.size) as chunks,
        _steps(stored.size, sha256.update, md5.update, run) as take,
    ):
        for chunk in chunks:
            before_chunk()
            size += len(chunk)
            take(chunk)
    return Reading(size, sha256.hexdigest(), md5.hexdigest(), run.finish())


@contextmanager
def _steps(size: int, sha256: Step, md5: Step, run: CheckRun) -> Iterator[Step]:
    """What is done with each chunk, all of it done when the context ends; a small file is not worth threads."""
    if size <= storage.MEBIBYTE:

        def take_at_once(chunk: bytes) -> None:
            for step in (sha256, md5, run.feed):
                step(chunk)

        yield take_at_once
        return
    with ExitStack() as stack:
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(SWITCH_INTERVAL)
        text = stack.enter_context(Lane(run.take, depth=TEXT_DEPTH)) if run.unpacks else None
        steps = (sha256, md5, partial(run.feed, relay=text.feed) if text else run.feed)
        lanes = [stack.enter_context(Lane(step)) for step in steps]

        def take(chunk: bytes) -> None:
            for lane in lanes:
                lane.feed(chunk)

        yield take
        for lane in [*lanes, *([text] if text else [])]:
            lane.drain()
