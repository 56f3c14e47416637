"""`/api/files/…`: parse, one service call, answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.http import HttpResponse, HttpResponseBase
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import caller
from common.errors import Location, ParameterInvalidError, ValidationFailedError
from common.parsing import parse_list, parse_object, parse_parameters
from common.schema import described
from files import services
from files.api import schema
from files.api.serializers import (
    MAX_FILES,
    MAX_URLS,
    ClaimsSerializer,
    CompleteMultipartSerializer,
    CompleteSerializer,
    FilesParametersSerializer,
    MultipartParametersSerializer,
    RenewSerializer,
    UploadParametersSerializer,
    claims_of,
    complete_item_of,
    file_body,
    filter_of,
    multipart_body,
    renewed_body,
    status_body,
    upload_body,
)
from files.models import File
from files.services import Claims


def _claims(request: Request) -> list[Claims]:
    """The body's claims; without a body there are none."""
    if _has_no_body(request):
        return []
    return [claims_of(item) for item in parse_list(ClaimsSerializer, request.data, most=MAX_FILES)]


def _has_no_body(request: Request) -> bool:
    """Whether the call came without a body, or with an empty object."""
    return isinstance(request.data, Mapping) and not request.data


def _number_files(asked: int | None, claims: Sequence[Claims]) -> int:
    """How many files are asked for, by parameter or by the body's length, which must agree."""
    if asked is not None and claims and asked != len(claims):
        text = f"numberFiles is {asked}, but the body has {len(claims)} objects; leave numberFiles out."
        raise ParameterInvalidError(text, Location(field="numberFiles"))
    return asked or len(claims) or 1


@contextmanager
def _results_as_bodies() -> Iterator[None]:
    """Where some items failed, show those that did not as they are shown when none fails."""
    try:
        yield
    except ValidationFailedError as failure:
        failure.results = [status_body(file) for file in failure.results or () if isinstance(file, File)]
        raise


class RequestUploadView(APIView):
    """New files, each with a URL for one PUT."""

    @described(schema.REQUEST_UPLOAD)
    def post(self, request: Request) -> Response:
        """`?groupId=G&numberFiles=N`, optionally a claim a file → `[{"fileId","url","expiresAt"}]`."""
        parameters = parse_parameters(UploadParametersSerializer, request.query_params)
        claims = _claims(request)
        uploads = services.request_uploads(
            user=caller(request),
            group_id=parameters["group_id"],
            number_files=_number_files(parameters["number_files"], claims),
            claims=claims,
            with_post=parameters["with_post"],
        )
        return Response([upload_body(upload) for upload in uploads])


class RequestMultipartUploadView(APIView):
    """New files, each with a URL a part."""

    @described(schema.REQUEST_MULTIPART_UPLOAD)
    def post(self, request: Request) -> Response:
        """`?groupId=G&numberFiles=N&numberParts=P` → `[{"fileId","urls","expiresAt"}]`, URLs in part order."""
        parameters = parse_parameters(MultipartParametersSerializer, request.query_params)
        claims = _claims(request)
        number_files = _number_files(parameters["number_files"], claims)
        if number_files * parameters["number_parts"] > MAX_URLS:
            text = f"numberFiles times numberParts may be {MAX_URLS:,} at most; ask in several calls."
            raise ParameterInvalidError(text, Location(field="numberParts"))
        uploads = services.request_multipart_uploads(
            user=caller(request),
            group_id=parameters["group_id"],
            number_files=number_files,
            number_parts=parameters["number_parts"],
            claims=claims,
        )
        return Response([multipart_body(upload) for upload in uploads])


class CompleteUploadView(APIView):
    """ "I have sent it, check it now", for single uploads."""

    @described(schema.COMPLETE_UPLOAD)
    def post(self, request: Request) -> Response:
        """`[{"fileId", …claims}]` → `[{"fileId","status"}]`."""
        items = [complete_item_of(item) for item in parse_list(CompleteSerializer, request.data, most=MAX_FILES)]
        with _results_as_bodies():
            files = services.complete_uploads(user=caller(request), items=items)
        return Response([status_body(file) for file in files])


class CompleteMultipartUploadView(APIView):
    """Puts parts together."""

    @described(schema.COMPLETE_MULTIPART_UPLOAD)
    def post(self, request: Request) -> Response:
        """`[{"fileId","etags":[…], …claims}]` → `[{"fileId","status"}]`."""
        sent = parse_list(CompleteMultipartSerializer, request.data, most=MAX_FILES)
        items = [complete_item_of(item) for item in sent]
        with _results_as_bodies():
            files = services.complete_multipart_uploads(user=caller(request), items=items)
        return Response([status_body(file) for file in files])


class FilesView(APIView):
    """The files of a group, newest first."""

    @described(schema.LIST_FILES)
    def get(self, request: Request) -> Response:
        """`?groupId=G`, and what narrows it → `{"items","nextCursor"}`."""
        parameters = parse_parameters(FilesParametersSerializer, request.query_params)
        page = services.list_files(
            user=caller(request),
            group_id=parameters["group_id"],
            asked=filter_of(parameters),
            cursor=parameters["cursor"],
            limit=parameters["limit"],
        )
        cursor = page.next_cursor and str(page.next_cursor)
        return Response({"items": [file_body(file) for file in page.items], "nextCursor": cursor})


class FileView(APIView):
    """One file of the caller's groups."""

    @described(schema.GET_FILE)
    def get(self, request: Request, file_id: uuid.UUID) -> Response:
        """Status, size, hashes, claims, times, problem, checks, and where it is attached."""
        return Response(file_body(services.file_details(user=caller(request), file_id=file_id)))

    @described(schema.DISCARD_FILE)
    def delete(self, request: Request, file_id: uuid.UUID) -> Response:
        """204 once it is gone; only a file that is attached nowhere."""
        services.discard_file(user=caller(request), file_id=file_id)
        return Response(status=204)


class RenewView(APIView):
    """Fresh URLs for an upload that is under way."""

    @described(schema.RENEW_UPLOAD)
    def post(self, request: Request, file_id: uuid.UUID) -> Response:
        """Optional `{"partNumbers":[…]}` → status, URLs of what is to be sent, and the parts that are there."""
        body = {} if _has_no_body(request) else parse_object(RenewSerializer, request.data)
        user, part_numbers = caller(request), body.get("part_numbers")
        return Response(renewed_body(services.renew_upload(user=user, file_id=file_id, part_numbers=part_numbers)))


class DownloadView(APIView):
    """A redirection to a presigned URL; released entries are for all."""

    permission_classes = (AllowAny,)

    @described(schema.DOWNLOAD)
    def get(self, request: Request, accession: str, version: int, category: str, name: str) -> HttpResponseBase:
        """307 to a URL that is good for the request's method."""
        url = services.download_url(
            user=request.user,
            accession=accession,
            version=version,
            category=category,
            name=name,
            method=request.method or "GET",
        )
        headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return HttpResponse(status=307, headers=headers)

    head = get
