"""The operation that checks table and sequences before files are sent, for the OpenAPI document."""

from __future__ import annotations

from typing import Final

from common.schema import COUNT, FORM, Body, Operation, answer, in_query, shape
from submissions.api.schema.submissions import (
    DOCUMENT_PROBLEMS,
    MEMBER_OF,
    ORGANISM,
    REVISION_PROBLEMS,
    SUBMISSION_FORM,
    TAG,
)
from submissions.api.serializers import CheckParameterSerializer

CHECK: Final = Operation(
    operation_id="checkDocuments",
    tag=TAG,
    summary="Check table and sequences",
    description="What submitting, or revising, would say about the metadata table and the sequences, before any file "
    "is sent. Nothing is stored. `files.<fileCategory>` cells may hold anything here, and sequences may be left out.",
    parameters=[
        ORGANISM,
        *in_query(
            CheckParameterSerializer,
            groupId=MEMBER_OF,
            revise=("Whether the table is one for revising, with a column `accession`.", {"type": "boolean"}),
        ),
    ],
    body=Body(
        {
            "type": "object",
            "properties": {part: SUBMISSION_FORM["properties"][part] for part in ("metadataFile", "sequenceFile")},
            "required": ["metadataFile"],
        },
        {"one entry": {"metadataFile": "id\tcountry\nsample1\tUganda\n", "sequenceFile": ">sample1\nACGT\n"}},
        media_types=(FORM,),
    ),
    answers={
        200: answer(
            "Nothing is wrong with them.",
            shape(rows={**COUNT, "description": "How many entries they would make."}),
            {"rows": 1},
        )
    },
    problems=("not_a_member", "organism_not_found", "group_not_found", "file_sharing_disabled"),
    listed=(*DOCUMENT_PROBLEMS, "category_unknown", *REVISION_PROBLEMS),
)
