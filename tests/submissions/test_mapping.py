from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Location, RequestTooLargeError, ValidationFailedError
from submissions.mapping import (
    MAX_BYTES,
    MAX_FILES,
    FileMapping,
    MappedFile,
    parse_entry_mapping,
    parse_mapping,
    pointer_to,
)

ID = "8D8AC610-566D-4EF0-9C22-186B2A5ED793"
FILE = {"fileId": ID, "name": "reads.fastq.gz"}


def problems_of(text: str) -> list[tuple[str | None, str]]:
    """Pointer and sentence of every problem, after a look at what all of them have in common."""
    with pytest.raises(ValidationFailedError) as refused:
        parse_mapping(text)
    errors = refused.value.errors
    assert {error.code for error in errors} == {"file_mapping_invalid"}
    assert {error.location.field for error in errors} == {"fileMapping"}
    return [(error.location.pointer, error.detail) for error in errors]


def pointers_of(document: object) -> list[str | None]:
    return [pointer for pointer, _ in problems_of(json.dumps(document))]


@pytest.mark.parametrize("text", ["", " \n", "{}", "\ufeff{}"])
def test_an_empty_text_or_object_maps_nothing(text: str) -> None:
    assert parse_mapping(text) == FileMapping({})


def test_a_mapping_keeps_order_names_and_empty_categories() -> None:
    other = "00000000-0000-4000-8000-00000000000a"
    text = json.dumps(
        {
            "s/2": {"supplementary": [], "rawReads": [FILE, {"fileId": other, "name": "ß.txt", "size": 3}]},
            "s1": {},
        }
    )

    mapping = parse_mapping(text)

    first = MappedFile("s/2", "rawReads", UUID(ID), "reads.fastq.gz", "/s~12/rawReads/0")
    second = MappedFile("s/2", "rawReads", UUID(other), "ß.txt", "/s~12/rawReads/1")
    assert mapping == FileMapping({"s/2": {"supplementary": (), "rawReads": (first, second)}, "s1": {}})
    assert list(mapping.entries["s/2"]) == ["supplementary", "rawReads"]
    assert list(mapping.files()) == [first, second]
    assert mapping.has_files


def test_a_mapped_file_knows_where_it_is() -> None:
    (file,) = parse_mapping(json.dumps({"s1": {"rawReads": [FILE]}})).files()

    assert file.location == Location(
        field="fileMapping",
        pointer="/s1/rawReads/0",
        submission_id="s1",
        category="rawReads",
        file_id=ID.lower(),
        name="reads.fastq.gz",
    )


def test_categories_with_nothing_in_them_are_no_files() -> None:
    assert not parse_mapping('{"s1": {"rawReads": []}}').has_files


@pytest.mark.parametrize("file_id", [ID, ID.lower(), ID.replace("D", "d")])
def test_a_file_id_may_be_in_any_case(file_id: str) -> None:
    (file,) = parse_mapping(json.dumps({"s1": {"a": [{"fileId": file_id, "name": "n"}]}})).files()

    assert file.file_id == UUID(ID)


@pytest.mark.parametrize(
    "file_id",
    ["", "1", ID.replace("-", ""), "{" + ID + "}", f"urn:uuid:{ID}", f"{ID} ", f"{ID}\n", f"g{ID[1:]}", "٣" + ID[1:]],
)
def test_a_file_id_in_another_form_than_a_uuids_own_is_refused(file_id: str) -> None:
    assert pointers_of({"s1": {"a": [{"fileId": file_id, "name": "n"}]}}) == ["/s1/a/0/fileId"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        (None, ""),
        ("text", ""),
        ({"s1": []}, "/s1"),
        ({"s1": None}, "/s1"),
        ({"s1": {"a": {}}}, "/s1/a"),
        ({"s1": {"a": None}}, "/s1/a"),
        ({"s1": {"a": [ID]}}, "/s1/a/0"),
        ({"s1": {"a": [[]]}}, "/s1/a/0"),
        ({"s1": {"a": [{"fileId": ID}]}}, "/s1/a/0"),
        ({"s1": {"a": [{"name": "n"}]}}, "/s1/a/0"),
        ({"s1": {"a": [{"fileId": 7, "name": "n"}]}}, "/s1/a/0/fileId"),
        ({"s1": {"a": [{"fileId": ID, "name": None}]}}, "/s1/a/0/name"),
    ],
)
def test_another_shape_is_refused_with_a_pointer(document: object, pointer: str) -> None:
    assert pointers_of(document) == [pointer]


