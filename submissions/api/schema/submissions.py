"""The operations of `/api/submissions` and of submitting, for the OpenAPI document."""

from __future__ import annotations

import json
from typing import Any, Final

from common.schema import (
    BYTES,
    COUNT,
    FILE_ID,
    FORM,
    INTEGER,
    JSON,
    MD5,
    MOMENT,
    NUMBER,
    SHA256,
    TEXT,
    Answer,
    Body,
    Header,
    Operation,
    Parameter,
    Schema,
    answer,
    in_path,
    in_query,
    list_of,
    named,
    nullable,
    one_of,
    page_of,
    shape,
)
from files.api.schema import EXAMPLE_ID, EXAMPLE_MD5, EXAMPLE_MOMENT, EXAMPLE_SHA256, STATUS
from files.content import CHECKS
from submissions.api.idempotency import HEADER
from submissions.api.serializers import (
    GroupPageParameterSerializer,
    GroupParameterSerializer,
    PageParameterSerializer,
    ReceiptParameterSerializer,
)
from submissions.mapping import MAX_BYTES
from submissions.models import SequenceEntry, Submission

TAG: Final = "Submissions"
RETRY_AFTER: Final = Header("Seconds, while the submission is VERIFYING.", COUNT, required=False)

# --- shapes ----------------------------------------------------------------------------------------

ENTRY_STATUS: Final = named("EntryState", one_of(SequenceEntry.Status.values))
SUBMITTED_PROPERTIES: Final[Schema] = {
    "accession": TEXT,
    "version": NUMBER,
    "submissionId": {**TEXT, "description": "The submitter's own name for the row of the metadata table."},
    "status": ENTRY_STATUS,
}
SUBMITTED: Final = named("SubmittedEntry", shape(**SUBMITTED_PROPERTIES))
ENTRY_FILE: Final = named(
    "EntryFile",
    shape(
        category=TEXT,
        name=TEXT,
        fileId=FILE_ID,
        status=STATUS,
        size=nullable(BYTES),
        sha256=nullable(SHA256),
        md5=nullable(MD5),
        problem=nullable(
            named("EntryFileProblem", shape(code=TEXT, detail=TEXT, line=nullable(INTEGER), offset=nullable(INTEGER)))
        ),
    ),
)
ENTRY: Final = named("SubmissionEntry", shape(**SUBMITTED_PROPERTIES, files=list_of(ENTRY_FILE)))
COUNTS: Final = named("Counts", shape(entries=COUNT, verifying=COUNT, accepted=COUNT, rejected=COUNT, withdrawn=COUNT))
_WHOSE: Final[Schema] = {
    "organism": {**TEXT, "description": "Its slug."},
    "groupId": NUMBER,
    "submittedAt": MOMENT,
    "submittedBy": TEXT,
    "status": named("SubmissionState", one_of(Submission.Status.values)),
    "counts": COUNTS,
}
SUBMISSION: Final = named("Submission", shape(id=NUMBER, **_WHOSE))
SUBMISSION_WITH_ENTRIES: Final = named(
    "SubmissionWithEntries", shape(id=NUMBER, **_WHOSE, entries=list_of(ENTRY), nextCursor=nullable(INTEGER))
)
_RECEIPT_CHECK: Final = shape(
    check=one_of(list(CHECKS)),
    version=NUMBER,
    status=one_of(["PASSED", "FAILED"]),
    checkedAt=MOMENT,
    data={"type": "object", "description": "What it counted."},
)
_RECEIPT_FILE: Final = shape(
    category=TEXT,
    name=TEXT,
    fileId=FILE_ID,
    size=BYTES,
    sha256=SHA256,
    md5=MD5,
    verifiedAt=MOMENT,
    checks=list_of(_RECEIPT_CHECK, maxItems=1, description="The content check that it was accepted under."),
)
RECEIPT: Final = named(
    "Receipt",
    shape(
        submission=NUMBER,
        **_WHOSE,
        group=TEXT,
        issuedAt={**MOMENT, "description": "When the last entry was settled."},
        entries=list_of(shape(**SUBMITTED_PROPERTIES, settledAt=MOMENT, files=list_of(_RECEIPT_FILE))),
    ),
)

