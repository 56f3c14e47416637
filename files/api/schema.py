"""The operations of `/api/files`, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from common.schema import (
    BYTES,
    EXAMPLES,
    FILE_ID,
    INTEGER,
    MD5,
    MOMENT,
    NO_CONTENT,
    NUMBER,
    SHA256,
    TEXT,
    URL,
    Answer,
    Body,
    Header,
    Operation,
    Schema,
    answer,
    body_of,
    in_path,
    in_query,
    list_of,
    named,
    nullable,
    one_of,
    page_of,
    shape,
)
from files.api.serializers import (
    FINGERPRINT,
    MAX_FILES,
    MAX_LISTED,
    MAX_PARTS,
    ClaimsSerializer,
    CompleteMultipartSerializer,
    CompleteSerializer,
    FilesParametersSerializer,
    MultipartParametersSerializer,
    RenewSerializer,
    UploadParametersSerializer,
)
from files.content import CHECKS
from files.models import File

TAG: Final = "Files"
EXAMPLE_ID: Final = EXAMPLES["fileId"]
EXAMPLE_SHA256: Final = "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447"
EXAMPLE_MD5: Final = "6f5902ac237024bdd0c176cb93063dc4"
EXAMPLE_FINGERPRINT: Final = "29d658e745396034e6eacaef8693299b16a33d9d5a18f4fdf61ffeaefbec0d63"
EXAMPLE_URL: Final = f"https://s3.example.org/satchel/staging/4e8a/{EXAMPLE_ID}?X-Amz-Signature=9f2a"
EXAMPLE_MOMENT: Final = "2026-11-23T12:00:00Z"

STATUS: Final = named("FileState", one_of(File.Status.values, description="Where a file is in its life."))

# --- shapes ----------------------------------------------------------------------------------------

PROBLEM_OF_FILE: Final = named("FileProblem", shape(code=TEXT, detail=TEXT))
CHECK: Final = named(
    "Check",
    shape(
        check=one_of(list(CHECKS)),
        version=NUMBER,
        status=one_of(["PASSED", "FAILED"]),
        code=nullable(TEXT),
        detail=nullable(TEXT),
        line={**nullable(INTEGER), "description": "In the unpacked text, from 1."},
        offset={**nullable(INTEGER), "description": "In bytes, from 0."},
    ),
)
CLAIMED: Final = named(
    "Claims",
    {
        **shape(
            name=nullable(TEXT),
            size=nullable(BYTES),
            sha256=nullable(SHA256),
            md5=nullable(MD5),
            fingerprint=nullable(SHA256),
            organism=nullable(TEXT),
            category=nullable(TEXT),
            partSize=nullable(BYTES),
        ),
        "description": "What the client said of the file; null where it said nothing.",
    },
)
USED: Final = named("AttachedTo", shape(accession=TEXT, version=NUMBER, submissionId=TEXT, category=TEXT, name=TEXT))
FILE: Final = named(
    "File",
    shape(
        fileId=FILE_ID,
        status=STATUS,
        groupId=NUMBER,
        size=nullable(BYTES),
        sha256=nullable(SHA256),
        md5=nullable(MD5),
        numberParts={**nullable(NUMBER), "description": "Null for a simple upload."},
        claims=CLAIMED,
        requestedAt=MOMENT,
        uploadedAt=nullable(MOMENT),
        verifiedAt=nullable(MOMENT),
        rejectedAt=nullable(MOMENT),
        keptUntil={**nullable(MOMENT), "description": "When it is deleted, should nothing more happen to it."},
        problem=nullable(PROBLEM_OF_FILE),
        checks=list_of(CHECK),
        attachedTo=list_of(USED),
    ),
)
FILE_STATUS: Final = named("FileStatus", shape(fileId=FILE_ID, status=STATUS))
UPLOAD: Final = named(
    "Upload",
    shape(
        ("presignedPost",),
        fileId=FILE_ID,
        url=URL,
        expiresAt=MOMENT,
        presignedPost=shape(
            url=URL,
            fields={
                "type": "object",
                "additionalProperties": TEXT,
                "description": "The form's fields, which go before its `file`.",
            },
        ),
    ),
)
MULTIPART_UPLOAD: Final = named("MultipartUpload", shape(fileId=FILE_ID, urls=list_of(URL), expiresAt=MOMENT))
RENEWED: Final = named(
    "RenewedUpload",
    shape(
        ("url", "urls", "uploadedParts"),
        fileId=FILE_ID,
        status=STATUS,
        expiresAt={**nullable(MOMENT), "description": "Null where nothing is left to be sent."},
        url={**URL, "description": "Of a simple upload that is still to be sent."},
        urls=list_of(shape(partNumber=NUMBER, url=URL), description="Of a multipart upload: the parts to be sent."),
        uploadedParts=list_of(
            shape(partNumber=NUMBER, size=BYTES, etag=TEXT), description="The parts that are in the object store."
        ),
    ),
)

EXAMPLE_FILE: Final[dict[str, Any]] = {
    "fileId": EXAMPLE_ID,
    "status": "VERIFIED",
    "groupId": 1,
    "size": 12,
    "sha256": EXAMPLE_SHA256,
    "md5": EXAMPLE_MD5,
    "numberParts": None,
    "claims": {
        "name": "reads_1.fastq.gz",
        "size": 12,
        "sha256": EXAMPLE_SHA256,
        "md5": None,
        "fingerprint": EXAMPLE_FINGERPRINT,
        "organism": "ebola-sudan",
        "category": "rawReads",
        "partSize": None,
    },
    "requestedAt": EXAMPLE_MOMENT,
    "uploadedAt": EXAMPLE_MOMENT,
    "verifiedAt": EXAMPLE_MOMENT,
    "rejectedAt": None,
    "keptUntil": "2026-12-23T12:00:00Z",
    "problem": None,
    "checks": [
        {"check": "fastq", "version": 1, "status": "PASSED", **dict.fromkeys(("code", "detail", "line", "offset"))}
    ],
    "attachedTo": [],
}

# --- what is sent ----------------------------------------------------------------------------------

IN_PATH: Final = in_path("fileId", "The file ID.", FILE_ID, variable="file_id")
_HEX_64: Final[Schema] = {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"}
_INTEGRITY: Final = {
    "size": "How many bytes the file has.",
    "sha256": "Compared with what is read, in hexadecimal digits.",
    "md5": "Compared with what is read, in hexadecimal digits.",
}
_CLAIMS: Final = list_of(
    body_of(
        ClaimsSerializer,
        **_INTEGRITY,
        name="The name of the file, for people.",
        fingerprint="By which a client finds the file again; its definition is in the documentation.",
        organism="The slug of the organism; only together with `category`.",
        category="A file category of the organism, so that its content check runs at once.",
        partSize="How many bytes each part but the last has; with `size`, the length of each part is signed.",
    ),
    maxItems=MAX_FILES,
)
CLAIMS_BODY: Final = Body(
    {"anyOf": [_CLAIMS, {"type": "object", "maxProperties": 0}]},
    {
        "claims": [{"name": "reads_1.fastq.gz", "size": 12, "fingerprint": EXAMPLE_FINGERPRINT}],
        "nothing claimed": [],
    },
    required=False,
)
_PARTS: Final = list_of(NUMBER, maxItems=MAX_PARTS)
GROUP: Final = "The number of the group that the files are for; you have to be a member."
UPLOAD_PROBLEMS: Final = (
    "not_a_member",
    "group_not_found",
    "quota_exceeded",
    "too_many_open_uploads",
    "storage_unavailable",
)
CLAIM_PROBLEMS: Final = ("category_unknown", "file_too_large")
_NUMBER_FILES: Final = "How many files; with a body, its length, which may be left out here. 1 if neither says."

# --- operations ------------------------------------------------------------------------------------

REQUEST_UPLOAD: Final = Operation(
    operation_id="requestUpload",
    tag=TAG,
    summary="Request simple uploads",
    description="New files, each with a URL that takes one PUT of its bytes, without a token or any other header.",
    parameters=in_query(
        UploadParametersSerializer,
        groupId=GROUP,
        numberFiles=_NUMBER_FILES,
        presignedPost=(
            "Whether each answer has a form as well, which a page can send to the object store without a preflight.",
            {"type": "boolean"},
        ),
    ),
    body=CLAIMS_BODY,
    answers={
        200: answer(
            "In the order of the claims.",
            list_of(UPLOAD),
            [{"fileId": EXAMPLE_ID, "url": EXAMPLE_URL, "expiresAt": EXAMPLE_MOMENT}],
        )
    },
    problems=UPLOAD_PROBLEMS,
    listed=CLAIM_PROBLEMS,
)
REQUEST_MULTIPART_UPLOAD: Final = Operation(
    operation_id="requestMultipartUpload",
    tag=TAG,
    summary="Request uploads in parts",
    description="New files, each with a URL for each of its parts. Parts but the last have at least 5,242,880 bytes.",
    parameters=in_query(
        MultipartParametersSerializer,
        groupId=GROUP,
        numberFiles=_NUMBER_FILES,
        numberParts="How many parts each file has at most; files times parts may be 20,000 at most.",
    ),
    body=CLAIMS_BODY,
    answers={
        200: answer(
            "In the order of the claims, the URLs in part order.",
            list_of(MULTIPART_UPLOAD),
            [{"fileId": EXAMPLE_ID, "urls": [EXAMPLE_URL], "expiresAt": EXAMPLE_MOMENT}],
        )
    },
    problems=UPLOAD_PROBLEMS,
    listed=CLAIM_PROBLEMS,
)
_STATUS_ANSWER: Final = {
    200: answer("The present status of each.", list_of(FILE_STATUS), [{"fileId": EXAMPLE_ID, "status": "UPLOADED"}])
}
_MISMATCHES: Final = ("size_mismatch", "sha256_mismatch", "md5_mismatch")
COMPLETE_UPLOAD: Final = Operation(
    operation_id="completeUpload",
    tag=TAG,
    summary="Say that simple uploads are sent",
    description="The files are verified now rather than when they are submitted. The call can be repeated. One bad "
    "item does not undo the others: a 422 has the bad ones in `errors`, the good ones in `results`.",
    body=Body(
        list_of(body_of(CompleteSerializer, **_INTEGRITY, fileId=("Which file.", FILE_ID)), maxItems=MAX_FILES),
        {"one file": [{"fileId": EXAMPLE_ID, "sha256": EXAMPLE_SHA256}]},
    ),
    answers=_STATUS_ANSWER,
    problems=("storage_unavailable",),
    listed=("file_not_found", "file_not_uploaded", "multipart_not_completed", "upload_expired", *_MISMATCHES),
    results=FILE_STATUS,
)
COMPLETE_MULTIPART_UPLOAD: Final = Operation(
    operation_id="completeMultipartUpload",
    tag=TAG,
    summary="Put the parts of uploads together",
    description="The same call again gets the same answer, also when several come at once. One bad item does not undo "
    "the others: a 422 has the bad ones in `errors`, the good ones in `results`.",
    body=Body(
        list_of(
            body_of(
                CompleteMultipartSerializer,
                **_INTEGRITY,
                fileId=("Which file.", FILE_ID),
                etags=("The ETag of each part, in part order, quoted or not.", list_of({})),
            ),
            maxItems=MAX_FILES,
        ),
        {"one file": [{"fileId": EXAMPLE_ID, "etags": [EXAMPLE_MD5]}]},
    ),
    answers=_STATUS_ANSWER,
    problems=("storage_unavailable",),
    listed=(
        "file_not_found",
        "etags_missing",
        "etags_differ",
        "part_not_found",
        "part_too_small",
        "not_multipart",
        "upload_expired",
        *_MISMATCHES,
    ),
    results=FILE_STATUS,
)


def _words(items: Schema, most: int) -> Schema:
    return list_of(items, minItems=1, maxItems=most)


_CURSOR: Final = r"^\d{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
LIST_FILES: Final = Operation(
    operation_id="listFiles",
    tag=TAG,
    summary="The files of a group",
    description="Newest first. Each parameter leaves out the files that do not fit.",
    parameters=in_query(
        FilesParametersSerializer,
        groupId="The number of the group; you have to be a member.",
        status=("Files in one of these states.", _words(STATUS, 10)),
        attached=("Files that a sequence entry has, or none has.", {"type": "boolean"}),
        ids=("Files with one of these file IDs.", _words(FILE_ID, MAX_LISTED)),
        fingerprints=(
            "Files with one of these claimed fingerprints.",
            _words({"type": "string", "pattern": f"^{FINGERPRINT.pattern}$"}, MAX_LISTED),
        ),
        cursor=("The `nextCursor` of the page before.", {"type": "string", "pattern": _CURSOR}),
        limit="How many a page has.",
    ),
    answers={200: answer("A page of files.", page_of(FILE, TEXT), {"items": [EXAMPLE_FILE], "nextCursor": None})},
    problems=("not_a_member", "group_not_found"),
)
GET_FILE: Final = Operation(
    operation_id="getFile",
    tag=TAG,
    summary="A file",
    description="Its status, size, hashes, claims, times, problem, content checks, and where it is attached.",
    parameters=[IN_PATH],
    answers={200: answer("The file.", FILE, EXAMPLE_FILE)},
    problems=("file_not_found",),
)
DISCARD_FILE: Final = Operation(
    operation_id="discardFile",
    tag=TAG,
    summary="Discard a file",
    description="For a file that no sequence entry has: the upload is aborted, or the object deleted.",
    parameters=[IN_PATH],
    answers={204: NO_CONTENT},
    problems=("file_not_found", "file_attached", "file_not_available", "upload_completing", "storage_unavailable"),
)
RENEW_UPLOAD: Final = Operation(
    operation_id="renewUpload",
    tag=TAG,
    summary="Go on with an upload",
    description="Fresh URLs for what is not in the object store yet: after a URL has expired, after a crash, or on "
    "another machine. Satchel looks for the object of a simple upload first and has it verified if it has come.",
    parameters=[IN_PATH],
    body=Body(
        body_of(RenewSerializer, partNumbers=("The parts to be sent; all that are missing if not given.", _PARTS)),
        {"what is missing": {}, "certain parts": {"partNumbers": [1, 2]}},
        required=False,
    ),
    answers={
        200: answer(
            "Where the upload is.",
            RENEWED,
            {
                "fileId": EXAMPLE_ID,
                "status": "REQUESTED",
                "expiresAt": EXAMPLE_MOMENT,
                "urls": [{"partNumber": 2, "url": EXAMPLE_URL}],
                "uploadedParts": [{"partNumber": 1, "size": 5_242_880, "etag": EXAMPLE_MD5}],
            },
        )
    },
    problems=("file_not_found", "upload_completing", "storage_unavailable"),
    listed=("upload_expired",),
)
DOWNLOAD: Final = Operation(
    operation_id="downloadFile",
    tag=TAG,
    summary="Download a file",
    description="Redirects to a presigned URL, under which the object store sends the file as an attachment with its "
    "name. No token is needed for released entries.",
    parameters=[
        in_path("accession", "The accession of the entry.", TEXT),
        in_path("version", "The version of the entry.", {"type": "integer", "minimum": 0}),
        in_path("category", "The file category.", TEXT),
        in_path("fileName", "The name that the file has in the entry.", TEXT, variable="name"),
    ],
    answers={
        307: Answer(
            "Where the file is.",
            headers={
                "Location": Header("A URL that is good for the method of the call.", URL),
                "Cache-Control": Header("Each call makes another URL.", {"type": "string", "const": "no-store"}),
                "Referrer-Policy": Header("The address stays here.", {"type": "string", "const": "no-referrer"}),
            },
        )
    },
    problems=("not_public", "not_a_member", "entry_not_found", "file_not_found", "file_not_available"),
    public=True,
    also_head=True,
)
