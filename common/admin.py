"""Django's admin classes with type parameters, and what the admins of our apps have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django.contrib.auth.admin import UserAdmin
    from django.contrib.auth.forms import UserChangeForm
    from django.forms import BaseInlineFormSet, ModelForm
else:
    from django import forms
    from django.contrib.auth import admin as auth_admin

    class Parametrised:
        """Takes type parameters and ignores them: at run time Django's own classes know none."""

        def __class_getitem__(cls, _parameters):
            return cls

    class ModelAdmin(Parametrised, admin.ModelAdmin): ...

    class StackedInline(Parametrised, admin.StackedInline): ...

    class TabularInline(Parametrised, admin.TabularInline): ...

    class UserChangeForm(Parametrised, auth_admin.UserChangeForm): ...

    class UserAdmin(Parametrised, auth_admin.UserAdmin): ...

    class BaseInlineFormSet(Parametrised, forms.BaseInlineFormSet): ...

    class ModelForm(Parametrised, forms.ModelForm): ...


__all__ = [
    "BaseInlineFormSet",
    "CountedDeletionMixin",
    "ModelAdmin",
    "ModelForm",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "StackedInline",
    "TabularInline",
    "UserAdmin",
    "UserChangeForm",
]

Row = TypeVar("Row", bound=models.Model)
Parent = TypeVar("Parent", bound=models.Model)


class ReadOnlyAdmin(ModelAdmin[Row]):
    """Shows rows that only services and workers write."""

    # Counting all rows beside those found would read the whole table for each search.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Nobody."""
        return False


class ReadOnlyInline(TabularInline[Row, Parent]):
    """Shows rows beside their parent that only services and workers write."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class CountedDeletionMixin:
    """Tells what keeps rows from being deleted by its number; Django would list each, be they a million."""

    def get_deleted_objects(
        self, objs: Sequence[models.Model] | models.QuerySet[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Django's hook: what would go, counted by model, what may not go, and what stands against it."""
        if protected := protecting_rows(objs):
            return [], {}, set(), protected
        return super().get_deleted_objects(objs, request)  # type: ignore[misc, no-any-return]  # a mixin's


def protecting_rows(objs: Sequence[models.Model] | models.QuerySet[Any]) -> list[str]:
    """How many rows of other models stand against deleting these, in words: “3 submissions”. One query a model."""
    found: Counter[str] = Counter()
    for relation in objs[0]._meta.related_objects if objs else ():  # noqa: SLF001  Django's documented way to relations
        if relation.on_delete is models.PROTECT:
            options = relation.related_model._meta  # noqa: SLF001
            number = options.base_manager.filter(**{f"{relation.field.name}__in": objs}).count()
            found[str(options.verbose_name if number == 1 else options.verbose_name_plural)] += number
    return [f"{number:,} {name}" for name, number in found.items() if number]
