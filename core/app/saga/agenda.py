"""What a change that was applied leaves to be done, and how far it lets units in: kept with its last transaction."""

from __future__ import annotations

from datetime import datetime

from ...checks.shape import read_spec
from ...model.experiment import Change, Record, Spec, State
from ...model.plan import Plan
from ...planning.agenda import end_of, stages_after
from ...ports.store import Due, Exposure, Writer

_LETS_IN: frozenset[Change] = frozenset({"launch", "ramp", "resume"})


def keep_agenda(tx: Writer, plan: Plan, record: Record, state: State, now: datetime) -> None:
    """
    Args:
        plan: what was applied.
        state: the state that it leaves the experiment in.
    """
    key = record.key
    if state == "stopped":
        tx.set_agenda(key, [])
        tx.set_exposure(key, None)
    elif state == "paused":  # when it goes on, its stage begins anew
        tx.set_agenda(key, [each for each in tx.agenda(key) if each.kind == "end"])
    elif state == "scheduled" and plan.opens is not None:
        start = Due(key=key, kind="start", at=plan.opens, handle=plan.handle, again=plan.opens)
        tx.set_agenda(key, [start, *_end(record, plan.handle)])
    elif plan.change in _LETS_IN and plan.stage is not None:
        spec = read_spec(record.document)
        if isinstance(spec, Spec):
            _let_in(tx, plan, key, spec, plan.stage, now)


def _let_in(tx: Writer, plan: Plan, key: str, spec: Spec, stage: int, now: datetime) -> None:
    before = tx.exposures([key]).get(key)
    lowered = before is not None and before.stage > stage
    if plan.rests_on is not None and plan.change == "ramp":
        stages = [each for each in tx.agenda(key) if each.kind == "ramp" and (each.stage or 0) > stage]
    elif lowered:
        stages = []  # somebody who lets fewer in has a reason that no clock knows
    else:
        stages = [_due(key, plan.rests_on or plan.handle, index, at) for index, at in stages_after(spec, stage, now)]
    tx.set_agenda(key, [*stages, *(_end_of(key, spec, plan.rests_on or plan.handle))])
    coverages = spec.coverages
    at = Exposure(key=key, stage=stage, stages=len(coverages), coverage=coverages[stage], since=now)
    tx.set_exposure(key, at)


def _end(record: Record, handle: str) -> list[Due]:
    spec = read_spec(record.document)
    return _end_of(record.key, spec, handle) if isinstance(spec, Spec) else []


def _end_of(key: str, spec: Spec, handle: str) -> list[Due]:
    """The end of the schedule, as a list of at most one: the first moment after its last day."""
    end = spec.schedule.end
    if end is None:
        return []
    at = end_of(end)
    return [Due(key=key, kind="end", at=at, handle=handle, again=at)]


def _due(key: str, handle: str, stage: int, at: datetime) -> Due:
    return Due(key=key, kind="ramp", at=at, stage=stage, handle=handle, again=at)
