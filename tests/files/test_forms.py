"""The form field of the extra-files widget."""

from __future__ import annotations

import json
import uuid
from html.parser import HTMLParser

import pytest
from django import forms
from django.core.exceptions import ValidationError

from files.forms import ChosenFile, ExtraFilesField
from files.models import ContentCheck, FileCategory
from submissions.models import Organism

FILE_ID = uuid.UUID("8d8ac610-566d-4ef0-9c22-186b2a5ed793")


def category(**rules: object) -> FileCategory:
    organism = Organism(slug="ebola-sudan", name="Ebola Sudan")
    return FileCategory(organism=organism, name="rawReads", shown_name="Raw reads", **rules)


def clean(value: object) -> list[ChosenFile]:
    return ExtraFilesField(category()).clean(value if isinstance(value, str) else json.dumps(value))


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(html)
    return parser.found


def form_with(field: ExtraFilesField, data: dict[str, str] | None = None) -> forms.Form:
    form = forms.Form(data)
    form.fields["files.rawReads"] = field
    return form


def attributes_of(html: str, name: str) -> dict[str, str | None]:
    return next(attributes for _, attributes in elements(html) if name in attributes)


def test_uploaded_files_come_out_as_pairs_of_id_and_name() -> None:
    items = [
        {"fileId": str(FILE_ID).upper(), "name": "a.fastq.gz", "size": 3},
        {"fileId": str(FILE_ID), "name": "b.fastq.gz"},
    ]
    assert clean(items) == [(FILE_ID, "a.fastq.gz"), (FILE_ID, "b.fastq.gz")]


@pytest.mark.parametrize("value", ["", "[]"])
def test_no_files_are_fine(value: str) -> None:
    assert clean(value) == []


def test_a_browser_without_javascript_sends_no_files() -> None:
    assert ExtraFilesField(category(required=True)).clean(None) == []


def test_every_file_that_is_not_uploaded_is_named() -> None:
    items = [{"name": "a", "size": 3}, {"fileId": str(FILE_ID), "name": "b"}, {"name": "c", "fileId": None}]
    with pytest.raises(ValidationError) as caught:
        clean(items)
    assert [(error.code, error.message) for error in caught.value.error_list] == [
        ("file_not_uploaded", "“a” is not uploaded yet, or failed."),
        ("file_not_uploaded", "“c” is not uploaded yet, or failed."),
    ]


