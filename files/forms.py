"""The form field for the files of one category: sent by the browser beforehand, handed over as file IDs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import Script

from files.models import FileCategory
from files.rules import RecordedRules
from submissions.errors import quoted

FILE_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""The one form that RFC 9562 writes; `uuid.UUID` would also take braces, `urn:uuid:` and bare digits."""


class ChosenFile(NamedTuple):
    """A file that the submitter attaches, under this name."""

    file_id: UUID
    name: str


class ExtraFilesWidget(forms.Widget):
    """The box for one category's files. It brings its own fieldset, title and help: include the field alone.

    Its value is JSON, `[{"fileId", "name", "size"}]`, written by `static/files/extra_files.js`; the form that is
    sent back with errors carries it on, so that nobody uploads twice. An item with `attached` is of a file that an
    entry has already, which the box takes off the list but not off the server.

    With `is_bulk` the box is for the files of many entries: it takes folders only, waits for a plan of which file
    goes to which entry, has a place for a preview of it, and its value is an object of such lists by submission ID.
    """

    template_name = "files/widgets/extra_files.html"
    use_fieldset = True

    class Media:
        css = {"all": ["files/extra_files.css"]}
        js = [Script("files/extra_files.js", type="module")]

    def __init__(self, category: FileCategory, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.category = category
        self.is_bulk = False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the template needs: the category, its rules in words, and the extensions as JSON."""
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "category": self.category,
            "extensions": json.dumps(self.category.extensions),
            "is_bulk": self.is_bulk,
            "help": " ".join(_help_sentences(self.category)),
        }
        return context


class ExtraFilesField(forms.Field):
    """The files of one category in a form, cleaned to a list of `ChosenFile`, in the order of the page.

    Only the shape is judged here; whether the files exist, are enough and may have these names is decided where
    a submission is (`submissions.services.submit`), once for page and API. Raises `ValidationError` with the
    code `file_not_uploaded` for each item that is not uploaded yet, and `file_mapping_invalid` for what the
    widget would never send.
    """

    widget: ExtraFilesWidget

    def __init__(self, category: FileCategory, **kwargs: Any) -> None:
        kwargs.setdefault("label", category.shown_name)
        super().__init__(required=False, widget=ExtraFilesWidget(category), **kwargs)

    def clean(self, value: str | None) -> list[ChosenFile]:
        """The chosen files; none for an empty value, which is what a browser without JavaScript sends."""
        if not value:
            return []
        items = _items(value)
        missing = [item["name"] for item in items if item.get("fileId") is None]
        if missing:
            raise ValidationError(
                [
                    ValidationError(f"{quoted(name)} is not uploaded yet, or failed.", code="file_not_uploaded")
                    for name in missing
                ]
            )
        return [ChosenFile(_file_id(item["fileId"]), item["name"]) for item in items]


def _items(value: str) -> list[dict[str, Any]]:
    try:
        items = json.loads(value)
    except (ValueError, RecursionError) as error:
        _refuse(error)
    if not isinstance(items, list):
        _refuse()
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            _refuse()
    return items


def _file_id(text: object) -> UUID:
    if not isinstance(text, str) or not FILE_ID.fullmatch(text):
        _refuse()
    return UUID(text)


def _refuse(cause: Exception | None = None) -> NoReturn:
    sentence = "The list of files cannot be read. Choose the files again."
    raise ValidationError(sentence, code="file_mapping_invalid") from cause


def _help_sentences(category: FileCategory) -> Iterator[str]:
    """The category's help and rules in words, so that they are known before a byte is sent."""
    if category.help_text:
        yield category.help_text
    yield from RecordedRules.of(category).sentences()
