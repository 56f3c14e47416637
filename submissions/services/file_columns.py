"""Whether an organism takes files, and those that are written into the metadata table: `files.<category>` columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from common.errors import ErrorList, Location
from files.errors import CategoryUnknownError
from submissions.errors import FileMappingInvalidError, FileSharingDisabledError, quoted
from submissions.mapping import FIELD, FILE_ID, MAX_FILES, FileMapping, MappedFile, pointer_to
from submissions.models import Organism
from submissions.tables import FIELD as TABLE_FIELD
from submissions.tables import FILES_PREFIX, Row, Table


def require_file_sharing(organism: Organism, *, field: str = FIELD) -> None:
    """Raise `FileSharingDisabledError` where the organism takes no files; `field` is the form part that names some."""
    if not organism.file_sharing:
        text = f"“{organism}” takes no extra files; submit without them, and without {FILES_PREFIX}… columns."
        raise FileSharingDisabledError(text, Location(field=field))


def check_file_columns(organism: Organism, table: Table, errors: ErrorList) -> None:
    """Add to `errors` columns for which the organism has no category. One query.

    Raises `FileSharingDisabledError` where it takes no files: whatever else is wrong, that comes alone.
    """
    if not table.file_categories:
        return
    require_file_sharing(organism, field=TABLE_FIELD)
    known = list(organism.file_categories.order_by("order", "name").values_list("name", flat=True))
    for category in table.file_categories:
        if category not in known:
            names = ", ".join(FILES_PREFIX + name for name in known) or "none"
            text = f"There is no file category for the column {quoted(FILES_PREFIX + category)}; there are: {names}."
            errors.add(CategoryUnknownError(text, Location(field=TABLE_FIELD, category=category)))


def mapping_of_columns(
    table: Table, mapping: FileMapping | None, errors: ErrorList, *, resolved: Collection[str] = ()
) -> FileMapping:
    """The mapping that the table's `files.<category>` columns spell out, joined with what was sent beside them.

    A cell holds `fileName:fileId` pairs with spaces between them, so names have no spaces here. Of the categories
    in `resolved` the cells name folders or files of the submitter's computer instead, and their files are those of
    the mapping. Raises `ValidationFailedError` with every cell that is no such list or whose files are not in the
    mapping, and `FileMappingInvalidError` where a mapping was sent beside cells that have file IDs: which of the two
    holds would be a guess; also where they name more than `MAX_FILES`.
    """
    entries = {} if mapping is None else dict(mapping.entries)
    if entries and not resolved:
        text = f"Files are named both in “fileMapping” and in {FILES_PREFIX}… columns; use one of the two."
        raise FileMappingInvalidError(text, Location(field=FIELD))
    cell_errors = ErrorList(limit=errors.limit)
    named = 0
    for row in table.rows:
        files = dict(entries.get(row.submission_id, {}))
        for category, text in row.file_columns.items():
            if category not in resolved:
                pairs = text.split()
                named += len(pairs)
                _check_number(named, row)
                files[category] = _files_of_cell(row, category, pairs, cell_errors)
            elif not files.get(category):
                cell_errors.add(_not_sent(row, category, text))
        if files:
            entries[row.submission_id] = files
    cell_errors.raise_if_any()
    return FileMapping(entries)


def _not_sent(row: Row, category: str, text: str) -> FileMappingInvalidError:
    where = Location(field=FIELD, line=row.line, submission_id=row.submission_id, category=category)
    sentence = f"The column {FILES_PREFIX}{category} names {quoted(text)}, and no file of it was sent."
    return FileMappingInvalidError(sentence, where)


def _check_number(named: int, row: Row) -> None:
    if named > MAX_FILES:
        text = (
            f"The {FILES_PREFIX}… columns up to line {row.line} name more than {MAX_FILES:,} files. "
            "Submit the table in several pieces."
        )
        raise FileMappingInvalidError(text, Location(field=FIELD, line=row.line))


def _files_of_cell(row: Row, category: str, pairs: Iterable[str], errors: ErrorList) -> tuple[MappedFile, ...]:
    files = []
    for index, pair in enumerate(pairs):
        name, _, file_id = pair.rpartition(":")
        if not name or not FILE_ID.fullmatch(file_id):
            where = Location(field=FIELD, line=row.line, submission_id=row.submission_id, category=category)
            sentence = f"{quoted(pair)} in the column {FILES_PREFIX}{category} is not “fileName:fileId”."
            errors.add(FileMappingInvalidError(sentence, where))
            continue
        pointer = pointer_to(row.submission_id, category, index)
        files.append(MappedFile(row.submission_id, category, UUID(file_id), name, pointer))
    return tuple(files)
