"""The rows of the demo in the database of each test, at a fraction of what `load_demo` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.db.models import ForeignKey, Model
from django.test import override_settings

from accounts.models import User
from files.models import FileCategory
from submissions.models import Group, GroupMembership, MetadataField, Organism

MODELS = (User, Group, GroupMembership, Organism, MetadataField, FileCategory)  # what is pointed to comes first
# pytest-django's fixture `admin_user` may have made the admin before, who is then left as it is.
MAY_EXIST: dict[str, Any] = {"update_conflicts": True, "unique_fields": ["username"], "update_fields": ["is_staff"]}


def rows_of_load_demo() -> list[list[Model]]:
    """All rows that the command makes, model by model; the database is afterwards as it was."""
    with transaction.atomic(), override_settings(ALLOWED_HOSTS=["localhost"]):  # Django's tests add “testserver”
        call_command("load_demo")
        rows: list[list[Model]] = [list(model._default_manager.order_by("pk")) for model in MODELS]
        transaction.set_rollback(True)
    return rows


def put_into_database(rows: list[list[Model]]) -> dict[str, Any]:
    """Make such rows, under primary keys of their own; by what they are called."""
    made: dict[Model, Model] = {}
    for of_model in rows:
        fresh = [as_new(row, made) for row in of_model]
        type(fresh[0])._default_manager.bulk_create(fresh, **(MAY_EXIST if isinstance(fresh[0], User) else {}))
        made.update(zip(of_model, fresh, strict=True))
    return {str(row): row for row in made.values()}


def as_new(row: Model, made: Mapping[Model, Model]) -> Model:
    """An unsaved copy of a row, pointing to what was made of the rows that it points to."""
    values: dict[str, object] = {}
    for field in row._meta.concrete_fields:
        if isinstance(field, ForeignKey):
            values[field.name] = made[field.related_model(pk=getattr(row, field.attname))]
        elif not field.primary_key:
            values[field.name] = getattr(row, field.attname)
    return type(row)(**values)
