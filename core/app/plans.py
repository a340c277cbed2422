"""Compile the plan of a change: the exact diff for every backend, and a digest that binds a yes to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import JsonValue

from ..audience import asked_for
from ..checks.all_checks import checks_of, opening_checks_of
from ..checks.engine import Case, findings_of, worst_first
from ..checks.trial import TRIAL_CHECKS
from ..documents import JsonObject, digest
from ..errors import NotAllowed
from ..model.delivery import Assignment
from ..model.experiment import NARROWING, TRANSITIONS, Change, Record, changes_from
from ..model.finding import Finding
from ..model.plan import AuditEvent, BucketRange, Plan, Step
from ..planning.buckets import buckets_for, layer_name, propose, resting_on
from ..planning.compile import (
    ASSIGNMENT,
    assignment_of,
    assignment_summary,
    content_of,
    content_summary,
    covered,
    handle_of,
    place_of,
)
from ..planning.dry_run import dry_run
from ..planning.size import reachable_units
from ..ports.store import Reader
from . import calls
from .cases import examine, require
from .dependencies import Dependencies
from .narrowing import closing_steps, untesting_steps
from .retesting import retesting_steps
from .strays import strays_of

LIFETIME = timedelta(hours=24)
"""How long a plan can be applied: a day lets a person answer tomorrow morning."""
PAST = "last_operation"
"""The part of what a digest covers that changes with every operation."""


class Compiled:
    """A plan, or what stands in its way."""

    def __init__(self, plan: Plan | None, findings: list[Finding]) -> None:
        self.plan = plan
        self.findings = findings


Previews = dict[str, list[str]]
"""Variant -> named test units."""


def plan(
    deps: Dependencies, key: str, change: Change, wanted: Callable[[Record, Previews], Previews] | None = None
) -> Compiled:
    """Compile and store the plan of a change. No backend is written.

    Args:
        wanted: for a preview, the test units to have, from the record and those that there are.

    Raises:
        NotFound: no such experiment.
        NotAllowed: the experiment's state does not allow the change, or another change of it is under way.
        BackendFailed: a backend that the plan must read cannot be read.
    """
    now = deps.clock.now().replace(microsecond=0)
    with deps.store.read() as view:
        record = require_change(view, key, change)
        previews = view.previews(key)
        previews = wanted(record, previews) if wanted else previews
        compiled = compile_plan(deps, view, record, change, now, now + LIFETIME, None, previews)
    if compiled.plan is not None:
        with deps.store.write() as tx:
            tx.save_plan(compiled.plan)
            made: JsonObject = {"digest": compiled.plan.handle, "change": change, "version": record.version}
            tx.audit(AuditEvent(at=now, who=deps.actor, what="plan_made", subject=key, after=made))
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
    created: datetime,
    expires: datetime,
    ranges: list[BucketRange] | None,
    previews: Previews,
) -> Compiled:
    """The plan as it would be now. `ranges` fixes the buckets of an earlier proposal, so that a recompilation of an
    unchanged world has the same digest; `previews` are the test units afterwards."""
    if change in NARROWING or (change == "preview" and (not previews or record.state == "running")):
        return _from_what_is_there(deps, view, record, change, previews, created, expires)
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
    )
    if record.state != "draft":  # which nothing can change, so no fix could be applied
        findings = [finding.model_copy(update={"fixes": []}) for finding in findings]
    if case is None or any(finding.blocks for finding in findings):
        return Compiled(None, findings)
    opening = opening_checks_of(change)
    if opening:
        case = replace(case, strays=strays_of(deps, case))
        findings = worst_first([*findings, *findings_of(opening, case)])
        if any(finding.blocks for finding in findings):
            return Compiled(None, findings)
    proposed = _ranges(view, case, record, change, ranges)
    launch = record.launches + (1 if change == "launch" else 0)
    steps: list[Step] = [] if change == "preview" else _content_steps(deps, case, record)
    assignment = _assignment(case, record, proposed, launch, previews)
    if change == "launch":
        findings = worst_first([*findings, *_trial(case, assignment)])
        if any(finding.blocks for finding in findings):
            return Compiled(None, findings)
    steps.append(_assigner_step(deps, case, record, assignment))
    told: JsonObject = {"notes": _notes(case, findings)}
    parts = _parts(case, findings, proposed, launch) | _past(view, record) | _as_part(assignment.previews) | told
    parts[ASSIGNMENT] = assignment.model_dump(mode="json")
    return Compiled(_plan(record, change, case.spec.environment, parts, steps, proposed, created, expires), findings)


def _notes(case: Case, findings: list[Finding]) -> list[JsonValue]:
    """What a person must know besides the steps: how many units it is about, what warns, who reviews."""
    told: list[JsonValue] = []
    size = case.size
    if size is not None:
        reached = reachable_units(case.spec.surface, case.catalogue, case.audience, size.days, case.today)
        entering = reached * min(case.spec.allocation, 1.0)
        unit = case.spec.unit
        told.append(f"About {entering:,.0f} {unit}s in {size.days} days, {size.control:,.0f} of them in the control.")
    told += [f"Warning {each.code}: {each.message}" for each in findings if each.severity == "warn"]
    if case.surface.reviewers:
        told.append(f"Reviewers of the surface: {', '.join(case.surface.reviewers)}.")
    return told


def _as_part(previews: Previews) -> JsonObject:
    return {"previews": {name: list[JsonValue](units) for name, units in previews.items()}}


def _past(view: Reader, record: Record) -> JsonObject:
    """What was done to the experiment last: a plan made again after it has another digest, however equal its steps."""
    last = view.last_operation(record.key)
    return {PAST: last.id if last else None}


def overrides_of(findings: list[Finding]) -> JsonObject:
    """Finding -> why a person lets it stand: a plan rests on it, and its digest covers it."""
    return {f"{each.code} {each.at}": each.overridden for each in findings if each.overridden is not None}


def _ranges(
    view: Reader, case: Case, record: Record, change: Change, fixed: list[BucketRange] | None
) -> list[BucketRange]:
    """What the experiment holds, what an earlier proposal named, or a new proposal; test units need no bucket."""
    held = view.ranges_of(record.key)
    if held or change == "preview":
        return held
    resting = resting_on(case.released, case.today, case.surface.policy.rest_days)
    proposed = fixed or propose(
        [part for part in case.held if part.key != record.key], buckets_for(case.spec.allocation), resting
    )
    assert proposed is not None, "allocation.available lets no draft through that finds no buckets"
    return proposed


def _content_steps(deps: Dependencies, case: Case, record: Record) -> list[Step]:
    """Content comes first, so that nobody is assigned to a variant that is not there yet."""
    catalogue, spec = case.catalogue, case.spec
    steps: list[Step] = []
    content = content_of(record.key, spec, case.production)
    for name in catalogue.route(spec.surface, spec.environment).content:
        store = deps.content_store(catalogue, spec.environment, name)
        place = place_of(catalogue, spec.environment, name, store.content_document(spec.surface))
        before = store.read(place.settings, place.document, record.key)
        after = store.compile_content(content)
        summary = content_summary(content)
        steps.append(Step(place=place, action="put", entry=record.key, before=before, after=after, summary=summary))
    return steps


def _assignment(case: Case, record: Record, ranges: list[BucketRange], launch: int, previews: Previews) -> Assignment:
    return assignment_of(
        record.key,
        case.spec,
        case.catalogue,
        case.production,
        ranges=ranges,
        launch=launch,
        on=record.started.date() if record.started else case.today,
        previews=previews,
    )


def _trial(case: Case, assignment: Assignment) -> list[Finding]:
    """What is found when the very assignment of a launch is tried on made-up units."""
    others = [part for part in case.held if part.key != case.key]
    tried = dry_run(assignment, others, case.catalogue.holdouts_of(case.spec.surface, case.today))
    return findings_of(TRIAL_CHECKS, replace(case, trial=tried))


def _assigner_step(deps: Dependencies, case: Case, record: Record, assignment: Assignment) -> Step:
    """The assigner comes last: its entry opens traffic."""
    catalogue, spec = case.catalogue, case.spec
    name = catalogue.route(spec.surface, spec.environment).assigner
    assigner = deps.assigner(catalogue, spec.environment, name)
    place = place_of(catalogue, spec.environment, name, assigner.assignment_document(assignment))
    before = assigner.read(place.settings, place.document, record.key)
    compiled = assigner.compile_assignment(assignment)
    after = assigner.fitted(place.settings, place.document, record.key, compiled)
    return Step(
        place=place,
        action="put",
        entry=record.key,
        before=before,
        after=after,
        opens_traffic=bool(assignment.ranges),
        summary=assignment_summary(assignment),
    )


def _parts(case: Case, findings: list[Finding], ranges: list[BucketRange], launch: int) -> JsonObject:
    """What a launch rests on besides its steps: the catalogue entries read, the overrides, the buckets and the salt."""
    catalogue = case.catalogue
    surface = catalogue.surfaces[case.spec.surface]
    entries = {
        f"surface {case.spec.surface}": surface,
        **{f"attribute {name}": catalogue.attributes[name] for name in asked_for(case.audience)},
        **{f"metric {name}": catalogue.metrics[name] for name in case.spec.metrics if name in catalogue.metrics},
    }
    read: JsonObject = {name: digest(entry.model_dump(mode="json", by_alias=True)) for name, entry in entries.items()}
    if catalogue.checks:
        read["checks"] = digest({code: dict(rule) for code, rule in catalogue.checks.items()})
    return {
        "catalogue": read,
        "overrides": overrides_of(findings),
        "ranges": [part.model_dump() for part in ranges],
        "launch": launch,
    }


def _from_what_is_there(
    deps: Dependencies,
    view: Reader,
    record: Record,
    change: Change,
    previews: Previews,
    created: datetime,
    expires: datetime,
) -> Compiled:
    """A change that takes away, or that touches nothing of what was delivered but its test units."""
    if change in NARROWING:
        steps = closing_steps(deps, view, record, change)
    elif record.state == "draft":
        steps = untesting_steps(deps, view, record)
    else:
        steps = retesting_steps(deps, record, view.placements(record.key), previews)
    environment = str(record.document.get("environment", ""))
    ranges = view.ranges_of(record.key)
    parts = _past(view, record) | (_as_part(previews) if change == "preview" else {})
    return Compiled(_plan(record, change, environment, parts, steps, ranges, created, expires), [])


def _plan(
    record: Record,
    change: Change,
    environment: str,
    parts: JsonObject,
    steps: list[Step],
    ranges: list[BucketRange],
    created: datetime,
    expires: datetime,
) -> Plan:
    body = covered(record.key, change, record.version, record.document, parts, steps, expires.isoformat())
    full = digest(body)
    spec = record.document
    return Plan(
        handle=handle_of(full),
        digest=full,
        key=record.key,
        change=change,
        environment=environment,
        version=record.version,
        covered=body,
        ranges=ranges,
        layer=layer_name(environment, str(spec.get("surface", "")), str(spec.get("layer", ""))),
        steps=steps,
        created=created,
        expires=expires,
    )
