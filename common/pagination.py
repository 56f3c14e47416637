"""Pages of a list, by the key of the last item: as fast on the last page as on the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some items, and where the next page begins; `next_cursor` is None on the last."""

    items: list[M]
    next_cursor: int | None


def page_of(queryset: QuerySet[M], *, key: str, cursor: int | None, size: int) -> Page[M]:
    """The `size` items behind `cursor` in the order of `key`, an integer field, `-` before it for descending.

    One query. The cursor is the key of the last item of the page before, None for the first page.
    """
    name = key.removeprefix("-")
    if cursor is not None:
        queryset = queryset.filter(**{f"{name}__{'lt' if key.startswith('-') else 'gt'}": cursor})
    items = list(queryset.order_by(key)[: size + 1])
    if len(items) <= size:
        return Page(items, None)
    return Page(items[:size], getattr(items[size - 1], name))
