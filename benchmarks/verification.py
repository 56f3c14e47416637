"""How fast is a file verified, beside the stages of that work alone and beside a person with three commands?

    make bench        (or: var/venv/bin/python -m benchmarks.verification [MiB])

The whole pass (GET, sha256, MD5, unpacking, every record checked) over an object in SeaweedFS, and in the same run

- its stages, each alone over the same bytes: GET, sha256, MD5, unpacking with isal, records with dnaio (which checks
  less), summed up;
- what a person does with the file once it is downloaded: `gzip -t`, `sha256sum`, `md5sum`, one after another.

Rounds alternate between all of these; medians are printed, and last a line of JSON. A ratio over 1 is faster than
what stands beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from isal import igzip

from benchmarks.reads import write_fastq, write_random

MEBIBYTE = 1 << 20
ROUNDS = 5
BINARY = "binary"
KINDS = {"fastq.gz": ["fastq"], "plain fastq": ["fastq"], "plain text": [], BINARY: []}
"""What is verified, and the checks that are asked of it; SeaweedFS sends text more slowly than binary data."""


def main() -> None:
    """Start the product, put the files into its store, measure, print."""
    from tests.product import running_product

    size = int(sys.argv[1] if len(sys.argv) > 1 else 256) * MEBIBYTE
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
        place = Path(folder)
        with running_product(place, database_url=f"sqlite:///{folder}/unused.sqlite3") as product:
            os.environ.update(product.environment)
            import django

            django.setup()
            found = {}
            path = place / "file"
            for kind, checks in KINDS.items():
                if kind == BINARY:
                    write_random(path, size)
                else:
                    write_fastq(path, size, gzipped=kind == "fastq.gz")
                found[kind] = measure(kind, path, checks)
    print(json.dumps(found))


def measure(kind: str, path: Path, checks: list[str]) -> Mapping[str, float]:
    """Medians of all the measurements of one file, printed; the ratios of the sum and of the person to the pass."""
    from files.reading import read
    from files.storage import StoredObject, head

    key = f"files/benchmark/{kind.replace(' ', '-')}"
    _upload(path, key)
    stored = head(key)
    assert isinstance(stored, StoredObject)
    gzipped = kind.endswith(".gz")
    stages: dict[str, Callable[[], object]] = {
        "GET": lambda: _get(stored),
        "sha256": lambda: _hash("sha256", path),
        "md5": lambda: _hash("md5", path),
    }
    if gzipped:
        stages["isal"] = lambda: _unpack(path)
    if checks:
        plain = path.with_name("plain.fastq")
        if gzipped:
            with plain.open("wb") as file:
                subprocess.run(["gzip", "-dc", str(path)], stdout=file, check=True)
        stages["dnaio"] = lambda: _records(plain if gzipped else path)
    person: dict[str, Callable[[], object]] = {name: _command(name, path) for name in ("sha256sum", "md5sum")}
    if gzipped:
        person["gzip -t"] = _command("gzip", path, "-t")

    def whole() -> object:
        reading = read(stored, checks, before_chunk=lambda: None)
        assert reading.size == stored.size
        assert all(outcome.passed for outcome in reading.outcomes)
        return reading

    times = _alternating({"the pass": whole, **stages, **person})
    sum_of_stages = sum(times[name] for name in stages)
    by_hand = sum(times[name] for name in person)
    print(f"\n{kind}, {stored.size / MEBIBYTE:,.0f} MiB as stored")
    for name, seconds in {**times, "stages together": sum_of_stages, "person together": by_hand}.items():
        print(f"  {name:16} {seconds:8.3f} s {stored.size / seconds / 1e6:8.0f} MB/s")
    ratios = {"stages_to_pass": sum_of_stages / times["the pass"], "person_to_pass": by_hand / times["the pass"]}
    print("  " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items()))
    return {name: round(ratio, 3) for name, ratio in ratios.items()}


def _alternating(work: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Seconds of each, the median of `ROUNDS` rounds in which each has its turn, after one that does not count."""
    taken = defaultdict(list)
    for number in range(ROUNDS + 1):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            if number:
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def _upload(path: Path, key: str) -> None:
    import boto3
    from botocore.config import Config

    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=os.environ["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    s3.upload_file(str(path), os.environ["S3_BUCKET"], key)


def _get(stored: object) -> None:
    from files.storage import StoredObject, open_stream

    assert isinstance(stored, StoredObject)
    with open_stream(stored.key, etag=stored.etag) as chunks:
        for _ in chunks:
            pass


def _hash(name: str, path: Path) -> None:
    with path.open("rb") as file:
        hashlib.file_digest(file, name)


def _unpack(path: Path) -> None:
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call]  # it has no annotations
        while file.read(MEBIBYTE):
            pass


def _records(path: Path) -> None:
    import dnaio

    with dnaio.open(path) as records:
        for _ in records:
            pass


def _command(name: str, path: Path, *options: str) -> Callable[[], object]:
    return lambda: subprocess.run([name, *options, str(path)], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
