"""The form for one sequence entry: fields made from the organism, answered as a submission of one row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from accounts.models import User
from common.errors import DomainError, ErrorList
from files.forms import ExtraFilesField
from submissions.errors import quoted
from submissions.field_rules import FieldKind, FieldRule, check_value
from submissions.models import Group, MetadataField, Organism
from submissions.sequences import FIELD as SEQUENCE_FIELD
from submissions.sequences import LETTERS, parse_fasta
from submissions.services import Sent
from submissions.tables import CONTROL, FASTA_IDS_COLUMN, MAX_ID_CHARACTERS, one_row_table

METADATA_PREFIX = "metadata."
FILES_PREFIX = "files."
NO_LETTER = re.compile(r"[^\s" + re.escape(LETTERS.decode()) + "]")
DATE_HELP = "YYYY-MM-DD, or YYYY-MM or YYYY if no more is known."


class MetadataFormField(forms.CharField):
    """One metadata field of the organism, judged by the same rule as a cell of the metadata table."""

    def __init__(self, field: MetadataField) -> None:
        self.rule = FieldRule(field.name, field.shown_name, FieldKind(field.kind), field.required, tuple(field.choices))
        date_help = DATE_HELP if field.kind == MetadataField.Kind.DATE else ""
        super().__init__(
            label=field.shown_name,
            required=field.required,
            error_messages={"required": check_value(self.rule, "") or ""},
            help_text=" ".join(filter(None, [field.help_text, date_help])),
            widget=_metadata_widget(field),
        )

    def validate(self, value: str) -> None:
        """The rule's own sentence, and no characters that a cell of the table cannot hold."""
        super().validate(value)
        check_control_characters(value)
        if problem := check_value(self.rule, value):
            raise ValidationError(problem, code="metadata_invalid")


class GroupField(forms.ModelChoiceField):  # type: ignore[type-arg]  # at run time the class takes no parameter
    """One of the user's groups, shown with the number that scripts call it by."""

    def label_from_instance(self, group: Group) -> str:
        """Name and number."""
        return f"{group.name} (group {group.pk})"


def offer_groups(form: forms.Form, user: User) -> None:
    """Let `groupId` be one of the user's groups."""
    field = form.fields["groupId"]
    field.queryset = Group.objects.visible_to(user).order_by("name")  # type: ignore[attr-defined]  # a GroupField


class FilesForm(forms.Form):
    """A form with a box for the files of each category; its problems lead to where they can be mended."""

    box_input = "files"
    """Which input of a box takes the focus: `files-<category>` or `folder-<category>`."""

    @property
    def file_fields(self) -> list[BoundField]:
        """The boxes for extra files, one a category."""
        return [self[name] for name in self.fields if name.startswith(FILES_PREFIX)]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Every problem with the `id` of the element to mend it at, in the order of the page."""
        found = [(self._anchor(field), self._sentence(field, error)) for field in self for error in field.errors]
        return [("", str(error)) for error in self.non_field_errors()] + found

    def add_problems(self, errors: Iterable[DomainError], count: int | None = None) -> None:
        """Show the service's errors, each at the field it belongs to, and how many more there are if `count` tells."""
        shown = list(errors)
        for error in shown:
            self.add_error(self._field_of(error), ValidationError(error.detail, code=error.code))
        if count is not None and count > len(shown):
            self.add_error(None, f"There are {count - len(shown):,} more problems; mend these first.")

    def _field_of(self, error: DomainError) -> str | None:
        """The field that an error belongs to, None where it is the form as a whole."""
        name = f"{FILES_PREFIX}{error.location.category}"
        return name if name in self.fields else None

    def _sentence(self, field: BoundField, error: object) -> str:
        """An error as it stands away from its field; what is wrong with a value of the metadata names no field."""
        return f"{field.label}: {error}" if isinstance(field.field, MetadataFormField) else str(error)

    def _anchor(self, field: BoundField) -> str:
        if isinstance(field.field, ExtraFilesField):
            return f"{self.box_input}-{field.name.removeprefix(FILES_PREFIX)}"
        return "" if field.is_hidden else field.id_for_label


