"""Carry a plan out, one step at a time, so that every crash leaves a state that the next process can finish.

The journal says what is intended before it is done. A step's write is a compare-and-swap of our own entry, so doing it
twice is doing it once. Before traffic opens a failure undoes what was done, the failed step included, since its effect
is unknown; pause and stop only ever go forward.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import JsonValue

from ..documents import JsonObject, same
from ..errors import BackendChanged, BackendFailed, Conflict, Stale
from ..model.experiment import TRANSITIONS, Record
from ..model.plan import Approval, AuditEvent, Operation, OperationStep, Plan, Step
from ..ports.backend import Backend
from ..ports.store import Placement, Reader, Writer
from . import calls
from .dependencies import Dependencies

ATTEMPTS = 3
"""Writes tried of one step, the first included, while the backend says that trying again can help."""
BACKOFF = (0.2, 1.0)
"""Seconds before the second and the third attempt."""

Progress = Callable[[int, int, str], None]


def begin(deps: Dependencies, tx: Writer, plan: Plan, record: Record, approval: Approval) -> Operation:
    """The first transaction of an apply: take the buckets, move the experiment, declare the first step.

    Raises:
        Conflict: somebody holds one of the buckets, or is changing the experiment already.
    """
    now = deps.clock.now()
    after = TRANSITIONS[record.state, plan.change]
    launching = plan.change == "launch"
    if launching:
        days = plan_days(record.document)
        tx.hold(plan.layer, plan.ranges, record.key, now.date() + timedelta(days=days) if days else None, now)
    changed = record.model_copy(
        update={
            "state": "scheduled" if launching else record.state,
            "launches": record.launches + (1 if launching else 0),
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
            OperationStep(step=step, status="intended" if index == 0 else "pending")
            for index, step in enumerate(plan.steps)
        ],
        started=now,
    )
    tx.insert_operation(operation)
    _place(tx, operation)
    _audit(deps, tx, operation, "operation_started")
    if not operation.steps:
        operation = _finish(deps, tx, operation, "applied")
        tx.update_operation(operation, operation.fence)
    return operation


def _next_fence(view: Reader, key: str, now: datetime) -> int:
    """Above every fence of the experiment, also of one of the same key in a store that was lost since: the time, in
    milliseconds, is above what that store gave out."""
    last = view.last_operation(key)
    return max(last.fence + 1 if last else 1, round(now.timestamp() * 1000))


def plan_days(document: JsonObject) -> int | None:
    design = document.get("design")
    days = design.get("days") if isinstance(design, dict) else None
    return days if isinstance(days, int) else None


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
        turns = operation.direction == "forward" and late and _can_undo(operation)
        taken = operation.model_copy(
            update={
                "fence": operation.fence + 1,
                "lease_owner": deps.runner,
                "lease_until": now + deps.lease,
                "status": "running",
                "direction": "undo" if turns else operation.direction,
                "steps": [step.model_copy(update={"attempts": 0}) for step in operation.steps],
                "reason": "the plan expired before traffic opened" if turns else operation.reason,
            }
        )
        tx.update_operation(taken, operation.fence)
        _audit(deps, tx, taken, "operation_resumed")
    return taken


def is_free(deps: Dependencies, operation: Operation) -> bool:
    """Whether nobody is at work on an operation now: it has ended or waits, its lease has run out, or it is ours and
    no thread of ours advances it."""
    mine = operation.lease_owner == deps.runner and (operation.id, operation.fence) not in deps.underway
    return mine or operation.status != "running" or operation.lease_until <= deps.clock.now()


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


def run(deps: Dependencies, operation: Operation, progress: Progress | None = None) -> Operation:
    """Advance an operation that this process holds until it ends.

    Raises:
        Conflict: another process has taken it over.
    """
    held = (operation.id, operation.fence)
    deps.underway.add(held)
    try:
        while operation.status == "running":
            operation = advance(deps, operation)
            if progress is not None:
                _tell(deps, operation, progress)
    finally:
        deps.underway.discard(held)
    return operation


def _tell(deps: Dependencies, operation: Operation, progress: Progress) -> None:
    ended = sum(step.status in ("done", "undone") for step in operation.steps)
    try:
        progress(ended, len(operation.steps), operation.direction)
    except Exception as error:  # whoever listens may be gone, which must not leave the operation half done
        deps.log("progress_lost", {"operation": operation.id, "error": type(error).__name__})


def advance(deps: Dependencies, operation: Operation) -> Operation:
    """One effect, then one transaction that finishes its step and declares the next intent.

    Raises:
        Conflict: another process has taken the operation over; nothing was written.
    """
    _require_held(deps, operation)
    index = _current(operation)
    failure = _effect(deps, operation, operation.steps[index])
    if failure is not None:
        return _after_failure(deps, operation, index, failure)
    ended = "done" if operation.direction == "forward" else "undone"
    steps = list(operation.steps)
    steps[index] = steps[index].model_copy(update={"status": ended, "error": None, "at": deps.clock.now()})
    return _record(deps, _with_next_intent(operation, steps))


def _require_held(deps: Dependencies, operation: Operation) -> None:
    """Asked right before each effect, which spares a late process the attempt; the backend refuses an older fence."""
    with deps.store.read() as view:
        kept = view.operation(operation.id)
    if kept is None or kept.fence != operation.fence:
        raise Conflict("Another process has taken the operation over.", got=operation.id)


def _current(operation: Operation) -> int:
    """The step to do or undo next; a running operation has one. Undoing starts with the last step that may have had
    an effect."""
    if operation.direction == "forward":
        return next(index for index, step in enumerate(operation.steps) if step.status in ("intended", "pending"))
    return max(index for index, step in enumerate(operation.steps) if step.status in ("intended", "undoing", "done"))


def _effect(deps: Dependencies, operation: Operation, each: OperationStep) -> BackendFailed | None:
    """Write, then read back: only what is really there counts as done. Where nothing can be written any more, an undo
    is content to find that there is nothing to undo."""
    step = each.step
    forward = operation.direction == "forward"
    before, after = (step.before, step.after) if forward else (step.after, step.before)
    backend = deps.backend(step.place.kind)
    try:
        place, fence = step.place, operation.fence
        backend.write(place.settings, place.document, step.entry, before=before, after=after, fence=fence)
    except BackendFailed as failure:
        return failure if forward or not _holds(backend, step, after) else None
    try:
        if not same(backend.read(step.place.settings, step.place.document, step.entry), after):
            return BackendChanged("The entry is not there after it was written; something else writes this document.")
    except BackendFailed as failure:
        return failure
    return None


def _holds(backend: Backend, step: Step, wanted: JsonObject | None) -> bool:
    try:
        return same(backend.read(step.place.settings, step.place.document, step.entry), wanted)
    except BackendFailed:
        return False


def _with_next_intent(operation: Operation, steps: list[OperationStep]) -> Operation:
    if operation.direction == "forward":
        following = next((index for index, step in enumerate(steps) if step.status == "pending"), None)
        if following is not None:
            steps[following] = steps[following].model_copy(update={"status": "intended"})
    else:
        following = next((index for index in reversed(range(len(steps))) if steps[index].status == "done"), None)
        if following is not None:
            steps[following] = steps[following].model_copy(update={"status": "undoing"})
    return operation.model_copy(update={"steps": steps})


def _after_failure(deps: Dependencies, operation: Operation, index: int, failure: BackendFailed) -> Operation:
    steps = list(operation.steps)
    attempts = steps[index].attempts + 1
    steps[index] = steps[index].model_copy(update={"attempts": attempts, "error": failure.message})
    if failure.retryable and attempts < ATTEMPTS:
        retried = _record(deps, operation.model_copy(update={"steps": steps}))
        deps.clock.sleep(BACKOFF[attempts - 1])
        return retried
    reason = f"{steps[index].step.place.backend}: {failure.message}"
    if operation.direction == "forward" and _can_undo(operation):
        fresh = [step.model_copy(update={"attempts": 0}) for step in steps]  # the undo has its own retries
        turned = operation.model_copy(update={"steps": fresh, "direction": "undo", "reason": reason})
        return _record(deps, turned)
    stuck = operation.model_copy(update={"steps": steps, "reason": reason, "status": "needs_attention"})
    return _record(deps, stuck)


def _can_undo(operation: Operation) -> bool:
    """Only what opens traffic is undone; taking exposure away is never taken back."""
    return any(each.step.opens_traffic for each in operation.steps)


def _record(deps: Dependencies, operation: Operation) -> Operation:
    """Write the journal, renew the lease, and end the operation when nothing is left to do."""
    with deps.store.write() as tx:
        operation = operation.model_copy(update={"lease_until": deps.clock.now() + deps.lease})
        if operation.status == "running" and _ended(operation):
            operation = _finish(deps, tx, operation, "applied" if operation.direction == "forward" else "undone")
        elif operation.status == "needs_attention":
            _audit(deps, tx, operation, "operation_stuck")
        tx.update_operation(operation, operation.fence)
        _place(tx, operation)
    return operation


def _ended(operation: Operation) -> bool:
    if operation.direction == "forward":
        return all(step.status == "done" for step in operation.steps)
    return not any(step.status in ("intended", "undoing", "done") for step in operation.steps)


def _place(tx: Writer, operation: Operation) -> None:
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


def _finish(deps: Dependencies, tx: Writer, operation: Operation, status: str) -> Operation:
    now = deps.clock.now()
    record = tx.experiment(operation.key)
    if record is None:
        raise Conflict("The experiment of this operation is gone.", got=operation.key)
    applied = status == "applied"
    state = operation.to_state if applied else operation.from_state
    launched = applied and operation.change == "launch"
    update: dict[str, object] = {"state": state, "updated": now}
    if launched:
        update["started"] = now
    tx.update_experiment(record.model_copy(update=update), record.version)
    if state in ("draft", "stopped"):
        tx.release(operation.key, now)
    if state == "stopped":
        tx.set_previews(operation.key, {})
    elif applied and operation.change in ("launch", "resume", "preview"):
        _keep_previews(tx, operation, now)
    reason = None if applied else operation.reason  # what it was once stuck on is over
    finished = operation.model_copy(update={"status": status, "finished": now, "reason": reason})
    _audit(deps, tx, finished, f"operation_{status}")
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


def _audit(deps: Dependencies, tx: Writer, operation: Operation, what: str) -> None:
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
