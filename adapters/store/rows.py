"""Our models as rows, and rows as our models. A column has the name of the field that it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import ColumnElement, RowMapping, Table

from ...core.model.experiment import Record
from ...core.model.plan import Operation, OperationStep, Place
from ...core.ports.store import Placement
from .listing import listing, searched

Values = dict[str, object]
M = TypeVar("M", bound=BaseModel)


def columns_of(table: Table, model: type[BaseModel], *absent: str) -> list[ColumnElement[object]]:
    """The columns that hold a model's fields, in the order of the fields."""
    return [table.c[name] for name in model.model_fields if name not in absent]


def values_of(model: BaseModel, *absent: str) -> Values:
    """A model's fields for the columns of the same names; nested models stay as they are until they become text."""
    return {name: value for name, value in model if name not in absent}


def models_of(model: type[M], rows: Iterable[Sequence[object]]) -> list[M]:
    """Models out of rows with a column per field, not validated again: the columns have the right types.

    They are filled the way that `model_construct` and unpickling fill them, without the work per field that makes
    those three times as slow for the thousand summaries of a busy surface.
    """
    names = tuple(model.model_fields)
    fields_set = set(names)
    fill = object.__setattr__  # the models are frozen
    made: list[M] = []
    for row in rows:
        each = model.__new__(model)
        fill(each, "__dict__", dict(zip(names, row, strict=True)))
        fill(each, "__pydantic_fields_set__", fields_set)
        fill(each, "__pydantic_extra__", None)
        fill(each, "__pydantic_private__", None)
        made.append(each)
    return made


def experiment_values(record: Record) -> Values:
    stands: Values = {"key": record.key, "version": record.version, "state": record.state, "updated": record.updated}
    return {**stands, **listing(record.key, record.document)}


def text_values(record: Record) -> Values:
    return {**searched(record.key, record.document)}


def operation_of(row: RowMapping, steps: Sequence[RowMapping]) -> Operation:
    return Operation.model_validate({**row, "steps": [dict(step) for step in steps]})


def operation_values(operation: Operation) -> Values:
    return values_of(operation, "steps")


def step_values(operation: Operation) -> list[Values]:
    return [
        {"operation": operation.id, "position": position, **values_of(step)}
        for position, step in enumerate(operation.steps)
    ]


def step_columns(table: Table) -> list[ColumnElement[object]]:
    return columns_of(table, OperationStep)


def placement_of(row: RowMapping) -> Placement:
    return Placement.model_validate({**row, "place": Place.model_validate_json(row["place"])})
