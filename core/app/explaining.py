"""Why a unit gets what it gets, and test units that get a variant on request."""

from __future__ import annotations

from pydantic import JsonValue

from ..assignment import decide
from ..checks.shape import read_spec
from ..errors import Invalid, NotAllowed
from ..model.answers import Applied, Explanation
from ..model.delivery import Assignment
from ..model.experiment import Record, Spec
from ..model.plan import Approval, AuditEvent
from ..names import nearest
from ..planning.compile import assignment_of
from ..ports.store import Reader
from .applying import apply, approve
from .cases import production_of, require
from .dependencies import Dependencies
from .plans import plan

MAX_TEST_UNITS = 100


def assignment_now(deps: Dependencies, view: Reader, record: Record) -> tuple[Spec, Assignment]:
    """The assignment that the experiment's spec, buckets and test units make now.

    Raises:
        NotAllowed: the draft does not parse, or has no control yet.
    """
    spec = read_spec(record.document)
    if not isinstance(spec, Spec) or spec.control is None:
        raise NotAllowed(f"{record.key} is not complete yet.", next=f'get_experiment(key="{record.key}")')
    catalogue = deps.catalogue.current()
    return spec, assignment_of(
        record.key,
        spec,
        catalogue,
        production_of(deps, catalogue, spec.surface, spec.environment),
        ranges=view.ranges_of(record.key),
        launch=record.launches,
        on=(record.started or deps.clock.now()).date(),
        previews=view.previews(record.key),
    )


def explain(deps: Dependencies, key: str, unit: str, attributes: dict[str, JsonValue]) -> Explanation:
    """Audience, layer bucket, holdout, coverage and variant of one unit, in the order in which they decide."""
    with deps.store.read() as view:
        record = require(view, key)
        _, assignment = assignment_now(deps, view, record)
    context = {**attributes, assignment.unit_attribute: unit}
    decision = decide(assignment, context)
    serving = record.state == "running" or (decision.because == "preview" and record.state == "draft")
    variant = decision.variant if serving else None
    index = assignment.variants.index(variant) if variant is not None else 0
    parameters: dict[str, JsonValue] = {name: values[index] for name, values in assignment.parameters.items()}
    if variant is None:
        parameters = {name: assignment.production[name] for name in assignment.parameters}
    return Explanation(
        key=key,
        unit=unit,
        state=record.state,
        variant=variant,
        because=decision.because if serving else "not_running",
        detail=decision.detail if serving else f"the experiment is {record.state}; everybody gets production values",
        steps=_steps(assignment, decision.layer_bucket, decision.variant_bucket),
        parameters=parameters,
    )


def _steps(assignment: Assignment, layer_bucket: int | None, variant_bucket: int | None) -> list[str]:
    conditions = ", ".join(condition.attribute for condition in assignment.audience) or "everybody"
    ranges = ", ".join(f"{part.lo}-{part.hi - 1}" for part in assignment.ranges) or "none held"
    lines = [f"audience: {conditions}", f"layer {assignment.layer_seed}: buckets {ranges}"]
    if layer_bucket is not None:
        lines[-1] += f"; the unit's is {layer_bucket}"
    lines += [f"holdout {each.holdout}: the lowest {each.share:.2%}" for each in assignment.exclusions]
    split = ", ".join(
        f"{name} {weight:g}" for name, weight in zip(assignment.variants, assignment.weights, strict=True)
    )
    lines.append(f"variants by {assignment.seed}: {split}")
    if variant_bucket is not None:
        lines[-1] += f"; the unit's bucket is {variant_bucket}"
    return lines


def preview(deps: Dependencies, key: str, variant: str | None, units: list[str], by: str) -> Applied:
    """Give named test units a variant, in production, without tracking; `variant` None takes all of them back.

    Raises:
        NotFound, NotAllowed: no such experiment, or it is neither a draft that is ready nor running.
        Invalid: no such variant, no unit, or more than 100 of them.
    """
    with deps.store.write() as tx:
        record = require(tx, key)
        before = tx.previews(key)
        wanted = _wanted(record, before, variant, units)
        tx.set_previews(key, wanted)
        now = deps.clock.now()
        changed = {"before": _json(before), "after": _json(wanted)}
        tx.audit(AuditEvent(at=now, who=by, what="previews_set", subject=key, **changed))
    try:
        compiled = plan(deps, key, "preview")
        if compiled.plan is None:
            blocks = ", ".join(finding.code for finding in compiled.findings if finding.blocks)
            raise NotAllowed(f"{key} is not ready: {blocks}.", next=f'get_experiment(key="{key}")')
        answer: Approval = approve(deps, compiled.plan.handle, approved=True, assurance="terminal", by=by)
        applied = apply(deps, answer.handle)
    except BaseException:
        _take_back(deps, key, before)
        raise
    if applied.status == "undone":
        _take_back(deps, key, before)
    return applied


def _take_back(deps: Dependencies, key: str, before: dict[str, list[str]]) -> None:
    with deps.store.write() as tx:
        tx.set_previews(key, before)


def _wanted(
    record: Record, before: dict[str, list[str]], variant: str | None, units: list[str]
) -> dict[str, list[str]]:
    if variant is None:
        return {}
    spec = read_spec(record.document)
    known = list(spec.variants) if isinstance(spec, Spec) else []
    if variant not in known:
        raise Invalid(
            "The experiment has no such variant.", got=variant, allowed=known, nearest=nearest(variant, known)
        )
    if not units:
        raise Invalid("Name at least one test unit.")
    kept = {name: [unit for unit in each if unit not in units] for name, each in before.items()}
    kept[variant] = sorted({*kept.get(variant, []), *units})
    if sum(map(len, kept.values())) > MAX_TEST_UNITS:
        raise Invalid(f"At most {MAX_TEST_UNITS} test units; more is an allocation.", got=len(units))
    return {name: each for name, each in kept.items() if each}


def _json(previews: dict[str, list[str]]) -> dict[str, JsonValue]:
    return {name: list[JsonValue](units) for name, units in previews.items()}
