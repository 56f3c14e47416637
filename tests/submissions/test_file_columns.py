"""`files.<category>` columns beyond what the API's own tests send; without database."""

from __future__ import annotations

from uuid import uuid4

import pytest

from common.errors import ErrorList
from submissions.errors import FileMappingInvalidError
from submissions.mapping import MAX_FILES
from submissions.services.file_columns import mapping_of_columns
from submissions.tables import Row, Table


def test_the_columns_of_a_table_may_name_only_so_many_files() -> None:
    pairs = f"a:{uuid4()} " * (MAX_FILES // 2 + 1)
    rows = [Row(f"s{line}", line, file_columns={"rawReads": pairs}) for line in (2, 3)]
    with pytest.raises(FileMappingInvalidError, match="up to line 3 name more than 100,000 files") as refused:
        mapping_of_columns(Table(rows, ("rawReads",), complete=True), None, ErrorList())
    assert refused.value.location.line == 3
