"""Apply a plan after a yes, continue what a dead process left, and stop what must stop."""

from __future__ import annotations

from contextlib import suppress

from ..checks.shape import read_spec
from ..errors import Conflict, NotAllowed, NotFound, Stale
from ..model.answers import Applied, Status
from ..model.experiment import LIVE, NARROWING, TRANSITIONS, Record, Spec
from ..model.plan import Approval, Assurance, AuditEvent, Operation, Plan
from ..planning.compile import differing_parts
from ..ports.store import Reader
from . import saga
from .cases import require
from .dependencies import Dependencies
from .plans import compile_plan, plan, require_change

WAIT = 0.2
"""Seconds between looks at an operation that another process holds."""


def find_plan(view: Reader, handle: str) -> Plan:
    found = view.plan(handle)
    if found is None:
        raise NotFound(
            "No plan has this digest. Digests come from plan_change; they cannot be made up.",
            pointer="/digest",
            got=handle[:100],
            next='plan_change(key, change="launch")',
        )
    return found


def question(deps: Dependencies, handle: str) -> str | None:
    """What a person must say yes to, or None when nothing is to be asked: the plan needs no yes, has its answer, or
    cannot be applied anyway."""
    with deps.store.read() as view:
        found = find_plan(view, handle)
        answered = view.approval(handle) is not None or view.operation_of(handle) is not None
        record = view.experiment(found.key)
    if answered or found.change in NARROWING or record is None or deps.clock.now() > found.expires:
        return None
    try:
        _require_unchanged(deps, found)
    except (Stale, NotAllowed):
        return None
    return summary(found, record)


def plan_summary(deps: Dependencies, handle: str) -> str:
    """Raises NotFound when there is no such plan."""
    with deps.store.read() as view:
        found = find_plan(view, handle)
        return summary(found, require(view, found.key))


def summary(found: Plan, record: Record) -> str:
    """The plan for the person who decides: what users will meet, what is written, and what it is bound to."""
    verb = found.change.capitalize()
    lines = [f'{verb} "{record.document.get("name", found.key)}" ({record.surface}, {found.environment})?']
    spec = read_spec(record.document)
    if isinstance(spec, Spec) and found.change == "launch":
        hypothesis = spec.hypothesis
        lines.append(
            f"Because {hypothesis.because}: {hypothesis.metric} should {hypothesis.direction}. "
            f"{spec.design.days} days, owned by {spec.owner}."
        )
    for step in found.steps:
        if step.opens_traffic or step.action == "remove":
            lines += [f"  {line}" for line in step.summary]
    writes = ", then ".join(
        f"{step.action} {step.target}" + (" (opens traffic)" if step.opens_traffic else "") for step in found.steps
    )
    lines.append(f"Writes: {writes or 'nothing'}; all or nothing.")
    lines.append(f"{found.key}, version {found.version}, plan {found.handle}")
    return "\n".join(lines)


def approve(deps: Dependencies, handle: str, *, approved: bool, assurance: Assurance, by: str) -> Approval:
    """Keep a person's answer to a plan. The first answer stands.

    Raises:
        NotFound: no such plan.
        Stale: it has expired.
    """
    now = deps.clock.now()
    with deps.store.write() as tx:
        found = find_plan(tx, handle)
        given = tx.approval(handle)
        if given is not None:
            return given
        _require_time(deps, found)
        answer = Approval(handle=handle, approved=approved, assurance=assurance, by=by, at=now)
        tx.save_approval(answer)
        what = "plan_approved" if approved else "plan_declined"
        tx.audit(
            AuditEvent(
                at=now,
                who=by,
                what=what,
                subject=found.key,
                after={"digest": handle, "full": found.digest, "assurance": assurance},
            )
        )
    return answer


def apply(deps: Dependencies, handle: str, progress: saga.Progress | None = None) -> Applied:
    """Apply a plan whose answer is kept, or tell whose answer is missing. A repeat is safe.

    Raises:
        NotFound: no such plan.
        Stale: something that the digest covers has changed, or the plan has expired.
        Conflict: another process is applying it and has not finished within the lease.
    """
    with deps.store.read() as view:
        found = find_plan(view, handle)
        operation = view.operation_of(handle)
        answer = view.approval(handle)
    if operation is not None:
        return _continue(deps, operation, progress)
    if found.change in NARROWING:
        answer = Approval(handle=handle, approved=True, assurance="none", by=deps.actor, at=deps.clock.now())
    if answer is None:
        _require_unchanged(deps, found)
        return _waiting(deps, found)
    if not answer.approved:
        return _answer(deps, found, "declined", answer, None)
    return _ended(deps, _carry_out(deps, _begin(deps, found, answer), progress))


def _begin(deps: Dependencies, found: Plan, answer: Approval) -> Operation:
    try:
        _require_unchanged(deps, found)
        with deps.store.write() as tx:
            record = require_change(tx, found.key, found.change)
            if record.version != found.version:
                raise _stale(found, ["version"])
            return saga.begin(deps, tx, found, record, answer)
    except (Conflict, NotAllowed, Stale) as refusal:
        # Whoever applies the same plan at the same time has changed what it rests on.
        with deps.store.read() as view:
            rival = view.operation_of(found.handle)
        if rival is not None:
            return _wait_for(deps, rival)
        if isinstance(refusal, Conflict):
            raise Stale(f"{refusal.message} Nothing was changed.", next=_again(found)) from refusal
        raise


