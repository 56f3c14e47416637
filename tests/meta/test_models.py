"""Rules for all of our models: each constraint holds in the database, and the habits of the house are kept."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import BaseConstraint, Field, ForeignKey, Model, UniqueConstraint

from tests.factories.violations import VIOLATIONS, Violation

MODELS = [model for app in ("accounts", "submissions", "files") for model in apps.get_app_config(app).get_models()]


def declared_constraints() -> dict[str, BaseConstraint]:
    """Each constraint of our models by its name; a field that is unique by itself as `app.Model.field`."""
    found: dict[str, BaseConstraint] = {}
    for model in MODELS:
        found |= {constraint.name: constraint for constraint in model._meta.constraints}
        found |= {
            f"{model._meta.label}.{field.name}": UniqueConstraint(fields=[field.name], name=field.name)
            for field in model._meta.local_fields
            if field.unique and not field.primary_key
        }
    return found


def broken_constraints(row: Model) -> set[str]:
    """The names of all constraints that the row breaks, as Django judges it before saving."""
    broken = set()
    for name, constraint in declared_constraints().items():
        if constraint in row._meta.constraints or name.startswith(f"{row._meta.label}."):
            try:
                constraint.validate(type(row), row)
            except ValidationError:
                broken.add(name)
    return broken


def words_of_the_database(violation: Violation, row: Model) -> str:
    """What the database says of this constraint: its name, but SQLite names the columns of a unique one."""
    constraint = declared_constraints()[violation.constraint]
    if not isinstance(constraint, UniqueConstraint):
        return violation.constraint
    table = row._meta.db_table
    columns = [row._meta.get_field(name).column for name in constraint.fields]  # type: ignore[union-attr]
    if connection.vendor == "sqlite":
        return ", ".join(f"{table}.{column}" for column in columns)
    return violation.constraint if constraint in row._meta.constraints else f"{table}_{columns[0]}"


@pytest.mark.embedded
@pytest.mark.django_db
@pytest.mark.parametrize("violation", VIOLATIONS, ids=str)
def test_the_database_refuses_what_breaks_one_constraint_and_no_other(violation: Violation) -> None:
    row = violation.build()

    assert broken_constraints(row) == {violation.constraint}
    with pytest.raises(IntegrityError) as failure, transaction.atomic():
        row.save()
    assert words_of_the_database(violation, row) in str(failure.value)


def test_each_constraint_has_a_test_that_breaks_it() -> None:
    assert {violation.constraint for violation in VIOLATIONS} == set(declared_constraints())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_each_time_with_a_person_beside_it_is_paired(model: type[Model]) -> None:
    fields: dict[str, Field[object, object]] = {field.name: field for field in model._meta.local_fields}
    for name, person in fields.items():
        if not name.endswith("_by"):
            continue
        event = name.removesuffix("_by")
        time = fields.get(f"{event}_at")
        assert time is not None, f"{name} has no {event}_at beside it"
        assert time.null == person.null, f"{name} and {event}_at are not both optional or both required"
        pairing = [c for c in model._meta.constraints if c.name.endswith(f"_{event}_at_and_by")]
        assert len(pairing) == int(person.null), f"{name} and {event}_at are paired by {len(pairing)} constraints"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_model_sorts_itself_nor_overrides_save(model: type[Model]) -> None:
    assert not model._meta.ordering
    assert not {"save", "delete", "save_base"} & set(vars(model))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_each_foreign_key_names_the_way_back(model: type[Model]) -> None:
    nameless = [
        field.name
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey) and field.remote_field.related_name is None
    ]
    assert nameless == []
