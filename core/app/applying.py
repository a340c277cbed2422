"""Apply a plan after a yes, and continue what a dead process left."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from ..errors import Conflict, NotAllowed, Stale
from ..model.answers import Applied, Status
from ..model.experiment import Record
from ..model.plan import Approval, Assurance, Operation, Plan
from ..urgency import closing
from . import calls, saga
from .approving import find_plan
from .declining import earlier_no, note_again
from .dependencies import Dependencies
from .plans import require_change
from .staleness import plan_again, require_unchanged, stale

WAIT = 0.2
"""Seconds between looks at an operation that another process holds."""
_REPEAT = re.compile(r"([,;]? then repeat (the call|this)|^Repeat the call)\.$")
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def apply(
    deps: Dependencies,
    handle: str,
    caller: saga.Caller = saga.NOBODY,
) -> Applied:
    """Apply a plan whose answer is kept, or tell whose answer is missing. A repeat is safe.

    Raises:
        NotFound: no such plan.
        Stale: something that the digest covers has changed, or the plan has expired.
        NotAllowed: the experiment's state no longer allows the change, or another change of it is under way.
        BackendFailed: a backend that the plan rests on cannot be read; one that cannot be written ends in the answer.
        Conflict: another process is applying it and shows life still, some seconds after a lease.
        CatalogueBroken, Misconfigured: the plan is one that needs the catalogue, and that cannot be used.
    """
    with deps.store.read() as view:
        found = find_plan(view, handle)
        operation = view.operation_of(handle)
        answer = view.approval(handle)
    if operation is not None:
        return _continue(deps, operation, caller)
    if found.narrows:
        answer = Approval(handle=handle, approved=True, assurance="none", by=deps.actor, at=deps.clock.now())
    if answer is None:
        require_unchanged(deps, found)
        with deps.store.read() as view:
            no = earlier_no(deps, view, found)
        if no is not None:
            note_again(deps, found, no)
            return _answer(deps, found, "declined", no.approval, no.reason, next_step=no.next)
        return _waiting(deps, found)
    if not answer.approved:
        return _answer(deps, found, "declined", answer, None, next_step=_after_a_no(found))
    return _ended(deps, _carry_out(deps, _begin(deps, found, answer, caller), caller))


def _begin(deps: Dependencies, found: Plan, answer: Approval, caller: saga.Caller) -> Operation:
    try:
        with closing(found.narrows):
            require_unchanged(deps, found)
        with deps.store.write() as tx:
            record = require_change(tx, found.key, found.change)
            if record.version != found.version:
                raise stale(found, ["version"])
            return saga.begin(deps, tx, found, record, answer)
    except (Conflict, NotAllowed, Stale) as refusal:
        # Whoever applies the same plan at the same time has changed what it rests on.
        with deps.store.read() as view:
            rival = view.operation_of(found.handle)
        if rival is not None:
            return finish(deps, rival, caller)
        if isinstance(refusal, Conflict):
            raise Stale(f"{refusal.message} Nothing was changed.", next=plan_again(found)) from refusal
        raise


def _carry_out(
    deps: Dependencies,
    operation: Operation,
    caller: saga.Caller = saga.NOBODY,
) -> Operation:
    """The operation once it has ended, under this process or under one that took it over."""
    try:
        return saga.run(deps, operation, caller)
    except Conflict:
        return saga.run(deps, _wait_for(deps, operation), caller)


def _continue(deps: Dependencies, operation: Operation, caller: saga.Caller) -> Applied:
    if operation.status == "running" or operation.status == "needs_attention":
        operation = finish(deps, operation, caller)
    return _ended(deps, operation)


def finish(
    deps: Dependencies,
    operation: Operation,
    caller: saga.Caller = saga.NOBODY,
) -> Operation:
    """See an operation that began before to its end, whoever has to advance it.

    Raises:
        Conflict: another process is applying it and shows life still, some seconds after a lease.
        Stale: it was stuck, and a later change of the experiment has taken its place.
    """
    saga.tell_accepted(deps, operation, caller)
    told = replace(caller, accepted=saga.NOBODY.accepted)
    return _carry_out(deps, _wait_for(deps, operation), told)


def _wait_for(deps: Dependencies, operation: Operation) -> Operation:
    """The operation once it has ended, or once it is ours because its process showed no life for a lease."""
    waited = 0.0
    while waited <= deps.lease.total_seconds() + 5:
        # Looking takes no turn from whoever is at work; a claim is a write.
        with deps.store.read() as view:
            found = view.operation(operation.id)
        taken = saga.claim(deps, operation.id) if found is not None and saga.is_free(deps, found) else None
        if taken is not None:
            return taken
        deps.clock.sleep(WAIT)
        waited += WAIT
    raise Conflict(
        "Another process is still applying this plan.",
        got=operation.handle,
        retryable=True,
        next=calls.apply(operation.handle),
    )


def resume_abandoned(deps: Dependencies) -> list[Operation]:
    """Finish what processes left that died. Called on start and now and then."""
    with deps.store.read() as view:
        # All that are unfinished: after a clock was set back, a lease that was left lies far ahead.
        unfinished = [view.operation(each) for each in view.abandoned(END_OF_TIME)]
    abandoned = [each.id for each in unfinished if each is not None and saga.has_lapsed(deps, each)]
    finished: list[Operation] = []
    for operation_id in abandoned:
        with suppress(Conflict):  # another process has taken it over
            taken = saga.claim(deps, operation_id)
            if taken is not None and taken.status == "running":
                finished.append(saga.run(deps, taken))
    return finished


def _after_a_no(found: Plan) -> str:
    key = found.key
    return f"ask the person what should differ: {calls.look_at(key)}. Only a changed draft is a new question"


def _waiting(deps: Dependencies, found: Plan) -> Applied:
    command = f"{deps.command} approve {found.handle}"
    ask = f"a person runs `{command}` in a terminal; then {calls.apply(found.handle)}"
    return _answer(deps, found, "awaiting_approval", None, None, next_step=f"Nothing has changed yet: {ask}")


def _answer(
    deps: Dependencies,
    found: Plan,
    status: Status,
    approval: Approval | None,
    reason: str | None,
    next_step: str | None = None,
) -> Applied:
    with deps.store.read() as view:
        record = view.experiment(found.key)
    assert record is not None
    return Applied(
        status=status,
        key=found.key,
        change=found.change,
        state=record.state,
        approval=_approval(approval.assurance, approval.by, approval.approved) if approval else None,
        reason=reason,
        next=next_step or plan_again(found),
    )


def _approval(assurance: Assurance, by: str, approved: bool = True) -> str:
    return "not needed" if assurance == "none" else f"{'yes' if approved else 'no'}, {assurance} by {by}"


def _ended(deps: Dependencies, operation: Operation) -> Applied:
    with deps.store.read() as view:
        record = view.experiment(operation.key)
    assert record is not None
    assert operation.status != "running"
    return Applied(
        status=operation.status,
        key=operation.key,
        change=operation.change,
        state=record.state,
        operation=operation.id,
        steps={each.step.target: _step_text(each.status) for each in operation.steps},
        approval=_approval(operation.assurance, operation.by),
        reason=operation.reason,
        next=_after(operation, record),
    )


def _step_text(status: str) -> str:
    words = {"pending": "not begun", "intended": "may have been written", "undoing": "undo not confirmed"}
    return words.get(status, status)


def _after(operation: Operation, record: Record) -> str:
    key = operation.key
    if operation.status == "undone":
        again = calls.plan(key, operation.change)
        return f"every backend is as it was before. {_remedy(operation, 'Mend the cause.')} Then {again}"
    if operation.status == "needs_attention":
        remedy = _remedy(operation, "A person mends the backend named in reason.")
        going = f"{remedy} Then {calls.apply(operation.handle)} goes on"
        return f"{going}. {_may_be_served(key)}" if operation.opened and operation.to_state == "running" else going
    if record.state == "stopped":
        return calls.follow_up(record)
    return calls.look_at(key)


def _may_be_served(key: str) -> str:
    return f"Users may be served meanwhile: {calls.plan(key, 'stop')} takes all of them out"


def _remedy(operation: Operation, otherwise: str) -> str:
    """What to do about the backend. Its errors end in a repeat of the call, which is another one here."""
    said = operation.failure.remedy if operation.failure is not None else ""
    return _REPEAT.sub(".", said) if _REPEAT.sub("", said) else otherwise
