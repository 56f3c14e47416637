"""Rules as they stood: what is submitted is judged by them to its end, whatever an admin changes meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from files import rules
from files.models import ContentCheck, FileCategory
from files.rules import RecordedRules, rules_in
from submissions.models import Organism, RuleSet, SequenceEntry
from tests.factories import FileCategoryFactory, OrganismFactory, RuleSetFactory
from tests.fixtures import FASTQ, Api, Demo, codes, mapping_of

pytestmark = pytest.mark.django_db

RAW_READS = "rawReads"


def rules_of_entry(entry: SequenceEntry) -> RecordedRules:
    assert entry.rule_set is not None
    [found] = [recorded for recorded in rules_in(entry.rule_set) if recorded.name == RAW_READS]
    return found


def submit(api: Api, demo: Demo, content: bytes, name: str = "a.txt") -> Any:
    """Submit one entry with one file of raw reads."""
    mapping = mapping_of("s", RAW_READS, (api.upload(demo.group, content), name))
    return api.submit(demo.organism, demo.group, table=b"id\ns\n", fasta=b">s\nACGT\n", mapping=mapping)


def change(**changes: Any) -> None:
    FileCategory.objects.filter(name=RAW_READS).update(**changes)


STRICTER: dict[str, dict[str, Any]] = {
    "check": {"content_check": ContentCheck.FASTQ},
    "size": {"max_file_size": 1},
    "pairing": {"content_check": ContentCheck.FASTQ, "pairing": True, "min_files": 2, "max_files": 2},
    "extensions": {"extensions": [".fastq"]},
    "number": {"min_files": 2},
}
REFUSED = {
    "check": [],
    "size": ["file_too_large"],
    "pairing": ["too_few_files"],
    "extensions": ["extension_not_allowed"],
    "number": ["too_few_files"],
}
"""What a new submission is refused with at once; a check has to be run first."""


@pytest.mark.embedded
@pytest.mark.parametrize("changed", STRICTER)
def test_a_rule_that_changes_concerns_what_is_submitted_from_then_on(
    api: Api, demo: Demo, work: Callable[[], None], changed: str
) -> None:
    change(content_check=ContentCheck.NONE)
    submit(api, demo, b"no reads")
    work()
    accepted = SequenceEntry.objects.get()
    submit(api, demo, b"no reads either")
    verifying = SequenceEntry.objects.get(status="VERIFYING")

    change(**STRICTER[changed])
    work()

    for entry in (accepted, verifying):
        entry.refresh_from_db()
        assert entry.status == "ACCEPTED"
        assert rules_of_entry(entry) == RecordedRules(
            RAW_READS,
            "Raw reads",
            "none",
            False,
            False,
            1,
            None,
            None,
            (),
        )
        [file] = api.get(f"submissions/{entry.submission_id}").json()["entries"][0]["files"]
        assert (file["status"], file["problem"]) == ("VERIFIED", None)

    old = accepted.attachments.get().file_id
    mapping = mapping_of("s", RAW_READS, (str(old), "a.txt"))
    answer = api.submit(demo.organism, demo.group, table=b"id\ns\n", fasta=b">s\nACGT\n", mapping=mapping)
    if REFUSED[changed]:
        assert codes(answer) == REFUSED[changed]
        return
    work()
    judged_anew = SequenceEntry.objects.latest("pk")
    assert (judged_anew.status, rules_of_entry(judged_anew).content_check) == ("REJECTED", "fastq")


def test_a_check_that_is_lifted_still_holds_for_what_was_submitted_under_it(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    location = submit(api, demo, b"no reads").headers["Location"]
    change(content_check=ContentCheck.NONE)
    work()
    [entry] = api.client.get(location).json()["entries"]
    assert (entry["status"], entry["files"][0]["problem"]["code"]) == ("REJECTED", "fastq_header")


@pytest.mark.embedded
def test_a_pair_submitted_as_one_is_compared_although_pairs_are_not_wanted_any_more(
    api: Api, demo: Demo, work: Callable[[], None]
) -> None:
    change(pairing=True)
    files = [(api.upload(demo.group, content), f"s_{n}.fastq") for n, content in enumerate((FASTQ, FASTQ * 2), 1)]
    mapping = mapping_of("s", RAW_READS, *files)
    api.submit(demo.organism, demo.group, table=b"id\ns\n", fasta=b">s\nACGT\n", mapping=mapping)
    change(pairing=False)
    work()
    entry = SequenceEntry.objects.get()
    assert (entry.status, rules_of_entry(entry).pairing) == ("REJECTED", True)
    assert set(entry.attachments.values_list("pair_problem_code", flat=True)) == {"pair_read_count"}


@pytest.mark.embedded
def test_all_entries_under_the_same_rules_share_one_rule_set(api: Api, demo: Demo) -> None:
    for _ in range(2):
        api.submit(demo.organism, demo.group)
    change(shown_name="Reads")
    api.submit(demo.organism, demo.group)
    change(shown_name="Raw reads")
    api.submit(demo.organism, demo.group)
    of_entries = list(SequenceEntry.objects.order_by("pk").values_list("rule_set", flat=True))
    first, other = of_entries[0], of_entries[4]
    assert of_entries == [first] * 4 + [other] * 2 + [first] * 2
    assert set(RuleSet.objects.values_list("pk", flat=True)) == {first, other}


@pytest.mark.embedded
def test_an_organism_without_file_sharing_has_no_rules_for_files(api: Api, demo: Demo) -> None:
    api.submit(demo.organism_without_files, demo.group)
    assert set(SequenceEntry.objects.values_list("rule_set", flat=True)) == {None}
    assert not RuleSet.objects.exists()


def test_the_rules_that_are_checked_are_read_once_and_are_those_recorded(api: Api, demo: Demo) -> None:
    mapping = mapping_of("s", RAW_READS, (api.upload(demo.group, FASTQ), "a.fastq"))
    with CaptureQueriesContext(connection) as queries:
        api.submit(demo.organism, demo.group, table=b"id\ns\n", fasta=b">s\nACGT\n", mapping=mapping)
    reads = [query["sql"] for query in queries if 'FROM "files_filecategory"' in query["sql"]]
    assert len(reads) == 1


def test_a_refused_submission_records_nothing(api: Api, demo: Demo) -> None:
    assert api.submit(demo.organism, demo.group, fasta=b">other\nACGT\n").status_code == 422
    assert not RuleSet.objects.exists()


# --- recording ---------------------------------------------------------------------------------------


def ruled(organism: Organism) -> FileCategory:
    category: FileCategory = FileCategoryFactory.create(
        organism=organism,
        name=RAW_READS,
        shown_name="Räw reads",
        content_check=ContentCheck.FASTQ,
        pairing=True,
        required=True,
        min_files=2,
        max_files=2,
        max_file_size=5_000_000_000,
        extensions=[".fastq.gz", ".fq.gz"],
    )
    return category


@pytest.mark.embedded
def test_every_rule_is_recorded_and_read_back() -> None:
    organism = OrganismFactory.create()
    category = ruled(organism)
    recorded = rules.record(organism, [category])
    assert recorded.categories == [
        {
            "name": RAW_READS,
            "shownName": "Räw reads",
            "contentCheck": "fastq",
            "pairing": True,
            "required": True,
            "minFiles": 2,
            "maxFiles": 2,
            "maxFileSize": 5_000_000_000,
            "extensions": [".fastq.gz", ".fq.gz"],
        }
    ]
    canonical = json.dumps(recorded.categories, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert recorded.digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert rules_in(RuleSet.objects.get()) == [RecordedRules.of(category)]
    assert str(rules_in(recorded)[0]) == "Räw reads"


def test_the_same_rules_of_another_organism_are_another_rule_set() -> None:
    first, second = OrganismFactory.create_batch(2)
    assert rules.record(first, []) != rules.record(second, [])
    assert rules.record(first, []) == rules.record(first, [])


@pytest.mark.embedded
def test_an_unused_rule_set_does_not_keep_an_organism() -> None:
    organism = RuleSetFactory.create().organism
    organism.delete()
    assert not RuleSet.objects.exists()


@pytest.mark.embedded
@pytest.mark.django_db(transaction=True)
def test_rules_recorded_at_once_are_one_row() -> None:
    organism = OrganismFactory.create()
    category = ruled(organism)

    def run(_: int) -> int:
        try:
            return rules.record(organism, [category]).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(run, range(12)))) == 1
    assert RuleSet.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {},
            (
                "Two files, read 1 and read 2 of a pair, whose names differ only in 1 and 2. "
                "No file larger than 5.0 GB. Names end in .fastq.gz, .fq.gz. "
                "Each file is checked to be readable as FASTQ, plain or gzipped."
            ),
        ),
        ({"pairing": False, "max_file_size": None, "extensions": [], "content_check": "none"}, "Exactly 2 files."),
    ],
)
def test_rules_are_told_in_words(changes: dict[str, Any], words: str) -> None:
    category = ruled(OrganismFactory.create())
    for name, value in changes.items():
        setattr(category, name, value)
    assert " ".join(RecordedRules.of(category).sentences()) == words


def test_a_check_that_is_not_offered_any_more_is_told_by_its_name() -> None:
    document = {**RecordedRules.of(ruled(OrganismFactory.create())).as_json(), "contentCheck": "sff"}
    assert "Each file is checked to be readable as sff." in list(RecordedRules.from_json(document).sentences())
