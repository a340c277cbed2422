"""Answers as text for a model: the state first, then what matters, then the next call.

Each function writes every leaf of its answer, so that a reader of the text knows what a reader of the structured half
knows; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, JsonValue

from ..core.documents import canonical
from ..core.model.answers import (
    Applied,
    Checked,
    Estimate,
    Experiment,
    Experiments,
    FindingView,
    PlanView,
    SizeOption,
    StepView,
    Surfaces,
    SurfaceView,
)
from ..core.wording import percent

Lines = Iterator[str]


def text_of(answer: BaseModel) -> str:
    """The text of an answer. Only the server begins a line: a text of a user's that holds a line break could pass for
    one of ours otherwise, `next` above all."""
    return "\n".join(" ".join(line.splitlines()) for line in _WRITERS[type(answer)](answer))


def shown(value: JsonValue) -> str:
    """A value as a model would type it: texts and numbers bare, the rest as JSON."""
    return value if isinstance(value, str) else canonical(value)


def _each(label: str, values: Sequence[str] | None) -> Lines:
    if values:
        yield f"{label}: " + ", ".join(values)


def _map(label: str, values: Mapping[str, Any] | None) -> Lines:
    if values:
        yield f"{label}: " + "; ".join(f"{name} {shown(value)}" for name, value in values.items())


def _surfaces(answer: Surfaces) -> Lines:
    if answer.best is not None:
        yield from _surface(answer.best)
    if answer.others:
        yield "other surfaces: " + "; ".join(f"{key} ({name})" for key, name in answer.others.items())
    if answer.cursor is not None:
        yield f"cursor: {answer.cursor}"
    yield f"next: {answer.next}"


def _surface(best: SurfaceView) -> Lines:
    yield f"surface {best.key} ({best.name}), owner {best.owner}, unit {best.unit}"
    yield best.description
    yield "units by day: " + ", ".join(f"{day}: {units}" for day, units in best.units.items())
    yield "parameters (production value after =):"
    for parameter in best.parameters:
        yield f"- {parameter.name} [{parameter.layer}] {parameter.values} = {shown(parameter.production)}"
        yield f"  {parameter.description}"
    yield from _each("more parameters", best.more_parameters)
    for layer in best.layers:
        held = f", held by {', '.join(layer.held_by)}" if layer.held_by else ""
        more = f", more free on {layer.more_free_on}" if layer.more_free_on else ""
        yield f"layer {layer.layer}: {percent(layer.free)} free{held}{more}"
    yield from _map("success metrics (usual effect)", best.success_metrics)
    yield from _map("required metrics", best.required_metrics)
    yield from _each("audience attributes", best.audience)
    for name, values in (best.audience_values or {}).items():
        yield f"- {name}: {values}"
    yield from _each("reviewers", best.reviewers)
    yield from _each("blackouts", best.blackouts)
    yield from _map("holdouts", best.holdouts)
    yield from _each("recent", best.recent)


def _experiments(answer: Experiments) -> Lines:
    if not answer.experiments:
        yield "no experiment matches"
    for line in answer.experiments:
        at = f", {line.stage}" if line.stage else ""
        yield f"- {line.key}: {line.state}{at}, {line.name}, surface {line.surface}, owner {line.owner}, {line.updated}"
    if answer.cursor is not None:
        yield f"cursor: {answer.cursor}"
    yield f"next: {answer.next}"


def _experiment(answer: Experiment) -> Lines:
    readiness = "" if answer.ready is None else ", ready to plan" if answer.ready else ", NOT READY"
    yield f"{answer.state} {answer.key} v{answer.version}{readiness}: {answer.name}"
    yield from _map("overridden", answer.overridden)
    yield from _findings(answer.findings or [], answer.more_findings, answer.total)
    yield f"surface {answer.surface}, owner {answer.owner}"
    yield from _designed(answer)
    yield from _each("buckets", answer.buckets)
    yield from _each("delivered", answer.delivered)
    if answer.stage is not None:
        yield f"ramp: {answer.stage}"
    yield from _each("unasked", answer.due)
    if answer.previews:
        units = "; ".join(f"{name} {', '.join(each)}" for name, each in answer.previews.items())
        yield f"test units: {units}"
    if answer.operation is not None:
        operation = answer.operation
        reason = f": {operation.reason}" if operation.reason else ""
        took = f", took {operation.took}" if operation.took else ""
        yield f"last operation {operation.id}: {operation.change} {operation.status}{reason}{took}"
    if answer.spec is not None:
        yield f"spec: {canonical(answer.spec)}"
    yield from _generated(answer.generated)
    yield f"next: {answer.next}"


def _designed(answer: Experiment) -> Lines:
    if answer.hypothesis is None:
        yield "the spec breaks its schema; see what blocks it"
        return
    yield f"allocation {shown(answer.allocation)} = {percent(answer.allocation or 0)} of units, {answer.days} days"
    yield f"hypothesis: {answer.hypothesis}"
    yield f"audience: {answer.audience}"
    for name, variant in (answer.variants or {}).items():
        control = ", control" if variant.control else ""
        yield f"variant {name}: weight {shown(variant.weight)}{control} {canonical(variant.parameters or {})}"
    yield from _each("more variants", answer.more_variants)
    yield from _map("metrics", answer.metrics)


def _generated(generated: Mapping[str, str] | None) -> Lines:
    if generated:
        yield "chosen for you:"
        for at, why in generated.items():
            yield f"- {at}: {why}"


def _checked(answer: Checked) -> Lines:
    what = f"{answer.state} {answer.key} v{answer.version}" if answer.key else "spec (not stored)"
    if answer.state in (None, "draft"):
        yield f"{what}: {'READY' if answer.ready else 'NOT READY'}, {_counted(answer.total or len(answer.findings))}"
    else:
        yield f"{what}: kept"
    yield from _findings(answer.findings, answer.more_findings)
    if answer.changed:
        for at, (before, after) in answer.changed.items():
            yield f"changed {at}: {shown(before)} -> {shown(after)}"
    yield from _each("also changed", answer.more_changed)
    yield from _generated(answer.generated)
    if answer.size is not None:
        found = "; ".join(f"{name} {effect:g}" for name, effect in (answer.size.detects or {}).items())
        yield f"size: {answer.size.days} days, {answer.size.control} units in the control, " + (
            f"power {answer.size.power:g} to ship" + (f", detects {found}" if found else "")
        )
    yield f"next: {answer.next}"


def _estimate(answer: Estimate) -> Lines:
    reached = f", an audience of {answer.reached:g}" if answer.reached is not None else ""
    yield f"sample size on {answer.surface}{reached}: alpha {answer.alpha:g} and power {answer.power:g} in each test"
    yield from _map("names read as", answer.read_as)
    yield from _map("effects", answer.effects)
    yield from _map("guardrail margins", answer.margins)
    yield from _map("units needed in the control", answer.needs)
    lacking = ", 0 where the audience has no past" if answer.cuped and 0 in answer.cuped.values() else ""
    yield from _map(f"variance that CUPED takes off{lacking}", answer.cuped)
    if answer.limiting is not None:
        yield f"needs most: {answer.limiting}"
    yield from (f"- {_option(each)}" for each in answer.menu)
    if answer.enough is not None:
        longer = any(each.enough and each.days < answer.enough.days for each in answer.menu)
        why = "; fewer days are enough, these are the surface's usual" if longer else ""
        yield f"proposed: {_option(answer.enough)}{why}"
    else:
        yield "no run of 180 days is enough: ask for larger effects on what needs most, fewer variants, or more people"
    yield f"next: {answer.next}"


def _option(each: SizeOption) -> str:
    found = "; ".join(f"{name} {effect:g}" for name, effect in (each.detects or {}).items())
    what = f"{each.days} days at {each.allocation:g}: {'ENOUGH' if each.enough else 'too few'}, {each.control} units"
    return f"{what}, power {each.power:g} to ship" + (f", detects {found}" if found else "")


def _counted(total: int) -> str:
    return "no findings" if total == 0 else "1 finding" if total == 1 else f"{total} findings"


def _findings(findings: Iterable[FindingView], more: Sequence[str] | None, total: int | None = None) -> Lines:
    for finding in findings:
        got = f"; got {shown(finding.got)}" if finding.got is not None else ""
        allowed = f"; allowed: {', '.join(finding.allowed)}" if finding.allowed else ""
        near = f"; nearest: {', '.join(finding.nearest)}" if finding.nearest else ""
        message = finding.message.rstrip(".") if got or allowed or near else finding.message
        yield f"{finding.severity.upper()} {finding.code} at {finding.at}: {message}{got}{allowed}{near}"
        if finding.overridden is not None:
            yield f"  overridden: {finding.overridden}"
        for fix in finding.fixes or []:
            yield f"  fix {fix.id}: {fix.effect}" + (" (relaxes the test)" if fix.relaxes else "")
    yield from _each(f"of {_counted(total)}, also" if total else "also", more)


def _plan(answer: PlanView) -> Lines:
    if answer.ready and answer.digest is None:
        yield f"nothing to {answer.change}: {answer.key} is as delivered"
    elif answer.ready:
        what = f"{answer.change} {answer.key} in {answer.environment}"
        yield f"plan {answer.digest}: {what}; apply before {answer.expires}"
    else:
        yield f"NOT READY to {answer.change} {answer.key}"
    if answer.override is not None:
        yield f"override {answer.override}"
    for number, step in enumerate(answer.steps, start=1):
        yield from _step(number, step)
    yield from _findings(answer.findings, answer.more_findings, answer.total)
    yield f"next: {answer.next}"


def _step(number: int, step: StepView) -> Lines:
    opens = " OPENS TRAFFIC" if step.opens_traffic else ""
    yield f"{number}. {step.action} {step.target}{opens} (undo: {step.undo})"
    for line in step.does or []:
        yield f"   {line}"
    if step.before is not None:
        yield f"   before: {canonical(step.before)}"
    if step.after is not None:
        yield f"   after: {canonical(step.after)}"


def _applied(answer: Applied) -> Lines:
    yield f"{answer.status}: {answer.change} {answer.key}, now {answer.state}"
    if answer.reason:
        yield f"reason: {answer.reason}"
    for target, outcome in (answer.steps or {}).items():
        yield f"- {target}: {outcome}"
    if answer.approval:
        yield f"answer: {answer.approval}"
    if answer.operation:
        yield f"operation: {answer.operation}"
    yield f"next: {answer.next}"


_WRITERS: dict[type[BaseModel], Callable[[Any], Lines]] = {
    Surfaces: _surfaces,
    Experiments: _experiments,
    Experiment: _experiment,
    Checked: _checked,
    Estimate: _estimate,
    PlanView: _plan,
    Applied: _applied,
}
