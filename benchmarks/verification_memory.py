"""How much memory does a worker take to verify a file of gigabytes?

    make bench        (or: var/venv/bin/python -m benchmarks.verification_memory)

A 1 GiB `.fastq.gz` with every record checked and a 2 GiB plain file, uploaded in parts to the running product and
verified by its worker. Each worker process is looked at when it is idle, after it has verified a small file, and
again for its peak while it works (VmRSS and VmHWM of proc(5); the peak is reset before). The limit is 64 MiB more
than idle; exits with 1 where it takes more. Last a line of JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.reads import write_fastq

if TYPE_CHECKING:
    from tests.product import Product

MEBIBYTE = 1 << 20
PART = 64 * MEBIBYTE
LIMIT = 64 * MEBIBYTE
SMALL = 80 * MEBIBYTE  # over the size from which a file is verified by the worker for large ones


def main() -> int:
    """Start the product, verify both files, print; 1 if a worker took more than the limit."""
    from tests.product import running_product

    found = {}
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
        place = Path(folder)
        with running_product(place, database_url=f"sqlite:///{folder}/unused.sqlite3") as product:
            api = _alice(product)
            _verified(api, place / "warm", SMALL, gzipped=True)
            for name, size, gzipped in (("1 GiB .fastq.gz", 1024, True), ("2 GiB plain", 2048, False)):
                found[name] = _measure(product, api, place / "file", size * MEBIBYTE, gzipped=gzipped, name=name)
    print(json.dumps({name: round(more / MEBIBYTE, 1) for name, more in found.items()}))
    return int(any(more > LIMIT for more in found.values()))


def _measure(product: Product, api: httpx.Client, path: Path, size: int, *, gzipped: bool, name: str) -> int:
    """Bytes that the worker process with the highest peak took beyond its idle memory."""
    idle = {pid: _memory(pid, "VmRSS") for pid in _workers(product)}
    for pid in idle:
        (Path("/proc") / str(pid) / "clear_refs").write_text("5")  # resets VmHWM
    seconds = _verified(api, path, size, gzipped=gzipped)
    peaks = {pid: _memory(pid, "VmHWM") for pid in idle}
    pid = max(idle, key=lambda pid: peaks[pid] - idle[pid])
    more = peaks[pid] - idle[pid]
    print(
        f"{name:16} idle {idle[pid] / MEBIBYTE:6.1f} MiB, peak {peaks[pid] / MEBIBYTE:6.1f} MiB, "
        f"{more / MEBIBYTE:5.1f} MiB more; verified {seconds:.1f} s after it was uploaded"
    )
    return more


def _verified(api: httpx.Client, path: Path, size: int, *, gzipped: bool) -> float:
    """Upload a file in parts and wait until it is verified; the seconds from its completion until then."""
    size = write_fastq(path, size, gzipped=gzipped)
    claims = {"size": size, "organism": "ebola-sudan", "category": "rawReads" if gzipped else "supplementary"}
    parts = -(-size // PART)
    parameters = {"groupId": 1, "numberParts": parts}
    [requested] = _json(api.post("/files/request-multipart-upload", params=parameters, json=[claims]))
    etags = []
    with path.open("rb") as file:
        for url in requested["urls"]:
            answer = httpx.put(url, content=file.read(PART), timeout=120)
            answer.raise_for_status()
            etags.append(answer.headers["ETag"])
    start = time.monotonic()
    _json(api.post("/files/complete-multipart-upload", json=[{"fileId": requested["fileId"], "etags": etags}]))
    while (file_now := _json(api.get(f"/files/{requested['fileId']}")))["status"] != "VERIFIED":
        assert file_now["status"] in {"UPLOADED", "VERIFYING"}, file_now
        time.sleep(0.2)
    assert all(check["status"] == "PASSED" for check in file_now["checks"]), file_now
    assert len(file_now["checks"]) == int(gzipped), file_now
    return time.monotonic() - start


def _json(answer: httpx.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


def _alice(product: Product) -> httpx.Client:
    client = httpx.Client(base_url=f"{product.base_url}/api", timeout=120)
    credentials = {"username": "alice", "password": "satchel-demo"}
    client.headers["Authorization"] = f"Bearer {_json(client.post('/auth/token', json=credentials))['access']}"
    return client


def _workers(product: Product) -> list[int]:
    """The process IDs of the product's Celery workers and their pools."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        command = (folder / "cmdline").read_bytes().split(b"\0") if (folder / "cmdline").exists() else []
        mine = str(product.place.var).encode() in (folder / "environ").read_bytes() if b"worker" in command else False
        if mine and b"--app=config.celery:app" in command:
            found.append(int(folder.name))
    assert found
    return found


def _memory(pid: int, field: str) -> int:
    """Bytes that a process takes, by a field of its status."""
    status = (Path("/proc") / str(pid) / "status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    sys.exit(main())
