"""`/api/<organism>/submit`, `revise`, `check`, and `/api/submissions`: parse, one service call, answer."""

from __future__ import annotations

from collections.abc import Callable
from io import SEEK_END, BytesIO
from typing import BinaryIO, cast

from django.db.models import Prefetch
from django.http import StreamingHttpResponse
from django.urls import reverse
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from common.errors import Location, ParameterInvalidError, ParameterMissingError
from common.pagination import page_of
from common.parsing import parse_parameters
from common.schema import described
from files.models import FileAttachment
from submissions import mapping, services
from submissions.access import group_for_member, submission_for_member
from submissions.api.idempotency import key_of
from submissions.api.schema import submissions as schema
from submissions.api.schema.checking import CHECK
from submissions.api.serializers import (
    CheckParameterSerializer,
    GroupPageParameterSerializer,
    GroupParameterSerializer,
    PageParameterSerializer,
    ReceiptParameterSerializer,
    entry_body,
    receipt_pieces,
    submission_body,
    submitted_entry_body,
)
from submissions.models import Submission

ENTRIES_A_PAGE = 100
SUBMISSIONS_A_PAGE = 100
TEXT_TYPE, JSON_TYPE = "text/plain", "application/json"
REPLACEMENT = "\ufffd"
RETRY_AFTER = "2"
"""Seconds after which a submission that is being verified is worth another look."""


def _part(request: Request, name: str) -> BinaryIO | None:
    """A part of the form, whether it was sent as a file or as text; None where it was not sent."""
    if name in request.FILES:
        return cast("BinaryIO", request.FILES[name])
    text = request.POST.get(name)
    if text is None:
        return None
    if REPLACEMENT in text:
        # Django has replaced what it could not decode, and nobody could tell what was there.
        sentence = f"“{name}” is not UTF-8; send it as a file, with a file name, to be told where."
        raise ParameterInvalidError(sentence, Location(field=name))
    return BytesIO(text.encode())


def _file_mapping(request: Request) -> str | None:
    """The JSON text of the mapping, which is read only if it is not too large to be parsed."""
    part = _part(request, mapping.FIELD)
    if part is None:
        return None
    mapping.check_size(part.seek(0, SEEK_END))
    part.seek(0)
    try:
        return part.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterInvalidError(f"“{mapping.FIELD}” is not UTF-8.", Location(field=mapping.FIELD)) from error


def _table(request: Request) -> BinaryIO:
    metadata_file = _part(request, "metadataFile")
    if metadata_file is None:
        text = "Send the metadata table as “metadataFile”, in multipart/form-data."
        raise ParameterMissingError(text, Location(field="metadataFile"))
    return metadata_file


def _sent(request: Request) -> services.Sent:
    return services.Sent(
        metadata_file=_table(request),
        sequence_file=_part(request, "sequenceFile"),
        file_mapping=_file_mapping(request),
        checksum_file=_part(request, "checksumFile"),
        names={part: file.name for part, file in request.FILES.items() if file.name},
    )


def _handed_in(request: Request, organism: str, hand_in: Callable[..., services.Answer]) -> Response:
    parameters = parse_parameters(GroupParameterSerializer, request.query_params)
    answer = hand_in(
        user=caller(request),
        organism_slug=organism,
        group_id=parameters["group_id"],
        sent=_sent(request),
        key=key_of(request),
    )
    body = [submitted_entry_body(entry) for entry in answer.entries]
    headers = {"Location": reverse("api-submission", args=[answer.number])}
    if answer.is_repeated:
        headers["Idempotent-Replayed"] = "true"
    return Response(body, status=202, headers=headers)


class SubmitView(APIView):
    """A metadata table, sequences, a file mapping and a checksum file, in one call."""

    parser_classes = (MultiPartParser,)

    @described(schema.SUBMIT)
    def post(self, request: Request, organism: str) -> Response:
        """202 with accession, version, submission ID and status of each entry, in table order."""
        return _handed_in(request, organism, services.submit)


class ReviseView(APIView):
    """The same with an accession for each row: next versions of entries that are released."""

    parser_classes = (MultiPartParser,)

    @described(schema.REVISE)
    def post(self, request: Request, organism: str) -> Response:
        """202 as for submitting, with the new versions."""
        return _handed_in(request, organism, services.revise)


class CheckView(APIView):
    """Table and sequences alone, judged before files are sent."""

    parser_classes = (MultiPartParser,)

    @described(CHECK)
    def post(self, request: Request, organism: str) -> Response:
        """`{"rows": n}` where nothing is wrong; `?revise=true` for a table of a revision."""
        parameters = parse_parameters(CheckParameterSerializer, request.query_params)
        rows = services.check_before_sending(
            user=caller(request),
            organism_slug=organism,
            group_id=parameters["group_id"],
            metadata_file=_table(request),
            sequence_file=_part(request, "sequenceFile"),
            revising=parameters["revise"],
        )
        return Response({"rows": rows})


class SubmissionListView(APIView):
    """The submissions of a group."""

    @described(schema.LIST_SUBMISSIONS)
    def get(self, request: Request) -> Response:
        """`?groupId=G[&cursor=…]` → newest first, 100 a page."""
        parameters = parse_parameters(GroupPageParameterSerializer, request.query_params)
        user = caller(request)
        group = group_for_member(user=user, group_id=parameters["group_id"])
        submissions = Submission.objects.filter(group=group).with_counts()
        submissions = submissions.select_related("organism", "submitted_by")
        page = page_of(submissions, key="-id", cursor=parameters["cursor"], size=SUBMISSIONS_A_PAGE)
        return Response(
            {"items": [submission_body(submission) for submission in page.items], "nextCursor": page.next_cursor}
        )


class SubmissionView(APIView):
    """One submission and its entries."""

    @described(schema.GET_SUBMISSION)
    def get(self, request: Request, submission_id: int) -> Response:
        """Status, counts and 100 entries with their files; `Retry-After` while it is being verified."""
        cursor = parse_parameters(PageParameterSerializer, request.query_params)["cursor"]
        submission = submission_for_member(user=caller(request), submission_id=submission_id)
        entries = submission.entries.prefetch_related(Prefetch("attachments", FileAttachment.objects.with_results()))
        page = page_of(entries, key="position", cursor=cursor, size=ENTRIES_A_PAGE)
        body = {
            **submission_body(submission),
            "entries": [entry_body(entry) for entry in page.items],
            "nextCursor": page.next_cursor,
        }
        verifying = submission.status == Submission.Status.VERIFYING
        return Response(body, headers={"Retry-After": RETRY_AFTER} if verifying else {})


class ReceiptView(APIView):
    """What of a submission was accepted, to be kept and to be checked against."""

    @described(schema.GET_RECEIPT)
    def get(self, request: Request, submission_id: int) -> StreamingHttpResponse:
        """A text for `sha256sum -c`, or JSON, by `Accept` or `?as=text|json`; the text if neither decides."""
        asked = parse_parameters(ReceiptParameterSerializer, request.query_params)["format"]
        receipt = services.receipt_for(user=caller(request), submission_id=submission_id)
        preferred = request.get_preferred_type([TEXT_TYPE, JSON_TYPE])
        as_json = asked == "json" or (asked is None and preferred == JSON_TYPE)
        pieces = receipt_pieces(receipt) if as_json else map(str.encode, services.receipt_text(receipt))
        name = services.receipt_name(receipt.submission)
        return StreamingHttpResponse(
            pieces,
            content_type=JSON_TYPE if as_json else f"{TEXT_TYPE}; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}.{"json" if as_json else "sha256"}"',
                "Vary": "Accept",
            },
        )
