"""How long does it take to submit 10,000 entries with 20,000 files in one call?

    make bench        (or: var/venv/bin/python -m benchmarks.submitting [--quick])

The running product on a PostgreSQL of its own gets 1,000 and then 10,000 entries with two small FASTQ files each, which
were sent and of which nobody has told it. Measured are the time to the 202, the time until all of it is accepted, and
the peak of a web process's memory (VmHWM of proc(5), set back before). With `--quick` all entries share two files.

In the same run a straightforward implementation of the same checks, on 1,000 entries and without HTTP around it: our
parsers, then file by file a query for the row, one for its failed checks, a HEAD and an update, then row by row an
insert. It sends no message to the workers. Its time for 10,000 is ten times that, which is said and not measured.

The queries are those of our service for 1,000 entries, counted in this process. Exits with 1 where a target is missed.
Last a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.product import Product

MEBIBYTE = 1 << 20
FEW, MANY = 1_000, 10_000
FILES_AN_ENTRY = 2
AT_ONCE = 1_000  # files that one call asks URLs for
SENDERS = 8
WARM_UPS = 6  # there are two web processes, and either may answer
READS = b"@read\nACGT\n+\nFFFF\n"
PATIENCE = 3_600  # seconds
SETTINGS = {"VERIFICATION_LEASE_SECONDS": "60", "VERIFICATION_HEARTBEAT_SECONDS": "15", "SWEEP_EVERY_SECONDS": "10"}
"""As in production; the tests' product sweeps more often, which is work for workers that have enough of it here."""
GROWTH, PEAK, RATIO = "growth, at most", "web peak in MiB, under", "times the straightforward one, at least"
TARGETS = {GROWTH: 10.0, PEAK: 300.0, RATIO: 10.0}
"""Growth is the time to the 202 of 10,000 entries in those of 1,000."""


@dataclass(frozen=True)
class Form:
    """What is submitted."""

    table: bytes
    fasta: bytes
    mapping: str

    @classmethod
    def of(cls, entries: int, file_ids: Sequence[str]) -> Form:
        """So many entries with two files each; files are used again where there are fewer."""
        keys = islice(cycle(file_ids), entries * FILES_AN_ENTRY)
        files = [{"fileId": key, "name": f"reads_{n % FILES_AN_ENTRY + 1}.fastq"} for n, key in enumerate(keys)]
        pairs = (files[n * FILES_AN_ENTRY :][:FILES_AN_ENTRY] for n in range(entries))
        return cls(
            table=b"id\tcountry\tdate\thost\n"
            + b"".join(b"sample%d\tUganda\t2024-01-02\tHomo sapiens\n" % n for n in range(entries)),
            fasta=b"".join(b">sample%d\n%s\n" % (n, b"ACGT" * 15) for n in range(entries)),
            mapping=json.dumps({f"sample{n}": {"rawReads": pair} for n, pair in enumerate(pairs)}),
        )


@dataclass(frozen=True)
class Measured:
    """Seconds from the call to its answer and until all is accepted; the highest peak of a web process in bytes."""

    answered: float
    accepted: float
    peak: int


def main() -> int:
    """Start PostgreSQL and the product, measure, print; 1 if a target is missed."""
    from tests.product import running_product

    shared = FILES_AN_ENTRY if "--quick" in sys.argv[1:] else None
    with tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder:
        place = Path(folder)
        with (
            _running_postgres(place) as url,
            running_product(place, database_url=url, settings=SETTINGS) as product,
            product.api(timeout=300) as api,
        ):
            for _ in range(WARM_UPS):
                _submit(product, api, Form.of(2, _upload(api, 2)))
            by_size = {}
            for entries in (FEW, MANY):
                form = Form.of(entries, _upload(api, shared or entries * FILES_AN_ENTRY))
                by_size[entries] = _submit(product, api, form)
            files = [_upload(api, shared or FEW * FILES_AN_ENTRY) for _ in range(2)]
            with product.without("worker"):
                queries, straightforward = _in_this_process(product, *(Form.of(FEW, ids) for ids in files))
    return _tell(by_size, queries, straightforward)


