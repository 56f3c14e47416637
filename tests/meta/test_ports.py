"""Two test sessions at once, and two servers of one, never get the same port."""

from __future__ import annotations

import pytest

from embedded import ports
from tests.ports import SHARE, claim_ports


def test_sessions_side_by_side_have_ports_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = range(ports.LOWEST, ports.LOWEST + 20 * SHARE)
    shares = []
    for _ in range(2):
        monkeypatch.setattr(ports, "LOWEST", whole.start)
        monkeypatch.setattr(ports, "HIGHEST", whole.stop)
        shares.append((claim_ports(), range(ports.LOWEST, ports.HIGHEST + len(ports.S3_BLOCK))))
    (first, of_first), (second, of_second) = shares
    first.close()
    second.close()
    assert not set(of_first) & set(of_second)


def test_a_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_given", set())  # other tests have had ports of the share
    monkeypatch.setattr(ports, "HIGHEST", ports.LOWEST + 200)
    given = [port for _ in range(5) for port in (ports.free_port(), *ports.s3_ports(ports.free_s3_port()))]
    assert len(given) == len(set(given))
