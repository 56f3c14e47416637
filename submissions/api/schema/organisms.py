"""The operation of `/api/organisms`, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from common.schema import BYTES, COUNT, NUMBER, TEXT, Operation, Schema, answer, list_of, named, nullable, one_of, shape
from files.models.categories import ContentCheck
from submissions.models import MetadataField, Organism

BOOLEAN: Final[Schema] = {"type": "boolean"}
CATEGORY: Final = named(
    "FileCategory",
    shape(
        name={**TEXT, "description": "As file mappings have it."},
        shownName={**TEXT, "description": "As people read it."},
        helpText=TEXT,
        required=BOOLEAN,
        minFiles=nullable(COUNT),
        maxFiles=nullable(NUMBER),
        maxFileSize=nullable(BYTES),
        extensions=list_of(TEXT, description="The endings that file names may have; any if there are none."),
        contentCheck=one_of(ContentCheck.values),
        pairing=BOOLEAN,
    ),
)
FIELD: Final = named(
    "MetadataField",
    shape(
        name={**TEXT, "description": "The column of the metadata table."},
        shownName=TEXT,
        kind=one_of(MetadataField.Kind.values),
        choices=list_of(TEXT),
        required=BOOLEAN,
        helpText=TEXT,
    ),
)
ORGANISM: Final = named(
    "Organism",
    shape(
        slug={**TEXT, "description": "As it stands in addresses."},
        name=TEXT,
        sequences=one_of(Organism.Sequences.values),
        fileSharing={**BOOLEAN, "description": "Whether files can be handed in."},
        fileCategories=list_of(CATEGORY),
        metadataFields=list_of(FIELD),
    ),
)
_EXAMPLE: Final[dict[str, Any]] = {
    "slug": "ebola-sudan",
    "name": "Ebola Sudan",
    "sequences": "REQUIRED",
    "fileSharing": True,
    "fileCategories": [
        {
            "name": "rawReads",
            "shownName": "Raw reads",
            "helpText": "",
            "required": False,
            "minFiles": None,
            "maxFiles": None,
            "maxFileSize": None,
            "extensions": [],
            "contentCheck": "fastq",
            "pairing": False,
        }
    ],
    "metadataFields": [
        {
            "name": "country",
            "shownName": "Country",
            "kind": "TEXT",
            "choices": [],
            "required": False,
            "helpText": "",
        }
    ],
}

LIST_ORGANISMS: Final = Operation(
    operation_id="listOrganisms",
    tag="Organisms",
    summary="What can be submitted to",
    description="Every organism with its file categories and their rules, and with its metadata fields.",
    answers={
        200: answer(
            "All organisms.",
            shape(items=list_of(ORGANISM), nextCursor={"type": "null"}),
            {"items": [_EXAMPLE], "nextCursor": None},
        )
    },
    public=True,
)