EXAMPLE_SUBMITTED: Final = {"accession": "SAT_000001A", "version": 1, "submissionId": "sample1", "status": "VERIFYING"}
_EXAMPLE_WHOSE: Final[dict[str, Any]] = {
    "organism": "ebola-sudan",
    "groupId": 1,
    "submittedAt": EXAMPLE_MOMENT,
    "submittedBy": "alice",
    "status": "VERIFYING",
    "counts": {"entries": 1, "verifying": 1, "accepted": 0, "rejected": 0, "withdrawn": 0},
}
EXAMPLE_ENTRY_FILE: Final[dict[str, Any]] = {
    "category": "rawReads",
    "name": "reads_1.fastq.gz",
    "fileId": EXAMPLE_ID,
    "status": "VERIFYING",
    "size": 12,
    "sha256": None,
    "md5": None,
    "problem": None,
}
_EXAMPLE_RECEIPT: Final[dict[str, Any]] = {
    "submission": 1,
    **_EXAMPLE_WHOSE,
    "status": "ACCEPTED",
    "counts": {"entries": 1, "verifying": 0, "accepted": 1, "rejected": 0, "withdrawn": 0},
    "group": "Demo Lab",
    "issuedAt": EXAMPLE_MOMENT,
    "entries": [
        {
            **EXAMPLE_SUBMITTED,
            "status": "ACCEPTED",
            "settledAt": EXAMPLE_MOMENT,
            "files": [
                {
                    "category": "rawReads",
                    "name": "reads_1.fastq.gz",
                    "fileId": EXAMPLE_ID,
                    "size": 12,
                    "sha256": EXAMPLE_SHA256,
                    "md5": EXAMPLE_MD5,
                    "verifiedAt": EXAMPLE_MOMENT,
                    "checks": [],
                }
            ],
        }
    ],
}

# --- what is sent ----------------------------------------------------------------------------------

