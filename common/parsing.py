"""Reading parameters and bodies with DRF's serializers; what cannot be read becomes our own errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from common.errors import DomainError, ErrorList, Location, ParameterInvalidError, ParameterMissingError


class BodyParser(JSONParser):
    """JSON; raises `ParseError` also for what is nested deeper than Python's own parser can go."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """What the JSON stands for."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("the JSON is nested too deeply.") from error


class TextField(serializers.CharField):
    """Text in a JSON body; a number is none, though DRF would make it one."""

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PatternField(serializers.RegexField):
    """Text in a JSON body that a pattern fits as a whole."""

    def __init__(self, pattern: str, **options: Any) -> None:
        super().__init__(rf"^(?:{pattern})\Z", trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class NumberField(serializers.IntegerField):
    """A whole number in a JSON body; text is none, though DRF would read it."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TrueOrFalseField(serializers.Field[Any, Any, Any, Any]):
    """The words `true` and `false`, and no others."""

    def to_internal_value(self, data: str) -> bool:
        """What the word says."""
        if data not in {"true", "false"}:
            raise serializers.ValidationError(f"“{data}” is neither true nor false.")
        return data == "true"


def parse_parameters(serializer: type[serializers.Serializer[Any]], data: Mapping[str, Any]) -> dict[str, Any]:
    """The query parameters or form fields as the serializer reads them.

    Raises `ValidationFailedError` with every one that is missing or cannot be read.
    """
    parsed: dict[str, Any] = _parse(serializer(data=data), in_body=False)
    return parsed


def parse_list(serializer: type[serializers.Serializer[Any]], data: object, *, most: int) -> list[dict[str, Any]]:
    """The JSON body as a list of at most so many objects that the serializer reads; raises as `parse_parameters`.

    Of a longer list none is looked at.
    """
    too_long = "it may have {max_length} objects at most; send the others in another call."
    many: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=serializer(), data=data, max_length=most, error_messages={"max_length": too_long}
    )
    parsed: list[dict[str, Any]] = _parse(many, in_body=True)
    return parsed


def parse_object(serializer: type[serializers.Serializer[Any]], data: object) -> dict[str, Any]:
    """The JSON body as an object that the serializer reads; raises as `parse_parameters`."""
    parsed: dict[str, Any] = _parse(serializer(data=data), in_body=True)
    return parsed


def _parse(serializer: serializers.BaseSerializer[Any], *, in_body: bool) -> Any:
    if serializer.is_valid():
        return serializer.validated_data
    errors = ErrorList()
    errors.extend(_errors(serializer.errors, (), in_body=in_body))
    errors.raise_if_any()
    raise AssertionError("an invalid serializer has errors")


def _errors(found: object, path: tuple[str, ...], *, in_body: bool) -> Iterator[DomainError]:
    """DRF's nested lists and dicts of messages, one error each."""
    if isinstance(found, Mapping):
        for key, inner in found.items():
            below = path if key == "non_field_errors" else (*path, str(key))
            yield from _errors(inner, below, in_body=in_body)
    elif isinstance(found, Sequence) and not isinstance(found, str):
        for index, inner in enumerate(found):
            is_item = isinstance(inner, Mapping)
            yield from _errors(inner, (*path, str(index)) if is_item else path, in_body=in_body)
    else:
        yield _error(found, path, in_body=in_body)


def _error(message: object, path: tuple[str, ...], *, in_body: bool) -> DomainError:
    pointer = "".join(f"/{part}" for part in path)
    where = Location(pointer=pointer) if in_body else Location(field=path[-1] if path else None)
    name = "/".join(path) or "The body"
    if getattr(message, "code", None) == "required":
        return ParameterMissingError(f"{name} is missing.", where)
    return ParameterInvalidError(f"{name}: {message}", where)