def test_all_problems_are_told_at_once_and_where() -> None:
    with pytest.raises(ValidationFailedError) as refused:
        parse_mapping(json.dumps({"s1": {"a": [{"fileId": "x"}, FILE], "b": 1}, "s2": 2}))

    assert [
        (error.location.pointer, error.location.submission_id, error.location.category)
        for error in refused.value.errors
    ] == [
        ("/s1/a/0/fileId", "s1", "a"),
        ("/s1/a/0", "s1", "a"),
        ("/s1/b", "s1", "b"),
        ("/s2", "s2", None),
    ]


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"s1": {}, "s1": {}}', "/s1"),
        ('{"s~1/": {"a": [], "b": [], "a": []}}', "/s~01~1/a"),
        (f'{{"s1": {{"a": [{{"fileId": "{ID}", "name": "n", "fileId": "{ID}"}}]}}}}', "/s1/a/0/fileId"),
        ('{"s1": {}, "s\\u0031": {}}', "/s1"),
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str, pointer: str) -> None:
    ((found, sentence),) = problems_of(text)

    assert found == pointer
    assert "2 times" in sentence


@pytest.mark.parametrize(
    "text",
    ["{", "submissionID", "{'s1': {}}", '{"s1": {}} {}', '{"s1": {},}', '{"s1": NaN}', "-Infinity", '{"s1": "\n"}'],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    ((pointer, sentence),) = problems_of(text)

    assert pointer is None
    assert "not JSON" in sentence


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"s":{"a":[{"x":' + "[" * 100_000])
def test_a_nesting_bomb_is_refused(text: str) -> None:
    ((_, sentence),) = problems_of(text)

    assert "nested too deeply" in sentence


def test_numbers_of_any_length_in_keys_that_nobody_reads_do_no_harm() -> None:
    text = json.dumps({"s1": {"a": [{**FILE, "size": 0}]}}).replace('"size": 0', '"size": ' + "9" * 10_000)

    assert parse_mapping(text).has_files


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"\\ud800": {}}', ""),
        ('{"s1": {"a\\udfff": []}}', "/s1"),
        (f'{{"s1": {{"a": [{{"fileId": "{ID}", "name": "\\ud83d.txt"}}]}}}}', "/s1/a/0/name"),
        ('{"s1": {"a": [{"fileId": "\\ud83d", "name": "n"}]}}', "/s1/a/0/fileId"),
    ],
)
def test_half_a_surrogate_pair_is_refused_in_words_that_can_be_encoded(text: str, pointer: str) -> None:
    with pytest.raises(ValidationFailedError) as refused:
        parse_mapping(text)

    (error,) = refused.value.errors
    assert error.location.pointer == pointer
    assert re.search(r"\\ud[8f]", error.detail)
    assert f"{error.detail}{error.location}".encode()


def test_a_whole_surrogate_pair_is_one_character() -> None:
    (file,) = parse_mapping(f'{{"s1": {{"a": [{{"fileId": "{ID}", "name": "\\ud83d\\ude00"}}]}}}}').files()

    assert file.name == "\U0001f600"


def test_the_thousand_and_first_problem_is_counted() -> None:
    with pytest.raises(ValidationFailedError) as refused:
        parse_mapping(json.dumps({f"s{number}": 1 for number in range(1_500)}))

    assert (len(refused.value.errors), refused.value.count) == (1_000, 1_500)


@pytest.mark.parametrize(
    ("parse", "text"),
    [(parse_mapping, '{"ü": {}}'), (partial(parse_entry_mapping, submission_id="s1"), '{"ü": []}')],
    ids=["of a submission", "of one entry"],
)
def test_a_mapping_may_have_only_so_many_bytes(parse: Callable[[str], FileMapping], text: str) -> None:
    longest = text.ljust(MAX_BYTES - 1)  # of which “ü” has two
    assert len(parse(longest).entries) == 1

    with pytest.raises(RequestTooLargeError, match="more than 8,388,608 bytes"):
        parse(longest + " ")


def test_a_mapping_may_have_only_so_many_files() -> None:
    document = {"s1": {"a": [FILE], "b": [0] * MAX_FILES}}

    assert problems_of(json.dumps(document)) == [
        ("/s1/b", "The file mapping has more than 100,000 files. Submit in several pieces.")
    ]


def look_up(document: Any, pointer: str) -> Any:
    """What a JSON Pointer points at, by the letter of RFC 6901."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.one_of(texts, st.sampled_from(["~1", "/", "~", "~0/", ""]))
mapped_files = st.fixed_dictionaries({"fileId": st.uuids().map(str), "name": texts}, optional={"size": st.integers()})
mappings = st.dictionaries(names, st.dictionaries(names, st.lists(mapped_files, max_size=3), max_size=3), max_size=3)


@given(mappings, st.booleans())
def test_every_mapping_is_read_as_json_reads_it_and_every_pointer_leads_back(
    document: dict[str, dict[str, list[dict[str, Any]]]], escaped: bool
) -> None:
    mapping = parse_mapping(json.dumps(document, ensure_ascii=escaped))

    assert {
        submission_id: {
            category: [{"fileId": str(file.file_id), "name": file.name} for file in files]
            for category, files in categories.items()
        }
        for submission_id, categories in mapping.entries.items()
    } == {
        submission_id: {
            category: [{key: file[key] for key in ("fileId", "name")} for file in files]
            for category, files in categories.items()
        }
        for submission_id, categories in document.items()
    }
    for file in mapping.files():
        assert look_up(document, file.pointer)["name"] == file.name


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def is_mapping(document: Any) -> bool:
    """The shape once more, written down another way."""
    return isinstance(document, dict) and all(
        isinstance(categories, dict)
        and all(isinstance(files, list) and all(is_file(file) for file in files) for files in categories.values())
        for categories in document.values()
    )


def is_file(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and value.get("fileId") == ID


@given(
    st.one_of(
        anything,
        st.dictionaries(texts, anything, max_size=2),
        st.dictionaries(texts, st.dictionaries(texts, st.lists(anything, max_size=2), max_size=2), max_size=2),
        st.dictionaries(
            texts, st.dictionaries(texts, st.lists(st.sampled_from([FILE, {"name": "n"}, {**FILE, "name": 1}])))
        ),
    )
)
def test_of_all_json_exactly_the_mappings_are_taken_and_every_pointer_leads_somewhere(document: Any) -> None:
    text = json.dumps(document)
    if is_mapping(document):
        parse_mapping(text)
        return
    for pointer, _ in problems_of(text):
        assert pointer is not None
        look_up(document, pointer)


def test_a_pointer_escapes_what_rfc_6901_says() -> None:
    assert pointer_to("a/b", "m~n", 0) == "/a~1b/m~0n/0"
    assert pointer_to("~1") == "/~01"
    assert pointer_to() == ""


def test_a_mapping_of_ten_thousand_entries_is_read() -> None:
    document = {f"s{number}": {"rawReads": [{"fileId": str(uuid4()), "name": "r.gz"}]} for number in range(10_000)}

    assert len(list(parse_mapping(json.dumps(document)).files())) == 10_000
