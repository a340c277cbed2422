"""The statements that write, built once for each dialect: to build one takes longer than to run it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, bindparam, delete, or_, update

from .tables import (
    APPROVAL,
    AUDIT,
    BUCKET_RANGE,
    EXPERIMENT,
    EXPERIMENT_TEXT,
    EXPERIMENT_VERSION,
    IS_LIVE,
    OPERATION,
    OPERATION_STEP,
    OVERRIDE,
    PLACEMENT,
    PLAN,
    PREVIEW,
    REVIEW,
)

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert = sqlite.Insert | postgresql.Insert


class Statements:
    """Made with the dialect's own `insert`, which alone knows ON CONFLICT. `this` and `expected` are what a row must
    have."""

    def __init__(self, insert: Callable[[Table], Insert]) -> None:
        self._insert = insert
        self._of_experiments()
        self._of_plans_and_people()
        self._of_operations()

    def _of_experiments(self) -> None:
        insert, column = self._insert, EXPERIMENT.c
        self.add_experiment = insert(EXPERIMENT).on_conflict_do_nothing()
        self.change_experiment = update(EXPERIMENT).where(
            column.key == bindparam("this"), column.version == bindparam("expected")
        )
        new = insert(EXPERIMENT_TEXT).excluded
        # A change of state alone leaves the index in peace.
        changed = (EXPERIMENT_TEXT.c[name] != new[name] for name in ("names", "hypothesis", "details", "surface"))
        self.keep_text = self._replacing(EXPERIMENT_TEXT, "key", where=or_(*changed))
        self.keep_version = self._replacing(EXPERIMENT_VERSION, "key", "version")
        self.take_buckets = insert(BUCKET_RANGE)
        self.release_buckets = update(BUCKET_RANGE).where(BUCKET_RANGE.c.experiment == bindparam("this"), IS_LIVE)
        self.set_previews = self._replacing(PREVIEW, "key")

    def _of_plans_and_people(self) -> None:
        insert, column = self._insert, OVERRIDE.c
        self.save_plan = self._replacing(PLAN, "handle", where=PLAN.c.digest == insert(PLAN).excluded.digest)
        self.save_approval = insert(APPROVAL).on_conflict_do_nothing()
        self.save_override = self._replacing(OVERRIDE, "key", "spec", "code", "pointer")
        self.remove_override = delete(OVERRIDE).where(
            column.key == bindparam("this"),
            column.spec == bindparam("of_spec"),
            column.code == bindparam("of_code"),
            column.pointer == bindparam("of_pointer"),
        )
        self.save_review = self._replacing(REVIEW, "key", "spec", "team")
        self.audit = insert(AUDIT)

    def _of_operations(self) -> None:
        insert, column, place = self._insert, OPERATION.c, PLACEMENT.c
        self.add_operation = insert(OPERATION).on_conflict_do_nothing()
        self.change_operation = update(OPERATION).where(
            column.id == bindparam("this"), column.fence == bindparam("expected")
        )
        self.add_steps = insert(OPERATION_STEP)
        self.remove_steps = delete(OPERATION_STEP).where(OPERATION_STEP.c.operation == bindparam("this"))
        self.put_placement = self._replacing(PLACEMENT, "key", "place")
        self.remove_placement = delete(PLACEMENT).where(place.key == bindparam("this"), place.place == bindparam("at"))

    def _replacing(self, table: Table, *key: str, where: ColumnElement[bool] | None = None) -> Insert:
        """Inserts a row, or writes it over the one with the same key."""
        added = self._insert(table)
        kept = {"id", "seq", *key}
        new = {column.name: added.excluded[column.name] for column in table.columns if column.name not in kept}
        return added.on_conflict_do_update(index_elements=list(key), set_=new, where=where)
