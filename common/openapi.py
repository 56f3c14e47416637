"""The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), made of the descriptions in each `api/schema.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.views import APIView

from common.errors import MOST_TOLD, DomainError, RetryLaterError
from common.problems import CONTENT_TYPE, STATUS_OF_CODE, TITLES, type_url
from common.schema import (
    COMPONENTS,
    COUNT,
    DESCRIBED,
    NUMBER,
    TEXT,
    Header,
    Operation,
    Schema,
    list_of,
    named,
    one_of,
    response,
    shape,
)

VALIDATION_FAILED: Final = "validation_failed"
SAFE_METHODS: Final = {"GET", "HEAD"}
LISTING: Final = {400, 422}
"""The statuses under which all that is wrong is listed in `errors`."""

AUTHENTICATE = Header("How to log in.", {"type": "string", "const": "Bearer"})
RETRY_AFTER = Header("After so many seconds the same call may succeed.", COUNT)

PROBLEM_ITEM = named(
    "ProblemItem",
    shape(
        ("pointer", "field", "submissionId", "category", "fileId", "name", "line"),
        code=TEXT,
        detail={**TEXT, "description": "What is wrong, and what to do about it."},
        pointer={**TEXT, "description": "A JSON Pointer (RFC 6901) into the body or the file mapping."},
        field={**TEXT, "description": "The parameter or form part."},
        submissionId=TEXT,
        category=TEXT,
        fileId={**TEXT, "description": "As it was sent."},
        name=TEXT,
        line={**NUMBER, "description": "In the unpacked metadata table or FASTA, from 1."},
    ),
)
PROBLEM = named(
    "Problem",
    {
        **shape(
            ("errors", "errorCount", "results"),
            type={"type": "string", "format": "uri-reference", "description": "Where the code is explained."},
            title=TEXT,
            status={"type": "integer", "minimum": 400, "maximum": 599},
            detail={**TEXT, "description": "What is wrong, and what to do about it."},
            instance={"type": "string", "description": "The path of the call."},
            code=one_of([*STATUS_OF_CODE], description="Stable, for programs."),
            errors=list_of(
                PROBLEM_ITEM, description=f"Each thing that is wrong, the first {MOST_TOLD:,}.", maxItems=MOST_TOLD
            ),
            errorCount={**COUNT, "description": "How many things are wrong."},
            results=list_of({"type": "object"}, description="What succeeded, where one bad item does not undo others."),
        ),
        "description": "An error (RFC 9457), with a stable code and everything that is wrong.",
    },
)


class DescribedSchema(AutoSchema):
    """The description of a method where it has one; else what drf-spectacular makes of it."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Any:
        """The Operation Object."""
        operation = operation_of(type(self.view), method)
        if operation is None:
            return super().get_operation(path, path_regex, path_prefix, method, registry)
        return operation_object(operation, method)


class Generator(SchemaGenerator):
    """drf-spectacular's, with our names for the parts of a path, HEAD where it is told of, and shapes and examples."""

    def coerce_path(self, path: str, method: str, view: APIView) -> str:
        """The path with the names that its operation has for its parts."""
        operation = operation_of(type(view), method)
        for variable, name in operation.names_in_path.items() if operation else ():
            path = path.replace(f"{{{variable}}}", f"{{{name}}}")
        return path

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        """The document."""
        document = super().get_schema(request=request, public=public)
        for path in document["paths"].values():
            if "x-head" in path.get("get", {}):
                name = path["get"].pop("x-head")
                answers = {status: _without_content(answer) for status, answer in path["get"]["responses"].items()}
                path["head"] = {**path["get"], "operationId": name, "responses": answers}
        components = document["components"]
        components["schemas"] = {**components.get("schemas", {}), **COMPONENTS}
        components["examples"] = examples()
        components["securitySchemes"] = SECURITY_SCHEMES
        return document


SECURITY_SCHEMES: Final[Schema] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of `POST /auth/token`, a personal API token, or a token of the OIDC issuer.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The session of a page; other methods than GET then want its form token in `X-CSRFToken`.",
    },
}


def _without_content(answer: Schema) -> Schema:
    return {name: value for name, value in answer.items() if name != "content"}


def operation_of(view: type[APIView], method: str) -> Operation | None:
    """What the method of a view is described as, if it is."""
    return DESCRIBED.get(getattr(view, method.lower(), None) or describe_nothing)


def describe_nothing() -> None:
    """What a view has for a method that it does not take."""


@cache
def document_json() -> bytes:
    """The document, made once for each process: 0.1 s."""
    document = Generator().get_schema(public=True)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


# --- operations ------------------------------------------------------------------------------------


def operation_object(operation: Operation, method: str) -> Schema:
    """The Operation Object: what is described, and the problems that any operation of its kind can have."""
    answers = {str(status): answer.as_openapi() for status, answer in operation.answers.items()}
    by_status: dict[int, list[str]] = {}
    for code in problem_codes(operation, method):
        by_status.setdefault(STATUS_OF_CODE[code], []).append(code)
    by_status[422] = [*by_status.get(422, []), *operation.listed]
    refusals = {str(status): refusal(operation, status, codes) for status, codes in sorted(by_status.items()) if codes}
    found: Schema = {
        "operationId": operation.operation_id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [parameter.as_openapi() for parameter in operation.parameters],
        "security": _security(operation),
        "responses": {**answers, **refusals},
    }
    if operation.body:
        found["requestBody"] = {"content": operation.body.content(), "required": operation.body.required}
    if operation.also_head:
        found["x-head"] = f"{operation.operation_id}Head"
    return found


