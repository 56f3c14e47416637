"""Which file goes to which entry: folders and tables in, a plan out."""

from __future__ import annotations

import csv
import gzip
import io
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from satchel.bodies import FileCategory
from satchel.documents import read_table, sequence_problems, table_without_files
from satchel.errors import FileProblemError
from satchel.folders import Found, files_below
from satchel.planning import Plan, plan

CATEGORY: FileCategory = {
    "name": "rawReads",
    "shownName": "Raw reads",
    "helpText": "",
    "required": False,
    "minFiles": 1,
    "maxFiles": None,
    "maxFileSize": None,
    "extensions": [],
    "contentCheck": "none",
    "pairing": False,
}
FILE = "2d1fcf0c-8f1d-4a5e-9a39-0c6dfb1bd6f7"


def planned(tmp_path: Path, paths: str, table: str = "id\ns1\ns2\n", *folders: str, **rules: Any) -> Plan:
    """A plan of files at these paths, in folders of which each is given; the first path's outermost if none is."""
    leave_out = rules.pop("leave_out_unmatched", False)
    for path in paths.split():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    (tmp_path / "table.tsv").write_text(table)
    found = Found()
    for folder in folders or (paths.partition("/")[0],):
        below = files_below(tmp_path / folder)
        found.files.extend(below.files)
        found.hidden.extend(below.hidden)
    category: FileCategory = {**CATEGORY, **rules}  # type: ignore[typeddict-item]
    return plan(read_table(tmp_path / "table.tsv"), [category], {"rawReads": found}, leave_out_unmatched=leave_out)


def placed(made: Plan) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for one in made.files:
        entries.setdefault(one.submission_id, []).append(one.file.relative)
    return entries


@pytest.mark.parametrize(
    ("paths", "folders"),
    [
        ("run/s1/a.fq run/s2/b.fq", ["run"]),
        ("run/s1/lane1/a.fq run/s2/lane2/deep/b.fq", ["run"]),
        ("out/run/s1/a.fq out/run/s2/b.fq", ["out"]),
        ("one/fastq/s1/a.fq two/fastq/s2/b.fq", ["one/fastq", "two/fastq"]),
        ("s1/a.fq s2/b.fq", ["s1", "s2"]),
    ],
    ids=["one folder", "deeper folders", "a folder around it", "two runs of one name", "samples' folders themselves"],
)
def test_each_subfolder_goes_to_the_row_that_is_named_like_it(tmp_path: Path, paths: str, folders: list[str]) -> None:
    made = planned(tmp_path, paths, "id\ns1\ns2\n", *folders)
    assert made.problems == []
    assert {entry: [path.rsplit("/", 1)[1] for path in own] for entry, own in placed(made).items()} == {
        "s1": ["a.fq"],
        "s2": ["b.fq"],
    }


@pytest.mark.parametrize(
    ("paths", "table", "code", "words"),
    [
        ("run/S1/a.fq run/s2/b.fq", "id\ns1\ns2\n", "submission_id_unknown", "Did you mean “s1”?"),
        ("run/s1/a.fq run/loose.fq", "id\ns1\n", "submission_id_unknown", "in no subfolder"),
        ("run/s1/a.fq run/s1/x/A.FQ", "id\ns1\n", "file_name_duplicate", "run/s1/a.fq and run/s1/x/A.FQ"),
        ("run/p/a.fq", "id\tfiles.rawReads\ns1\tp q\n", "file_mapping_invalid", "names “q” for “s1”"),
        ("run/p/a.fq", "id\tfiles.rawReads\ns1\tp\ns2\tp\n", "file_mapping_invalid", "to “s1” and to “s2”"),
        ("run/s1/a.fq run/p/b.fq", "id\tfiles.rawReads\ns1\tp\n", "submission_id_unknown", "gives “s1” other files: p"),
        ("run/s1/a.fq", f"id\tfiles.rawReads\ns1\ta.fq:{FILE}\n", "file_mapping_invalid", "by their file IDs"),
    ],
)
def test_what_fits_nowhere_is_told_with_its_place(
    tmp_path: Path, paths: str, table: str, code: str, words: str
) -> None:
    [problem] = planned(tmp_path, paths, table).problems
    assert problem.code == code
    assert words in problem.detail


def test_cells_name_folders_and_files_by_their_paths_and_count_more_than_names(tmp_path: Path) -> None:
    table = "id\tfiles.rawReads\nhCoV-19/x/1\tplate1/A01\nhCoV-19/x/2\tplate1/A02 extra/b.fq\nplate 3\tplate 3\n"
    (tmp_path / "run/plate 3").mkdir(parents=True)
    (tmp_path / "run/plate 3/c.fq").write_bytes(b"x")
    made = planned(tmp_path, "run/plate1/A01/a.fq run/plate1/A02/a.fq run/extra/b.fq", table)
    assert made.problems == []
    assert placed(made) == {
        "hCoV-19/x/1": ["run/plate1/A01/a.fq"],
        "hCoV-19/x/2": ["run/extra/b.fq", "run/plate1/A02/a.fq"],
        "plate 3": ["run/plate 3/c.fq"],
    }


