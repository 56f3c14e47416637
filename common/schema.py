"""How an operation of the API is described: its shapes, its parameters, its answers, the problems it can have.

Each app's `api/schema.py` describes its own operations with what is here, and each method of a view carries one line,
`@described(schema.SUBMIT)`. `common/openapi.py` makes the document of them. What can be derived is: parameters and
bodies from the serializers that read them, the status of a problem from its code.
Shapes are JSON Schema 2020-12 (https://json-schema.org/draft/2020-12), as OpenAPI 3.1 has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from django.core.validators import RegexValidator
from rest_framework import serializers

Schema = dict[str, Any]
M = TypeVar("M", bound=Callable[..., Any])

TEXT: Final[Schema] = {"type": "string"}
INTEGER: Final[Schema] = {"type": "integer"}
BYTES: Final[Schema] = {"type": "integer", "minimum": 0, "description": "In bytes."}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time", "description": "In UTC."}
URL: Final[Schema] = {"type": "string", "format": "uri"}
FILE_ID: Final[Schema] = {"type": "string", "format": "uuid", "description": "In lower case; taken in any case."}
SHA256: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
MD5: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
NUMBER: Final[Schema] = {"type": "integer", "minimum": 1}
JSON: Final = "application/json"
FORM: Final = "multipart/form-data"

EXAMPLES: Final[dict[str, object]] = {
    "organism": "ebola-sudan",
    "groupId": 1,
    "username": "alice",
    "number": 1,
    "accession": "SAT_000001A",
    "version": 1,
    "category": "rawReads",
    "fileName": "reads_1.fastq.gz",
    "fileId": "0f3d1c5e-6a57-4c2b-9d0e-3f1d2a7b8c90",
}
"""What the parameters of these names may be: things of the demo, as far as it has them."""

COMPONENTS: Final[dict[str, Schema]] = {}
"""The shapes that have a name, by it: `components.schemas` of the document."""


def shape(optional: Sequence[str] = (), /, **properties: Schema) -> Schema:
    """An object of exactly these properties, of which only the `optional` ones may be missing."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def named(name: str, schema: Schema) -> Schema:
    """The schema under a name, by which the document and generated clients know it."""
    COMPONENTS[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(items: Schema, **more: Any) -> Schema:
    """An array of these."""
    return {"type": "array", "items": items, **more}


def one_of(choices: Sequence[str], **more: Any) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(choices), **more}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    or_null = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        or_null["enum"] = [*schema["enum"], None]
    return or_null


