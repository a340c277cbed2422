"""Advance an operation: one effect, then one transaction."""

from __future__ import annotations

from collections.abc import Callable

from ...documents import JsonObject, same
from ...errors import BackendChanged, BackendFailed, Conflict
from ...model.plan import Operation, OperationStep, Step
from ...ports.backend import Backend
from ..dependencies import Dependencies
from .journal import can_undo, record

ATTEMPTS = 3
"""Writes tried of one step, the first included, while the backend says that trying again can help."""
BACKOFF = (0.2, 1.0)
"""Seconds before the second and the third attempt."""

Progress = Callable[[int, int, str], None]
"""(steps ended, steps, direction)"""


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
    return record(deps, _with_next_intent(operation, steps))


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
        retried = record(deps, operation.model_copy(update={"steps": steps}))
        deps.clock.sleep(BACKOFF[attempts - 1])
        return retried
    reason = f"{steps[index].step.place.backend}: {failure.message}"
    if operation.direction == "forward" and can_undo(operation):
        fresh = [step.model_copy(update={"attempts": 0}) for step in steps]  # the undo has its own retries
        turned = operation.model_copy(update={"steps": fresh, "direction": "undo", "reason": reason})
        return record(deps, turned)
    stuck = operation.model_copy(update={"steps": steps, "reason": reason, "status": "needs_attention"})
    return record(deps, stuck)
