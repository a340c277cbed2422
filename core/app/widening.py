"""Steps that let units in, and what they rest on: content first, then the assigner's entry, which opens traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, JsonValue

from ..audience import asked_for
from ..checks.engine import Case, findings_of
from ..checks.trial import TRIAL_CHECKS
from ..documents import JsonObject, digest
from ..keeping import Latest
from ..model.catalogue import Catalogue
from ..model.delivery import Assignment
from ..model.experiment import Change, Record
from ..model.finding import Finding
from ..model.plan import BucketRange, Step
from ..planning.agenda import then_text
from ..planning.buckets import buckets_for, propose, resting_on
from ..planning.compile import (
    assignment_of,
    assignment_summary,
    content_of,
    content_summary,
    place_of,
)
from ..planning.dry_run import dry_run
from ..planning.size import reachable_units
from ..planning.slots import whole_slots
from ..ports.backend import allocates
from ..ports.store import Reader
from .dependencies import Dependencies

Previews = dict[str, list[str]]
"""Variant -> named test units."""


def ranges_of(
    view: Reader,
    case: Case,
    record: Record,
    change: Change,
    fixed: list[BucketRange] | None,
    others: Sequence[BucketRange],
) -> list[BucketRange]:
    """What the experiment holds, what an earlier proposal named, or a new proposal beside those of others; test units
    need no bucket."""
    own = view.ranges_of(record.key)
    if own or change == "preview":
        return own
    resting = resting_on(case.released, case.today, case.surface.policy.rest_days)
    held = [part for part in case.held if part.key != record.key]
    others = whole_slots(others, case.slots)
    proposed = fixed or propose(held, buckets_for(case.spec.allocation), resting, others)
    assert proposed is not None, "allocation.available lets no draft through that finds no buckets"
    return proposed


def content_steps(deps: Dependencies, case: Case, record: Record) -> list[Step]:
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


def assigned(
    case: Case, record: Record, ranges: list[BucketRange], launch: int, stage: int, previews: Previews
) -> Assignment:
    return assignment_of(
        record.key,
        case.spec,
        case.catalogue,
        case.production,
        ranges=ranges,
        launch=launch,
        coverage=case.spec.coverages[stage],
        on=record.started.date() if record.started else case.start,
        previews=previews,
    )


def trial(deps: Dependencies, case: Case, assignment: Assignment) -> list[Finding]:
    """What is found when the very assignment of a launch is tried on made-up units: at the last stage of its ramp, as
    the first one lets in too few to tell anything."""
    assignment = assignment.model_copy(update={"coverage": 1.0})
    others = [part for part in case.held if part.key != case.key]
    spec = case.spec
    name = case.catalogue.route(spec.surface, spec.environment).assigner
    hashing = deps.assigner(case.catalogue, spec.environment, name).hashing
    if hashing is None:
        return []  # `assigner.allocates` says so
    tried = dry_run(assignment, others, case.catalogue.holdouts_of(spec.surface, case.start), hashing)
    return findings_of(TRIAL_CHECKS, replace(case, trial=tried))


def opening(case: Case, record: Record, change: Change) -> list[str]:
    """On which day the first unit is let in, as a list of at most one line: none where that is today."""
    waits = change in ("launch", "resume") and record.started is None and case.start > case.today
    return [f"opens on {case.start}, 00:00 UTC, unasked; until then the buckets are held"] if waits else []


def after(case: Case, change: Change, stage: int) -> list[str]:
    """What follows unasked once units are let in."""
    if change == "preview":
        return []
    end = case.spec.schedule.end
    then = then_text(case.spec, stage)
    return [*([then] if then else []), *([f"stops at the end of {end}, UTC, unasked"] if end is not None else [])]


def assigner_step(deps: Dependencies, case: Case, record: Record, assignment: Assignment, then: list[str]) -> Step:
    """The assigner comes last: its entry opens traffic. `then` says what happens unasked."""
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
        summary=[*assignment_summary(assignment, allocates=allocates(assigner)), *then],
    )


def notes(case: Case, findings: list[Finding]) -> list[JsonValue]:
    """What a person must know besides the steps: how many units it is about, what warns, who reviews."""
    told: list[JsonValue] = []
    size = case.size
    if size is not None:
        reached = reachable_units(case.spec.surface, case.catalogue, case.audience, case.spec.whole_days, case.today)
        entering = reached * min(case.spec.allocation, 1.0)
        unit = case.spec.unit
        told.append(f"About {entering:,.0f} {unit}s in {size.days} days, {size.control:,.0f} of them in the control.")
    told += [f"Warning {each.code}: {each.message}" for each in findings if each.severity == "warn"]
    if case.surface.reviewers:
        told.append(f"Reviewers of the surface: {', '.join(case.surface.reviewers)}.")
    return told


def rests_on(case: Case, findings: list[Finding], ranges: list[BucketRange], launch: int) -> JsonObject:
    """What a launch rests on besides its steps: the catalogue entries read, the overrides, the buckets and the salt."""
    catalogue = case.catalogue
    surface = catalogue.surfaces[case.spec.surface]
    entries = {
        f"surface {case.spec.surface}": surface,
        **{f"attribute {name}": catalogue.attributes[name] for name in asked_for(case.audience)},
        **{f"metric {name}": catalogue.metrics[name] for name in case.spec.metrics if name in catalogue.metrics},
    }
    read: JsonObject = {name: _digest_of(catalogue, name, entry) for name, entry in entries.items()}
    if catalogue.checks:
        read["checks"] = digest({code: dict(rule) for code, rule in catalogue.checks.items()})
    return {
        "catalogue": read,
        "overrides": _let_stand(findings),
        "ranges": [part.model_dump() for part in ranges],
        "launch": launch,
    }


def _digest_of(catalogue: Catalogue, name: str, entry: BaseModel) -> str:
    known = _digests.of(catalogue)
    if name not in known:
        known[name] = digest(entry.model_dump(mode="json", by_alias=True))
    return known[name]


def _no_digests(_: Catalogue) -> dict[str, str]:
    return {}


_digests = Latest(_no_digests)
"""Kind and name -> digest of a catalogue's entry."""


def _let_stand(findings: list[Finding]) -> JsonObject:
    """Finding -> what is let stand and why, for whoever approves the plan."""
    return {
        f"{each.code} {each.at}": f"{each.overridden}, though: {each.gist}"
        for each in findings
        if each.overridden is not None
    }


def overrides_of(findings: list[Finding]) -> JsonObject:
    """Finding -> why a person lets it stand: as a reply tells it."""
    return {f"{each.code} {each.at}": each.overridden for each in findings if each.overridden is not None}