@pytest.mark.parametrize(
    "value",
    [
        "no JSON",
        "[" * 100_000,
        "{}",
        '"a"',
        "5",
        "[5]",
        '[{"fileId": "8d8ac610-566d-4ef0-9c22-186b2a5ed793"}]',
        '[{"fileId": "8d8ac610-566d-4ef0-9c22-186b2a5ed793", "name": 5}]',
        '[{"fileId": "8d8ac610566d4ef09c22186b2a5ed793", "name": "a"}]',
        '[{"fileId": "", "name": "a"}]',
        '[{"fileId": 5, "name": "a"}]',
    ],
)
def test_what_the_widget_would_never_send_is_refused(value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        clean(value)
    assert [error.code for error in caught.value.error_list] == ["file_mapping_invalid"]


def test_the_widget_carries_the_names_and_rules_that_the_script_needs() -> None:
    rules = {
        "content_check": ContentCheck.FASTQ,
        "required": True,
        "min_files": 2,
        "max_files": 4,
        "max_file_size": 5_000_000,
        "extensions": [".fastq.gz", '.a"b'],
    }
    html = str(form_with(ExtraFilesField(category(**rules)))["files.rawReads"])
    found = attributes_of(html, "data-extra-files")
    assert {name: value for name, value in found.items() if name.startswith("data-") and value is not None} == {
        "data-title": "Raw reads",
        "data-category": "rawReads",
        "data-organism": "ebola-sudan",
        "data-api-url": "/api",
        "data-examiner-url": "/static/files/examining/worker.js",
        "data-content-check": "fastq",
        "data-pairing": "false",
        "data-required": "true",
        "data-min-files": "2",
        "data-max-files": "4",
        "data-max-file-size": "5000000",
        "data-extensions": json.dumps([".fastq.gz", '.a"b']),
    }


def test_a_category_without_limits_has_empty_ones() -> None:
    found = attributes_of(str(form_with(ExtraFilesField(category()))["files.rawReads"]), "data-extra-files")
    assert (found["data-max-files"], found["data-max-file-size"], found["data-extensions"]) == ("", "", "[]")
    assert found["data-required"] == "false"


def test_both_inputs_have_labels_and_no_name_so_that_no_bytes_come_with_the_form() -> None:
    found = elements(str(form_with(ExtraFilesField(category()))["files.rawReads"]))
    inputs = {attributes["id"]: attributes for tag, attributes in found if attributes.get("type") == "file"}
    assert set(inputs) == {"files-rawReads", "folder-rawReads"}
    assert "webkitdirectory" in inputs["folder-rawReads"]
    assert "webkitdirectory" not in inputs["files-rawReads"]
    assert not any("name" in attributes for attributes in inputs.values())
    assert {attributes["for"] for tag, attributes in found if tag == "label"} == set(inputs)


def test_the_box_for_many_entries_takes_folders_and_has_a_place_for_the_preview() -> None:
    field = ExtraFilesField(category(pairing=True))
    field.widget.is_bulk = True
    html = str(form_with(field)["files.rawReads"])
    assert "data-bulk" in (found := attributes_of(html, "data-extra-files"))
    assert found["data-pairing"] == "true"
    assert attributes_of(html, "data-preview")
    assert [attributes["id"] for _, attributes in elements(html) if attributes.get("type") == "file"] == [
        "folder-rawReads"
    ]
    assert "data-bulk" not in attributes_of(
        str(form_with(ExtraFilesField(category()))["files.rawReads"]), "data-extra-files"
    )


def test_a_form_that_is_shown_again_keeps_its_files() -> None:
    value = json.dumps([{"fileId": str(FILE_ID), "name": 'a"<b>', "size": 3}])
    html = str(form_with(ExtraFilesField(category()), {"files.rawReads": value})["files.rawReads"])
    found = attributes_of(html, "data-value")
    assert (found["name"], found["value"]) == ("files.rawReads", value)


def test_the_page_loads_the_script_as_a_module_and_nothing_inline() -> None:
    form = form_with(ExtraFilesField(category()))
    assert str(form.media["js"]) == '<script src="/static/files/extra_files.js" type="module"></script>'
    assert 'href="/static/files/extra_files.css"' in str(form.media["css"])
    found = elements(str(form["files.rawReads"]))
    assert not any(tag in {"script", "style"} for tag, _ in found)
    assert not any(name == "style" or name.startswith("on") for _, attributes in found for name in attributes)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({}, ""),
        ({"help_text": "As the machine wrote them."}, "As the machine wrote them."),
        ({"min_files": 2}, "At least 2 files."),
        ({"min_files": 2, "max_files": 2}, "Exactly 2 files."),
        ({"max_files": 1}, "One file."),
        ({"max_files": 4}, "1 to 4 files."),
        (
            {"pairing": True, "min_files": 2, "max_files": 2},
            "Two files, read 1 and read 2 of a pair, whose names differ only in 1 and 2.",
        ),
        ({"max_file_size": 999}, "No file larger than 999 bytes."),
        ({"max_file_size": 1_500_000_000}, "No file larger than 1.5 GB."),
        ({"max_file_size": 5 * 10**15}, "No file larger than 5000 TB."),
        ({"extensions": [".fq", ".fq.gz"]}, "Names end in .fq, .fq.gz."),
        ({"content_check": ContentCheck.FASTQ}, "Each file is checked to be readable as FASTQ, plain or gzipped."),
    ],
)
def test_the_rules_of_the_category_are_told_in_words(rules: dict[str, object], sentence: str) -> None:
    field = ExtraFilesField(category(**rules))
    assert field.widget.get_context("files.rawReads", None, None)["widget"]["help"] == sentence
