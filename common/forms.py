"""What the forms of the pages have in common."""

from __future__ import annotations

from django import forms


class SummedUpForm(forms.Form):
    """A form whose problems are summed up above it."""

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Every problem with the `id` of the input to mend it in; what concerns all of them leads to the first."""
        [first, *_] = self.visible_fields()
        of_all = [(first.id_for_label, str(error)) for error in self.non_field_errors()]
        return of_all + [(field.id_for_label, str(error)) for field in self for error in field.errors]


def one_line(text: str) -> str:
    """A name as a person typed it, with single spaces; raises `ValidationError` on what cannot be seen."""
    words = " ".join(text.split())
    if not words.isprintable():
        raise forms.ValidationError("There are characters in it that cannot be seen. Type it anew.")
    return words
