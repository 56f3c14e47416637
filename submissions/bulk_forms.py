"""The form for many sequence entries: a metadata table, sequences, and the files that folders are linked by."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from accounts.models import User
from common.errors import DomainError, Location, ParameterInvalidError, ParameterMissingError
from files.errors import FileNotUploadedError
from files.forms import ChosenFile, ExtraFilesField
from files.models import FileCategory
from submissions.checksums import FIELD as CHECKSUM_FIELD
from submissions.errors import FileMappingInvalidError, SubmissionIdUnknownError, quoted
from submissions.forms import FILES_PREFIX, FilesForm, GroupField, offer_groups
from submissions.mapping import FILE_ID, MAX_BYTES
from submissions.models import Group, Organism
from submissions.sequences import FIELD as SEQUENCE_FIELD
from submissions.services import Sent
from submissions.tables import FIELD as TABLE_FIELD

ChosenByEntry = dict[str, list[ChosenFile]]

PACKED = ".gz,.zst,.xz,.bz2,.zip"
"""The endings under which a browser offers packed tables and FASTA; what they are is told by their content."""

ERRORS_OF_FIELDS: dict[str, type[DomainError]] = {
    "required": ParameterMissingError,
    "file_not_uploaded": FileNotUploadedError,
    "file_mapping_invalid": FileMappingInvalidError,
    "submission_id_unknown": SubmissionIdUnknownError,
}
"""By the codes of what fields say themselves; all else is a `ParameterInvalidError`."""


class BulkFilesField(ExtraFilesField):
    """The files of one category for many entries, cleaned to lists of `ChosenFile` by submission ID.

    Its value is JSON, `{submissionId: [{"fileId", "name", "size"}]}`, as the box for extra files writes it once it
    has a plan. Raises `ValidationError` for files that are not uploaded (`file_not_uploaded`), that are linked with
    no entry (`submission_id_unknown`), and for what the box would never send (`file_mapping_invalid`).
    """

    def __init__(self, category: FileCategory, **kwargs: Any) -> None:
        super().__init__(category, **kwargs)
        self.widget.is_bulk = True

    def clean(self, value: str | None) -> ChosenByEntry:  # type: ignore[override]  # by entry, where one form has one
        """The chosen files; none for an empty value, which is what a browser without JavaScript sends."""
        if not value:
            return {}
        entries = _loaded(value)
        problems = [problem for key, items in entries.items() for problem in _problems(key, items)]
        if problems:
            raise ValidationError(problems)
        return {
            key: [ChosenFile(_file_id(item["fileId"]), item["name"]) for item in items]
            for key, items in entries.items()
        }


def _loaded(value: str) -> dict[str, list[dict[str, Any]]]:
    if len(value.encode(errors="surrogatepass")) > MAX_BYTES:
        sentence = f"The list of files has more than {MAX_BYTES:,} bytes. Submit in several pieces."
        raise ValidationError(sentence, code="file_mapping_invalid")
    try:
        entries = json.loads(value)
    except (ValueError, RecursionError) as error:
        _refuse(error)
    if not isinstance(entries, dict):
        _refuse()
    for items in entries.values():
        if not isinstance(items, list):
            _refuse()
        for item in items:
            if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                _refuse()
    return entries


def _problems(submission_id: str, items: Iterable[dict[str, Any]]) -> Iterator[ValidationError]:
    for item in items:
        name = quoted(item["name"])
        if not submission_id:
            yield ValidationError(f"{name} is linked with no entry.", code="submission_id_unknown")
        elif item.get("fileId") is None:
            sentence = f"{name} of {quoted(submission_id)} is not uploaded yet, or failed."
            yield ValidationError(sentence, code="file_not_uploaded")


def _file_id(text: object) -> UUID:
    if not isinstance(text, str) or not FILE_ID.fullmatch(text):
        _refuse()
    return UUID(text)


def _refuse(cause: Exception | None = None) -> NoReturn:
    sentence = "The list of files cannot be read. Choose the folder again."
    raise ValidationError(sentence, code="file_mapping_invalid") from cause


def _document(label: str, help_text: str, *, missing: str = "", accept: str = "") -> forms.FileField:
    """A file that is sent with the form itself; required where it is said what to do when it is missing."""
    return forms.FileField(
        label=label,
        help_text=help_text,
        required=bool(missing),
        error_messages={"required": missing},
        widget=forms.FileInput({"class": "form-control", "accept": accept}),
    )


class BulkForm(FilesForm):
    """Many sequence entries: group, metadata table, sequences, checksum file, and a folder for each category.

    Table and sequences are judged by `submissions.services.submit` alone; `add_problems` brings its errors to their
    fields.
    """

    box_input = "folder"

    groupId = GroupField(  # noqa: N815  the contract's name, and the tests' from outside
        Group.objects.none(),
        label="Group",
        help_text="Owns the entries and their files.",
        empty_label=None,
        error_messages={"required": "Choose a group.", "invalid_choice": "Choose a group that you are a member of."},
        widget=forms.Select({"class": "form-select"}),
    )

    def __init__(self, *args: Any, organism: Organism, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organism = organism
        offer_groups(self, user)
        self.fields[TABLE_FIELD] = _document(
            "Metadata table",
            "Tab-separated text or an Excel workbook (.xlsx), with one row for each entry.",
            missing="Choose the metadata table.",
            accept=f".tsv,.txt,.xlsx,{PACKED}",
        )
        if organism.sequences != Organism.Sequences.FORBIDDEN:
            needed = organism.sequences == Organism.Sequences.REQUIRED
            self.fields[SEQUENCE_FIELD] = _document(
                "Sequences",
                "FASTA, plain or packed (gzip, zstd, xz, bzip2, ZIP). The IDs are those of the table.",
                missing="Choose the file with the sequences; this organism needs them." if needed else "",
                accept=f".fasta,.fa,.fna,.ffn,.fas,.txt,{PACKED}",
            )
        self.fields[CHECKSUM_FIELD] = _document(
            "Checksum file", "What sha256sum or md5sum has written; what arrives is compared with it."
        )
        if organism.file_sharing:
            for category in organism.file_categories.select_related("organism").order_by("order", "name"):
                self.fields[FILES_PREFIX + category.name] = BulkFilesField(category)

    # --- what the template lays out ---

    @property
    def document_fields(self) -> list[BoundField]:
        """Table, sequences and checksum file."""
        return [self[name] for name in (TABLE_FIELD, SEQUENCE_FIELD, CHECKSUM_FIELD) if name in self.fields]

    # --- to the service and back ---

    def sent(self) -> Sent:
        """The submission, from the cleaned values."""
        documents = {name: self.cleaned_data.get(name) for name in (TABLE_FIELD, SEQUENCE_FIELD, CHECKSUM_FIELD)}
        mapping: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(dict)
        chosen = self._chosen()
        for category, entries in chosen.items():
            for submission_id, files in entries.items():
                mapping[submission_id][category] = [{"fileId": str(f.file_id), "name": f.name} for f in files]
        return Sent(
            metadata_file=self.cleaned_data[TABLE_FIELD],
            sequence_file=documents[SEQUENCE_FIELD],
            checksum_file=documents[CHECKSUM_FIELD],
            file_mapping=json.dumps(mapping) if mapping else None,
            names={name: document.name for name, document in documents.items() if document is not None},
            file_columns_resolved=frozenset(chosen),
        )

    def _chosen(self) -> dict[str, ChosenByEntry]:
        """The files by category and submission ID, as far as there are any."""
        return {
            name.removeprefix(FILES_PREFIX): entries
            for name, entries in self.cleaned_data.items()
            if name.startswith(FILES_PREFIX) and entries
        }

    def domain_errors(self) -> list[DomainError]:
        """What the fields found wrong, as errors of the domain."""
        return [
            ERRORS_OF_FIELDS.get(error.code or "", ParameterInvalidError)(sentence, self._location(name))
            for name, errors in self.errors.as_data().items()
            for error in errors
            for sentence in error.messages
        ]

    def _location(self, name: str) -> Location:
        if name.startswith(FILES_PREFIX):
            return Location(category=name.removeprefix(FILES_PREFIX))
        return Location(field=name)

    def _field_of(self, error: DomainError) -> str | None:
        of_part = error.location.field if error.location.field in self.fields else None
        return super()._field_of(error) or of_part
