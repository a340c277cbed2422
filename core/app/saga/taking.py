"""Begin an operation, or take over one that another process left."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from ...documents import JsonObject
from ...errors import Stale
from ...model.experiment import TRANSITIONS, Record, State
from ...model.plan import Approval, Operation, OperationStep, Plan
from ...planning.agenda import end_of
from ...ports.store import Reader, Writer
from .. import calls
from ..dependencies import LONGEST_LEASE, Dependencies
from .journal import afresh, audit_operation, can_undo, finish, keep_places, turned

EXPIRED = "the plan expired before traffic opened"


def begin(deps: Dependencies, tx: Writer, plan: Plan, record: Record, approval: Approval) -> Operation:
    """The first transaction of an apply: take the buckets, move the experiment, declare the first step.

    Raises:
        Conflict: somebody holds one of the buckets, or is changing the experiment already.
    """
    now = deps.clock.now()
    after: State = "scheduled" if plan.opens is not None else TRANSITIONS[record.state, plan.change]
    launching = plan.change == "launch"
    if launching:
        until = planned_end(record.document, (plan.opens or now).date())
        tx.hold(plan.layer, plan.ranges, record.key, until, now)
    changed = record.model_copy(
        update={
            "state": "scheduled" if launching else record.state,
            "launches": record.launches + (1 if record.state == "draft" and launching else 0),
            "updated": now,
        }
    )
    tx.update_experiment(changed, record.version)
    operation = Operation(
        id=f"o-{uuid.uuid4().hex[:12]}",
        handle=plan.handle,
        key=plan.key,
        change=plan.change,
        status="running",
        fence=_next_fence(tx, record.key, now),
        lease_owner=deps.runner,
        lease_until=now + deps.lease,
        expires=plan.expires,
        from_state=record.state,
        to_state=after,
        by=approval.by,
        assurance=approval.assurance,
        steps=[
            OperationStep(step=step, status="intended", declared=now) if index == 0 else OperationStep(step=step)
            for index, step in enumerate(plan.steps if plan.opens is None else [])
        ],
        started=now,
    )
    tx.insert_operation(operation)
    keep_places(tx, operation)
    audit_operation(deps, tx, operation, "operation_started")
    if not operation.steps:
        operation = finish(deps, tx, operation, "applied")
        tx.update_operation(operation, operation.fence)
    return operation


def _next_fence(view: Reader, key: str, now: datetime) -> int:
    """Above every fence of the experiment, also of one of the same key in a store that was lost since: the time, in
    milliseconds, is above what that store gave out."""
    _, fence = view.last_turn(key) or ("", 0)
    return max(fence + 1, round(now.timestamp() * 1000))


def planned_end(document: JsonObject, start: date) -> date | None:
    """The day on which a run from `start` on should be over: a forecast, for whoever waits for its buckets."""
    schedule, design = document.get("schedule"), document.get("design")
    end = schedule.get("end") if isinstance(schedule, dict) else None
    if isinstance(end, str):
        return end_of(date.fromisoformat(end)).date()
    days = design.get("days") if isinstance(design, dict) else None
    return start + timedelta(days=days) if isinstance(days, int) and days else None


def claim(deps: Dependencies, operation_id: str) -> Operation | None:
    """Take an unfinished operation over under a new fence. One that was applied or undone comes back as it is; None
    when there is no such operation, or while another process, or another thread of this one, is at work on it.

    Raises:
        Stale: it was stuck, and a later change of the experiment has taken its place.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        operation = tx.operation(operation_id)
        if operation is None or operation.status in ("applied", "undone"):
            return operation
        _require_latest(tx, operation)
        if not is_free(deps, operation):
            return None
        late = now > operation.expires and not operation.opened
        turns = operation.direction == "forward" and late and can_undo(operation)
        going = turned(operation, EXPIRED) if turns else afresh(operation)
        lease = {"fence": operation.fence + 1, "lease_owner": deps.runner, "lease_until": now + deps.lease}
        taken = going.model_copy(update={**lease, "status": "running"})
        tx.update_operation(taken, operation.fence)
        audit_operation(deps, tx, taken, "operation_resumed")
    return taken


def is_free(deps: Dependencies, operation: Operation) -> bool:
    """Whether nobody is at work on an operation now: it has ended or waits, its lease has lapsed, or it is ours and
    no thread of ours advances it."""
    mine = operation.lease_owner == deps.runner and (operation.id, operation.fence) not in deps.underway
    return mine or operation.status != "running" or has_lapsed(deps, operation)


def has_lapsed(deps: Dependencies, operation: Operation) -> bool:
    """Whether its lease has run out, or reaches further than any lease can: a clock was set back since."""
    return not timedelta(0) < operation.lease_until - deps.clock.now() <= LONGEST_LEASE


def _require_latest(view: Reader, operation: Operation) -> None:
    """A stuck operation lets others begin, a stop above all. What it was to do rests on a past that is gone then."""
    last = view.last_operation(operation.key)
    if last is not None and last.id != operation.id:
        raise Stale(
            f"A later change, {last.change}, has taken the place of this {operation.change}. Nothing was changed.",
            pointer="/digest",
            got=operation.handle,
            next=calls.look_at(operation.key),
        )
