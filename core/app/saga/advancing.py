"""Advance an operation: one effect, then one transaction."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from ...documents import JsonObject, same
from ...errors import BackendChanged, BackendFailed, Conflict
from ...model.experiment import NARROWING
from ...model.plan import Failure, Operation, OperationStep, Step
from ...ports.backend import Backend
from ...urgency import closing
from ..dependencies import Dependencies
from .journal import can_undo, record, turned

ATTEMPTS = 3
"""Writes tried of one step, the first included, while the backend says that trying again can help."""
BACKOFF = (0.2, 1.0)
"""Seconds before the second and the third attempt."""

CANCELLED = "the call was cancelled before traffic opened"


@dataclass(frozen=True)
class Caller:
    """Whoever waits for a change: hears (operation, steps ended, steps) once the journal has it and nothing can be lost
    any more, then (steps ended, steps, direction) after each step, and may want it no more."""

    progress: Callable[[int, int, str], None] = lambda done, of, direction: None
    cancelled: Callable[[], bool] = lambda: False
    accepted: Callable[[str, int, int], None] = lambda operation, done, of: None


NOBODY = Caller()


def run(deps: Dependencies, operation: Operation, caller: Caller = NOBODY) -> Operation:
    """Advance an operation that this process holds until it ends. When it is cancelled before traffic opens, it is
    undone; after that, and when it takes exposure away, it goes on.

    Raises:
        Conflict: another process has taken it over.
    """
    held = (operation.id, operation.fence)
    deps.underway.add(held)
    try:
        if operation.status == "running":
            tell_accepted(deps, operation, caller)
        while operation.status == "running":
            if operation.direction == "forward" and caller.cancelled():
                operation = _cancel(deps, operation)
            operation = advance(deps, operation)
            with _heard(deps, operation):
                caller.progress(_steps_ended(operation), len(operation.steps), operation.direction)
    finally:
        deps.underway.discard(held)
    return operation


def _cancel(deps: Dependencies, operation: Operation) -> Operation:
    opening = any(each.step.opens_traffic and each.status == "done" for each in operation.steps)
    return operation if opening or not can_undo(operation) else record(deps, turned(operation, CANCELLED))


def tell_accepted(deps: Dependencies, operation: Operation, caller: Caller) -> None:
    with _heard(deps, operation):
        caller.accepted(operation.id, _steps_ended(operation), len(operation.steps))


def _steps_ended(operation: Operation) -> int:
    return sum(step.status in ("done", "undone") for step in operation.steps)


@contextmanager
def _heard(deps: Dependencies, operation: Operation) -> Generator[None]:
    try:
        yield
    except Exception as error:  # whoever listens may be gone, which must not leave the operation half done
        deps.log("progress_lost", {"operation": operation.id, "error": type(error).__name__})


def advance(deps: Dependencies, operation: Operation) -> Operation:
    """One effect, then one transaction that finishes its step and declares the next intent.

    Raises:
        Conflict: another process has taken the operation over; nothing was written.
    """
    began = deps.clock.now()
    _require_held(deps, operation)
    index = _current(operation)
    called = deps.clock.now()
    with closing(operation.change in NARROWING or operation.direction == "undo"):
        failure = _effect(deps, operation, operation.steps[index])
    ended = deps.clock.now()
    steps = list(operation.steps)
    steps[index] = _timed(steps[index], began, called, ended)
    operation = operation.model_copy(update={"steps": steps})
    if failure is not None:
        return _after_failure(deps, operation, index, failure)
    status = "done" if operation.direction == "forward" else "undone"
    done = steps[index].model_copy(update={"status": status, "error": None, "at": ended})
    return record(deps, _with_next_intent(operation, [*steps[:index], done, *steps[index + 1 :]], ended))


def _timed(each: OperationStep, began: datetime, called: datetime, ended: datetime) -> OperationStep:
    """The step with the time of one more attempt. A clock that was set back takes nothing away."""
    spent = {
        "queue": each.queue + _seconds(each.declared or began, began),
        "own": each.own + _seconds(began, called),
        "backend": each.backend + _seconds(called, ended),
    }
    return each.model_copy(update={**spent, "declared": ended})


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def _require_held(deps: Dependencies, operation: Operation) -> None:
    """Asked right before each effect, which spares a late process the attempt; the backend refuses an older fence."""
    with deps.store.read() as view:
        fence = view.fence_of(operation.id)
    if fence != operation.fence:
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
            return BackendChanged(
                "The entry is not there after it was written.",
                next="See what else writes to it, or keeps it otherwise than it is given.",
            )
    except BackendFailed as failure:
        return failure
    return None


def _holds(backend: Backend, step: Step, wanted: JsonObject | None) -> bool:
    try:
        return same(backend.read(step.place.settings, step.place.document, step.entry), wanted)
    except BackendFailed:
        return False


def _with_next_intent(operation: Operation, steps: list[OperationStep], now: datetime) -> Operation:
    if operation.direction == "forward":
        following = next((index for index, step in enumerate(steps) if step.status == "pending"), None)
        if following is not None:
            steps[following] = steps[following].model_copy(update={"status": "intended", "declared": now})
    else:
        following = next((index for index in reversed(range(len(steps))) if steps[index].status == "done"), None)
        if following is not None:
            steps[following] = steps[following].model_copy(update={"status": "undoing", "declared": now})
    return operation.model_copy(update={"steps": steps})


def _after_failure(deps: Dependencies, operation: Operation, index: int, failure: BackendFailed) -> Operation:
    steps = list(operation.steps)
    attempts = steps[index].attempts + 1
    steps[index] = steps[index].model_copy(update={"attempts": attempts, "error": failure.message})
    pause = max(BACKOFF[attempts - 1], failure.retry_after or 0.0) if attempts < ATTEMPTS else 0.0
    # A wait as long as the lease would hand the operation to somebody who may not wait either.
    if failure.retryable and attempts < ATTEMPTS and pause <= deps.lease.total_seconds() / 2:
        retried = record(deps, operation.model_copy(update={"steps": steps}))
        deps.clock.sleep(pause)
        return retried
    failed = operation.model_copy(update={"steps": steps, "failure": _kept(steps[index], failure)})
    reason = f"{steps[index].step.place.backend}: {failure.told}"
    if operation.direction == "forward" and can_undo(operation):
        return record(deps, turned(failed, reason))
    return record(deps, failed.model_copy(update={"reason": reason, "status": "needs_attention"}))


def _kept(each: OperationStep, failure: BackendFailed) -> Failure:
    return Failure(
        target=each.step.target,
        message=failure.message,
        got=failure.got,
        remedy=failure.next,
        attempts=each.attempts,
    )