def _security(operation: Operation) -> list[Schema]:
    if operation.no_log_in:
        return []
    return [{"bearer": []}, {"session": []}, *([{}] if operation.public else [])]


def problem_codes(operation: Operation, method: str) -> list[str]:
    """The codes that come alone: those of the operation, and those that all of its kind can have."""
    common = ["parameter_invalid", "rate_limited", "internal_error"]
    if any(parameter.required and parameter.place == "query" for parameter in operation.parameters):
        common.append("parameter_missing")
    if operation.body:
        common += ["parameter_missing", "request_too_large", "media_type_unsupported"]
    if operation.names_in_path:
        common.append("not_found")
    if not operation.no_log_in:
        common += ["token_invalid", "issuer_unavailable", *([] if operation.public else ["not_authenticated"])]
        common += [] if method.upper() in SAFE_METHODS else ["csrf_failed"]
    return sorted({*common, *operation.problems}, key=list(STATUS_OF_CODE).index)


def refusal(operation: Operation, status: int, codes: list[str]) -> Schema:
    """The Response Object of a status that stands for one problem of several."""
    shown = [*codes, VALIDATION_FAILED] if status in LISTING and len(codes) > 1 else codes
    special: Schema = {"status": {"const": status}, "code": {"enum": shown}}
    if status in LISTING:
        special["errors"] = {"items": {"properties": {"code": {"enum": codes}}}}
    if status == 422 and operation.results:
        special["results"] = {"items": operation.results}
    required = ["errors", "errorCount"] if status == 422 else []
    schema = {"allOf": [PROBLEM, {"type": "object", "properties": special, "required": required}]}
    named_examples = {code: _example_of(code, status, codes) for code in shown}
    content = {CONTENT_TYPE: {"schema": schema, "examples": named_examples}}
    return response(_sentence(status), content, _headers(status, codes))


def _sentence(status: int) -> str:
    return {
        400: "The request cannot be read; only what stands in the way of that is told.",
        401: "No token, or one that is not valid.",
        403: "Not for this account.",
        404: "There is no such thing, or not for this account.",
        409: "Not in its present state.",
        413: "The body is too large.",
        415: "The body has another media type than the call takes.",
        422: "The request can be read, and something in it is wrong; nothing is done unless `results` says so.",
        429: "Not now; too much was asked for.",
        500: "Our fault.",
        503: "Not now.",
    }[status]


def _headers(status: int, codes: list[str]) -> dict[str, Header]:
    if status == 401:
        return {"WWW-Authenticate": AUTHENTICATE}
    later = [issubclass(errors_by_code()[code], RetryLaterError) for code in codes if code in errors_by_code()]
    if not any(later):
        return {}
    always = all(later) and len(later) == len(codes)
    return {"Retry-After": Header(RETRY_AFTER.description, RETRY_AFTER.schema, required=always)}


# --- examples --------------------------------------------------------------------------------------


def _example_of(code: str, status: int, codes: list[str]) -> Schema:
    if code == VALIDATION_FAILED:
        return {"summary": TITLES[code], "value": _several(status, codes[:2])}
    name = code if STATUS_OF_CODE[code] == status else f"{code}_listed"
    return {"$ref": f"#/components/examples/{name}"}


def examples() -> dict[str, Schema]:
    """Each code as it comes alone, and as a 422 lists it where its status is another alone."""
    return {
        name: {"summary": _title(code), "value": _example(code, status)}
        for code in STATUS_OF_CODE
        for name, status in ((code, STATUS_OF_CODE[code]), (f"{code}_listed", 422))
        if code != VALIDATION_FAILED and (name == code or STATUS_OF_CODE[code] != 422)
    }


def _example(code: str, status: int) -> Schema:
    value = {
        "type": type_url(code),
        "title": _title(code),
        "status": status,
        "detail": _detail(code),
        "instance": "/api",
        "code": code,
    }
    listed = {"errors": [{"code": code, "detail": _detail(code)}], "errorCount": 1}
    return {**value, **(listed if status in LISTING else {})}


def _several(status: int, codes: list[str]) -> Schema:
    return {
        **_example(VALIDATION_FAILED, status),
        "detail": f"{len(codes)} problems were found; each is listed under “errors”.",
        "errors": [{"code": code, "detail": _detail(code)} for code in codes],
        "errorCount": len(codes),
    }


def _title(code: str) -> str:
    return TITLES[code] if code in TITLES else errors_by_code()[code].title


def _detail(code: str) -> str:
    """The first sentence about the error, for want of a request that it could speak of."""
    if code in TITLES:
        return f"{TITLES[code]}."
    return (errors_by_code()[code].__doc__ or "").partition("\n")[0]


@cache
def errors_by_code() -> dict[str, type[DomainError]]:
    """The class of each code that has one."""
    return {error.code: error for error in _subclasses(DomainError) if "code" in vars(error)}


def _subclasses(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for below in error.__subclasses__():
        yield below
        yield from _subclasses(below)
