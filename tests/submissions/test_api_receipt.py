"""`GET /api/submissions/{id}/receipt`: what was accepted, for people, for `sha256sum -c` and for scripts."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from files.models import File, FileAttachment
from submissions.models import SequenceEntry, Submission
from submissions.services import receipts, withdraw
from tests.factories import (
    ContentCheckResultFactory,
    FileAttachmentFactory,
    FileFactory,
    GroupMembershipFactory,
    SequenceEntryFactory,
    SubmissionFactory,
)
from tests.fixtures import FASTQ_GZ, Api, Demo, codes, mapping_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


ACCEPTED, REJECTED, VERIFYING = "ACCEPTED", "REJECTED", "VERIFYING"
TEXT, JSON = "text/plain; charset=utf-8", "application/json"


def submission_of(demo: Demo, *statuses: str) -> Submission:
    submission = SubmissionFactory.create(organism=demo.organism, group=demo.group, submitted_by=demo.alice)
    for position, status in enumerate(statuses):
        SequenceEntryFactory.create(
            submission=submission, position=position, status=status, given_submission_id=f"s{position}"
        )
    return submission


def attach(entry: SequenceEntry, name: str, content: bytes, category: str = "supplementary") -> FileAttachment:
    file = FileFactory.create(content=content, status=File.Status.VERIFIED, group=entry.submission.group)
    return FileAttachmentFactory.create(
        entry=entry,
        category=entry.submission.organism.file_categories.get(name=category),
        file=file,
        name=name,
    )


def body_of(answer: Answer) -> bytes:
    assert answer.status_code == 200, answer.content
    return answer.getvalue()


def problem_of(answer: Answer) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.content)["code"]


def checked(folder: Path, receipt: bytes) -> subprocess.CompletedProcess[str]:
    (folder / "receipt.sha256").write_bytes(receipt)
    command = ["sha256sum", "--check", "--strict", "receipt.sha256"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# --- the text ----------------------------------------------------------------------------------------


def test_the_receipt_of_a_real_submission_is_accepted_by_sha256sum_and_as_a_checksum_file(
    api: Api, demo: Demo, work: Callable[[], None], tmp_path: Path
) -> None:
    mapping = {
        **mapping_of("sample2", "supplementary", (api.upload(demo.group, b"gel"), "gel 1 ü.png")),
        **mapping_of("sample1", "rawReads", (api.upload(demo.group, FASTQ_GZ), "reads.fastq.gz")),
    }
    location = api.submit(demo.organism, demo.group, mapping=mapping).headers["Location"]
    work()
    receipt = body_of(api.client.get(f"{location}/receipt"))
    lines = [line for line in receipt.decode().splitlines() if not line.startswith("#")]
    assert [line.partition("  ")[2] for line in lines] == [
        "rawReads/sample1/reads.fastq.gz",
        "supplementary/sample2/gel 1 ü.png",
    ]
    for path, content in {lines[0][66:]: FASTQ_GZ, lines[1][66:]: b"gel"}.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content)
    assert (checked(tmp_path, receipt).returncode, checked(tmp_path, receipt).stderr) == (0, "")
    (tmp_path / lines[1][66:]).write_bytes(b"gem")
    assert checked(tmp_path, receipt).returncode == 1
    assert api.submit(demo.organism, demo.group, mapping=mapping, checksums=receipt).status_code == 202


@pytest.mark.parametrize("submission_id", ["back\\slash", "a/b", "#1", "*", "\\n", "ü"])
@pytest.mark.parametrize("name", ["plain.txt", "with  space.txt", "Größe #2 (1).txt", "$(x) 'y'.txt"])
def test_awkward_paths_are_written_as_sha256sum_reads_them(
    api: Api, demo: Demo, tmp_path: Path, submission_id: str, name: str
) -> None:
    submission = submission_of(demo, ACCEPTED)
    submission.entries.update(given_submission_id=submission_id)
    attach(submission.entries.get(), name, b"content")
    (tmp_path / "supplementary" / submission_id).mkdir(parents=True)
    (tmp_path / "supplementary" / submission_id / name).write_bytes(b"content")
    done = checked(tmp_path, body_of(api.get(f"submissions/{submission.pk}/receipt")))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_path_with_line_ends_is_escaped_as_coreutils_does() -> None:
    assert receipts.checksum_line("0" * 64, "a\\b\nc\rd") == f"\\{'0' * 64}  a\\\\b\\nc\\rd\n"
    assert receipts.checksum_line("0" * 64, "a b") == f"{'0' * 64}  a b\n"


@pytest.mark.embedded
def test_the_text_says_what_who_and_when_and_nobody_can_write_lines_into_it(api: Api, demo: Demo) -> None:
    submission = submission_of(demo, ACCEPTED, REJECTED)
    attachment = attach(submission.entries.order_by("position")[0], "a.txt", b"a")
    attach(submission.entries.order_by("position")[1], "rejected.txt", b"b")
    demo.group.name = f"Demo\n{'0' * 64}  x"
    demo.group.save()
    settled_at = submission.entries.order_by("-settled_at").values_list("settled_at", flat=True)[0]
    assert settled_at is not None
    assert body_of(api.get(f"submissions/{submission.pk}/receipt")).decode() == (
        f"# Satchel: receipt for submission {submission.pk}\n"
        "# Organism: Ebola Sudan (ebola-sudan)\n"
        f"# Group: Demo {'0' * 64} x (group {demo.group.pk})\n"
        f"# Submitted by alice on {submission.submitted_at:%Y-%m-%dT%H:%M:%SZ}\n"
        f"# Settled on {settled_at:%Y-%m-%dT%H:%M:%SZ}\n"
        "# Accepted entries: 1 of 2; their files: 1\n"
        "#\n"
        "# Satchel has read each of these files to its last byte, and this is the sha256 of what is kept.\n"
        "# With the files laid out in folders like this, check them with\n"
        f"# sha256sum -c satchel-submission-{submission.pk}.sha256\n"
        "#\n"
        f"{attachment.file.sha256}  supplementary/s0/a.txt\n"
    )


@pytest.mark.embedded
def test_the_text_counts_the_entries_that_were_withdrawn(api: Api, demo: Demo) -> None:
    submission = submission_of(demo, ACCEPTED, REJECTED, ACCEPTED)
    path = f"submissions/{submission.pk}/receipt"
    assert b"ithdrawn" not in body_of(api.get(path))
    last = submission.entries.get(position=2)
    withdraw(user=demo.alice, organism_slug="ebola-sudan", accession=last.accession, version=last.version)
    lines = body_of(api.get(path)).decode().splitlines()
    assert lines[5:7] == ["# Accepted entries: 1 of 2; their files: 0", "# Withdrawn since, and not among those: 1"]


@pytest.mark.embedded
def test_files_come_in_table_order_and_the_receipt_is_the_same_each_time(
    api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = submission_of(demo, *[ACCEPTED] * 5)
    for entry in submission.entries.order_by("-position"):
        for category in ("supplementary", "rawReads"):
            attach(entry, "f", str(entry.pk).encode(), category)
    first = body_of(api.get(f"submissions/{submission.pk}/receipt"))
    demo.organism.file_categories.filter(name="rawReads").update(order=99)
    monkeypatch.setattr(receipts, "BATCH", 2)
    assert body_of(api.get(f"submissions/{submission.pk}/receipt")) == first
    paths = [line[66:] for line in first.decode().splitlines() if not line.startswith("#")]
    assert paths == [f"{category}/s{n}/f" for n in range(5) for category in ("rawReads", "supplementary")]


# --- JSON --------------------------------------------------------------------------------------------


def test_the_json_has_each_accepted_entry_with_its_files_and_the_check_of_their_category(api: Api, demo: Demo) -> None:
    submission = submission_of(demo, ACCEPTED, REJECTED, ACCEPTED)
    first, _, last = submission.entries.order_by("position")
    attachment = attach(last, "reads.fastq", b"@r", "rawReads")
    result = ContentCheckResultFactory.create(file=attachment.file, data={"reads": 7})
    ContentCheckResultFactory.create(file=attachment.file, check_name="gzip", passed=False)
    receipt = json.loads(body_of(api.get(f"submissions/{submission.pk}/receipt", **{"as": "json"})))
    submission = Submission.objects.with_counts().get()

    def entry(given: SequenceEntry, *files: dict[str, Any]) -> dict[str, Any]:
        return {
            "accession": given.accession,
            "version": 1,
            "submissionId": given.given_submission_id,
            "status": "ACCEPTED",
            "settledAt": _written(given.settled_at),
            "files": list(files),
        }

    assert receipt == {
        "submission": submission.pk,
        "organism": "ebola-sudan",
        "groupId": demo.group.pk,
        "group": "Demo Lab",
        "submittedAt": _written(submission.submitted_at),
        "submittedBy": "alice",
        "status": "PARTLY_ACCEPTED",
        "counts": {"entries": 3, "verifying": 0, "accepted": 2, "rejected": 1, "withdrawn": 0},
        "issuedAt": _written(last.settled_at),
        "entries": [
            entry(first),
            entry(
                last,
                {
                    "category": "rawReads",
                    "name": "reads.fastq",
                    "fileId": str(attachment.file_id),
                    "size": 2,
                    "sha256": hashlib.sha256(b"@r").hexdigest(),
                    "md5": hashlib.md5(b"@r", usedforsecurity=False).hexdigest(),
                    "verifiedAt": _written(attachment.file.verified_at),
                    "checks": [
                        {
                            "check": "fastq",
                            "version": 1,
                            "status": "PASSED",
                            "checkedAt": _written(result.checked_at),
                            "data": {"reads": 7},
                        }
                    ],
                },
            ),
        ],
    }


def test_the_json_of_several_batches_is_whole(api: Api, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "BATCH", 2)
    submission = submission_of(demo, *[ACCEPTED] * 5)
    receipt = json.loads(body_of(api.get(f"submissions/{submission.pk}/receipt", **{"as": "json"})))
    assert [entry["submissionId"] for entry in receipt["entries"]] == ["s0", "s1", "s2", "s3", "s4"]


# --- which of the two --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "asked", "expected"),
    [
        (None, None, TEXT),
        ("*/*", None, TEXT),
        ("text/plain", None, TEXT),
        ("application/json", None, JSON),
        ("text/plain;q=0.5, application/json", None, JSON),
        ("application/json;q=0.2, text/*;q=0.9", None, TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None, TEXT),
        ("image/png", None, TEXT),
        ("nonsense", None, TEXT),
        ("text/plain", "json", JSON),
        ("application/json", "text", TEXT),
    ],
)
def test_the_header_or_the_parameter_chooses_the_format(
    api: Api, demo: Demo, accept: str | None, asked: str | None, expected: str
) -> None:
    submission = submission_of(demo, ACCEPTED)
    headers = {} if accept is None else {"Accept": accept}
    parameters = {} if asked is None else {"as": asked}
    answer = api.client.get(f"/api/submissions/{submission.pk}/receipt", parameters, headers=headers)
    ending = "json" if expected == JSON else "sha256"
    name = f"satchel-submission-{submission.pk}.{ending}"
    assert answer.headers["Content-Type"] == expected
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "Accept" in answer.headers["Vary"].split(", ")
    assert json.loads(body_of(answer)) if expected == JSON else body_of(answer).startswith(b"# Satchel")


def test_another_format_cannot_be_asked_for(api: Api, demo: Demo) -> None:
    answer = api.get(f"submissions/{submission_of(demo, ACCEPTED).pk}/receipt", **{"as": "pdf"})
    assert (answer.status_code, codes(answer)) == (400, ["parameter_invalid"])
    assert answer.json()["errors"][0]["field"] == "as"


# --- when and for whom -------------------------------------------------------------------------------


def test_while_entries_are_verified_there_is_no_receipt_yet(api: Api, demo: Demo) -> None:
    answer = api.get(f"submissions/{submission_of(demo, ACCEPTED, VERIFYING).pk}/receipt")
    assert problem_of(answer) == (409, "receipt_not_ready")
    assert answer.headers["Retry-After"] == "2"


def test_there_is_no_receipt_of_nothing(api: Api, demo: Demo) -> None:
    assert problem_of(api.get(f"submissions/{submission_of(demo, REJECTED).pk}/receipt")) == (409, "nothing_accepted")
    assert problem_of(api.get(f"submissions/{submission_of(demo).pk}/receipt")) == (409, "nothing_accepted")


def test_members_get_the_receipt_and_nobody_else(api: Api, demo: Demo, client: Client) -> None:
    path = f"submissions/{submission_of(demo, ACCEPTED).pk}/receipt"
    member = GroupMembershipFactory.create(group=demo.group).user
    for user in (demo.alice, member):
        body_of(Api(user).get(path))
        client.force_login(user)  # as the links of the page do
        assert client.get(f"/api/{path}?as=text").status_code == 200
    for user in (demo.bob, demo.admin):
        assert problem_of(Api(user).get(path)) == (404, "submission_not_found")
    anonymous = Api(None).get(path)
    assert problem_of(anonymous) == (401, "not_authenticated")
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"
    assert problem_of(api.get("submissions/1000000/receipt")) == (404, "submission_not_found")
    assert problem_of(api.get(f"submissions/{10**30}/receipt")) == (404, "submission_not_found")


@pytest.mark.parametrize("asked", ["text", "json"])
def test_the_queries_grow_with_the_batches_alone(
    api: Api, demo: Demo, asked: str, django_assert_max_num_queries: Any
) -> None:
    submission = submission_of(demo, *[ACCEPTED] * 12)
    for entry in submission.entries.all():
        for category in ("rawReads", "supplementary"):
            ContentCheckResultFactory.create(file=attach(entry, "f", b"f", category).file)
    client = api.client
    with django_assert_max_num_queries(8):
        body_of(client.get(f"/api/submissions/{submission.pk}/receipt", {"as": asked}))


def _written(moment: Any) -> str:
    assert moment.tzinfo is not None
    return timezone.localtime(moment).isoformat().replace("+00:00", "Z")
