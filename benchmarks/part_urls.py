"""How fast does `request-multipart-upload` answer with 10,000 part URLs?

    make bench        (or: var/venv/bin/python -m benchmarks.part_urls)

Measured over HTTP against the running product, and in the same run: the peer (botocore's own presigner, as many
URLs, without any HTTP around it) and the limit (our signer alone, likewise). Medians of several rounds, and
last a line of JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import httpx
from botocore.config import Config

PARTS = 10_000
ROUNDS = 7


def seconds(work: Callable[[], object]) -> float:
    """The median of `ROUNDS` runs, after one that does not count."""
    work()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Start the product, measure, print."""
    from tests.product import running_product

    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
        url = f"sqlite:///{folder}/unused.sqlite3"
        with running_product(Path(folder), database_url=url) as product:
            os.environ.update(product.environment)
            measure(product.base_url)


def measure(base_url: str) -> None:
    """The three measurements against a product at this address."""
    from files import signing

    client = httpx.Client(base_url=f"{base_url}/api", timeout=60)
    credentials = {"username": "alice", "password": "satchel-demo"}
    client.headers["Authorization"] = f"Bearer {client.post('/auth/token', json=credentials).json()['access']}"

    def answer() -> object:
        parameters = {"groupId": 1, "numberFiles": 1, "numberParts": PARTS}
        response = client.post("/files/request-multipart-upload", params=parameters)
        response.raise_for_status()
        return response.json()

    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=os.environ["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )

    def peer() -> object:
        names = {"Bucket": os.environ["S3_BUCKET"], "Key": "files/key", "UploadId": "upload"}
        return [
            s3.generate_presigned_url("upload_part", Params={**names, "PartNumber": number})
            for number in range(1, PARTS + 1)
        ]

    def limit() -> object:
        return signing.presign_parts("files/key", "upload", range(1, PARTS + 1), expires_in=86_400)

    found = {"answer": seconds(answer), "botocore": seconds(peer), "signer": seconds(limit)}
    for name, value in found.items():
        print(f"{name:10} {value * 1000:8.1f} ms for {PARTS:,} URLs")
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main()
