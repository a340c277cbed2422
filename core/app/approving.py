"""A plan as the person who decides sees it, and the answer that person gives."""

from __future__ import annotations

from ..checks.shape import read_spec
from ..errors import NotAllowed, NotFound, Stale
from ..model.experiment import Record, Spec
from ..model.plan import Approval, Assurance, AuditEvent, Plan
from ..plain_text import visible
from ..ports.store import Reader
from . import calls
from .cases import require
from .declining import earlier_no
from .dependencies import Dependencies
from .staleness import require_time, require_unchanged


def find_plan(view: Reader, handle: str) -> Plan:
    found = view.plan(handle)
    if found is None:
        raise NotFound(
            "This store has no plan of that digest. Digests come from plan_change; they cannot be made up.",
            pointer="/digest",
            got=handle[:100],
            next=calls.plan_some(),
        )
    return found


def question(deps: Dependencies, handle: str) -> str | None:
    """What a person must say yes to, or None when nothing is to be asked: the plan needs no yes, has its answer or
    that of its like, or has expired.

    Raises:
        NotFound: no such plan.
        Stale, NotAllowed: it cannot be applied now. Were nobody asked instead, and the plan good again a moment later,
            since a neighbour came and went, its caller would be told to wait for a person who was never asked.
    """
    with deps.store.read() as view:
        found = find_plan(view, handle)
        answered = view.approval(handle) is not None or view.operation_of(handle) is not None
        record = view.experiment(found.key)
        answered = answered or earlier_no(deps, view, found) is not None
    if answered or found.narrows or record is None or deps.clock.now() > found.expires:
        return None
    try:
        require_unchanged(deps, found)
    except (Stale, NotAllowed):
        with deps.store.read() as view:
            if view.operation_of(handle) is not None:  # somebody has begun to apply it since
                return None
        raise
    return summary(found, record)


def plan_summary(deps: Dependencies, handle: str) -> str:
    """Raises NotFound when there is no such plan."""
    with deps.store.read() as view:
        found = find_plan(view, handle)
        return summary(found, require(view, found.key))


def summary(found: Plan, record: Record) -> str:
    """The plan for the person who decides: what users will meet, what is written, and what it is bound to.

    Every text of the draft stays on its own line, so that no hypothesis can add a line of its own making, and nothing
    that cannot be seen is left in it.
    """
    name = one_line(str(record.document.get("name", found.key)))
    lines = [f'{found.change.capitalize()} "{name}" ({record.surface}, {found.environment})?']
    spec = read_spec(record.document)
    if isinstance(spec, Spec) and found.change == "launch":
        lines += _why(spec)
    for step in found.steps:
        if step.opens_traffic or step.action == "remove" or found.change == "reconcile":
            lines += [f"  {one_line(line)}" for line in step.summary]
    told = found.covered.get("notes")
    lines += [one_line(str(note)) for note in told] if isinstance(told, list) else []
    writes = ", then ".join(
        f"{step.action} {step.target}" + (" (opens traffic)" if step.opens_traffic else "") for step in found.steps
    )
    overrides = found.covered.get("overrides")
    for finding, why in (overrides if isinstance(overrides, dict) else {}).items():
        lines.append(f"  overridden: {finding}: {one_line(str(why))}")
    end = "a repeat goes on where it stopped" if found.change == "reconcile" else "all or nothing"
    lines.append(f"Writes: {writes or 'nothing'}; {end}.")
    lines.append(f"{found.key}, version {found.version}, plan {found.handle}")
    return "\n".join(map(visible, lines))


def _why(spec: Spec) -> list[str]:
    hypothesis = spec.hypothesis
    guardrails = [name for name, use in spec.metrics.items() if use.role == "guardrail"]
    return [
        f"Because {reason(spec)}: {hypothesis.metric} should {hypothesis.direction}.",
        f"Guarded by {', '.join(guardrails) or 'nothing'}; {spec.design.days} days; owned by {one_line(spec.owner)}.",
    ]


def reason(spec: Spec) -> str:
    """The mechanism as it goes on after "because": without the word itself, and without a full stop."""
    text = one_line(spec.hypothesis.because)
    first, _, rest = text.partition(" ")
    return (rest if first.lower().rstrip(",:") == "because" and rest else text).rstrip(". ")


def one_line(text: str) -> str:
    return " ".join(text.split())


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
        require_time(deps, found)
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