def _tell(by_size: dict[int, Measured], queries: int, straightforward: float) -> int:
    few, many = by_size[FEW], by_size[MANY]
    print(f"{'entries x files':16} {'202':>8} {'accepted':>10} {'web peak':>10}")
    for entries, found in by_size.items():
        size = f"{entries:,} x {FILES_AN_ENTRY}"
        peak = found.peak / MEBIBYTE
        print(f"{size:16} {found.answered:6.2f} s {found.accepted:8.1f} s {peak:6.0f} MiB")
    scaled = straightforward * MANY / FEW
    print(f"straightforward, {FEW:,} x {FILES_AN_ENTRY}: {straightforward:.1f} s; ten times that: {scaled:.0f} s")
    print(f"queries for {FEW:,} x {FILES_AN_ENTRY}: {queries}")
    growth, peak, ratio = many.answered / few.answered, many.peak / MEBIBYTE, scaled / many.answered
    summary = {
        "202": {entries: round(measured.answered, 2) for entries, measured in by_size.items()},
        "accepted": {entries: round(measured.accepted, 1) for entries, measured in by_size.items()},
        "growth": round(growth, 2),
        "web peak in MiB": round(peak),
        "queries": queries,
        "straightforward": round(straightforward, 1),
        "times the straightforward one": round(ratio, 1),
        "targets": TARGETS,
    }
    print(json.dumps(summary))
    return int(growth > TARGETS[GROWTH] or peak >= TARGETS[PEAK] or ratio < TARGETS[RATIO])


# --- over HTTP ---------------------------------------------------------------------------------------


def _upload(api: httpx.Client, number: int) -> list[str]:
    """Send so many files, without saying so; their IDs."""
    ids: list[str] = []
    with httpx.Client(timeout=60) as store, ThreadPoolExecutor(SENDERS) as pool:
        for start in range(0, number, AT_ONCE):
            parameters = {"groupId": 1, "numberFiles": min(AT_ONCE, number - start)}
            requested = _json(api.post("/files/request-upload", params=parameters))
            for answer in pool.map(lambda item: store.put(item["url"], content=READS), requested):
                answer.raise_for_status()
            ids += [item["fileId"] for item in requested]
    return ids


def _submit(product: Product, api: httpx.Client, form: Form) -> Measured:
    """Submit and wait until all is accepted."""
    from tests.product import forget_peak, memory

    web = product.pids("web")
    for pid in web:
        forget_peak(pid)
    files = {
        "metadataFile": ("metadata.tsv", form.table),
        "sequenceFile": ("sequences.fasta", form.fasta),
        "fileMapping": (None, form.mapping.encode()),
    }
    start = time.monotonic()
    answer = api.post("/ebola-sudan/submit", params={"groupId": 1}, files=files)
    answered = time.monotonic() - start
    assert answer.status_code == 202, answer.text[:1000]
    peak = max(memory(pid, "VmHWM") for pid in web)
    path = answer.headers["Location"].removeprefix("/api")
    while (submission := _json(api.get(path)))["status"] == "VERIFYING":
        assert time.monotonic() - start < PATIENCE, submission["counts"]
        time.sleep(0.5)  # sooner than Retry-After says: what is measured takes seconds
    assert submission["status"] == "ACCEPTED", submission["counts"]
    return Measured(answered, time.monotonic() - start, peak)


