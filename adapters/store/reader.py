"""What a transaction reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import BindParameter, Connection, RowMapping, and_, bindparam, exists, func, not_, select

from ...core.model.experiment import Change, Record, State
from ...core.model.override import Override, Review
from ...core.model.plan import Approval, AuditEvent, BucketRange, Operation, Plan, Step
from ...core.ports.store import (
    Due,
    Exposure,
    Heartbeat,
    HeldRange,
    Imported,
    LayerUse,
    LiveGroup,
    Match,
    Member,
    Placement,
    ReleasedRange,
    Summary,
)
from .agenda import AGENDA, DUE_NOW, EXPOSURES, HEARTBEATS
from .imported import IMPORTS
from .neighbours import AUDIENCES, ENDING, GROUPS, LAST_RELEASE, LIVE_ON, MEMBERS, MEMBERS_THEN, RELEASED
from .rows import M, Values, columns_of, models_of, operation_of, placement_of, step_columns
from .search import FullText, Query, filters, latest
from .tables import (
    APPROVAL,
    AUDIT,
    BUCKET_RANGE,
    EXPERIMENT,
    EXPERIMENT_VERSION,
    IS_LIVE,
    IS_UNFINISHED,
    OPERATION,
    OPERATION_STEP,
    OVERRIDE,
    PLACEMENT,
    PLAN,
    PREVIEW,
    REVIEW,
)

MOST_PROPOSALS = 200
"""Plans of a layer that are looked at: what fills it ten times over tells nothing more."""

_PLANS = select(*columns_of(PLAN, Plan))
_OPERATIONS = select(*columns_of(OPERATION, Operation, "steps"))

# Statements of every call, built once: building one costs as much as running it.
_KEY: BindParameter[str] = bindparam("key")
_RECORDS = select(*columns_of(EXPERIMENT_VERSION, Record)).where(EXPERIMENT_VERSION.c.key == _KEY)
_RECORD_AT = _RECORDS.where(EXPERIMENT_VERSION.c.version == bindparam("version"))
_RECORD_NOW = _RECORDS.where(
    EXPERIMENT_VERSION.c.version == select(EXPERIMENT.c.version).where(EXPERIMENT.c.key == _KEY).scalar_subquery()
)
_HELD = (
    select(
        BUCKET_RANGE.c.layer,
        BUCKET_RANGE.c.lo,
        BUCKET_RANGE.c.hi,
        BUCKET_RANGE.c.experiment.label("key"),
        BUCKET_RANGE.c.until,
    )
    .where(BUCKET_RANGE.c.layer.in_(bindparam("layers", expanding=True)), IS_LIVE)
    .order_by(BUCKET_RANGE.c.layer, BUCKET_RANGE.c.lo)
)
_USES = (
    select(
        BUCKET_RANGE.c.layer,
        func.sum(BUCKET_RANGE.c.hi - BUCKET_RANGE.c.lo),
        func.count(BUCKET_RANGE.c.experiment.distinct()),
        func.min(BUCKET_RANGE.c.experiment),
    )
    .where(BUCKET_RANGE.c.layer.in_(bindparam("layers", expanding=True)), IS_LIVE)
    .group_by(BUCKET_RANGE.c.layer)
)
_RANGES_OF = (
    select(BUCKET_RANGE.c.lo, BUCKET_RANGE.c.hi)
    .where(BUCKET_RANGE.c.experiment == _KEY, IS_LIVE)
    .order_by(BUCKET_RANGE.c.layer, BUCKET_RANGE.c.lo)
)
_HANDLE: BindParameter[str] = bindparam("handle")
_PROPOSED = (
    select(PLAN.c.ranges)
    .join(EXPERIMENT, and_(EXPERIMENT.c.key == PLAN.c.key, EXPERIMENT.c.version == PLAN.c.version))
    .where(PLAN.c.layer == bindparam("layer"), PLAN.c.expires >= bindparam("now"), PLAN.c.key != _KEY)
    .where(PLAN.c.change == "launch", EXPERIMENT.c.state == "draft")
    .where(~exists().where(APPROVAL.c.handle == PLAN.c.handle, not_(APPROVAL.c.approved)))
    .where(~exists().where(OPERATION.c.handle == PLAN.c.handle))
    .order_by(PLAN.c.seq.desc())
    .limit(MOST_PROPOSALS)
)
_PLAN = _PLANS.where(PLAN.c.handle == _HANDLE)
_APPROVAL = select(*columns_of(APPROVAL, Approval)).where(APPROVAL.c.handle == _HANDLE)
_DECLINED = (
    _PLANS.join(APPROVAL, APPROVAL.c.handle == PLAN.c.handle)
    .where(PLAN.c.key == _KEY, PLAN.c.change == bindparam("change"), PLAN.c.expires >= bindparam("now"))
    .where(not_(APPROVAL.c.approved))
    .order_by(PLAN.c.seq.desc())
    .limit(20)
)
_OPERATION = _OPERATIONS.where(OPERATION.c.id == bindparam("id"))
_FENCE_OF = select(OPERATION.c.fence).where(OPERATION.c.id == bindparam("id"))
_OPERATION_OF = _OPERATIONS.where(OPERATION.c.handle == _HANDLE)
_OPERATION_STEPS = (
    select(*step_columns(OPERATION_STEP))
    .where(OPERATION_STEP.c.operation == bindparam("id"))
    .order_by(OPERATION_STEP.c.position)
)
_ACTIVE_OPERATION = _OPERATIONS.where(OPERATION.c.key == _KEY, IS_UNFINISHED)
_LAST_OPERATION = _OPERATIONS.where(OPERATION.c.key == _KEY).order_by(OPERATION.c.seq.desc()).limit(1)
_LATER = OPERATION.alias("later")
_STUCK = (
    select(OPERATION.c.key, OPERATION.c.change, OPERATION.c.reason)
    .where(
        OPERATION.c.status == "needs_attention",
        ~select(_LATER.c.seq).where(_LATER.c.key == OPERATION.c.key, _LATER.c.seq > OPERATION.c.seq).exists(),
    )
    .order_by(OPERATION.c.key)
)
_LAST_TURN = (
    select(OPERATION.c.id, OPERATION.c.fence).where(OPERATION.c.key == _KEY).order_by(OPERATION.c.seq.desc()).limit(1)
)
_PLACEMENTS = select(*columns_of(PLACEMENT, Placement)).where(PLACEMENT.c.key == _KEY).order_by(PLACEMENT.c.place)
_SPEC: BindParameter[str] = bindparam("spec")
_OVERRIDES = (
    select(*columns_of(OVERRIDE, Override))
    .where(OVERRIDE.c.key == _KEY, OVERRIDE.c.spec == _SPEC)
    .order_by(OVERRIDE.c.code, OVERRIDE.c.pointer)
)
_REVIEWS = (
    select(*columns_of(REVIEW, Review)).where(REVIEW.c.key == _KEY, REVIEW.c.spec == _SPEC).order_by(REVIEW.c.team)
)
_APPLIED_PLAN = (
    _PLANS.join(OPERATION, OPERATION.c.handle == PLAN.c.handle)
    .where(OPERATION.c.key == _KEY, OPERATION.c.status == "applied")
    .where(OPERATION.c.change.in_(bindparam("changes", expanding=True)))
    .order_by(OPERATION.c.seq.desc())
    .limit(1)
)
_STEPS_OF = (
    select(OPERATION_STEP.c.step)
    .join(OPERATION, OPERATION.c.id == OPERATION_STEP.c.operation)
    .where(OPERATION.c.key == _KEY)
    .order_by(OPERATION.c.seq, OPERATION_STEP.c.position)
)
_PREVIEWS = select(PREVIEW.c.units).where(PREVIEW.c.key == _KEY)
_TEST_UNITS = select(PREVIEW.c.key, PREVIEW.c.units).order_by(PREVIEW.c.key)


def _place_of(group: LiveGroup) -> tuple[str, ...]:
    return (group.surface, group.layer, *group.touched)


class SqlReader:
    """One consistent view: it lives as long as the transaction of its connection."""

    def __init__(self, connection: Connection, full_text: FullText) -> None:
        self._connection = connection
        self._full_text = full_text

    def experiment(self, key: str, version: int | None = None) -> Record | None:
        if version is None:
            found = self._models(Record, _RECORD_NOW, {"key": key})
        else:
            found = self._models(Record, _RECORD_AT, {"key": key, "version": version})
        return next(iter(found), None)

    def search(
        self,
        *,
        surface: str | None = None,
        states: frozenset[State] | None = None,
        owner: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[Summary]:
        values, page = filters(surface, states, owner), Values()
        if after is not None:
            page = {"last_updated": after[0], "last_key": after[1]}
        return self._models(Summary, latest(frozenset(values), bool(page)), {**values, **page, "limit": limit})

    def matching(
        self,
        text: str,
        *,
        surface: str | None = None,
        states: frozenset[State] | None = None,
        owner: str | None = None,
        touching: Sequence[str] = (),
        after: tuple[float, str] | None = None,
        newest: int | None = None,
        limit: int,
    ) -> list[Match]:
        words = self._full_text.wanted(text, surface, touching)
        if words is None:
            return []
        values, page = filters(surface, states, owner), Values()
        if after is not None:
            page = {"last_score": after[0], "last_key": after[1]}
        given: Values = {**values, **page, **words, "newest": newest, "limit": limit}
        found = self._models(Match, self._full_text.matching(frozenset(values), newest is not None, bool(page)), given)
        # Names of two parameters can be the same words, owners and metrics too.
        return [each for each in found if not touching or not set(touching).isdisjoint(each.touched)]

    def keys(self) -> list[str]:
        return list(self._connection.execute(select(EXPERIMENT.c.key).order_by(EXPERIMENT.c.key)).scalars())

    def live_on(self, surface: str, environment: str) -> int:
        return self._connection.execute(LIVE_ON, {"environment": environment, "surface": surface}).scalar_one()

    def live_audiences(self, environment: str, surfaces: Sequence[str]) -> list[str]:
        values: Values = {"environment": environment, "surfaces": list(surfaces)}
        return list(self._connection.execute(AUDIENCES, values).scalars())

    def live_beside(
        self, environment: str, surfaces: Sequence[str], audiences: Sequence[str], today: date, start: date
    ) -> list[LiveGroup]:
        met: Values = {"environment": environment, "surfaces": list(surfaces), "audiences": list(audiences)}
        found = models_of(LiveGroup, ((*row, []) for row in self._connection.execute(GROUPS, met)))
        if start <= today:
            return found
        rows = self._connection.execute(ENDING, {**met, "today": today, "start": start})
        ending = {_place_of(group): group.count for group in models_of(LiveGroup, ((*row, []) for row in rows))}
        left = [(group, group.count - ending.get(_place_of(group), 0)) for group in found]
        return [group.model_copy(update={"count": count}) for group, count in left if count > 0]

    def members(
        self, group: LiveGroup, environment: str, audiences: Sequence[str], today: date, start: date, limit: int
    ) -> list[Member]:
        met: Values = {"environment": environment, "surfaces": [group.surface], "audiences": list(audiences)}
        which: Values = {"layer": group.layer, "touched": group.touched, "limit": limit}
        if start <= today:
            return self._models(Member, MEMBERS, {**met, **which})
        return self._models(Member, MEMBERS_THEN, {**met, **which, "today": today, "start": start})

    def released(self, layer: str, since: datetime) -> list[ReleasedRange]:
        rows = self._connection.execute(RELEASED, {"layer": layer, "since": since})
        return [ReleasedRange(lo=lo, hi=hi, key=key, day=released.date()) for lo, hi, key, released in rows]

    def last_release(self, key: str) -> datetime | None:
        return self._connection.execute(LAST_RELEASE, {"key": key}).scalar()

    def held(self, *layers: str) -> list[HeldRange]:
        return self._models(HeldRange, _HELD, {"layers": list(layers)})

    def uses(self, *layers: str) -> list[LayerUse]:
        return models_of(LayerUse, self._connection.execute(_USES, {"layers": list(layers)}))

    def ranges_of(self, key: str) -> list[BucketRange]:
        return self._models(BucketRange, _RANGES_OF, {"key": key})

    def proposed(self, layer: str, key: str, now: datetime) -> list[BucketRange]:
        values: Values = {"layer": layer, "key": key, "now": now}
        plans = self._connection.execute(_PROPOSED, values).scalars()
        return [BucketRange.model_validate(part) for ranges in plans for part in ranges]

    def plan(self, handle: str) -> Plan | None:
        row = self._first(_PLAN, {"handle": handle})
        return Plan.model_validate(dict(row)) if row else None

    def approval(self, handle: str) -> Approval | None:
        row = self._first(_APPROVAL, {"handle": handle})
        return Approval.model_validate(dict(row)) if row else None

    def declined(self, key: str, change: Change, now: datetime) -> list[Plan]:
        rows = self._connection.execute(_DECLINED, {"key": key, "change": change, "now": now}).mappings()
        return [Plan.model_validate(dict(row)) for row in rows]

    def overrides(self, key: str, spec: str) -> list[Override]:
        return self._models(Override, _OVERRIDES, {"key": key, "spec": spec})

    def reviews(self, key: str, spec: str) -> list[Review]:
        return self._models(Review, _REVIEWS, {"key": key, "spec": spec})

    def operation(self, operation_id: str) -> Operation | None:
        return self._operation(_OPERATION, {"id": operation_id})

    def fence_of(self, operation_id: str) -> int | None:
        return self._connection.execute(_FENCE_OF, {"id": operation_id}).scalar()

    def operation_of(self, handle: str) -> Operation | None:
        return self._operation(_OPERATION_OF, {"handle": handle})

    def applied_plan(self, key: str, changes: frozenset[Change]) -> Plan | None:
        row = self._first(_APPLIED_PLAN, {"key": key, "changes": sorted(changes)})
        return Plan.model_validate(dict(row)) if row else None

    def active_operation(self, key: str) -> Operation | None:
        return self._operation(_ACTIVE_OPERATION, {"key": key})

    def last_operation(self, key: str) -> Operation | None:
        return self._operation(_LAST_OPERATION, {"key": key})

    def last_turn(self, key: str) -> tuple[str, int] | None:
        row = self._connection.execute(_LAST_TURN, {"key": key}).first()
        return (row.id, row.fence) if row is not None else None

    def abandoned(self, now: datetime) -> list[str]:
        column = OPERATION.c
        query = (
            select(column.id).where(IS_UNFINISHED, column.lease_until <= now).order_by(column.lease_until, column.seq)
        )
        return list(self._connection.execute(query).scalars())

    def stuck(self) -> list[tuple[str, Change, str | None]]:
        return [(row.key, row.change, row.reason) for row in self._connection.execute(_STUCK)]

    def placements(self, key: str) -> list[Placement]:
        return [placement_of(row) for row in self._connection.execute(_PLACEMENTS, {"key": key}).mappings()]

    def steps_of(self, key: str) -> list[Step]:
        return [Step.model_validate(step) for step in self._connection.execute(_STEPS_OF, {"key": key}).scalars()]

    def previews(self, key: str) -> dict[str, list[str]]:
        units = self._connection.execute(_PREVIEWS, {"key": key}).scalar_one_or_none()
        return units or {}

    def test_units(self) -> dict[str, dict[str, list[str]]]:
        return {row.key: row.units for row in self._connection.execute(_TEST_UNITS) if row.units}

    def due(self, now: datetime) -> list[Due]:
        return self._models(Due, DUE_NOW, {"now": now})

    def agenda(self, key: str) -> list[Due]:
        return self._models(Due, AGENDA, {"key": key})

    def exposures(self, keys: Sequence[str]) -> dict[str, Exposure]:
        return {each.key: each for each in self._models(Exposure, EXPOSURES, {"keys": list(keys)})}

    def imported(self, environment: str) -> list[Imported]:
        return self._models(Imported, IMPORTS, {"of_environment": environment})

    def heartbeats(self) -> list[Heartbeat]:
        return self._models(Heartbeat, HEARTBEATS)

    def audit_of(self, subject: str, limit: int) -> list[AuditEvent]:
        # In the order of the transactions: the clocks of two machines may disagree.
        newest_first = AUDIT.c.seq.desc()
        of_subject = select(*columns_of(AUDIT, AuditEvent)).where(AUDIT.c.subject == subject)
        return self._models(AuditEvent, of_subject.order_by(newest_first).limit(limit))

    def _models(self, model: type[M], query: Query, values: Values | None = None) -> list[M]:
        return models_of(model, self._connection.execute(query, values).all())

    def _operation(self, query: Query, values: Values | None = None) -> Operation | None:
        row = self._first(query, values)
        if row is None:
            return None
        steps = self._connection.execute(_OPERATION_STEPS, {"id": row["id"]}).mappings().all()
        return operation_of(row, steps)

    def _first(self, query: Query, values: Values | None = None) -> RowMapping | None:
        return self._connection.execute(query, values).mappings().first()
