"""The receipt of a submission, as it is to be kept."""

from __future__ import annotations

import sys
from pathlib import Path

from satchel.cli.session import Session


def receipt(session: Session, number: int, output_file: Path | None, *, as_json: bool) -> None:
    """Write the receipt to a file, or to stdout, byte for byte as the server gives it."""
    content = session.api.receipt(number, form="json" if as_json else "text")
    if output_file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    output_file.write_bytes(content)
    session.output.say(f"The receipt is in {output_file}.")
