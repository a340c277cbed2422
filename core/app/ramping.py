"""Steps of a ramp: a running experiment lets in more or fewer of the units that it has reserved, and nothing else of
what was delivered changes, neither weights nor buckets nor values."""

from __future__ import annotations

from dataclasses import dataclass

from ..checks.engine import as_finding
from ..checks.flight import RAMP_LOWERED, lowered
from ..checks.shape import read_spec
from ..documents import JsonObject, same
from ..errors import Invalid, NotAllowed
from ..model.experiment import Record, Spec
from ..model.finding import Finding
from ..model.plan import BUCKETS, BucketRange, Step, width
from ..planning.agenda import stage_text, then_text
from ..planning.compile import ASSIGNMENT
from ..ports.store import Exposure, Reader
from ..wording import percent
from . import calls
from .delivered import delivered, opening_entries, rewriting
from .dependencies import Dependencies


@dataclass(frozen=True)
class Ramped:
    """What a ramp does, what its digest covers besides the steps, and what there is to say about it."""

    steps: list[Step]
    parts: JsonObject
    findings: list[Finding]


def ramped(deps: Dependencies, view: Reader, record: Record, wanted: int | None) -> Ramped:
    """
    Args:
        wanted: the stage to go to, the first being 0; None for the next.

    Raises:
        NotAllowed: there is no such stage to go to, or what was delivered is not there any more.
        Invalid: the ramp has no such stage.
        BackendFailed: the assigner cannot be read.
    """
    spec = _spec_of(record)
    now = view.exposures([record.key]).get(record.key)
    if spec is None or now is None or now.stages != len(spec.coverages) or now.stages == 1:
        message = f"{record.key} has no ramp: everybody is let in."
        raise NotAllowed(message, got="ramp", next=calls.look_at(record.key))
    stage = _stage(record, now, wanted)
    coverage = spec.coverages[stage]
    findings = [as_finding(RAMP_LOWERED.code, RAMP_LOWERED.severity, each) for each in lowered(now.coverage, coverage)]
    then = "" if findings else then_text(spec, stage)
    ranges = view.ranges_of(record.key)
    summary = _summary(now.coverage, coverage, ranges, stage_text(stage, now.stages, coverage), then)
    parts: JsonObject = {"stage": stage, "then": then}
    parts["notes"] = [f"Warning {each.code}: {each.message}" for each in findings]
    assignment = delivered(view, record)
    if assignment is not None:
        parts[ASSIGNMENT] = assignment.model_copy(update={"coverage": coverage}).model_dump(mode="json")
    return Ramped(_steps(deps, view, record, coverage, summary), parts, findings)


def stage_of(view: Reader, record: Record) -> int:
    """The stage at which an experiment lets its units in, or did before it was paused; the first being 0."""
    now = view.exposures([record.key]).get(record.key)
    return now.stage if now is not None else 0


def _spec_of(record: Record) -> Spec | None:
    spec = read_spec(record.document)
    return spec if isinstance(spec, Spec) else None


def _stage(record: Record, now: Exposure, wanted: int | None) -> int:
    stage, last = now.stage + 1 if wanted is None else wanted, now.stages - 1
    if wanted is None and now.stage == last:
        message = f"{record.key} lets everybody in already; only an earlier stage can be named."
        raise NotAllowed(message, got="ramp", next=calls.look_at(record.key))
    if not 0 <= stage <= last:
        every = [str(number) for number in range(1, last + 2)]
        raise Invalid("The ramp has no such stage.", pointer="/stage", got=stage + 1, allowed=every)
    if stage == now.stage:
        message = f"{record.key} is at this stage."
        raise NotAllowed(message, pointer="/stage", got=stage + 1, next=calls.look_at(record.key))
    return stage


def _summary(before: float, after: float, ranges: list[BucketRange], where: str, then: str) -> list[str]:
    held = width(ranges) / BUCKETS
    lines = [f"{where}: {percent(held * after)} of units instead of {percent(held * before)}"]
    if after > before:
        lines.append("who is in keeps its variant; those who enter had production values")
    else:
        lines.append("who leaves gets production values again; who stays keeps its variant")
    return [*lines, then] if then else lines


def _steps(deps: Dependencies, view: Reader, record: Record, coverage: float, summary: list[str]) -> list[Step]:
    steps: list[Step] = []
    for placement, backend in opening_entries(deps, view.placements(record.key)):
        place = placement.place
        now = backend.read(place.settings, place.document, record.key)
        if now is None or not same(now, placement.entry):
            raise NotAllowed(
                f"What {place.backend}/{place.document} has of {record.key} is not what was delivered.",
                code="drifted",
                next=f"{calls.plan(record.key, 'pause')}, then resume it: that delivers it again",
            )
        steps.append(rewriting(placement, now, backend.with_coverage(now, coverage), summary))
    return steps
