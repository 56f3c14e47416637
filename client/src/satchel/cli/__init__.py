"""The command `satchel`: options in `app`, what the commands do in one module each."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from satchel.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command has begun
        sys.exit(130)
