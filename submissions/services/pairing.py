"""What can be said of pairs when they are submitted: their names, and whether two files read already fit."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.database import is_one_of
from common.errors import DomainError, Location
from files.category_rules import pair_names_error
from files.errors import FileRejectedError
from files.models import ContentCheck, ContentCheckResult, File, FileCategory
from files.pairs import FILES_OF_A_PAIR, Reads, compare, problem_of_same_file
from files.problem import FileProblem
from submissions.errors import quoted
from submissions.mapping import FIELD, FileMapping, MappedFile, pointer_to

Data = Mapping[uuid.UUID, dict[str, object]]
"""What passed FASTQ checks learnt, by file ID."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two files of one entry in a category that wants pairs."""

    submission_id: str
    category: FileCategory
    one: MappedFile
    other: MappedFile

    @property
    def location(self) -> Location:
        pointer = pointer_to(self.submission_id, self.category.name)
        return Location(field=FIELD, pointer=pointer, submission_id=self.submission_id, category=self.category.name)


def pair_errors(
    mapping: FileMapping, categories: Mapping[str, FileCategory], files: Mapping[uuid.UUID, File]
) -> Iterator[DomainError]:
    """Pairs whose names are none of a pair, and those of files that were read already and do not fit together.

    One query where there are pairs, none where there are not. Another number of files than two is told elsewhere.
    """
    pairs = list(_pairs(mapping, categories))
    data = _data_of(pairs, files) if pairs else {}
    for pair in pairs:
        names = (pair.one.name, pair.other.name)
        wrong_names = pair_names_error(pair.category, names, quoted(pair.submission_id), pair.location)
        if wrong_names is not None:
            yield wrong_names
        elif (problem := _problem(pair, files, data)) is not None:
            text = f"The files of {quoted(pair.submission_id)} cannot be used as “{pair.category}”: {problem.detail}"
            yield FileRejectedError(text, pair.location)


def _pairs(mapping: FileMapping, categories: Mapping[str, FileCategory]) -> Iterator[_Pair]:
    for submission_id, by_category in mapping.entries.items():
        for name, mapped in by_category.items():
            category = categories.get(name)
            if category is not None and category.pairing and len(mapped) == FILES_OF_A_PAIR:
                yield _Pair(submission_id, category, *mapped)


def _data_of(pairs: Sequence[_Pair], files: Mapping[uuid.UUID, File]) -> Data:
    ids = {mapped.file_id for pair in pairs for mapped in (pair.one, pair.other)}
    verified = [file_id for file_id in ids if file_id in files and files[file_id].status == File.Status.VERIFIED]
    passed = ContentCheckResult.objects.filter(is_one_of("file", verified), check_name=ContentCheck.FASTQ, passed=True)
    return dict(passed.values_list("file_id", "data"))


def _problem(pair: _Pair, files: Mapping[uuid.UUID, File], data: Data) -> FileProblem | None:
    """Why the two files do not fit together, as far as it is known already."""
    mapped = (pair.one, pair.other)
    if pair.one.file_id == pair.other.file_id:
        return problem_of_same_file(pair.one.name, pair.other.name)
    if any(item.file_id not in data for item in mapped):
        return None
    return compare(*(Reads.of(item.name, files[item.file_id].sha256, data[item.file_id]) for item in mapped))
