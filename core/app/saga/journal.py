"""What is kept of an operation: its journal, the state of its experiment, and what is delivered where."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from ...documents import JsonObject
from ...errors import Conflict
from ...model.plan import AuditEvent, Operation
from ...ports.store import Placement, Writer
from ..dependencies import Dependencies
from .agenda import keep_agenda


def record(deps: Dependencies, operation: Operation) -> Operation:
    """Write the journal, renew the lease, and end the operation when nothing is left to do."""
    with deps.store.write() as tx:
        operation = operation.model_copy(update={"lease_until": deps.clock.now() + deps.lease})
        if operation.status == "running" and _ended(operation):
            operation = finish(deps, tx, operation, "applied" if operation.direction == "forward" else "undone")
        elif operation.status == "needs_attention":
            audit_operation(deps, tx, operation, "operation_stuck")
        tx.update_operation(operation, operation.fence)
        keep_places(tx, operation)
    return operation


def _ended(operation: Operation) -> bool:
    if operation.direction == "forward":
        return all(step.status == "done" for step in operation.steps)
    return not any(step.status in ("intended", "undoing", "done") for step in operation.steps)


def can_undo(operation: Operation) -> bool:
    """Only what opens traffic is undone; taking exposure away is never taken back, and nothing is gained by bringing
    back what somebody else made of a delivery."""
    return operation.change != "reconcile" and any(each.step.opens_traffic for each in operation.steps)


def afresh(operation: Operation) -> Operation:
    """The operation with all its retries before it."""
    return operation.model_copy(update={"steps": [step.model_copy(update={"attempts": 0}) for step in operation.steps]})


def turned(operation: Operation, reason: str) -> Operation:
    """The operation on its way back; the undo has its own retries."""
    return afresh(operation).model_copy(update={"direction": "undo", "reason": reason})


def keep_places(tx: Writer, operation: Operation) -> None:
    """Keep the list of what the experiment has where equal to what the steps have done.

    What a step may have put somewhere is on the list before it is written: a stop has to find it there, whatever
    becomes of the step.
    """
    for each in operation.steps:
        step, done = each.step, each.status != "undone"
        unknown = each.status in ("intended", "undoing")
        if each.status == "pending" or (unknown and step.after is None):
            continue
        present = step.after if done else step.before
        if present is None:
            tx.remove_placement(operation.key, step.place)
        else:
            opens = step.opens_traffic and (done or operation.from_state == "running")
            tx.put_placement(Placement(key=operation.key, place=step.place, entry=present, opens_traffic=opens))


def finish(deps: Dependencies, tx: Writer, operation: Operation, status: str) -> Operation:
    now = deps.clock.now()
    record = tx.experiment(operation.key)
    if record is None:
        raise Conflict("The experiment of this operation is gone.", got=operation.key)
    applied = status == "applied"
    state = operation.to_state if applied else operation.from_state
    update: dict[str, object] = {"state": state, "updated": now}
    if state == "running" and record.started is None:
        update["started"] = now
    tx.update_experiment(record.model_copy(update=update), record.version)
    if state in ("draft", "stopped"):
        tx.release(operation.key, now)
    if state == "stopped":
        tx.set_previews(operation.key, {})
    elif applied and operation.change in ("launch", "resume", "preview"):
        _keep_previews(tx, operation, now)
    if applied:
        plan = tx.plan(operation.handle)
        assert plan is not None
        keep_agenda(tx, plan, record, state, now)
    reason = None if applied else operation.reason  # what it was once stuck on is over
    finished = operation.model_copy(update={"status": status, "finished": now, "reason": reason})
    audit_operation(deps, tx, finished, f"operation_{status}")
    return finished


def _keep_previews(tx: Writer, operation: Operation, now: datetime) -> None:
    """Not before they are delivered: a later launch would serve units of a preview that never was."""
    plan = tx.plan(operation.handle)
    assert plan is not None
    key, before = operation.key, tx.previews(operation.key)
    if before == plan.previews:
        return
    tx.set_previews(key, plan.previews)
    was, now_are = _as_json(before), _as_json(plan.previews)
    tx.audit(AuditEvent(at=now, who=operation.by, what="previews_set", subject=key, before=was, after=now_are))


def _as_json(previews: dict[str, list[str]]) -> JsonObject:
    return {variant: list[JsonValue](units) for variant, units in previews.items()}


def audit_operation(deps: Dependencies, tx: Writer, operation: Operation, what: str) -> None:
    after: JsonObject = {
        "operation": operation.id,
        "digest": operation.handle,
        "change": operation.change,
        "assurance": operation.assurance,
        "by": operation.by,
    }
    if operation.reason:
        after["reason"] = operation.reason
    tx.audit(AuditEvent(at=deps.clock.now(), who=deps.actor, what=what, subject=operation.key, after=after))
