"""What may stand in an address."""

from __future__ import annotations

from django.urls.converters import StringConverter


class TextConverter(StringConverter):
    """Django's `str` without NUL, which PostgreSQL refuses in any text: such an address does not exist."""

    regex = r"[^/\x00]+"
