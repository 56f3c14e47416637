"""The operations on sequence entries, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from common.schema import (
    COUNT,
    FILE_ID,
    MOMENT,
    NO_CONTENT,
    NUMBER,
    TEXT,
    Body,
    Operation,
    Schema,
    answer,
    body_of,
    in_path,
    list_of,
    named,
    nullable,
    shape,
)
from files.api.schema import EXAMPLE_ID, EXAMPLE_MOMENT
from submissions.api.schema.submissions import (
    ENTRY_FILE,
    EXAMPLE_ENTRY_FILE,
    EXAMPLE_SUBMITTED,
    FILE_PROBLEMS,
    ORGANISM,
    SUBMITTED_PROPERTIES,
)
from submissions.api.serializers import MAX_RELEASED, AccessionVersionSerializer

TAG: Final = "Entries"
ENTRY: Final = named(
    "Entry",
    shape(
        ("submission", "submittedBy", "releasedBy"),
        **SUBMITTED_PROPERTIES,
        organism={**TEXT, "description": "Its slug."},
        groupId=NUMBER,
        submittedAt=MOMENT,
        settledAt=nullable(MOMENT),
        releasedAt=nullable(MOMENT),
        metadata={
            "type": "object",
            "additionalProperties": TEXT,
            "description": "The row of the metadata table, by column.",
        },
        sequences=list_of(shape(fastaId=TEXT, length=COUNT), description="Their IDs in the FASTA, and their letters."),
        files=list_of(ENTRY_FILE),
        submission={**NUMBER, "description": "The number of its submission; for members alone."},
        submittedBy={**TEXT, "description": "For members alone."},
        releasedBy={**nullable(TEXT), "description": "For members alone."},
    ),
)
_RELEASED: Final = named("ReleasedEntry", shape(accession=TEXT, version=NUMBER, releasedAt=MOMENT))
_IN_PATH: Final = [
    ORGANISM,
    in_path("accession", "The accession of the entry.", TEXT),
    in_path("version", "The version of the entry.", {"type": "integer", "minimum": 0}),
]
_NOT_THERE: Final = ("organism_not_found", "entry_not_found", "not_a_member")
_EXAMPLE: Final[dict[str, Any]] = {
    **EXAMPLE_SUBMITTED,
    "status": "ACCEPTED",
    "organism": "ebola-sudan",
    "groupId": 1,
    "submittedAt": EXAMPLE_MOMENT,
    "settledAt": EXAMPLE_MOMENT,
    "releasedAt": EXAMPLE_MOMENT,
    "metadata": {"country": "Uganda"},
    "sequences": [{"fastaId": "sample1", "length": 4}],
    "files": [{**EXAMPLE_ENTRY_FILE, "status": "VERIFIED"}],
}
_MAPPING: Final[Schema] = {
    "type": "object",
    "additionalProperties": list_of(
        {"type": "object", "properties": {"fileId": FILE_ID, "name": TEXT}, "required": ["fileId", "name"]}
    ),
    "description": "The files by file category.",
}

GET_ENTRY: Final = Operation(
    operation_id="getEntry",
    tag=TAG,
    summary="An entry",
    description="For everybody once it is released, before that for members of its group, who also see who did what.",
    parameters=_IN_PATH,
    answers={200: answer("The entry.", ENTRY, _EXAMPLE)},
    problems=(*_NOT_THERE, "not_public"),
    public=True,
)
WITHDRAW_ENTRY: Final = Operation(
    operation_id="withdrawEntry",
    tag=TAG,
    summary="Withdraw an entry",
    description="The entry, in whatever state it is, is deleted, and its files are free. Not once it is released.",
    parameters=_IN_PATH,
    answers={204: NO_CONTENT},
    problems=(*_NOT_THERE, "entry_released", "entry_changed"),
)
REPLACE_FILES: Final = Operation(
    operation_id="replaceFiles",
    tag=TAG,
    summary="Replace the files of an entry",
    description="All of them, under the rules as they stand now; the entry is verified again. Not once it is released.",
    parameters=_IN_PATH,
    body=Body(_MAPPING, {"one file": {"rawReads": [{"fileId": EXAMPLE_ID, "name": "reads_1.fastq.gz"}]}}),
    answers={200: answer("The entry.", ENTRY, {**_EXAMPLE, "releasedAt": None})},
    problems=(
        *_NOT_THERE,
        "file_mapping_invalid",
        "file_sharing_disabled",
        "entry_verifying",
        "entry_released",
        "entry_changed",
        "storage_unavailable",
    ),
    listed=FILE_PROBLEMS,
)
RELEASE: Final = Operation(
    operation_id="release",
    tag=TAG,
    summary="Release entries",
    description="Accepted entries become public, all that are named or none. It cannot be undone. The same call again "
    "gets the same answer.",
    parameters=[ORGANISM],
    body=Body(
        {
            "type": "object",
            "properties": {
                "accessionVersions": list_of(
                    body_of(AccessionVersionSerializer, accession="The accession.", version="The version."),
                    maxItems=MAX_RELEASED,
                )
            },
            "required": ["accessionVersions"],
        },
        {"one entry": {"accessionVersions": [{"accession": "SAT_000001A", "version": 1}]}},
    ),
    answers={
        200: answer(
            "The entries, in the order in which they were named.",
            list_of(_RELEASED),
            [{"accession": "SAT_000001A", "version": 1, "releasedAt": EXAMPLE_MOMENT}],
        )
    },
    problems=("organism_not_found", "entry_changed"),
    listed=("entry_not_found", "entry_not_accepted", "file_not_available"),
)
