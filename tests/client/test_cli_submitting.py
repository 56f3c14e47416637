"""Submitting, revising and correcting with the command, against the running product."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from satchel.api import Api

from tests.client.commands import Satchel, fastq, submit
from tests.workbooks import DATE, row, workbook

pytestmark = pytest.mark.timeout(240)


def test_a_run_goes_from_the_folder_to_everybody_and_back(satchel: Satchel, run: Path) -> None:
    command = submit(run, "--files", run / "files", "--wait")
    first = satchel.json(*command)
    assert first["status"] == "ACCEPTED"
    names = {entry["submissionId"]: sorted(file["name"] for file in entry["files"]) for entry in first["entries"]}
    assert names == {
        "s1": ["s1_R1.fastq.gz", "s1_R2.fastq.gz"],
        "s2": ["gel [1].png", "s2_R1.fastq.gz", "s2_R2.fastq.gz"],
    }
    again = satchel(*command)
    assert f"were submission {first['id']}, within the last 24 hours" in again.stderr
    assert "Add --again to submit them anew." in again.stderr
    assert "5 files uploaded, 0 bytes sent" in again.stderr

    entries = [f"{entry['accession']}.{entry['version']}" for entry in first["entries"]]
    satchel("release", "--submission", str(first["id"]), code=2)  # nobody can be asked
    released = satchel.json("release", "--submission", str(first["id"]), "--yes")["released"]
    assert [f"{one['accession']}.{one['version']}" for one in released] == entries

    anybody = Satchel({"XDG_CONFIG_HOME": str(run / "nobody")}, satchel.url)
    accessions = [entry.split(".")[0] for entry in entries]
    anybody("download", *accessions, "--to", run / "back", "--url", satchel.url, "--organism", "ebola-sudan")
    sent = {
        path.name: path.read_bytes() for path in (run / "files").rglob("*") if path.is_file() and path.name[0] != "."
    }
    back = {path.name: path.read_bytes() for path in (run / "back").rglob("*") if path.is_file()}
    assert back == sent

    satchel("receipt", str(first["id"]), "-o", run / "receipt.txt")
    receipt = satchel.json("receipt", str(first["id"]))
    for entry in receipt["entries"]:
        for file in entry["files"]:
            path = f"{file['category']}/{entry['submissionId']}/{file['name']}"
            assert f"{file['sha256']}  {path}" in (run / "receipt.txt").read_text()


def test_the_same_command_again_submits_nothing_twice_but_for_again(satchel: Satchel, run: Path) -> None:
    command = submit(run, "--files", f"rawReads={run / 'files/rawReads'}")
    first = satchel.json(*command)
    number = first["submission"]
    assert not first["isRepeated"]
    moved = run / "moved"
    (run / "files").rename(moved)
    command = submit(run, "--files", f"rawReads={moved / 'rawReads'}")
    assert satchel.json(*command) == {**first, "isRepeated": True}
    assert satchel.json(*command, "--again")["submission"] > number
    (moved / "rawReads/s1/s1_R1.fastq.gz").write_bytes(gzip.compress(fastq(21)))
    assert satchel.json(*command)["submission"] > number


def test_the_same_files_for_other_entries_are_another_submission(satchel: Satchel, run: Path) -> None:
    pictures = [run / f"{name}.png" for name in ("gel", "plate")]
    for picture in pictures:
        picture.write_bytes(random.randbytes(1_000))
    first, second = (file["fileId"] for file in satchel.json("upload", *pictures)["files"])
    command = submit(run, "--files", f"rawReads={run / 'files/rawReads'}")
    numbers = []
    for of_s1, of_s2 in ((first, second), (second, first), (first, second)):
        (run / "t.tsv").write_text(f"id\tfiles.supplementary\ns1\ta.png:{of_s1}\ns2\ta.png:{of_s2}\n")
        numbers.append(satchel.json(*command)["submission"])
    assert numbers[0] == numbers[2]
    assert numbers[0] != numbers[1]
    (run / "files/rawReads/s1").rename(run / "s")
    (run / "files/rawReads/s2").rename(run / "files/rawReads/s1")
    (run / "s").rename(run / "files/rawReads/s2")
    assert satchel.json(*command)["submission"] > max(numbers)


def test_a_workbook_says_which_files_go_where(satchel: Satchel, run: Path) -> None:
    rows = [row(1, "id", "files.rawReads", "date"), row(2, "s1", "s2", (45747, DATE)), row(3, "s2", "s1", "")]
    (run / "t.tsv").write_bytes(workbook("".join(rows)))
    entries = satchel.json(*submit(run, "--files", f"rawReads={run / 'files/rawReads'}", "--wait"))["entries"]
    assert [[file["name"] for file in entry["files"]] for entry in entries] == [
        ["s2_R1.fastq.gz", "s2_R2.fastq.gz"],
        ["s1_R1.fastq.gz", "s1_R2.fastq.gz"],
    ]
    shown = satchel.json("entry", f"{entries[0]['accession']}.1", "--organism", "ebola-sudan")
    assert shown["metadata"] == {"date": "2025-03-31"}


def test_a_damaged_table_is_told_with_its_name_before_anything_is_sent(satchel: Satchel, run: Path) -> None:
    (run / "t.tsv").write_bytes(gzip.compress((run / "t.tsv").read_bytes())[:-3])
    error = satchel.json(*submit(run, "--files", run / "files"), code=1)["error"]
    assert [problem["code"] for problem in error["errors"]] == ["compression_invalid"]
    assert "“t.tsv” cannot be unpacked" in error["errors"][0]["detail"]


def test_a_rejected_entry_is_accepted_with_other_files(satchel: Satchel, run: Path) -> None:
    broken = run / "files/rawReads/s1/s1_R1.fastq.gz"
    whole = fastq(20_000)
    packed = bytearray(gzip.compress(whole, 1))
    packed[-8] ^= 0xFF  # its checksum, far behind what the client looks at
    broken.write_bytes(packed)
    (run / "files/supplementary/s1").mkdir()
    (run / "files/supplementary/s1/gel.png").write_bytes(random.randbytes(2_000))
    first, second = satchel.json(*submit(run, "--files", run / "files", "--wait"), code=1)["entries"]
    assert (first["status"], second["status"]) == ("REJECTED", "ACCEPTED")
    name, reads = f"{first['accession']}.1", run / "files/rawReads/s1"
    command: list[str | Path] = ["replace", name, reads, "--category", "rawReads", "--wait"]

    assert satchel.json(*command, code=1)["error"]["code"] == "file_rejected"
    broken.write_bytes(b"no FASTQ")
    assert [problem["code"] for problem in satchel.json(*command, code=1)["error"]["errors"]] == ["fastq_header"]
    broken.write_bytes(gzip.compress(whole, 1))
    corrected = satchel.json(*command)
    assert corrected["status"] == "ACCEPTED"
    before, after = (
        {(file["category"], file["name"]): file["fileId"] for file in entry["files"]} for entry in (first, corrected)
    )
    assert before.keys() == after.keys()
    assert {key for key in before if before[key] != after[key]} == {("rawReads", "s1_R1.fastq.gz")}
    assert satchel.json(*command)["files"] == corrected["files"]

    satchel("release", name, "--yes")
    assert satchel.json(*command, code=1)["error"]["code"] == "entry_released"


def test_everything_that_is_wrong_is_told_before_a_byte_moves(satchel: Satchel, run: Path, api: Api) -> None:
    raw = run / "files/rawReads"
    (raw / "S3").mkdir()
    (raw / "S3/x.fastq").write_bytes(b"")
    (run / "t.tsv").write_text("id\tfiles.nothing\ns1\ns2\ns1\n")
    (run / "s.fa").write_text(">s1\nAC\n>s9\nAC\n")
    before = [file["fileId"] for file in api.files(api.groups()[0]["id"])]
    error = satchel.json(*submit(run, "--files", f"rawReads={raw}"), code=1)["error"]
    found = {problem["code"] for problem in error["errors"]}
    assert found == {"id_duplicate", "ids_unmatched", "category_unknown", "submission_id_unknown"}
    assert [file["fileId"] for file in api.files(api.groups()[0]["id"])] == before


def test_what_a_look_at_the_files_shows_is_told_with_its_file(satchel: Satchel, run: Path) -> None:
    raw = run / "files/rawReads"
    packed = (raw / "s1/s1_R1.fastq.gz").read_bytes()
    (raw / "s1/s1_R1.fastq.gz").write_bytes(packed[:-9])
    (raw / "s2/notes.txt").write_text("hello")
    result = satchel(*submit(run, "--files", f"rawReads={raw}"), code=1)
    assert "Nothing was sent: 2 problems." in result.stderr
    place = f"rawReads/s1/s1_R1.fastq.gz, rawReads, byte {len(packed) - 9:,}: "
    assert f"{place}The gzip file is cut short" in result.stderr
    assert "rawReads/s2/notes.txt, rawReads: Line 1, in record 1, does not begin with @" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("option", ["--wait", "--dry-run"])
def test_what_the_server_finds_in_the_documents_is_told_with_what_the_files_show_before_a_byte_moves(
    satchel: Satchel, run: Path, api: Api, option: str
) -> None:
    (run / "s.fa").write_text(">s1\nACGT\n>s2\nGG9C\n")
    (run / "files/rawReads/s1/s1_R1.fastq.gz").write_bytes(b"hello")
    before = [file["fileId"] for file in api.files(api.groups()[0]["id"])]
    error = satchel.json(*submit(run, "--files", run / "files", option), code=1)["error"]
    assert {problem["code"] for problem in error["errors"]} == {"fastq_header", "sequence_invalid"}
    [of_server] = [problem for problem in error["errors"] if problem["code"] == "sequence_invalid"]
    assert (of_server["line"], of_server["field"]) == (4, "sequenceFile")
    assert [file["fileId"] for file in api.files(api.groups()[0]["id"])] == before


def test_a_revision_keeps_the_files_that_are_not_named(satchel: Satchel, run: Path) -> None:
    first = satchel.json(*submit(run, "--files", run / "files", "--wait"))
    satchel("release", "--submission", str(first["id"]), "--yes")
    entries = [entry["accession"] for entry in first["entries"]]
    (run / "t.tsv").write_text(f"id\taccession\nn1\t{entries[0]}\nn2\t{entries[1]}\n")
    (run / "s.fa").write_text(">n1\nACGT\n>n2\nGGCC\n")
    (run / "new/n2").mkdir(parents=True)
    (run / "new/n2/gel.png").write_bytes(random.randbytes(2_000))
    command = ["revise", *submit(run, "--files", f"supplementary={run / 'new'}")[1:]]
    planned = satchel(*command, "--dry-run").stderr
    assert "rawReads: carried over, as far as the version before has files: “n1”, “n2”" in planned
    assert "supplementary: carried over, as far as the version before has files: “n1”\n" in planned
    revised = satchel.json(*command, "--wait")
    names = {entry["submissionId"]: sorted(file["name"] for file in entry["files"]) for entry in revised["entries"]}
    assert names == {"n1": ["s1_R1.fastq.gz", "s1_R2.fastq.gz"], "n2": ["gel.png", "s2_R1.fastq.gz", "s2_R2.fastq.gz"]}
    assert [(entry["accession"], entry["version"]) for entry in revised["entries"]] == [(one, 2) for one in entries]
    shown = satchel.json("entry", entries[1])
    assert (shown["version"], shown["submission"]) == (2, revised["id"])
    (run / "new/n2/gel.png").write_bytes(random.randbytes(2_001))
    error = satchel.json(*command, code=1)["error"]
    assert [problem["code"] for problem in error["errors"]] == ["entry_not_released"] * 2
    satchel("withdraw", *(f"{entry}.2" for entry in entries), "--yes")
    satchel.json(*command, "--wait")
    assert satchel.json("entry", entries[0])["version"] == 3, "the latest, where the one before it was withdrawn"


def test_entries_are_withdrawn_and_a_submission_without_any_is_exit_1(satchel: Satchel, run: Path) -> None:
    made = satchel.json(*submit(run))
    first, second = (f"{entry['accession']}.{entry['version']}" for entry in made["entries"])
    assert f"{first} of ebola-sudan, “s1”, is ACCEPTED." in satchel("entry", first).stderr
    satchel("withdraw", first, code=2)  # nobody can be asked
    satchel("withdraw", first, "--yes")
    number = str(made["submission"])
    assert "1 entry, 1 accepted, 1 withdrawn" in satchel("status", number).stderr
    document = satchel.json("withdraw", first, second, "--yes", code=1)
    assert [problem["code"] for problem in document["error"]["errors"]] == ["entry_not_found"]
    assert [f"{one['accession']}.{one['version']}" for one in document["withdrawn"]] == [second]
    document = satchel.json("status", number, "--watch", code=1)
    assert (document["status"], document["error"]["code"]) == ("WITHDRAWN", "entries_withdrawn")


def test_a_dry_run_shows_the_plan_and_sends_nothing(satchel: Satchel, run: Path, api: Api) -> None:
    before = [file["fileId"] for file in api.files(api.groups()[0]["id"])]
    plan = satchel.json(*submit(run, "--files", run / "files", "--dry-run"))["plan"]
    assert {(file["submissionId"], file["category"]) for file in plan["files"]} == {
        ("s1", "rawReads"),
        ("s2", "rawReads"),
        ("s2", "supplementary"),
    }
    assert sorted(plan["leftOut"]) == ["rawReads/s1/.DS_Store", "rawReads/s2/.DS_Store"]
    assert plan["withoutFiles"] == {"supplementary": ["s1"]}
    assert [file["fileId"] for file in api.files(api.groups()[0]["id"])] == before


def test_cells_of_the_table_name_folders_and_uploaded_files(satchel: Satchel, run: Path) -> None:
    [uploaded] = satchel.json("upload", run / "files/supplementary/s2/gel [1].png")["files"]
    header = "id\tfiles.rawReads\tcountry\tfiles.supplementary\n"
    rows = [f"hCoV/1\ts1\tUganda\tgel.png:{uploaded['fileId']}\n", "hCoV/2\ts2/s2_R1.fastq.gz\t\t\n"]
    (run / "t.tsv").write_text(header + "".join(rows))
    (run / "s.fa").write_text(">hCoV/1\nACGT\n>hCoV/2\nGGCC\n")
    command = submit(run, "--files", f"rawReads={run / 'files/rawReads'}", "--leave-out-unmatched", "--wait")
    first, second = satchel.json(*command)["entries"]
    assert sorted(file["name"] for file in first["files"]) == ["gel.png", "s1_R1.fastq.gz", "s1_R2.fastq.gz"]
    assert [file["name"] for file in second["files"]] == ["s2_R1.fastq.gz"]


def test_what_only_the_verifier_finds_is_told_with_its_entry_and_is_exit_1(satchel: Satchel, run: Path) -> None:
    path = run / "files/rawReads/s1/s1_R1.fastq.gz"
    packed = bytearray(gzip.compress(fastq(20_000), 1))
    packed[-8] ^= 0xFF  # its checksum, far behind what the client looks at
    path.write_bytes(packed)
    result = satchel(*submit(run, "--files", run / "files", "--wait"), code=1)
    assert "PARTLY_ACCEPTED" in result.stderr
    assert "s1_R1.fastq.gz, s1, rawReads" in result.stderr
    assert "[fastq_gzip_crc_mismatch]" in result.stderr
    number = result.stderr.split("Submitted as submission ")[1].split(":")[0]
    document = satchel.json("status", number, "--watch", code=1)
    assert document["counts"]["rejected"] == 1
    assert [problem["code"] for problem in document["error"]["errors"]] == ["fastq_gzip_crc_mismatch"]
