"""What a category's rules would make of files, and the address of the admin that says so."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from accounts.models import User
from files.models import File, FileCategory
from files.rules import RecordedRules
from files.trying import Finding, TriedFile, Verdict, findings
from tests.factories import FileCategoryFactory, UserFactory
from tests.fixtures import FASTQ, FASTQ_GZ

ADDRESS = "/admin/files/file/try-a-file/"
ANY = RecordedRules("rawReads", "Raw reads", "none", False, False, 1, None, None, ())
TYPED = {"shown_name": "Raw reads", "content_check": "fastq", "min_files": "1"}
READ_1 = b"@a/1\nACGT\n+\nIIII\n@b/1\nACGT\n+\nIIII\n"
READ_2 = READ_1.replace(b"/1", b"/2").replace(b"ACGT", b"TTTT")


def tried(name: str, content: bytes = b"content") -> TriedFile:
    return TriedFile(name, len(content), iter([content[:7], content[7:]]))


def told(rules: RecordedRules, *files: TriedFile) -> list[tuple[str | None, str, str]]:
    """Name, verdict and code of each finding."""
    return [(finding.name, str(finding.verdict), finding.code) for finding in findings(rules, files)]


def test_without_rules_any_file_is_accepted_unread() -> None:
    content = iter([b"content"])

    found = findings(ANY, [TriedFile("gel.jpg", 1_234, content)])

    assert next(content) == b"content"
    assert found == [
        Finding(
            "gel.jpg",
            Verdict.ACCEPTED,
            "1.2 kB (1,234 bytes). No content check is set, so its content was not read.",
        ),
        Finding(None, Verdict.ACCEPTED, "An entry may have 1 file here."),
    ]


def test_a_file_that_passes_its_content_check_says_what_was_counted() -> None:
    [found, _] = findings(replace(ANY, content_check="fastq"), [tried("r.fastq.gz", FASTQ_GZ)])
    [packed, _] = findings(replace(ANY, content_check="gzip"), [tried("r.gz", gzip.compress(b"x" * 2000, mtime=0))])

    assert found.detail.endswith("The content check passed: 2 reads, 10 bases.")
    assert packed.detail.endswith("The content check passed: 1 member, unpacked size 2.0 kB.")


def test_a_file_that_fails_its_content_check_says_where_and_why() -> None:
    [found, _] = findings(replace(ANY, content_check="fastq"), [tried("r.fastq", FASTQ.replace(b"IIII!", b"III!"))])

    assert (found.name, found.verdict, found.code) == ("r.fastq", Verdict.REFUSED, "fastq_quality_length")
    assert found.line == 4
    assert "qualit" in found.detail


@pytest.mark.parametrize(
    ("rules", "files", "expected"),
    [
        ({"extensions": (".fq", ".FASTQ")}, ["a.Fastq"], [("a.Fastq", "accepted", "")]),
        ({"extensions": (".fq",)}, ["a.bam"], [("a.bam", "refused", "extension_not_allowed")]),
        ({"max_file_size": 7}, ["a"], [("a", "accepted", "")]),
        ({"max_file_size": 6}, ["a"], [("a", "refused", "file_too_large")]),
        ({}, ["a:b"], [("a:b", "refused", "file_name_invalid")]),
        ({}, ["a", "A"], [("a", "accepted", ""), ("A", "refused", "file_name_duplicate")]),
    ],
)
def test_names_and_sizes_are_judged_as_they_are_when_submitted(
    rules: dict[str, Any], files: list[str], expected: list[tuple[str, str, str]]
) -> None:
    assert told(replace(ANY, **rules), *map(tried, files))[:-1] == expected


@pytest.mark.parametrize(
    ("rules", "count", "expected"),
    [
        ({"min_files": 2}, 1, ("refused", "too_few_files")),
        ({"min_files": 2}, 2, ("accepted", "")),
        ({"max_files": 2}, 2, ("accepted", "")),
        ({"max_files": 2}, 3, ("refused", "too_many_files")),
        ({"required": True}, 0, ("refused", "too_few_files")),
        ({}, 0, ("accepted", "")),
    ],
)
def test_the_number_of_files_is_judged_last(rules: dict[str, Any], count: int, expected: tuple[str, str]) -> None:
    assert told(replace(ANY, **rules), *(tried(str(number)) for number in range(count)))[-1] == (None, *expected)


def test_all_that_is_wrong_with_a_file_is_told() -> None:
    rules = replace(ANY, content_check="fastq", extensions=(".fq",), max_file_size=1)

    codes = [code for _, _, code in told(rules, tried("a?", b"no reads"))]

    assert codes == ["file_name_invalid", "extension_not_allowed", "file_too_large", "fastq_header", ""]


def test_two_files_are_compared_where_a_pair_is_wanted() -> None:
    rules = replace(ANY, content_check="fastq", pairing=True)
    accepted = (None, "accepted", "")

    def of_both(one: TriedFile, other: TriedFile) -> list[tuple[str | None, str, str]]:
        return told(rules, one, other)[2:]

    assert of_both(tried("a_1.fq", READ_1), tried("a_2.fq", READ_2)) == [accepted, accepted]
    assert of_both(tried("a_2.fq", READ_2), tried("a_1.fq", READ_1)) == [accepted, accepted]
    assert of_both(tried("a_1.fq", READ_2), tried("a_2.fq", READ_1)) == [accepted, (None, "refused", "pair_swapped")]
    assert of_both(tried("a_1.fq", READ_1), tried("a_2.fq", READ_1)) == [accepted, (None, "refused", "pair_same_mate")]
    assert of_both(tried("a_1.fq", READ_1), tried("b_2.fq", READ_2)) == [accepted, (None, "refused", "pair_file_names")]
    assert of_both(tried("a_1.fq", READ_1), tried("a_2.fq", b"bad")) == [accepted]
    assert told(rules, tried("a_1.fq", READ_1))[1:] == [(None, "refused", "too_few_files")]


def test_what_cannot_be_read_in_time_is_neither_accepted_nor_refused() -> None:
    times = chain([False, False, False], repeat(True))
    files = [TriedFile("a.fq", 3, [FASTQ]), TriedFile("b.fq", 1 << 40, repeat(FASTQ)), tried("c.fq", FASTQ)]

    found = findings(replace(ANY, content_check="fastq"), files, time_is_up=lambda: next(times))

    assert [(finding.name, finding.verdict) for finding in found[:-1]] == [
        ("a.fq", Verdict.ACCEPTED),
        ("b.fq", Verdict.UNDECIDED),
        ("c.fq", Verdict.UNDECIDED),
    ]


def try_files(
    client: Client, typed: Mapping[str, object], *files: tuple[str, bytes], names: list[str] | None = None
) -> Any:
    """Send files with the rules, as the box in the admin does."""
    form: dict[str, Any] = {f"rules-{name}": value for name, value in typed.items()}
    form["files"] = [SimpleUploadedFile(name, content) for name, content in files]
    form["names"] = [name for name, _ in files] if names is None else names
    return client.post(ADDRESS, form)


def client_of(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return client


@pytest.fixture
def editor(db: None) -> User:
    """Staff who may change file categories, and no more."""
    user = UserFactory.create(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_filecategory"))
    return user


@pytest.mark.embedded
def test_rules_as_typed_are_answered_and_nothing_is_stored(editor: User) -> None:
    category = FileCategoryFactory.create(content_check="none")
    before = FileCategory.objects.values().get()

    typed = {**TYPED, "max_files": "1", "extensions": ".fastq", "id": category.pk, "name": "", "order": "x"}
    answer = try_files(client_of(editor), typed, ("r.fastq", FASTQ), ("s.bam", b"no reads"))

    assert answer.status_code == 200
    body = answer.json()
    assert body["ruleProblems"] == []
    assert [(found["name"], found["verdict"], found["code"]) for found in body["findings"]] == [
        ("r.fastq", "accepted", ""),
        ("s.bam", "refused", "extension_not_allowed"),
        ("s.bam", "refused", "fastq_header"),
        (None, "refused", "too_many_files"),
    ]
    assert FileCategory.objects.values().get() == before
    assert not File.objects.exists()


@pytest.mark.parametrize(
    ("changes", "label", "detail"),
    [
        ({"max_files": "1", "min_files": "2"}, "Most files", "cannot be fewer than the fewest"),
        ({"max_file_size": "large"}, "Largest file", "Write a number of bytes"),
        ({"extensions": "fq"}, "Extensions", "does not begin with a dot"),
        ({"min_files": ""}, "Fewest files", "required"),
        ({"content_check": "exe"}, "Content check", "not one of the available choices"),
        ({"content_check": "none", "pairing": "on"}, "Pairing", "FASTQ"),
    ],
)
def test_rules_that_cannot_be_are_told_in_words(editor: User, changes: dict[str, str], label: str, detail: str) -> None:
    body = try_files(client_of(editor), TYPED | changes, ("r.fastq", FASTQ)).json()

    assert body["findings"] == []
    assert any(label in problem["label"] and detail in problem["detail"] for problem in body["ruleProblems"]), body


def test_names_are_judged_as_they_are_on_the_admins_disk(editor: User) -> None:
    body = try_files(client_of(editor), TYPED, ("cleaned", FASTQ), names=["re:ads\u202e.fastq"]).json()

    assert body["findings"][0]["code"] == "file_name_invalid"


@pytest.mark.embedded
def test_only_who_may_change_categories_may_try(editor: User) -> None:
    staff = UserFactory.create(is_staff=True)
    resigned = UserFactory.create(is_staff=False)
    resigned.user_permissions.set(editor.user_permissions.all())

    for client, expected in (
        (Client(), 403),
        (client_of(UserFactory.create()), 403),
        (client_of(staff), 403),
        (client_of(resigned), 403),
        (client_of(editor), 200),
        (client_of(UserFactory.create(is_staff=True, is_superuser=True)), 200),
    ):
        answer = try_files(client, TYPED, ("r.fastq", FASTQ))
        assert answer.status_code == expected
        assert expected == 200 or "Log in" in answer.json()["detail"]
    assert client_of(editor).get(ADDRESS).status_code == 405


def test_a_try_needs_the_forms_token(editor: User) -> None:
    assert try_files(client_of(editor, enforce_csrf_checks=True), TYPED, ("r.fastq", FASTQ)).status_code == 403


def test_more_than_the_setting_is_refused_unread(editor: User) -> None:
    with override_settings(TRY_A_FILE_MAX_BYTES=100):
        assert try_files(client_of(editor), TYPED, ("r.fastq", FASTQ)).status_code == 200
        answer = try_files(client_of(editor), TYPED, ("r.fastq", b"@" * (1 << 20)))

    assert answer.status_code == 413
    assert "Files of 100 bytes together can be tried here at most." in answer.json()["detail"]


@pytest.mark.parametrize(("files", "names"), [([], None), ([("a", b"x")], []), ([("a", b"x")], ["a", "b"])])
def test_files_and_names_belong_together(editor: User, files: list[tuple[str, bytes]], names: list[str] | None) -> None:
    assert try_files(client_of(editor), TYPED, *files, names=names).status_code == 400


@pytest.mark.embedded
def test_the_box_stands_beside_the_categories_for_who_may_change_them(admin_client: Client, editor: User) -> None:
    organism = FileCategoryFactory.create().organism
    page = f"/admin/submissions/organism/{organism.pk}/change/"
    looking = UserFactory.create(is_staff=True)
    looking.user_permissions.set(
        Permission.objects.filter(codename__in=["view_organism", "change_organism", "view_filecategory"])
    )

    shown = admin_client.get(page).content.decode()
    hidden = client_of(looking).get(page).content.decode()

    assert f'data-url="{ADDRESS}"' in shown
    assert f'data-max-bytes="{1024**3}"' in shown
    assert "data-try-a-file" not in hidden