class EntryForm(FilesForm):
    """One sequence entry: group, submission ID, metadata, sequence and files.

    What can be said of a field alone is said here; everything else is decided by `submissions.services.submit`,
    whose errors `add_problems` brings to their fields.
    """

    # These names are the contract's, and the tests' from outside.
    groupId = GroupField(  # noqa: N815
        Group.objects.none(),
        label="Group",
        help_text="Owns the entry and its files.",
        empty_label=None,
        error_messages={"required": "Choose a group.", "invalid_choice": "Choose a group that you are a member of."},
        widget=forms.Select({"class": "form-select"}),
    )
    submissionId = forms.CharField(  # noqa: N815
        label="Submission ID",
        max_length=MAX_ID_CHARACTERS,
        help_text="Your own name for this entry, without spaces.",
        error_messages={"required": "Enter a submission ID, your own name for this entry."},
        widget=forms.TextInput({"class": "form-control", "spellcheck": "false"}),
    )
    sequence = forms.CharField(
        label="Sequence",
        required=False,
        help_text="The letters alone, or one FASTA record.",
        widget=forms.Textarea({"class": "form-control sequence-input", "rows": 8, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, organism: Organism, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organism = organism
        offer_groups(self, user)
        for field in organism.metadata_fields.order_by("order", "name"):
            self.fields[METADATA_PREFIX + field.name] = MetadataFormField(field)
        self._settle_sequence()
        if organism.file_sharing:
            for category in organism.file_categories.select_related("organism").order_by("order", "name"):
                self.fields[FILES_PREFIX + category.name] = ExtraFilesField(category)

    def _settle_sequence(self) -> None:
        field = self.fields.pop("sequence")
        if self.organism.sequences == Organism.Sequences.FORBIDDEN:
            return
        field.required = self.organism.sequences == Organism.Sequences.REQUIRED
        field.error_messages["required"] = "Paste the sequence; this organism needs one."
        self.fields["sequence"] = field

    # --- what the template lays out ---

    @property
    def metadata_fields(self) -> list[BoundField]:
        """The fields of the organism's metadata."""
        return [self[name] for name in self.fields if name.startswith(METADATA_PREFIX)]

    # --- what a field can say alone ---

    def clean_submissionId(self) -> str:  # noqa: N802  Django looks for the name of the field
        """A submission ID is one word."""
        submission_id: str = self.cleaned_data["submissionId"]
        check_control_characters(submission_id)
        if submission_id.split() != [submission_id]:
            sentence = f"{quoted(submission_id)} contains white space; a submission ID may not."
            raise ValidationError(sentence, code="id_whitespace")
        return submission_id

    def clean_sequence(self) -> str:
        """Bare letters without white space, or one FASTA record as it was pasted."""
        text: str = self.cleaned_data["sequence"]
        return _one_record(text) if text.startswith(">") else _letters(text)

    # --- to the service and back ---

    def sent(self) -> Sent:
        """A submission of one row, from the cleaned values."""
        submission_id: str = self.cleaned_data["submissionId"]
        sequence: str = self.cleaned_data.get("sequence", "")
        cells = {"id": submission_id} | self._metadata()
        if sequence.startswith(">"):
            cells[FASTA_IDS_COLUMN] = sequence.split(maxsplit=1)[0].removeprefix(">")
        elif sequence:
            sequence = f">{submission_id}\n{sequence}\n"
        return Sent(
            metadata_file=BytesIO(one_row_table(cells)),
            sequence_file=BytesIO(sequence.encode()) if sequence else None,
            file_mapping=self._file_mapping(submission_id),
        )

    def _metadata(self) -> dict[str, str]:
        return {
            name.removeprefix(METADATA_PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(METADATA_PREFIX) and value
        }

    def _file_mapping(self, submission_id: str) -> str | None:
        categories = {
            name.removeprefix(FILES_PREFIX): [{"fileId": str(file.file_id), "name": file.name} for file in files]
            for name, files in self.cleaned_data.items()
            if name.startswith(FILES_PREFIX) and files
        }
        return json.dumps({submission_id: categories}) if categories else None

    def _field_of(self, error: DomainError) -> str | None:
        if error.location.field == SEQUENCE_FIELD and "sequence" in self.fields:
            return "sequence"
        return super()._field_of(error)


def check_control_characters(value: str) -> None:
    """Refuse what a cell of the table cannot hold; a tab can be quoted there, so it may stand."""
    if found := CONTROL.search(value):
        sentence = f"Take out the control character U+{ord(found[0]):04X}; the text must be one line."
        raise ValidationError(sentence, code="metadata_invalid")


def _metadata_widget(field: MetadataField) -> forms.Widget:
    if field.kind == MetadataField.Kind.CHOICE:
        choices = [("", "Not given" if not field.required else "Choose …"), *((c, c) for c in field.choices)]
        return forms.Select({"class": "form-select"}, choices=choices)
    attributes = {"class": "form-control"}
    if field.kind == MetadataField.Kind.NUMBER:
        attributes["inputmode"] = "decimal"
    return forms.TextInput(attributes)


def _letters(text: str) -> str:
    if found := NO_LETTER.search(text):
        line = text.count("\n", 0, found.start()) + 1
        sentence = f"{quoted(found[0])} in line {line} is no IUPAC letter for a nucleotide and no gap (-)."
        raise ValidationError(sentence, code="sequence_invalid")
    return "".join(text.split())


def _one_record(text: str) -> str:
    errors = ErrorList()
    fasta = parse_fasta(BytesIO(text.encode()), errors=errors, limit=settings.SEQUENCES_MAX_BYTES)
    if errors:
        raise ValidationError([ValidationError(error.detail, code=error.code) for error in errors.errors])
    if len(fasta.records) > 1:
        sentence = f"There are {len(fasta.records):,} sequences; paste one. An entry of this form has one sequence."
        raise ValidationError(sentence, code="sequence_invalid")
    return text
