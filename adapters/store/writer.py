"""What a transaction writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, UpdateBase, and_, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from ...core.documents import canonical
from ...core.errors import Conflict
from ...core.model.experiment import Record
from ...core.model.override import Override, Review
from ...core.model.plan import Approval, AuditEvent, BucketRange, Operation, Place, Plan
from ...core.ports.store import Due, Exposure, Heartbeat, Imported, Placement
from .agenda import (
    ADD_DUES,
    ADD_EXPOSURE,
    BEAT,
    BEAT_AGAIN,
    FORGET_BEATS,
    KEPT,
    REMOVE_DUES,
    REMOVE_EXPOSURE,
)
from .imported import ADD_IMPORTS, REMOVE_IMPORTS
from .reader import SqlReader
from .rows import Values, experiment_values, operation_values, step_values, text_values, values_of
from .search import FullText
from .statements import Statements
from .tables import BUCKET_RANGE, EXPERIMENT, IS_LIVE

_COUNTED = {"preserve_rowcount": True}
"""Of an INSERT, SQLAlchemy forgets the number of rows unless it is asked to keep it."""

_RANGE = BUCKET_RANGE.c
_MINE = and_(_RANGE.layer == bindparam("of_layer"), _RANGE.experiment == bindparam("this"), IS_LIVE)
_HELD_ALREADY = select(_RANGE.lo, _RANGE.hi).where(_MINE)
_HOLD_UNTIL = update(BUCKET_RANGE).where(_MINE)
_HOLDERS = select(_RANGE.lo, _RANGE.hi, _RANGE.experiment).where(
    _RANGE.layer == bindparam("layer"), IS_LIVE, _RANGE.lo < bindparam("hi"), _RANGE.hi > bindparam("lo")
)


class SqlWriter(SqlReader):
    """A view that also writes. Where the port promises Conflict, the database refuses and this code words it."""

    def __init__(self, connection: Connection, full_text: FullText, statements: Statements) -> None:
        super().__init__(connection, full_text)
        self._statements = statements

    def insert_experiment(self, record: Record) -> None:
        if self._run(self._statements.add_experiment, experiment_values(record)) == 0:
            raise Conflict(
                f'The experiment "{record.key}" exists already.',
                next="Choose another key, or update the experiment that has this one.",
                got=record.key,
            )
        self._keep_version(record)

    def update_experiment(self, record: Record, expected_version: int) -> None:
        expected = {"this": record.key, "expected": expected_version}
        if self._run(self._statements.change_experiment, {**experiment_values(record), **expected}) == 0:
            raise self._other_version(record.key, expected_version)
        self._keep_version(record)

    def _keep_version(self, record: Record) -> None:
        self._run(self._statements.keep_version, values_of(record))
        texts = text_values(record)
        if self._run(self._statements.keep_text, texts):
            self._full_text.index(self._connection, texts)

    def _other_version(self, key: str, expected: int) -> Conflict:
        stored = self._connection.execute(select(EXPERIMENT.c.version).where(EXPERIMENT.c.key == key)).scalar()
        if stored is None:
            return Conflict(f'There is no experiment "{key}" to update.', next="Create it first.", got=key)
        return Conflict(
            f'The experiment "{key}" is at version {stored}, not {expected}.',
            next="Read it again and repeat the change on the version that is stored.",
            got=expected,
        )

    def hold(self, layer: str, ranges: list[BucketRange], key: str, until: date | None, at: datetime) -> None:
        try:
            with self._connection.begin_nested():  # all of the ranges or none, also for a caller that goes on
                self._hold(layer, ranges, key, until, at)
        except IntegrityError as error:
            if "bucket_range_overlap" not in str(error.orig):
                raise
            raise self._taken(layer, ranges, key) from error

    def _hold(self, layer: str, ranges: list[BucketRange], key: str, until: date | None, at: datetime) -> None:
        mine: Values = {"of_layer": layer, "this": key}
        held = {(lo, hi) for lo, hi in self._connection.execute(_HELD_ALREADY, mine)}
        if held:
            self._run(_HOLD_UNTIL, {**mine, "until": until})
        rest: Values = {"layer": layer, "experiment": key, "until": until, "taken_at": at, "released_at": None}
        missing = [{"lo": each.lo, "hi": each.hi, **rest} for each in ranges if (each.lo, each.hi) not in held]
        for each in missing:  # not all at once: of a refusal, psycopg would warn on stderr
            self._run(self._statements.take_buckets, each)

    def _taken(self, layer: str, ranges: list[BucketRange], key: str) -> Conflict:
        exact = {(each.lo, each.hi, key) for each in ranges}
        met = {
            (lo, hi, experiment)
            for each in ranges
            for lo, hi, experiment in self._connection.execute(_HOLDERS, {"layer": layer, "lo": each.lo, "hi": each.hi})
        }
        held = [f'buckets {lo}-{hi - 1} are held by "{experiment}"' for lo, hi, experiment in sorted(met - exact)[:5]]
        return Conflict(
            f"In layer {layer}, {', '.join(held) or 'the asked ranges overlap each other'}.",
            next="Plan the change again: the new plan proposes buckets that are free.",
            got=[f"{each.lo}-{each.hi - 1}" for each in ranges[:5]],
        )

    def release(self, key: str, at: datetime) -> None:
        self._run(self._statements.release_buckets, {"this": key, "released_at": at})

    def save_plan(self, plan: Plan) -> None:
        """A plan made again replaces the one of the same digest, so that it lives until its own end.

        Raises:
            Conflict: another plan has the same handle: a chance of one in 10^12.
        """
        if self._run(self._statements.save_plan, values_of(plan)) == 0:
            raise Conflict("Another plan has the same handle.", next="Plan the change again.", got=plan.handle)

    def save_approval(self, approval: Approval) -> None:
        self._run(self._statements.save_approval, values_of(approval))

    def save_override(self, override: Override) -> None:
        self._run(self._statements.save_override, values_of(override))

    def remove_override(self, key: str, spec: str, code: str, pointer: str) -> None:
        named: Values = {"this": key, "of_spec": spec, "of_code": code, "of_pointer": pointer}
        self._run(self._statements.remove_override, named)

    def save_review(self, review: Review) -> None:
        self._run(self._statements.save_review, values_of(review))

    def insert_operation(self, operation: Operation) -> None:
        if self._run(self._statements.add_operation, operation_values(operation)) == 0:
            raise self._second_operation(operation)
        self._write_steps(operation)

    def update_operation(self, operation: Operation, expected_fence: int) -> None:
        expected = {"this": operation.id, "expected": expected_fence}
        try:
            with self._connection.begin_nested():  # or PostgreSQL would not say what runs
                changed = self._run(self._statements.change_operation, {**operation_values(operation), **expected})
        except IntegrityError as error:  # it is to run again while another one runs
            raise self._second_operation(operation) from error
        if changed == 0:
            raise Conflict(
                "Another process has taken the operation over.",
                next="Leave the operation to it, and read its state again.",
                got=operation.id,
            )
        self._run(self._statements.remove_steps, {"this": operation.id})
        self._write_steps(operation)

    def _write_steps(self, operation: Operation) -> None:
        if operation.steps:
            self._connection.execute(self._statements.add_steps, step_values(operation))

    def _second_operation(self, operation: Operation) -> Conflict:
        active = self.active_operation(operation.key)
        if active is not None and active.handle != operation.handle:
            return Conflict(
                f'The experiment "{operation.key}" has an unfinished operation.',
                next="Let it finish, then plan the change again.",
                got=active.id,
            )
        return Conflict(
            "The plan has been applied, or is being applied.",
            next="Read the operation that applies it.",
            got=operation.handle,
        )

    def put_placement(self, placement: Placement) -> None:
        self._run(self._statements.put_placement, {**values_of(placement), "place": _place_text(placement.place)})

    def remove_placement(self, key: str, place: Place) -> None:
        self._run(self._statements.remove_placement, {"this": key, "at": _place_text(place)})

    def set_previews(self, key: str, previews: dict[str, list[str]]) -> None:
        self._run(self._statements.set_previews, {"key": key, "units": previews})

    def set_agenda(self, key: str, agenda: Sequence[Due]) -> None:
        self._run(REMOVE_DUES, {"this": key})
        if agenda:
            self._connection.execute(ADD_DUES, [values_of(each) for each in agenda])

    def set_exposure(self, key: str, exposure: Exposure | None) -> None:
        self._run(REMOVE_EXPOSURE, {"this": key})
        if exposure is not None:
            self._run(ADD_EXPOSURE, values_of(exposure))

    def set_imported(self, environment: str, backend: str, imported: Sequence[Imported]) -> None:
        self._run(REMOVE_IMPORTS, {"of_environment": environment, "of_backend": backend})
        if imported:
            self._connection.execute(ADD_IMPORTS, [values_of(each) for each in imported])

    def beat(self, heartbeat: Heartbeat) -> None:
        self._run(FORGET_BEATS, {"before": heartbeat.at - KEPT})
        if self._run(BEAT_AGAIN, {**values_of(heartbeat), "this": heartbeat.name}) == 0:
            self._run(BEAT, values_of(heartbeat))

    def audit(self, event: AuditEvent) -> None:
        self._run(self._statements.audit, values_of(event))

    def _run(self, statement: UpdateBase, values: Values) -> int:
        """How many rows it wrote."""
        return self._connection.execute(statement, values, execution_options=_COUNTED).rowcount


def _place_text(place: Place) -> str:
    """One text per place, whatever the order of its settings: it is the placement's key."""
    return canonical(place.model_dump(mode="json"))
