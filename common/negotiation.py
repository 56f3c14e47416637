"""Which format the API answers in: JSON, whatever is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONAlways(DefaultContentNegotiation):
    """Takes the one renderer that there is and looks neither at `Accept` nor at `?format=`.

    A download asks for `application/octet-stream` and gets a redirection, and a client that asks for
    `application/problem+json` means our errors; a 406 would help neither (RFC 9110, section 12.4.1).
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer, and its media type as the one agreed on."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