def _json(answer: httpx.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


@contextmanager
def _running_postgres(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL of its own."""
    from embedded.programs import Lifeline
    from tests.postgres import PostgreSQL

    folder.chmod(0o711)  # it may run as another account than root
    lifeline = Lifeline(folder / "postgresql.lock")
    server = PostgreSQL(folder / "postgresql")
    try:
        server.start(lifeline)
        yield server.url
    finally:
        server.stop()
        lifeline.release()


# --- in this process ---------------------------------------------------------------------------------


def _in_this_process(product: Product, form: Form, same_size: Form) -> tuple[int, float]:
    """The number of queries of our service for one form, and the seconds of the straightforward way for the other."""
    os.environ.update(product.environment)
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User
    from submissions.services import Sent, submit

    alice = User.objects.get(username="alice")
    sent = Sent(BytesIO(form.table), BytesIO(form.fasta), form.mapping)
    with CaptureQueriesContext(connection) as queries:
        submit(user=alice, organism_slug="ebola-sudan", group_id=1, sent=sent)
    seconds = _seconds(partial(_straightforward, alice, same_size))
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's alone, which ends before us
    return len(queries), seconds


def _seconds(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def _straightforward(user: Any, form: Form) -> None:
    """The same checks and rows, one after another: what one writes first."""
    from django.db import transaction

    from common.errors import ErrorList
    from files import storage
    from files.models import FileAttachment
    from submissions.mapping import parse_mapping
    from submissions.models import Group, Organism, SequenceEntry, Submission
    from submissions.names import name_key
    from submissions.sequences import parse_fasta
    from submissions.services.checking import field_rules
    from submissions.services.submitting import take_accessions
    from submissions.tables import parse_table

    errors = ErrorList()
    organism, group = Organism.objects.get(slug="ebola-sudan"), Group.objects.get(pk=1)
    table = parse_table(BytesIO(form.table), fields=field_rules(organism), errors=errors, limit=MEBIBYTE * 64)
    fasta = parse_fasta(BytesIO(form.fasta), errors=errors, limit=MEBIBYTE * 64)
    lengths = {record.fasta_id: record.length for record in fasta.records}
    mapping = parse_mapping(form.mapping)
    files = {mapped.file_id: _checked_file(group, mapped.file_id, mapped.name) for mapped in mapping.files()}
    errors.raise_if_any()
    submission = Submission(organism=organism, group=group, submitted_by=user)
    submission.metadata_file.name = storage.keep_document("metadata", BytesIO(form.table))
    submission.sequence_file.name = storage.keep_document("sequences", BytesIO(form.fasta))
    with transaction.atomic():
        submission.save()
        accessions = take_accessions(len(table.rows))
        for position, row in enumerate(table.rows):
            entry = SequenceEntry.objects.create(
                submission=submission,
                position=position,
                given_submission_id=row.submission_id,
                accession=accessions[position],
                metadata=row.metadata,
                sequences=[{"fastaId": row.submission_id, "length": lengths[row.submission_id]}],
            )
            for name, attached in mapping.entries[row.submission_id].items():
                category = organism.file_categories.get(name=name)
                for place, mapped in enumerate(attached):
                    FileAttachment.objects.create(
                        entry=entry,
                        file=files[mapped.file_id],
                        category=category,
                        name=mapped.name,
                        name_key=name_key(mapped.name),
                        position=place,
                        content_check=category.content_check,
                    )


def _checked_file(group: Any, file_id: uuid.UUID, name: str) -> Any:
    """A file that can be attached, looked for in the database and in the store; marked as uploaded."""
    from django.utils import timezone

    from files import storage
    from files.models import File
    from submissions.names import check_file_name

    file = File.objects.get(pk=file_id, group=group, deleting_at__isnull=True)
    assert check_file_name(name) is None
    assert not file.check_results.filter(passed=False).exists()
    stored = storage.head(file.staging_key)
    assert stored is not None
    file.status, file.size = File.Status.UPLOADED, stored.size
    file.uploaded_at = file.last_activity_at = timezone.now()
    file.save(update_fields=["status", "size", "uploaded_at", "last_activity_at"])
    return file


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    sys.exit(main())
