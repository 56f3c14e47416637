"""The file mapping written into the metadata table: `files.<category>` columns."""

from __future__ import annotations

from uuid import UUID

from common.errors import ErrorList, Location
from submissions.errors import FileMappingInvalidError, quoted
from submissions.mapping import FILE_ID, FileMapping, MappedFile, pointer_to
from submissions.tables import FIELD, FILES_PREFIX, Row, Table


def mapping_of_columns(table: Table, mapping: FileMapping | None, errors: ErrorList) -> FileMapping:
    """The mapping that the table's `files.<category>` columns spell out.

    A cell holds `fileName:fileId` pairs with spaces between them, so names have no spaces here. Raises
    `ValidationFailedError` with every cell that is no such list, and `FileMappingInvalidError` where a mapping
    was sent as well: which of the two holds would be a guess.
    """
    if mapping is not None and mapping.entries:
        text = f"Files are named both in “fileMapping” and in {FILES_PREFIX}… columns; use one of the two."
        raise FileMappingInvalidError(text, Location(field=FIELD))
    cell_errors = ErrorList(limit=errors.limit)
    entries = {
        row.submission_id: {
            category: _files_of_cell(row, category, text, cell_errors) for category, text in row.file_columns.items()
        }
        for row in table.rows
        if row.file_columns
    }
    cell_errors.raise_if_any()
    return FileMapping(entries)


def _files_of_cell(row: Row, category: str, text: str, errors: ErrorList) -> tuple[MappedFile, ...]:
    files = []
    for index, pair in enumerate(text.split()):
        name, _, file_id = pair.rpartition(":")
        if not name or not FILE_ID.fullmatch(file_id):
            where = Location(field=FIELD, line=row.line, submission_id=row.submission_id, category=category)
            sentence = f"{quoted(pair)} in the column {FILES_PREFIX}{category} is not “fileName:fileId”."
            errors.add(FileMappingInvalidError(sentence, where))
            continue
        pointer = pointer_to(row.submission_id, category, index)
        files.append(MappedFile(row.submission_id, category, UUID(file_id), name, pointer))
    return tuple(files)
