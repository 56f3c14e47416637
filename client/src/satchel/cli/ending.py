"""How commands end: 0 done, 1 refused by the server or for the data, 2 misused or not reachable, 130 stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from satchel.errors import STRANGE, ApiError, FileProblemError, Problem, RefusedError, SatchelError
from satchel.output import Output

REFUSED, UNUSABLE, STOPPED = 1, 2, 130
GOES_ON = "Stopped. The same command goes on where it stopped."


class UsageError(SatchelError):
    """The command cannot be carried out as it was given."""

    def __init__(self, detail: str, code: str = "usage") -> None:
        super().__init__(Problem(code, detail))


@contextmanager
def ending(output: Output, *, when_stopped: str = GOES_ON) -> Iterator[None]:
    """Turn what can go wrong into words and an exit code; `when_stopped` is what Ctrl-C is answered with."""
    try:
        yield
    except KeyboardInterrupt:
        output.say(f"\n{when_stopped}")
        output.result({"error": {"code": "stopped", "detail": when_stopped, "errors": []}})
        raise typer.Exit(STOPPED) from None
    except SatchelError as error:
        output.failure(error)
        raise typer.Exit(code_of(error)) from None
    except OSError as error:
        output.failure(UsageError(f"{error.filename or 'A file'}: {error.strerror or error}", "file_unreadable"))
        raise typer.Exit(UNUSABLE) from None


def code_of(error: SatchelError) -> int:
    """The exit code for what went wrong."""
    if isinstance(error, RefusedError):
        return REFUSED
    if isinstance(error, ApiError):
        is_refusal = 400 <= error.status < 500 and error.status != 401 and error.code != STRANGE
        return REFUSED if is_refusal else UNUSABLE
    return REFUSED if isinstance(error, FileProblemError) and error.problem.code == "file_changed" else UNUSABLE