def _carry_out(deps: Dependencies, operation: Operation, progress: saga.Progress | None = None) -> Operation:
    """The operation once it has ended, under this process or under one that took it over."""
    try:
        return saga.run(deps, operation, progress)
    except Conflict:
        return saga.run(deps, _wait_for(deps, operation), progress)


def _require_time(deps: Dependencies, found: Plan) -> None:
    if deps.clock.now() > found.expires:
        raise Stale(
            f"The plan expired at {found.expires:%Y-%m-%d %H:%M} UTC. Nothing was changed.",
            code="expired_plan",
            next=_again(found),
        )


def _require_unchanged(deps: Dependencies, found: Plan) -> None:
    """Compile the plan anew and compare all that its digest covers.

    Raises:
        Stale: with the names of the parts that differ, or of the checks that block now.
        NotAllowed: the experiment's state no longer allows the change.
    """
    _require_time(deps, found)
    with deps.store.read() as view:
        record = require_change(view, found.key, found.change)
        if record.version != found.version:
            raise _stale(found, ["version"])
        fresh = compile_plan(deps, view, record, found.change, found.created, found.expires, found.ranges or None)
    if fresh.plan is None:
        raise _stale(found, [finding.code for finding in fresh.findings if finding.blocks])
    if fresh.plan.digest != found.digest:
        raise _stale(found, differing_parts(found.covered, fresh.plan.covered))


def _stale(found: Plan, parts: list[str]) -> Stale:
    what = ", ".join(parts)
    message = f"Since the plan was made this has changed: {what}. Nothing was applied."
    return Stale(message, pointer="/digest", got=found.handle, next=_again(found))


def _again(found: Plan) -> str:
    return f'plan_change(key="{found.key}", change="{found.change}")'


def _continue(deps: Dependencies, operation: Operation, progress: saga.Progress | None) -> Applied:
    if operation.status == "running" or operation.status == "needs_attention":
        operation = _carry_out(deps, _wait_for(deps, operation), progress)
    return _ended(deps, operation)


def _wait_for(deps: Dependencies, operation: Operation) -> Operation:
    """The operation once it has ended, or once it is ours because its process showed no life for a lease."""
    waited = 0.0
    while waited <= deps.lease.total_seconds() + 5:
        taken = saga.claim(deps, operation.id)
        if taken is not None:
            return taken
        deps.clock.sleep(WAIT)
        waited += WAIT
    raise Conflict(
        "Another process is still applying this plan.",
        got=operation.handle,
        retryable=True,
        next=f'apply_plan(digest="{operation.handle}")',
    )


def resume_abandoned(deps: Dependencies) -> list[Operation]:
    """Finish what processes left that died. Called on start and now and then."""
    with deps.store.read() as view:
        abandoned = view.abandoned(deps.clock.now())
    finished: list[Operation] = []
    for operation_id in abandoned:
        with suppress(Conflict):  # another process has taken it over
            taken = saga.claim(deps, operation_id)
            if taken is not None and taken.status == "running":
                finished.append(saga.run(deps, taken))
    return finished


def stop_now(deps: Dependencies, key: str) -> Applied:
    """The kill switch: take an experiment out of every backend, whatever has become of it. It needs the store and the
    backends, and nothing else.

    A change that is under way ends first; when it ends stuck, the stop takes its place.
    """
    with deps.store.read() as view:
        active = view.active_operation(key)
    if active is not None:
        _carry_out(deps, _wait_for(deps, active))
    with deps.store.read() as view:
        record = require(view, key)
    if (record.state, "stop") not in TRANSITIONS:
        return _nothing_to_stop(record)
    compiled = plan(deps, key, "stop")
    assert compiled.plan is not None, "a stop is compiled from the journal and has no findings"
    return apply(deps, compiled.plan.handle)


def _nothing_to_stop(record: Record) -> Applied:
    draft = record.state == "draft"
    return Applied(
        status="applied",
        key=record.key,
        change="stop",
        state=record.state,
        reason="It is a draft: no user meets it." if draft else "It was stopped before: nothing of it is left.",
        next=f'get_experiment(key="{record.key}")',
    )


def live_on(deps: Dependencies, surface: str) -> list[str]:
    """Keys of everything that holds buckets on a surface, in any environment."""
    with deps.store.read() as view:
        found = view.search(surface=surface, states=LIVE, limit=1_000)
    return [summary.key for summary in found]


def _waiting(deps: Dependencies, found: Plan) -> Applied:
    ask = f'a person runs `crossfade approve {found.handle}` in a terminal; then apply_plan(digest="{found.handle}")'
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
        next=next_step or _again(found),
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
        again = f'plan_change(key="{key}", change="{operation.change}")'
        return f"every backend is as it was before; mend the cause, then {again}"
    if operation.status == "needs_attention":
        return f'a person mends the backend named in reason; then apply_plan(digest="{operation.handle}") goes on'
    if record.state == "stopped":
        return f'create_experiment(from="{key}", ...) follows it up'
    return f'get_experiment(key="{key}")'
