"""What a change that was applied leaves to be done, and how far it lets units in: kept with its last transaction."""

from __future__ import annotations

from datetime import datetime

from ...checks.shape import read_spec
from ...model.experiment import Change, Record, Spec, State
from ...model.plan import Plan
from ...planning.agenda import stages_after
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
        tx.set_agenda(key, [each for each in tx.agenda(key) if each.kind != "ramp"])
    elif plan.change in _LETS_IN and plan.stage is not None:
        spec = read_spec(record.document)
        if isinstance(spec, Spec):
            _let_in(tx, plan, key, spec, plan.stage, now)


def _let_in(tx: Writer, plan: Plan, key: str, spec: Spec, stage: int, now: datetime) -> None:
    before = tx.exposures([key]).get(key)
    lowered = before is not None and before.stage > stage
    others = [each for each in tx.agenda(key) if each.kind != "ramp"]
    if plan.rests_on is not None:
        stages = [each for each in tx.agenda(key) if each.kind == "ramp" and (each.stage or 0) > stage]
    elif lowered:
        stages = []  # somebody who lets fewer in has a reason that no clock knows
    else:
        stages = [_due(key, plan, index, at) for index, at in stages_after(spec, stage, now)]
    tx.set_agenda(key, [*others, *stages])
    coverages = spec.coverages
    at = Exposure(key=key, stage=stage, stages=len(coverages), coverage=coverages[stage], since=now)
    tx.set_exposure(key, at)


def _due(key: str, plan: Plan, stage: int, at: datetime) -> Due:
    return Due(key=key, kind="ramp", at=at, stage=stage, handle=plan.handle, again=at)
