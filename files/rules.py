"""The rules of an organism's file categories as they stand at one time, kept for good and told in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from common.words import size_words
from files.models import ContentCheck, FileCategory
from submissions.models import Organism, RuleSet


@dataclass(frozen=True, slots=True)
class RecordedRules:
    """The rules of one file category, apart from the row that an admin may change; sizes in bytes."""

    name: str
    shown_name: str
    content_check: str
    pairing: bool
    required: bool
    min_files: int
    max_files: int | None
    max_file_size: int | None
    extensions: tuple[str, ...]

    def __str__(self) -> str:
        return self.shown_name

    @classmethod
    def of(cls, category: FileCategory) -> Self:
        """The rules as they stand in this row, which is not read again."""
        return cls(
            name=category.name,
            shown_name=category.shown_name,
            content_check=str(category.content_check),
            pairing=category.pairing,
            required=category.required,
            min_files=category.min_files,
            max_files=category.max_files,
            max_file_size=category.max_file_size,
            extensions=tuple(category.extensions),
        )

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The rules as `as_json` wrote them."""
        return cls(
            name=document["name"],
            shown_name=document["shownName"],
            content_check=document["contentCheck"],
            pairing=document["pairing"],
            required=document["required"],
            min_files=document["minFiles"],
            max_files=document["maxFiles"],
            max_file_size=document["maxFileSize"],
            extensions=tuple(document["extensions"]),
        )

    def as_json(self) -> dict[str, Any]:
        """The rules as a JSON object."""
        return {
            "name": self.name,
            "shownName": self.shown_name,
            "contentCheck": self.content_check,
            "pairing": self.pairing,
            "required": self.required,
            "minFiles": self.min_files,
            "maxFiles": self.max_files,
            "maxFileSize": self.max_file_size,
            "extensions": list(self.extensions),
        }

    def sentences(self) -> Iterator[str]:
        """The rules in words, one sentence each; whether files are required stands beside the name."""
        if numbers := self._number_words():
            yield f"{numbers}."
        if self.max_file_size:
            yield f"No file larger than {size_words(self.max_file_size)}."
        if self.extensions:
            yield f"Names end in {', '.join(self.extensions)}."
        if self.content_check != ContentCheck.NONE:
            # A check that is no longer offered has its name alone.
            check = dict(ContentCheck.choices).get(self.content_check, self.content_check)
            yield f"Each file is checked to be readable as {check}."

    def _number_words(self) -> str:
        if self.pairing:
            return "Two files, read 1 and read 2 of a pair, whose names differ only in 1 and 2"
        if self.max_files is None:
            return f"At least {self.min_files} files" if self.min_files > 1 else ""
        if self.min_files == self.max_files:
            return f"Exactly {self.max_files} files" if self.max_files > 1 else "One file"
        return f"{self.min_files} to {self.max_files} files"


def record(organism: Organism, categories: Sequence[FileCategory]) -> RuleSet:
    """The rule set of these categories, as they were read, in their order; made where there is none yet.

    The same rules of an organism are one row, found by the sha256 of their canonical JSON, whoever records them and
    however often at once.
    """
    document = [RecordedRules.of(category).as_json() for category in categories]
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    rule_set, _ = RuleSet.objects.get_or_create(organism=organism, digest=digest, defaults={"categories": document})
    return rule_set


def rules_in(rule_set: RuleSet) -> list[RecordedRules]:
    """What `record` wrote, in the order of the categories."""
    return [RecordedRules.from_json(document) for document in rule_set.categories]