def page_of(items: Schema, cursor: Schema) -> Schema:
    """One page of a list."""
    words = "Null on the last page; otherwise to be passed on as `cursor`."
    return shape(items=list_of(items), nextCursor={**nullable(cursor), "description": words})


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query or the path, or a header of the request.

    `variable` is the name that the URLconf has for a part of the path, where that is another.
    """

    name: str
    description: str
    schema: Schema
    place: str = "query"
    required: bool = False
    variable: str = ""

    def as_openapi(self) -> Schema:
        """The Parameter Object; lists are words with commas between them."""
        described: Schema = {
            "name": self.name,
            "in": self.place,
            "description": self.description,
            "required": self.required,
            "schema": self.schema,
        }
        if self.name in EXAMPLES:
            described["example"] = EXAMPLES[self.name]
        return {**described, "explode": False} if self.schema.get("type") == "array" else described


def in_path(name: str, description: str, schema: Schema, *, variable: str = "") -> Parameter:
    """A part of the address."""
    return Parameter(name, description, schema, "path", required=True, variable=variable or name)


def in_query(serializer: type[serializers.Serializer[Any]], /, **words: str | tuple[str, Schema]) -> list[Parameter]:
    """The query parameters that a serializer reads, each with the words that describe it.

    With the words may come a schema, for fields of our own. Raises KeyError for a field without words.
    """
    parameters = []
    for name, read in serializer().get_fields().items():
        told = words[name]
        description, schema = told if isinstance(told, tuple) else (told, schema_of(read))
        if read.default not in {serializers.empty, None}:
            schema = {**schema, "default": read.default}
        parameters.append(Parameter(name, description, schema, required=read.required))
    return parameters


def body_of(serializer: type[serializers.Serializer[Any]], /, **words: str | tuple[str, Schema]) -> Schema:
    """The JSON object that a serializer reads; further properties are ignored. Raises as `in_query`."""
    properties = {}
    fields = serializer().get_fields()
    for name, read in fields.items():
        told = words[name]
        description, schema = told if isinstance(told, tuple) else (told, schema_of(read))
        properties[name] = {**(nullable(schema) if read.allow_null else schema), "description": description}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name, read in fields.items() if read.required],
    }


def schema_of(read: serializers.Field[Any, Any, Any, Any]) -> Schema:
    """What a field of DRF takes; raises TypeError for one that it does not know."""
    match read:
        case serializers.IntegerField():
            return _limits({"type": "integer"}, minimum=read.min_value, maximum=read.max_value)
        case serializers.RegexField():
            return {"type": "string", "pattern": _pattern(read)}
        case serializers.ChoiceField():
            return one_of(list(read.choices))
        case serializers.CharField():
            # Where white space is trimmed, something else has to be there.
            least: Schema = {"pattern": r"\S"} if read.trim_whitespace else {"minLength": 1}
            return _limits({"type": "string", **({} if read.allow_blank else least)}, maxLength=read.max_length)
        case serializers.ListField():
            return _limits(list_of(schema_of(cast("Any", read.child))), maxItems=read.max_length)
        case _:
            raise TypeError(f"{type(read).__name__} has no schema; give one beside its words")


def _limits(schema: Schema, **limits: int | None) -> Schema:
    return {**schema, **{name: limit for name, limit in limits.items() if limit is not None}}


def _pattern(read: serializers.RegexField) -> str:
    """The pattern as ECMA-262 writes it, which knows no `\\Z`."""
    validator = next(v for v in read.validators if isinstance(v, RegexValidator))
    pattern = cast("re.Pattern[str]", validator.regex).pattern
    return pattern.replace(r"\Z", "$").replace("^(?:", "^(")


@dataclass(frozen=True)
class Header:
    """A header of an answer."""

    description: str
    schema: Schema
    required: bool = True


@dataclass(frozen=True)
class Body:
    """What is sent or answered, in one media type or several."""

    schema: Schema
    examples: Mapping[str, Any] = field(default_factory=dict)
    media_types: Sequence[str] = (JSON,)
    required: bool = True
    encoding: Mapping[str, Any] = field(default_factory=dict)

    def content(self) -> Schema:
        """The Media Type Objects, by media type."""
        media: Schema = {"schema": self.schema}
        if self.examples:
            media["examples"] = {name: {"value": value} for name, value in self.examples.items()}
        if self.encoding:
            media["encoding"] = dict(self.encoding)
        return dict.fromkeys(self.media_types, media)


@dataclass(frozen=True)
class Answer:
    """An answer that is no problem. `bodies` has several where their shapes differ by media type."""

    description: str
    bodies: Sequence[Body] = ()
    headers: Mapping[str, Header] = field(default_factory=dict)

    def as_openapi(self) -> Schema:
        """The Response Object."""
        content = {media_type: media for body in self.bodies for media_type, media in body.content().items()}
        return response(self.description, content, self.headers)


def response(description: str, content: Schema, headers: Mapping[str, Header]) -> Schema:
    """A Response Object without what would be empty."""
    described: Schema = {"description": description}
    if headers:
        described["headers"] = {
            name: {"description": header.description, "required": header.required, "schema": header.schema}
            for name, header in headers.items()
        }
    return {**described, "content": content} if content else described


def answer(description: str, schema: Schema, example: Any, headers: Mapping[str, Header] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(description, [Body(schema, {"answer": example})], headers or {})


NO_CONTENT = Answer("Done; the answer has no body.")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method at one address.

    `problems` are the codes that come alone, each with the status that `STATUS_OF_CODE` has for it; `listed` are those
    that a 422 lists in `errors`, whatever their status is alone. Those that any operation of its kind can have are
    added by `common/openapi.py`. `public` is for everyone, with or without a token; `results` is the shape of those of
    a list that succeeded, where one bad item does not undo the others.
    """

    operation_id: str
    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    problems: Sequence[str] = ()
    listed: Sequence[str] = ()
    results: Schema | None = None
    public: bool = False
    no_log_in: bool = False
    also_head: bool = False

    @property
    def names_in_path(self) -> dict[str, str]:
        """What the document calls the parts of the path, by what the URLconf calls them."""
        return {p.variable: p.name for p in self.parameters if p.place == "path"}


DESCRIBED: Final[dict[Callable[..., Any], Operation]] = {}
"""The operation that each method of a view is."""


def described(operation: Operation) -> Callable[[M], M]:
    """Say which operation a method of a view is."""

    def note(method: M) -> M:
        DESCRIBED[method] = operation
        return method

    return note
