"""What the web processes of a running product take: long addresses, and large files that they never hold in memory."""

from __future__ import annotations

import re
from itertools import repeat
from pathlib import Path

from tests import web
from tests.fixtures import new_file_id
from tests.product import Product, memory

TRY_A_FILE = "/admin/files/file/try-a-file/"
RULES = {"rules-shown_name": "Raw reads", "rules-content_check": "fastq", "rules-min_files": "1"}


def peaks_of_web(product: Product) -> dict[int, int]:
    """The most memory, in bytes, that each of the product's web processes has held since it started, by its number."""
    return {pid: memory(pid, "VmHWM") for pid in product.pids("web")}


def test_a_large_file_that_is_tried_is_read_to_its_end_and_never_held_in_memory(
    product: Product, tmp_path: Path
) -> None:
    read = b"@read\n" + b"ACGT" * 40 + b"\n+\n" + b"IIII" * 40 + b"\n"
    number = 200_000_000 // len(read) + 1
    large = tmp_path / "large.fastq"
    with large.open("wb") as file:
        file.writelines(repeat(read * 100, number // 100 + 1))
    with web.client(product.base_url, follow_redirects=True, timeout=90) as client:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/login").text)
        assert token is not None
        login = {"username": "admin", "password": "satchel-demo", "csrfmiddlewaretoken": token[1]}
        assert client.post("/login", data=login).status_code == 200
        headers = {"X-CSRFToken": client.cookies["csrftoken"]}
        before = peaks_of_web(product)

        with large.open("rb") as file:
            form = {**RULES, "names": "large.fastq"}
            answer = client.post(TRY_A_FILE, data=form, files={"files": file}, headers=headers)

    assert answer.status_code == 200, answer.text
    [found, _] = answer.json()["findings"]
    assert f"{(number // 100 + 1) * 100:,} reads" in found["detail"]
    after = peaks_of_web(product)
    assert before.keys() == after.keys()
    assert before
    assert max(after[process] - before[process] for process in before) < 64 * 1024**2


def test_a_hundred_fingerprints_or_file_ids_fit_into_an_address(product: Product) -> None:
    with product.api() as alice:
        for name, words in (("fingerprints", ["0" * 64] * 100), ("ids", [new_file_id() for _ in range(100)])):
            answer = alice.get("/files", params={"groupId": 1, "attached": "false", name: ",".join(words)})
            assert (answer.status_code, answer.json()) == (200, {"items": [], "nextCursor": None})
