"""Ports on 127.0.0.1: which are needed, which are taken, which are free."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterable

S3_BLOCK = range(9)  # SeaweedFS listens on its S3 port and the eight behind it,
S3_FAR = 10_008  # and its admin server speaks gRPC 10,000 above the last of them
LOWEST, HIGHEST = 12_000, 22_000  # with S3_FAR still below what systems hand out for outgoing connections
_given: set[int] = set()  # by this process, which need not listen there yet


def s3_ports(first: int) -> list[int]:
    """All ports of a SeaweedFS whose S3 port is `first`; `first` itself comes first."""
    return [*(first + offset for offset in S3_BLOCK), first + S3_FAR]


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def taken(ports: Iterable[int]) -> list[int]:
    """Those of the ports on which something listens."""
    return [port for port in ports if not is_free(port)]


def free_port() -> int:
    """A port that nothing listens on; random, so that runs side by side hardly ever meet."""
    return _first_free(lambda port: [port])


def free_s3_port() -> int:
    """A port that is free with all that SeaweedFS needs behind it."""
    return _first_free(s3_ports)


def _first_free(block: Callable[[int], list[int]]) -> int:
    for _ in range(1000):
        port = random.randrange(LOWEST, HIGHEST)  # noqa: S311 - not a secret
        ports = block(port)
        if _given.isdisjoint(ports) and not taken(ports):
            _given.update(ports)
            return port
    raise OSError(f"no free port found between {LOWEST} and {HIGHEST}")