ORGANISM: Final = in_path("organism", "The slug of the organism.", {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"})
NUMBER_IN_PATH: Final = in_path(
    "number", "The number of the submission.", {"type": "integer", "minimum": 0}, variable="submission_id"
)
MEMBER_OF: Final = "The number of the group; you have to be a member."
_BYTES_OF_PART: Final[Schema] = {"type": "string", "contentMediaType": "application/octet-stream"}
SUBMISSION_FORM: Final[Schema] = {
    "type": "object",
    "properties": {
        "metadataFile": {
            **_BYTES_OF_PART,
            "description": "The metadata table: tab-separated, in UTF-8, with a column `id` (or `submissionId`), one "
            "row for each sequence entry. It may be compressed.",
        },
        "sequenceFile": {
            **_BYTES_OF_PART,
            "description": "FASTA; required, optional or refused, as the organism says. It may be compressed.",
        },
        "fileMapping": {
            "type": "string",
            "description": 'JSON: `{submissionID: {<fileCategory>: [{"fileId", "name"}]}}`, '
            f"{MAX_BYTES:,} bytes at most.",
        },
        "checksumFile": {
            **_BYTES_OF_PART,
            "description": "What `sha256sum` or `md5sum` wrote about the files. It may be compressed.",
        },
    },
    "required": ["metadataFile"],
}
SUBMISSION_BODY: Final = Body(
    SUBMISSION_FORM,
    {
        "one entry": {"metadataFile": "id\tcountry\nsample1\tUganda\n", "sequenceFile": ">sample1\nACGT\n"},
        "one entry with a file": {
            "metadataFile": "id\tcountry\nsample1\tUganda\n",
            "sequenceFile": ">sample1\nACGT\n",
            "fileMapping": json.dumps({"sample1": {"rawReads": [{"fileId": EXAMPLE_ID, "name": "reads_1.fastq.gz"}]}}),
        },
    },
    media_types=(FORM,),
)
FILE_PROBLEMS: Final = (
    "category_unknown",
    "file_not_found",
    "file_not_uploaded",
    "multipart_not_completed",
    "file_rejected",
    "file_name_duplicate",
    "file_name_invalid",
    "too_few_files",
    "too_many_files",
    "file_too_large",
    "extension_not_allowed",
    "pair_file_names",
)
"""What can be wrong with the files of an entry."""
DOCUMENT_PROBLEMS: Final = (
    "id_missing",
    "id_duplicate",
    "id_whitespace",
    "ids_unmatched",
    "metadata_invalid",
    "sequence_invalid",
    "compression_invalid",
)
"""What can be wrong with table and sequences alone."""
TABLE_PROBLEMS: Final = (
    *DOCUMENT_PROBLEMS,
    "submission_id_unknown",
    "checksum_invalid",
    "checksum_unmatched",
    "checksum_ambiguous",
    "checksum_contradiction",
    "sha256_mismatch",
    "md5_mismatch",
)
"""What can be wrong with the parts of a submission, beside its files."""
REVISION_PROBLEMS: Final = ("accession_missing", "accession_duplicate", "accession_unknown", "entry_not_released")
"""What can be wrong with the accessions of a revision."""

# --- operations ------------------------------------------------------------------------------------

IDEMPOTENCY_KEY: Final = Parameter(
    HEADER,
    "A key of the client's own for this call, in quotation marks or not: the call sent again under it gets its first "
    "answer for 24 hours, and does nothing again.",
    {"type": "string", "pattern": "^[ -~]{1,255}$"},
    "header",
)
_SUBMITTED_HEADERS: Final = {
    "Location": Header("The address of the submission.", {"type": "string", "format": "uri-reference"}),
    "Idempotent-Replayed": Header(
        "That this is the first answer again.", {"type": "string", "const": "true"}, required=False
    ),
}
_SUBMIT_PARAMETERS: Final = [ORGANISM, *in_query(GroupParameterSerializer, groupId=MEMBER_OF), IDEMPOTENCY_KEY]
_SUBMIT_PROBLEMS: Final = (
    "file_mapping_invalid",
    "file_sharing_disabled",
    "not_a_member",
    "organism_not_found",
    "group_not_found",
    "idempotency_key_running",
    "idempotency_key_reused",
    "storage_unavailable",
)
SUBMIT: Final = Operation(
    operation_id="submit",
    tag=TAG,
    summary="Submit sequence entries with their files",
    description="A metadata table, sequences, and which files belong to which entry: in a file mapping, or in columns "
    "`files.<fileCategory>` of the table. All that is wrong is told at once, and then nothing is stored. Entries "
    "without files are ACCEPTED in the answer; the others once their files are verified.",
    parameters=_SUBMIT_PARAMETERS,
    body=SUBMISSION_BODY,
    answers={
        202: answer(
            "The new entries, in table order.",
            list_of(SUBMITTED),
            [EXAMPLE_SUBMITTED],
            _SUBMITTED_HEADERS,
        )
    },
    problems=_SUBMIT_PROBLEMS,
    listed=(*FILE_PROBLEMS, *TABLE_PROBLEMS),
)
REVISE: Final = Operation(
    operation_id="revise",
    tag=TAG,
    summary="Revise released entries",
    description="As submitting, with a column `accession` in the table: each row becomes the next version of an entry "
    "that is released. File categories that the mapping names, even with none, are replaced; the files of the others "
    "are carried over, and judged by the rules as they stand now.",
    parameters=_SUBMIT_PARAMETERS,
    body=Body(
        SUBMISSION_FORM,
        {
            "one entry": {
                "metadataFile": "accession\tid\tcountry\nSAT_000001A\tsample1\tKenya\n",
                "sequenceFile": ">sample1\nACGT\n",
            }
        },
        media_types=(FORM,),
    ),
    answers={
        202: answer(
            "The new versions, in table order.",
            list_of(SUBMITTED),
            [{**EXAMPLE_SUBMITTED, "version": 2}],
            _SUBMITTED_HEADERS,
        )
    },
    problems=_SUBMIT_PROBLEMS,
    listed=(*FILE_PROBLEMS, *TABLE_PROBLEMS, *REVISION_PROBLEMS),
)
LIST_SUBMISSIONS: Final = Operation(
    operation_id="listSubmissions",
    tag=TAG,
    summary="The submissions of a group",
    description="Newest first, without their entries, 100 a page.",
    parameters=in_query(GroupPageParameterSerializer, groupId=MEMBER_OF, cursor="The `nextCursor` of the page before."),
    answers={
        200: answer(
            "A page of submissions.",
            page_of(SUBMISSION, INTEGER),
            {"items": [{"id": 1, **_EXAMPLE_WHOSE}], "nextCursor": None},
        )
    },
    problems=("not_a_member", "group_not_found"),
)
GET_SUBMISSION: Final = Operation(
    operation_id="getSubmission",
    tag=TAG,
    summary="Follow a submission",
    description="Its status, its counts, and 100 entries in table order with the state of each file.",
    parameters=[
        NUMBER_IN_PATH,
        *in_query(PageParameterSerializer, cursor="The `nextCursor` of the page before."),
    ],
    answers={
        200: answer(
            "The submission.",
            SUBMISSION_WITH_ENTRIES,
            {
                "id": 1,
                **_EXAMPLE_WHOSE,
                "entries": [{**EXAMPLE_SUBMITTED, "files": [EXAMPLE_ENTRY_FILE]}],
                "nextCursor": None,
            },
            {"Retry-After": RETRY_AFTER},
        )
    },
    problems=("submission_not_found",),
)
GET_RECEIPT: Final = Operation(
    operation_id="getReceipt",
    tag=TAG,
    summary="Keep a receipt",
    description="What was accepted, once no entry is VERIFYING: a text for `sha256sum -c`, or JSON, by `Accept`.",
    parameters=[
        NUMBER_IN_PATH,
        *in_query(ReceiptParameterSerializer, **{"as": "Which of both; it counts more than `Accept`."}),
    ],
    answers={
        200: Answer(
            "The receipt, as a download.",
            [
                Body(
                    TEXT,
                    {"answer": f"# …\n{EXAMPLE_SHA256}  rawReads/sample1/reads_1.fastq.gz\n"},
                    media_types=("text/plain",),
                ),
                Body(RECEIPT, {"answer": _EXAMPLE_RECEIPT}, media_types=(JSON,)),
            ],
            {"Content-Disposition": Header("With a file name.", TEXT), "Vary": Header("Accept.", TEXT)},
        )
    },
    problems=("submission_not_found", "receipt_not_ready", "nothing_accepted"),
)
