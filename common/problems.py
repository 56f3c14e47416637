"""From errors of the domain to `application/problem+json` (RFC 9457): the one place that knows both.

What cannot be parsed is 400 with only that; several things wrong with a well-formed request are 422 with all of
them; an error that comes alone has the status of the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import DomainError, Location, RetryLaterError, ValidationFailedError
from common.words import size_words

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"

STATUS_OF_CODE: dict[str, int] = {
    # What cannot be parsed, or does not fit the organism at all.
    "parameter_missing": 400,
    "parameter_invalid": 400,
    "file_mapping_invalid": 400,
    "file_sharing_disabled": 400,
    # Who is asking.
    "not_authenticated": 401,
    "credentials_wrong": 401,
    "token_invalid": 401,
    "not_public": 401,
    "csrf_failed": 403,
    "not_a_member": 403,
    # What is asked for.
    "organism_not_found": 404,
    "group_not_found": 404,
    "submission_not_found": 404,
    "entry_not_found": 404,
    "file_not_found": 404,
    "user_not_found": 404,
    "member_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "entry_verifying": 409,
    "entry_released": 409,
    "entry_changed": 409,
    "file_not_available": 409,
    "group_name_taken": 409,
    "too_many_groups": 409,
    "last_member": 409,
    "token_name_taken": 409,
    "too_many_tokens": 409,
    "file_attached": 409,
    "idempotency_key_running": 409,
    "receipt_not_ready": 409,
    "nothing_accepted": 409,
    "request_too_large": 413,
    "media_type_unsupported": 415,
    # What is wrong with a well-formed request.
    "validation_failed": 422,
    "submission_id_unknown": 422,
    "category_unknown": 422,
    "file_not_uploaded": 422,
    "multipart_not_completed": 422,
    "file_rejected": 422,
    "file_name_duplicate": 422,
    "file_name_invalid": 422,
    "too_few_files": 422,
    "too_many_files": 422,
    "file_too_large": 422,
    "extension_not_allowed": 422,
    "pair_file_names": 422,
    "entry_not_accepted": 422,
    "id_missing": 422,
    "id_duplicate": 422,
    "id_whitespace": 422,
    "ids_unmatched": 422,
    "accession_missing": 422,
    "accession_duplicate": 422,
    "accession_unknown": 422,
    "entry_not_released": 422,
    "idempotency_key_reused": 422,
    "metadata_invalid": 422,
    "sequence_invalid": 422,
    "compression_invalid": 422,
    "checksum_invalid": 422,
    "checksum_unmatched": 422,
    "checksum_ambiguous": 422,
    "checksum_contradiction": 422,
    "etags_missing": 422,
    "etags_differ": 422,
    "part_not_found": 422,
    "part_too_small": 422,
    "not_multipart": 422,
    "upload_expired": 422,
    "size_mismatch": 422,
    "sha256_mismatch": 422,
    "md5_mismatch": 422,
    # What is our fault, or only for now.
    "too_many_attempts": 429,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "too_many_open_uploads": 429,
    "internal_error": 500,
    "storage_unavailable": 503,
    "upload_completing": 503,
    "log_in_unavailable": 503,
    "issuer_unavailable": 503,
}
"""The status of each code that this product answers with; `docs/problems.md` has a heading for each."""

CODE_OF_STATUS = {
    400: "parameter_invalid",
    401: "not_authenticated",
    403: "csrf_failed",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
    415: "media_type_unsupported",
    500: "internal_error",
}

TITLES = {
    "validation_failed": "Several things are wrong",
    "not_authenticated": "Log in first",
    "csrf_failed": "The page's form token is missing or old",
    "not_found": "There is nothing at this address",
    "method_not_allowed": "This address does not take that method",
    "request_too_large": "The body is larger than this address takes",
    "media_type_unsupported": "This address does not take a body of that type",
    "internal_error": "Something went wrong on our side",
}
"""Titles of the codes that stem from HTTP itself; the others have theirs on their `DomainError`."""


def type_url(code: str) -> str:
    """The address of the code's explanation, relative to this host."""
    return f"/help/problems#{code}"


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda match: match.group(1).upper(), name)