def test_hidden_files_are_left_out_and_told_and_others_only_if_that_is_asked_for(tmp_path: Path) -> None:
    paths = "run/s1/.DS_Store run/s1/a.fq run/.git/s1/b.fq run/s2/Thumbs.db run/old/c.fq"
    refused = planned(tmp_path, paths)
    assert [problem.where["path"] for problem in refused.problems] == ["old"]
    assert sorted(refused.left_out) == ["run/.git/s1/b.fq", "run/s1/.DS_Store", "run/s2/Thumbs.db"]
    made = planned(tmp_path, paths, leave_out_unmatched=True)
    assert made.problems == []
    assert set(made.left_out) - set(refused.left_out) == {"run/old/c.fq"}
    assert placed(made) == {"s1": ["run/s1/a.fq"]}
    assert made.missing == {"rawReads": ["s2"]}


def test_a_required_category_misses_every_entry_without_files(tmp_path: Path) -> None:
    made = planned(tmp_path, "run/s1/a.fq", required=True)
    assert [(problem.code, problem.where["submissionId"]) for problem in made.problems] == [("too_few_files", "s2")]
    table = read_table(tmp_path / "table.tsv")
    without_folder = plan(table, [{**CATEGORY, "required": True}], {})
    assert [problem.where["submissionId"] for problem in without_folder.problems] == ["s1", "s2"]


def test_a_revision_carries_over_what_a_row_does_not_name_also_of_a_required_category(tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    (tmp_path / "run/s1").mkdir(parents=True)
    (tmp_path / "run/s1/a.fq").write_bytes(b"x")
    table.write_text(f"id\tfiles.uploaded\ns1\nx1\tb.fq:{FILE}\n")
    categories: list[FileCategory] = [
        {**CATEGORY, "name": name, "required": True} for name in ("rawReads", "uploaded", "neither")
    ]
    made = plan(read_table(table), categories, {"rawReads": files_below(tmp_path / "run")}, revising=True)
    assert (made.problems, made.missing, placed(made)) == ([], {}, {"s1": ["run/s1/a.fq"]})
    assert made.carried == {"rawReads": ["x1"], "uploaded": ["s1"], "neither": ["s1", "x1"]}


def test_letters_that_macos_takes_apart_are_those_of_the_table(tmp_path: Path) -> None:
    whole = "s\u00e9"
    made = planned(tmp_path, f"run/{unicodedata.normalize('NFD', whole)}/a.fq", f"id\n{whole}\n")
    assert (made.problems, list(placed(made))) == ([], [whole])


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.fq").write_bytes(b"x")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/s1").symlink_to(tmp_path / "elsewhere")
    assert placed(planned(tmp_path, "run/s2/b.fq"))["s1"] == ["run/s1/a.fq"]
    (tmp_path / "run/s1/back").symlink_to(tmp_path / "run")
    with pytest.raises(FileProblemError, match="a link to a folder around it"):
        files_below(tmp_path / "run")


def test_what_is_no_file_is_refused_rather_than_left_out(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileProblemError, match="no such file"):
        files_below(tmp_path)
    (tmp_path / "gone").unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileProblemError, match="no regular file"):
        files_below(tmp_path)


def test_ids_of_table_and_sequences_are_compared_before_anything_is_sent(tmp_path: Path) -> None:
    table, fasta = tmp_path / "t.tsv.gz", tmp_path / "s.fa"
    table.write_bytes(gzip.compress("\ufeffid\tfastaIds\r\ns1\t\r\n\r\ns2\tL S\r\ns1\t\r\n".encode()))
    fasta.write_bytes(b">L x\nAC\n>other\nAC\n")
    read = read_table(table)
    assert [row.submission_id for row in read.rows] == ["s1", "s2"]
    assert [(problem.code, problem.where["line"]) for problem in read.problems] == [("id_duplicate", 5)]
    found = sequence_problems(read, fasta, "REQUIRED")
    assert [(problem.code, problem.where["line"]) for problem in found] == [("ids_unmatched", 2), ("ids_unmatched", 4)]
    read.problems.clear()
    left = sequence_problems(read, fasta, "OPTIONAL")
    assert [problem.detail.split("“")[1] for problem in left] == ["S”.", "other”."]
    assert [problem.code for problem in sequence_problems(read, None, "REQUIRED")] == ["sequence_invalid"]


def test_a_table_without_its_file_columns_has_all_else_on_the_same_lines(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text('\nid\tfiles.rawReads\tnote\n\t\n\ns1\ta.fq\t"two\twords, ""quoted"""\ns2\n')
    rows = list(csv.reader(io.StringIO(table_without_files(table).decode()), dialect="excel-tab"))
    assert rows == [[], ["id", "note"], [], [], ["s1", 'two\twords, "quoted"'], ["s2"]]
