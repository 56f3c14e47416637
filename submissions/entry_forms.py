"""The form for the files of one entry: what is there, as it is, and whatever is to stand in its place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from files.forms import ExtraFilesField
from files.models import FileAttachment
from submissions.forms import FILES_PREFIX, FilesForm
from submissions.models import SequenceEntry
from submissions.services import Replacement


class EntryFilesForm(FilesForm):
    """The files of an entry, a box a category; everything else is decided by `submissions.services.replace_files`."""

    asOf = forms.DateTimeField(required=False, widget=forms.HiddenInput)  # noqa: N815  as the form part is named

    def __init__(self, *args: Any, entry: SequenceEntry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organism = entry.submission.organism
        attached = list(entry.attachments.with_results())
        for category in organism.file_categories.select_related("organism").order_by("order", "name"):
            present = [attachment for attachment in attached if attachment.category_id == category.pk]
            field = ExtraFilesField(category, initial=_value_of(present))
            self.fields[FILES_PREFIX + category.name] = field

    def clean(self) -> dict[str, Any]:
        """A box that was not sent is no empty one: nothing is taken off an entry because something got lost."""
        if any(field.html_name not in self.data for field in self.file_fields):
            sentence = "The list of files did not arrive as a whole. Open this page again, and then save."
            raise ValidationError(sentence, code="file_mapping_invalid")
        return self.cleaned_data

    def replacement(self) -> Replacement:
        """What the service takes, from the cleaned values."""
        files = {
            name.removeprefix(FILES_PREFIX): [{"fileId": str(file.file_id), "name": file.name} for file in chosen]
            for name, chosen in self.cleaned_data.items()
            if name.startswith(FILES_PREFIX)
        }
        return Replacement(json.dumps(files), as_of=self.cleaned_data["asOf"])


def _value_of(attachments: Iterable[FileAttachment]) -> str:
    """What the box holds when the page is opened, as it would send it; discarding an attached file deletes nothing."""
    items = [
        {"fileId": str(one.file_id), "name": one.name, "size": one.file.size or 0, "attached": True}
        for one in attachments
    ]
    return json.dumps(items) if items else ""
