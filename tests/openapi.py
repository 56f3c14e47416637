"""Holds answers of the API, and the requests that it took, against its OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import jsonschema_rs

PROBLEM = "application/problem+json"
NOT_DESCRIBED = {"/docs"}
"""Addresses under /api that are pages."""
Validator = jsonschema_rs.Draft202012Validator


@dataclass(frozen=True)
class Answered:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0]


class Document:
    """An OpenAPI 3.1 document, its validators compiled when they are first needed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._validators: dict[str, Validator] = {}

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], str]]:
        """Patterns of the addresses, those with the fewest variables first."""
        paths = sorted(self.document["paths"], key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]

    def operations_at(self, path: str) -> dict[str, Any] | None:
        """The operations at an address without its `/api`, by method in lower case; None at an unknown one."""
        found = (name for pattern, name in self._paths if pattern.fullmatch(path))
        name = next(found, None)
        return None if name is None else self.document["paths"][name]

    def errors_of(self, value: object, schema: Mapping[str, Any]) -> list[str]:
        """What is wrong with a value, and where."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {"allOf": [schema], "components": {"schemas": self.document["components"]["schemas"]}}
            self._validators[key] = Validator(whole, validate_formats=True)
        errors = self._validators[key].iter_errors(value)
        return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:500]}" for error in errors]

    def check(self, method: str, path: str, answered: Answered) -> list[str]:
        """What of an answer is not as the document says."""
        operations = self.operations_at(path)
        if path in NOT_DESCRIBED:
            return []
        if operations is None:
            return self._check_problem(method, answered, {404, 400, 403, 500})
        operation = operations.get(method.lower()) or (operations.get("get") if method == "HEAD" else None)
        if operation is None:
            return self._check_not_allowed(method, answered)
        described = operation["responses"].get(str(answered.status))
        if described is None:
            return [f"status {answered.status} is not one of {', '.join(operation['responses'])}"]
        return [*self._check_headers(answered, described), *self._check_content(method, answered, described)]

    def _check_problem(self, method: str, answered: Answered, statuses: set[int]) -> list[str]:
        if answered.status not in statuses:
            return [f"status {answered.status} where nothing is described"]
        if method == "HEAD":
            return []
        return self.errors_of(json.loads(answered.content or b"null"), {"$ref": "#/components/schemas/Problem"})

    def _check_not_allowed(self, method: str, answered: Answered) -> list[str]:
        if method == "OPTIONS":
            return []
        missing = answered.status == 405 and not answered.headers.get("Allow")
        wrong = self._check_problem(method, answered, {400, 401, 403, 404, 405, 500})
        return ["a 405 without Allow", *wrong] if missing else wrong

    def _check_headers(self, answered: Answered, described: Mapping[str, Any]) -> list[str]:
        found = []
        for name, header in described.get("headers", {}).items():
            value: str | int | None = answered.headers.get(name)
            if value is None:
                found += [f"the header {name} is missing"] if header["required"] else []
                continue
            if header["schema"].get("type") == "integer" and str(value).isdigit():
                value = int(value)
            found += [f"header {name}: {error}" for error in self.errors_of(value, header["schema"])]
        return found

    def _check_content(self, method: str, answered: Answered, described: Mapping[str, Any]) -> list[str]:
        if method == "HEAD" or "content" not in described:
            return ["a body where none is described"] if answered.content else []
        media = described["content"].get(answered.media_type)
        if media is None:
            return [f"{answered.media_type or 'nothing'} is not one of {', '.join(described['content'])}"]
        is_json = answered.media_type.endswith("json")
        value = json.loads(answered.content) if is_json else answered.content.decode()
        return self.errors_of(value, media["schema"])

    def check_taken(self, method: str, path: str, query: Mapping[str, str], body: object) -> list[str]:
        """What of a request that succeeded is not as the document says; `body` is its JSON, None if it had none."""
        operation = (self.operations_at(path) or {}).get(method.lower())
        if operation is None:
            return []
        known = {parameter["name"]: parameter for parameter in operation["parameters"] if parameter["in"] == "query"}
        missing = [name for name, parameter in known.items() if parameter["required"] and name not in query]
        media = operation.get("requestBody", {}).get("content", {}).get("application/json")
        wrong = self.errors_of(body, media["schema"]) if media and body is not None else []
        return [*(f"{name} was missing, and nobody minded" for name in missing), *wrong]


@cache
def document() -> Document:
    """The product's own."""
    from django.urls import get_resolver

    from common.openapi import document_json

    _ = get_resolver().url_patterns  # imports the views, which describe themselves
    return Document(json.loads(document_json()))
