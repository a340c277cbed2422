"""A plan as a caller reads it: what changes where, how it is undone, and what to do next."""

from __future__ import annotations

from ..model.answers import PlanView, StepView
from ..model.experiment import NARROWING, Change, Record
from ..model.finding import Finding
from ..model.plan import Plan, Step
from ..ports.store import Reader
from . import calls
from .cases import require
from .dependencies import Dependencies
from .following import next_call
from .plans import plan
from .views import finding_views


def plan_view(deps: Dependencies, key: str, change: Change, *, full: bool) -> PlanView:
    """Plan a change and show it; `full` adds each entry as it is and as it will be."""
    compiled = plan(deps, key, change)
    findings, more = finding_views([finding for finding in compiled.findings if finding.severity != "info"])
    if compiled.plan is None:
        with deps.store.read() as view:
            following = _out_of(deps, view, require(view, key), change, compiled.findings)
        return PlanView(
            key=key,
            change=change,
            ready=False,
            steps=[],
            findings=findings,
            more_findings=more,
            next=following,
        )
    made = compiled.plan
    return PlanView(
        key=key,
        change=change,
        ready=True,
        digest=made.handle,
        expires=f"{made.expires:%Y-%m-%d %H:%M} UTC",
        environment=made.environment,
        steps=[_step_view(step, full) for step in made.steps],
        findings=findings,
        more_findings=more,
        next=_next(made),
    )


def _out_of(deps: Dependencies, view: Reader, record: Record, change: Change, findings: list[Finding]) -> str:
    """What gets a change further that something blocks. Only a draft can be mended by a call."""
    if record.state == "draft":
        return next_call(deps, deps.catalogue.current(), view, record, findings)
    again = calls.plan(record.key, change)
    return f"a person mends what blocks it in the catalogue, or waits until it is over; then {again}"


def _step_view(step: Step, full: bool) -> StepView:
    undo = "remove our entry" if step.before is None else "put the earlier entry back"
    if step.action == "remove":
        undo = "none, exposure taken away stays away"
    return StepView(
        action=step.action,
        target=step.target,
        does=step.summary or None,
        undo=undo,
        opens_traffic=step.opens_traffic or None,
        before=step.before if full else None,
        after=step.after if full else None,
    )


def _next(made: Plan) -> str:
    call = calls.apply(made.handle)
    return call if made.change in NARROWING else f"{call}; a person will be asked"
