"""Ports for one test session, apart from those of sessions that run beside it (`make test` has several)."""

from __future__ import annotations

from socket import socket

from embedded import ports

SHARE = 500  # ports, hence twenty shares; a session asks for a hundred or two


def claim_ports() -> socket:
    """From now on this process is given free ports of one share of the range alone; no other session has that share.

    A port that is free when it is chosen may be taken before a server listens there: between two sessions that
    start at once, that happened. The first port of the share is held as the sign that it is taken; closing what is
    returned, or the end of the process, frees it. Raises OSError when all shares are taken.
    """
    lowest, highest = ports.LOWEST, ports.HIGHEST
    for first in range(lowest, highest, SHARE):
        claim = socket()
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
            continue
        ports.LOWEST, ports.HIGHEST = first + 1, first + SHARE - len(ports.S3_BLOCK)
        return claim
    raise OSError(f"no share of the ports between {lowest} and {highest} is free; too many test sessions are running")
