"""A plan as a caller reads it: what changes where, how it is undone, and what to do next."""

from __future__ import annotations

from ..checks.delivery import LAUNCH_CHECKS
from ..errors import Invalid
from ..model.answers import Asked, PlanView, StepView
from ..model.experiment import Change
from ..model.finding import Finding
from ..model.plan import Plan, Step
from . import calls
from .cases import require
from .declining import earlier_no
from .dependencies import Dependencies
from .following import asking, next_call
from .overriding import Doubt, Verdict, commands, settle
from .plans import plan
from .refusing import note
from .views import with_findings

_IN_BACKENDS = frozenset(check.code for check in LAUNCH_CHECKS)
"""What no update of a draft mends."""
SHOWN_DOES = 900
"""Most characters of what one step does; `full` has all of it, and so has the question to the person."""


def plan_view(
    deps: Dependencies,
    key: str,
    change: Change,
    *,
    full: bool,
    stage: int | None,
    asked: Doubt | None,
    verdict: Verdict | None,
) -> PlanView:
    """Plan a change and show it; `full` adds each entry as it is and as it will be. What a person said to a doubt is
    kept first."""
    if asked is not None and verdict is not None:
        settle(deps, asked, verdict)
    said: Asked | None = None
    if asked is not None:
        said = "awaiting_person" if verdict is None else "given" if verdict.lifted else "declined"
    if stage is not None and change != "ramp":
        raise Invalid("Only a ramp goes to a stage.", pointer="/stage", got=stage, next=calls.plan(key, change))
    compiled = plan(deps, key, change, stage=stage - 1 if stage is not None else None)
    if compiled.plan is None and not compiled.findings:
        return _as_delivered(key, change)
    if compiled.plan is None:
        if asked is None:
            note(deps, "plan_change", key, [finding.code for finding in compiled.findings if finding.blocks])
        otherwise = _otherwise(deps, key, change, asked) if said == "awaiting_person" else "" if said else None
        return _blocked(deps, key, change, compiled.findings, said, otherwise)
    made = compiled.plan
    answer = PlanView(
        key=key,
        change=change,
        ready=True,
        override=said,
        digest=made.handle,
        expires=f"{made.expires:%Y-%m-%d %H:%M} UTC",
        environment=made.environment,
        steps=[_step_view(change, step, full) for step in made.steps],
        findings=[],
        next=_next(deps, made),
    )
    return with_findings(answer, _worth_telling(compiled.findings))


def _blocked(
    deps: Dependencies, key: str, change: Change, findings: list[Finding], said: Asked | None, otherwise: str | None
) -> PlanView:
    if all(finding.code in _IN_BACKENDS for finding in findings if finding.blocks):
        following = f"a person does what the findings say; then {calls.plan(key, change)}"
        answer = PlanView(key=key, change=change, ready=False, override=said, steps=[], findings=[], next=following)
        return with_findings(answer, _worth_telling(findings))
    with deps.store.read() as view:
        following = next_call(deps, deps.catalogue.current(), view, require(view, key), findings, otherwise)
    answer = PlanView(key=key, change=change, ready=False, override=said, steps=[], findings=[], next=following)
    return with_findings(answer, _worth_telling(findings))


def _as_delivered(key: str, change: Change) -> PlanView:
    following = f"{calls.look_at(key)}; nothing is to be put back: every backend has what was delivered"
    return PlanView(key=key, change=change, ready=True, steps=[], findings=[], next=following)


def _otherwise(deps: Dependencies, key: str, change: Change, asked: Doubt | None) -> str:
    """What a person does at a terminal where the client cannot ask."""
    typed = " and ".join(f"`{command}`" for command in commands(deps, key, asked.findings if asked else ()))
    return f"a person runs {typed} in a terminal; then {calls.plan(key, change)}"


def _worth_telling(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity != "info"]


def _step_view(change: Change, step: Step, full: bool) -> StepView:
    undo = "remove our entry" if step.before is None else "put the earlier entry back"
    if step.action == "remove":
        undo = "none, exposure taken away stays away"
    elif change == "reconcile":
        undo = "none, a repeat goes on until all is as delivered"
    return StepView(
        action=step.action,
        target=step.target,
        does=(step.summary if full else _first_lines(step.summary)) or None,
        undo=undo,
        opens_traffic=step.opens_traffic or None,
        before=step.before if full else None,
        after=step.after if full else None,
    )


def _first_lines(lines: list[str]) -> list[str]:
    """The lines that have room, and how many are left out: a line is never cut, so that none says less than it is."""
    shown: list[str] = []
    for line in lines:
        if sum(map(len, shown)) + len(line) > SHOWN_DOES:
            break
        shown.append(line)
    left = len(lines) - len(shown)
    return [*shown, f"{left} more with full=true"] if left else shown


def _next(deps: Dependencies, made: Plan) -> str:
    call = calls.apply(made.handle)
    if made.narrows:
        return call
    with deps.store.read() as view:
        no = earlier_no(deps, view, made)
    if no is not None:
        return f"{no.reason} {no.next}"
    if made.change in ("ramp", "reconcile"):  # which reviewers have agreed to, and which needs no catalogue
        return f"{call}; a person will be asked"
    with deps.store.read() as view:
        surface = require(view, made.key).surface
    return f"{call}; a person will be asked{asking(deps.catalogue.current(), surface)}"