def _place(location: Location) -> dict[str, Any]:
    names = Location.__dataclass_fields__
    found = {name: getattr(location, name) for name in names}
    return {_camel(name): value for name, value in found.items() if value is not None}


def error_item(error: DomainError) -> dict[str, Any]:
    """One row of `errors`: code, detail and where it is."""
    return {"code": error.code, "detail": error.detail, **_place(error.location)}


def problem(status: int, code: str, title: str, detail: str, path: str, **more: Any) -> dict[str, Any]:
    """The members of RFC 9457, and ours."""
    return {
        "type": type_url(code),
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
        **more,
    }


def problem_of_errors(failure: ValidationFailedError, path: str) -> dict[str, Any]:
    """All problems of one request; the code is theirs where they agree, else `validation_failed`."""
    codes = {error.code for error in failure.errors}
    status = 400 if any(STATUS_OF_CODE[code] == HTTPStatus.BAD_REQUEST for code in codes) else 422
    code = codes.pop() if len(codes) == 1 else "validation_failed"
    title = failure.errors[0].title if code != "validation_failed" else TITLES[code]
    detail = (
        failure.errors[0].detail
        if failure.count == 1
        else f"{failure.count:,} problems were found; each is listed under “errors”."
    )
    results = {} if failure.results is None else {"results": list(failure.results)}
    items = [error_item(error) for error in failure.errors]
    return problem(status, code, title, detail, path, errors=items, errorCount=failure.count, **results)


def problem_of_error(error: DomainError, path: str) -> dict[str, Any]:
    """One problem that comes alone."""
    status = STATUS_OF_CODE[error.code]
    more: dict[str, Any] = {}
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        more = {"errors": [error_item(error)], "errorCount": 1}
    return problem(status, error.code, error.title, error.detail, path, **more)


def problem_of_status(status: int, path: str, detail: str) -> dict[str, Any]:
    """A problem that HTTP itself has, such as an unknown address."""
    code = CODE_OF_STATUS.get(status, "internal_error" if status >= 500 else "parameter_invalid")
    return problem(status, code, TITLES.get(code, "The request cannot be read"), detail, path)


def headers_of(error: Exception, status: int) -> dict[str, str]:
    """What HTTP wants beside the problem: how to authenticate, when to try again."""
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RetryLaterError):
        headers["Retry-After"] = str(error.retry_after)
    return headers


def body_of(error: Exception, path: str) -> dict[str, Any] | None:
    """The problem that an exception stands for; None where it is none of ours."""
    match error:
        case ValidationFailedError():
            return problem_of_errors(error, path)
        case DomainError():
            return problem_of_error(error, path)
    refusal = _refusal(error)
    return None if refusal is None else problem_of_status(refusal[0], path, refusal[1])


def _refusal(error: Exception) -> tuple[int, str] | None:
    """Status and detail of what DRF and Django refuse."""
    match error:
        case Http404():
            return 404, "Look at the address: there is nothing here."
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return 401, "Send “Authorization: Bearer <token>” with a valid token."
        case exceptions.ParseError():
            return 400, f"The body cannot be read: {error.detail}"
        case exceptions.APIException():
            return error.status_code, str(error.detail)
        case RequestDataTooBig():
            most = size_words(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            return 413, f"JSON, or the form parts that are no files, may have {most} at most."
        case SuspiciousOperation():
            return 400, "The request has more parameters, form parts or files than are taken, or is put together badly."
        case UnreadablePostError():
            return 400, "The body breaks off before its end. Send it again."
        case _:
            return None


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook: every failure of the API leaves through here."""
    request: Request = context["request"]
    body = body_of(error, request.path)
    if body is None:
        log.error("request_failed", path=request.path, exc_info=error)
        body = problem_of_status(500, request.path, "We have noted it. Try again in a while.")
    if isinstance(error, SuspiciousOperation):  # Django logs those that reach it
        log.warning("request_suspicious", path=request.path, exc_info=error)
    status = body["status"]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_refused_for_now", path=request.path, code=body["code"], exc_info=error)
    return Response(body, status=status, headers=headers_of(error, status), content_type=CONTENT_TYPE)


def problem_response(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """A problem from outside DRF: an unknown address under /api, or a refused form token."""
    body = problem_of_status(status, request.path, detail)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)
