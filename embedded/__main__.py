"""`python -m embedded`: what `make run` starts. See `runner.py`."""

from __future__ import annotations

import argparse
import sys

from embedded.programs import EmbeddedError
from embedded.runner import end_with, run


def main() -> int:
    """Run until told to stop; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m embedded", description="Run all of Satchel on this machine.")
    parser.add_argument("--parent", type=int, help="end when the process with this ID, our parent, ends (Linux)")
    parent = parser.parse_args().parent
    if parent is not None:
        end_with(parent)
    try:
        return run()
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
