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
WORKERS = ("worker", "worker-large")
SMALL = 80 * MEBIBYTE  # over the size from which a file is verified by the worker for large ones


def main() -> int:
    """Start the product, verify both files, print; 1 if a worker took more than the limit."""
    from tests.product import running_product

    found = {}
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
        place = Path(folder)
        database_url = f"sqlite:///{folder}/unused.sqlite3"
        with running_product(place, database_url=database_url) as product, product.api(timeout=120) as api:
            _verified(api, place / "warm", SMALL, gzipped=True)
            for name, size, gzipped in (("1 GiB .fastq.gz", 1024, True), ("2 GiB plain", 2048, False)):
                found[name] = _measure(product, api, place / "file", size * MEBIBYTE, gzipped=gzipped, name=name)
    print(json.dumps({name: round(more / MEBIBYTE, 1) for name, more in found.items()}))
    return int(any(more > LIMIT for more in found.values()))


def _measure(product: Product, api: httpx.Client, path: Path, size: int, *, gzipped: bool, name: str) -> int:
    """Bytes that the worker process with the highest peak took beyond its idle memory."""
    from tests.product import forget_peak, memory

    idle = {pid: memory(pid, "VmRSS") for name in WORKERS for pid in product.pids(name)}
    for pid in idle:
        forget_peak(pid)
    seconds = _verified(api, path, size, gzipped=gzipped)
    peaks = {pid: memory(pid, "VmHWM") for pid in idle}
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


if __name__ == "__main__":
    sys.exit(main())
