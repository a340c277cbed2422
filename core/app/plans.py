"""Compile the plan of a change: the exact diff for every backend, and a digest that binds a yes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import JsonValue

from ..checks.all_checks import checks_of, opening_checks_of
from ..checks.delivery import findings_of_owners, findings_of_strays
from ..checks.engine import Case, findings_of, worst_first
from ..documents import JsonObject, digest
from ..errors import NotAllowed
from ..model.experiment import NARROWING, TRANSITIONS, Change, Record, changes_from
from ..model.finding import Finding
from ..model.plan import RESTS_ON, BucketRange, Plan, Step
from ..planning.agenda import midnight
from ..planning.compile import ASSIGNMENT, covered, handle_of
from ..planning.order import in_order
from ..ports.store import Reader
from ..urgency import closing
from . import calls
from .adopting import foreign_among
from .cases import examine, require, with_overrides
from .dependencies import Dependencies
from .narrowing import closing_steps, untesting_steps
from .proposing import TRIES, keep, layer_of, proposals_beside
from .ramping import ramped, stage_of
from .reconciling import reconciling_steps
from .retesting import retesting_steps
from .strays import hashed_otherwise, strays_beside, strays_of
from .widening import (
    Previews,
    after,
    assigned,
    assigner_step,
    content_steps,
    notes,
    opening,
    ranges_of,
    rests_on,
    trial,
)

LIFETIME = timedelta(hours=24)
"""How long a plan can be applied: a day lets a person answer tomorrow morning."""
PAST = "last_operation"
"""The part of what a digest covers that changes with every operation."""


@dataclass(frozen=True)
class Terms:
    """What a plan is made under. An earlier plan fixes all of it, so that a recompilation of an unchanged world has the
    same digest."""

    created: datetime
    expires: datetime
    previews: Previews
    """Test units afterwards."""
    ranges: list[BucketRange] | None = None
    """The buckets of an earlier proposal."""
    stage: int | None = None
    """Of a ramp: the stage to go to, the first being 0; None for the next."""
    rests_on: str | None = None
    """The plan whose yes covers this one, where nobody is asked again."""
    others: Sequence[BucketRange] = ()
    """The buckets that living plans of others propose."""


class Compiled:
    """A plan, or what stands in its way."""

    def __init__(self, plan: Plan | None, findings: list[Finding]) -> None:
        self.plan = plan
        self.findings = findings


def plan(
    deps: Dependencies,
    key: str,
    change: Change,
    wanted: Callable[[Record, Previews], Previews] | None = None,
    stage: int | None = None,
) -> Compiled:
    """Compile and store the plan of a change. No backend is written.

    Args:
        wanted: for a preview, the test units to have, from the record and those that there are.
        stage: for a ramp, the stage to go to, the first being 0; None for the next.

    Raises:
        NotFound: no such experiment.
        NotAllowed: the experiment's state does not allow the change, or another change of it is under way.
        Invalid: a stage that the ramp does not have.
        BackendFailed: a backend that the plan must read cannot be read.
    """
    now = deps.clock.now().replace(microsecond=0)
    tries = TRIES
    while True:
        tries -= 1
        with deps.store.read() as view:
            record = require_change(view, key, change)
            previews = view.previews(key)
            previews = wanted(record, previews) if wanted else previews
            others = proposals_beside(view, record, change, now)
            terms = Terms(now, now + LIFETIME, previews, stage=stage, others=others)
            with closing(change in NARROWING):
                compiled = compile_plan(deps, view, record, change, terms)
        if compiled.plan is None or keep(deps, record, compiled.plan, others, at_last=not tries):
            return compiled


def require_change(view: Reader, key: str, change: Change) -> Record:
    """The record, when its state allows the change and nothing else is changing it."""
    record = require(view, key)
    active = view.active_operation(key)
    if active is not None:
        raise NotAllowed(
            f"The {active.change} of {key} is still under way.",
            got=change,
            retryable=True,
            next=f"{calls.apply(active.handle)} continues it",
        )
    last = view.last_operation(key) if record.state == "scheduled" and change != "stop" else None
    if last is not None and last.status == "needs_attention":
        message = f"The {last.change} of {key} is stuck; it can be gone on with, or {key} be stopped."
        raise NotAllowed(message, got=change, allowed=["stop"], next=f"{calls.apply(last.handle)} goes on with it")
    if (record.state, change) not in TRANSITIONS:
        allowed = changes_from(record.state)
        hint = calls.plan(key, allowed[0]) if allowed else calls.follow_up(record)
        raise NotAllowed(
            f"{key} is {record.state}, so it cannot {change}.", got=change, allowed=list(allowed), next=hint
        )
    return record


def compile_plan(
    deps: Dependencies,
    view: Reader,
    record: Record,
    change: Change,
    terms: Terms,
) -> Compiled:
    """The plan as it would be now."""
    previews = terms.previews
    if change in NARROWING or (change == "preview" and (not previews or record.state == "running")):
        return _from_what_is_there(deps, view, record, change, terms)
    if change == "reconcile":
        return _from_what_was_there(deps, view, record, terms)
    if change == "ramp":
        return _ramp(deps, view, record, terms)
    catalogue = deps.catalogue.current()
    case, findings = examine(
        deps,
        catalogue,
        view,
        record.key,
        record.document,
        strict=True,
        checks=checks_of(change),
        started=record.started.date() if record.started else None,
        chosen=record.generated,
        trying=record.state == "draft",
    )
    if record.state != "draft":  # which nothing can change, so no fix could be applied
        findings = [finding.model_copy(update={"fixes": []}) for finding in findings]
    if case is None or any(finding.blocks for finding in findings):
        return Compiled(None, findings)
    stage = 0 if change != "resume" else stage_of(view, record)
    case = replace(case, stage=stage)
    proposed = ranges_of(view, case, record, change, terms.ranges, terms.others)
    launch = record.launches + (1 if change == "launch" and record.state == "draft" else 0)
    steps: list[Step] = [] if change == "preview" else content_steps(deps, case, record)
    assignment = assigned(case, record, proposed, launch, stage, previews)
    later = opening(case, record, change)
    steps.append(assigner_step(deps, case, record, assignment, [*later, *after(case, change, stage)]))
    asked = opening_checks_of(change)
    if asked:
        found = findings_of(asked, _surrounded(deps, view, case, steps))
        findings = worst_first([*findings, *with_overrides(view, record.key, record.document, found)])
        if any(finding.blocks for finding in findings):
            return Compiled(None, findings)
    if change == "launch":
        findings = worst_first([*findings, *trial(deps, case, assignment)])
        if any(finding.blocks for finding in findings):
            return Compiled(None, findings)
    told: JsonObject = {"notes": notes(case, findings)}
    if change != "preview":
        told |= {"stage": stage, **({"opens": midnight(case.start).isoformat()} if later else {})}
    parts = rests_on(case, findings, proposed, launch) | _past(view, record) | _as_part(assignment.previews) | told
    parts[ASSIGNMENT] = assignment.model_dump(mode="json")
    return Compiled(_plan(record, change, parts, in_order(steps), proposed, terms), findings)


def _surrounded(deps: Dependencies, view: Reader, case: Case, steps: list[Step]) -> Case:
    """The case with what the backends hold of others; experiments of the store that owns a document are no strays."""
    owners = _owners(deps, steps)
    strays = {} if owners else strays_of(deps, case)
    return replace(case, owners=owners, strays=strays, elsewhere=hashed_otherwise(deps, view, case))


def _owners(deps: Dependencies, steps: list[Step]) -> dict[str, str]:
    return {each.target: each.owner for each in foreign_among(deps, [step.place for step in steps])}


def _as_part(previews: Previews) -> JsonObject:
    return {"previews": {name: list[JsonValue](units) for name, units in previews.items()}}


def _past(view: Reader, record: Record) -> JsonObject:
    """What was done to the experiment last: a plan made again after it has another digest, however equal its steps."""
    last = view.last_turn(record.key)
    return {PAST: last[0] if last else None}


def _from_what_is_there(
    deps: Dependencies,
    view: Reader,
    record: Record,
    change: Change,
    terms: Terms,
) -> Compiled:
    """A change that takes away, or that touches nothing of what was delivered but its test units."""
    if change in NARROWING:
        steps = closing_steps(deps, view, record, change)
    elif record.state == "draft":
        steps = untesting_steps(deps, view, record)
    else:
        steps = retesting_steps(deps, record, view.placements(record.key), terms.previews)
    parts = _past(view, record) | (_as_part(terms.previews) if change == "preview" else {})
    return Compiled(_plan(record, change, parts, steps, view.ranges_of(record.key), terms), [])


def _ramp(deps: Dependencies, view: Reader, record: Record, terms: Terms) -> Compiled:
    last = view.last_operation(record.key)
    if last is not None and last.status == "needs_attention":
        message = f"The last {last.change} of {record.key} is stuck, so what is delivered is not known."
        raise NotAllowed(message, got="ramp", next=f"{calls.apply(last.handle)} goes on with it")
    made = ramped(deps, view, record, terms.stage)
    parts = _past(view, record) | made.parts
    return Compiled(_plan(record, "ramp", parts, made.steps, view.ranges_of(record.key), terms), made.findings)


def _from_what_was_there(deps: Dependencies, view: Reader, record: Record, terms: Terms) -> Compiled:
    """A reconciliation; no plan and no finding when there is nothing to put back."""
    steps = reconciling_steps(deps, view, record)
    if not steps:
        return Compiled(None, [])
    foreign = findings_of_owners(_owners(deps, steps))
    blocking = foreign or findings_of_strays(strays_beside(deps, steps, layer_of(record), record.key))
    if blocking:
        return Compiled(None, blocking)
    return Compiled(_plan(record, "reconcile", _past(view, record), steps, view.ranges_of(record.key), terms), [])


def _plan(
    record: Record,
    change: Change,
    parts: JsonObject,
    steps: list[Step],
    ranges: list[BucketRange],
    terms: Terms,
) -> Plan:
    environment = str(record.document.get("environment", ""))
    parts = parts | ({RESTS_ON: terms.rests_on} if terms.rests_on is not None else {})
    body = covered(record.key, change, record.version, record.document, parts, steps, terms.expires.isoformat())
    full = digest(body)
    return Plan(
        handle=handle_of(full),
        digest=full,
        key=record.key,
        change=change,
        environment=environment,
        version=record.version,
        covered=body,
        ranges=ranges,
        layer=layer_of(record),
        steps=steps,
        created=terms.created,
        expires=terms.expires,
    )
