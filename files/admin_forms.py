"""Form fields and forms of the admin: sizes, extensions and the rules of a file category, as people write them."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME

from common.admin import BaseInlineFormSet, ModelForm
from files.models import ContentCheck, FileAttachment, FileCategory
from files.pairs import FILES_OF_A_PAIR
from files.rules import RecordedRules
from submissions.models import Organism

UNITS = {
    "bytes": 1,
    **{name: 1000**power for power, name in enumerate(("kB", "MB", "GB", "TB"), start=1)},
    **{name: 1024**power for power, name in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)},
}
"""Decimal units of the SI and binary units of IEC 80000-13."""

UNIT_OF_WORD = {name.casefold(): factor for name, factor in UNITS.items()} | {"": 1, "b": 1, "byte": 1}
SIZE = re.compile(r"(\d{1,30}(?:\.\d{1,30})?)\s*([A-Za-z]*)", re.ASCII)
EXTENSION = re.compile(r"(\.[A-Za-z0-9_+-]+)+", re.ASCII)


class FileSizeField(forms.Field):
    """A number of bytes, written like “5 GB”, “1.5 GiB” or “5242880”; None where empty."""

    def prepare_value(self, value: Any) -> Any:
        """The size in the largest unit in which it is a whole number."""
        return size_text(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        """The number of bytes; raises `ValidationError` for what is no size."""
        text = str(value or "").strip()
        if not text:
            return None
        found = SIZE.fullmatch(text)
        factor = UNIT_OF_WORD.get(found[2].casefold()) if found else None
        if found is None or factor is None:
            message = "Write a number of bytes, or one with a unit, such as “5 GB” or “500 MiB”."
            raise ValidationError(message, code="size_unreadable")
        size = Decimal(found[1]) * factor
        if size != int(size):
            raise ValidationError(f"“{text}” is no whole number of bytes.", code="size_not_whole")
        return int(size)


def size_text(size: int) -> str:
    """A number of bytes as `FileSizeField` reads it, exact: “5 GB”, “500 MiB”, “5242881 bytes”."""
    whole = {name: size // factor for name, factor in UNITS.items() if size % factor == 0}
    unit = min(whole, key=whole.__getitem__) if size else "bytes"
    return f"{whole[unit]} {unit}"


class ExtensionsField(forms.Field):
    """The endings of file names in one line, between them spaces or commas; a list of texts."""

    def prepare_value(self, value: Any) -> Any:
        """The list as a line."""
        return " ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """The list of endings, as written; raises `ValidationError` with everything that is wrong."""
        extensions = re.split(r"[\s,]+", str(value or "").strip(" \t,"))
        extensions = [extension for extension in extensions if extension]
        problems = [problem for extension in extensions if (problem := _extension_problem(extension))]
        if len({extension.casefold() for extension in extensions}) < len(extensions):
            problems.append("One ending stands twice; upper and lower case count as the same.")
        if problems:
            raise ValidationError([ValidationError(problem, code="extension_invalid") for problem in problems])
        return extensions


def _extension_problem(extension: str) -> str | None:
    if not extension.startswith("."):
        return f"“{extension}” does not begin with a dot; write “.{extension}”."
    if not EXTENSION.fullmatch(extension):
        return (
            f"“{extension}” is no ending: after each dot there is a letter, a digit, “_”, “+” or “-”, and nothing else."
        )
    return None


class FileCategoryForm(ModelForm[FileCategory]):
    """A file category with its rules."""

    max_file_size = FileSizeField(
        label="Largest file", required=False, help_text="With a unit, e.g. “5 GB” or “500 MiB”; empty for no limit."
    )
    extensions = ExtensionsField(
        required=False,
        help_text="The endings that file names may have, e.g. “.fastq.gz .fq.gz”; empty for any.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    class Meta:
        model = FileCategory
        fields = (
            "name",
            "shown_name",
            "help_text",
            "order",
            "content_check",
            "pairing",
            "required",
            "min_files",
            "max_files",
            "max_file_size",
            "extensions",
        )

    def clean(self) -> dict[str, Any] | None:
        """Say in words which rules contradict each other; a pair is two files, whatever was left as it was."""
        cleaned = super().clean()
        fewest, most = self.cleaned_data.get("min_files"), self.cleaned_data.get("max_files")
        if self.cleaned_data.get("pairing"):
            self._clean_pair(fewest, most)
        elif fewest is not None and most is not None and most < fewest:
            self.add_error("max_files", f"The most files cannot be fewer than the fewest, which are {fewest}.")
        return cleaned

    def _clean_pair(self, fewest: int | None, most: int | None) -> None:
        check = self.cleaned_data.get("content_check")
        if check is not None and check != ContentCheck.FASTQ:
            text = f"Only reads are paired: choose the content check “{ContentCheck.FASTQ.label}”, or do without pairs."
            self.add_error("pairing", text)
        if fewest is not None and fewest > FILES_OF_A_PAIR:
            self.add_error("min_files", "A pair is two files; write 2, or do without pairs.")
        if most not in {None, FILES_OF_A_PAIR}:
            self.add_error("max_files", "A pair is two files; write 2, or do without pairs.")
        if not self.errors:
            self.cleaned_data |= {"min_files": FILES_OF_A_PAIR, "max_files": FILES_OF_A_PAIR}


class TriedRulesForm(FileCategoryForm):
    """The rules of a category as they stand in a row of the admin, saved or not; its other fields do not count."""

    class Meta:
        model = FileCategory
        fields = (
            "shown_name",
            "content_check",
            "pairing",
            "required",
            "min_files",
            "max_files",
            "max_file_size",
            "extensions",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shown_name"].required = False

    def rules(self) -> RecordedRules:
        """The rules of a valid form."""
        return replace(RecordedRules.of(self.instance), shown_name=self.instance.shown_name or "this category")


class FileCategoryFormSet(BaseInlineFormSet[FileCategory, Organism, ModelForm[FileCategory]]):
    """The file categories of one organism."""

    def clean(self) -> None:
        """Refuse to delete categories in which files are attached; Django would list every one of them."""
        problems = []
        for form in self.initial_forms:
            if form.cleaned_data.get(DELETION_FIELD_NAME):
                number = FileAttachment.objects.filter(category=form.instance).count()
                if number:
                    files = "1 file is" if number == 1 else f"{number:,} files are"
                    problems.append(f"“{form.instance}” cannot be deleted: {files} attached in it.")
        if problems:
            raise ValidationError(problems, code="category_in_use")
        super().clean()
