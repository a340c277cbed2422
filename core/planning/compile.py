"""The desired state of every backend for one experiment: pure, from the spec, the catalogue and the buckets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pydantic import JsonValue

from ..audience import described, parse
from ..documents import JsonObject, canonical, digest
from ..model.catalogue import Catalogue
from ..model.delivery import Assignment, Content, Exclusion
from ..model.experiment import Change, Spec
from ..model.plan import BucketRange, Place, Step
from ..wording import percent
from .buckets import layer_name
from .difference import difference

HANDLE_DIGITS = 10
"""Hex digits of a digest in the handle that callers use."""
ASSIGNMENT = "assignment"
"""The covered part that says in our own words who gets which variant."""


def assignment_of(
    key: str,
    spec: Spec,
    catalogue: Catalogue,
    production: Mapping[str, JsonValue],
    *,
    ranges: list[BucketRange],
    launch: int,
    coverage: float,
    on: date,
    previews: dict[str, list[str]],
) -> Assignment:
    """Who gets which variant, for the experiment's `launch`-th launch: each launch has a salt of its own, so that
    units of an earlier one are mixed anew.

    Args:
        coverage: share of the buckets' units that enter, 0-1: the stage of a ramp.
        on: the day whose holdouts are kept out: of the launch, so that an experiment's units stay the same throughout.
    """
    control = spec.control
    assert control is not None
    order = [control, *(name for name in spec.variants if name != control)]
    audience, _ = parse(spec.audience, catalogue.attributes)
    return Assignment(
        experiment=key,
        surface=spec.surface,
        environment=spec.environment,
        unit_attribute=catalogue.unit_attribute(spec.surface),
        layer_seed=layer_name(spec.environment, spec.surface, spec.layer),
        ranges=ranges,
        seed=f"{key}/{launch}",
        coverage=coverage,
        variants=order,
        weights=[spec.variants[name].weight for name in order],
        parameters={
            name: [spec.variants[variant].parameters.get(name, production[name]) for variant in order]
            for name in spec.touched
        },
        production={name: production[name] for name in spec.touched},
        audience=audience,
        exclusions=[
            Exclusion(holdout=name, salt=holdout.salt, share=holdout.share)
            for name, holdout in catalogue.holdouts_of(spec.surface, on).items()
        ],
        previews={variant: units for variant, units in previews.items() if variant in spec.variants},
    )


def content_of(key: str, spec: Spec, production: Mapping[str, JsonValue]) -> Content:
    return Content(
        experiment=key,
        surface=spec.surface,
        environment=spec.environment,
        variants={
            name: {parameter: variant.parameters.get(parameter, production[parameter]) for parameter in spec.touched}
            for name, variant in spec.variants.items()
        },
    )


def assignment_summary(assignment: Assignment, *, allocates: bool = False) -> list[str]:
    """What an assignment does to users, for whoever decides about it: of each variant all that differs from
    production, for nobody can agree to what is not shown.

    Args:
        allocates: the assigner gives out the units itself.
    """
    lines = [
        f"{variant} {percent(weight)}: {_changes(assignment, index) or 'as in production'}"
        for index, (variant, weight) in enumerate(zip(assignment.variants, assignment.weights, strict=True))
    ]
    if assignment.ranges:
        buckets = ", ".join(f"{part.lo}-{part.hi - 1}" for part in assignment.ranges)
        lines.append(
            _reach(assignment, "units that the assigner gives out itself" if allocates else f"buckets {buckets}")
        )
    lines += [f"test units of {variant}: {', '.join(units)}" for variant, units in assignment.previews.items()]
    return lines


def _changes(assignment: Assignment, index: int) -> str:
    production = assignment.production
    texts = [difference(name, production.get(name), values[index]) for name, values in assignment.parameters.items()]
    return "; ".join(text for each in texts for text in each)


def _reach(assignment: Assignment, units: str) -> str:
    audience = described(assignment.audience)
    held = [exclusion.holdout for exclusion in assignment.exclusions]
    outside = f" outside the holdout{'s' if len(held) > 1 else ''} {', '.join(held)}" if held else ""
    share = assignment.share
    if assignment.coverage < 1:
        entering = f"{percent(share * assignment.coverage)} of {audience}{outside}"
        return f"{entering}, {percent(assignment.coverage)} of the {percent(share)} reserved: {units}"
    return f"{percent(share)} of {audience}{outside}: {units}"


def content_summary(content: Content) -> list[str]:
    names = ", ".join(next(iter(content.variants.values()), JsonObject()))
    return [f"{names} for {', '.join(content.variants)}"]


def place_of(catalogue: Catalogue, environment: str, backend: str, document: str) -> Place:
    found = catalogue.environments[environment].backends[backend]
    return Place(backend=backend, kind=found.kind, settings=found.settings, document=document)


def covered(
    key: str, change: Change, version: int, document: JsonObject, parts: JsonObject, steps: list[Step], expires: str
) -> JsonObject:
    """Everything that a yes to the plan is a yes to. `parts` holds what only some changes depend on."""
    return {
        "key": key,
        "change": change,
        "version": version,
        "spec": digest(document),
        "steps": [step.model_dump(mode="json") for step in steps],
        "expires": expires,
        **parts,
    }


_OF_ITS_TIME = frozenset({"version", "expires", "ranges", "notes"})


def essence(covered_parts: JsonObject) -> str:
    """Digest of what a plan does, whichever buckets it takes and whenever it was made: a no covers its like."""
    parts = {name: value for name, value in covered_parts.items() if name not in _OF_ITS_TIME}
    assignment, steps = parts.get(ASSIGNMENT), parts.get("steps")
    if isinstance(assignment, dict):  # which says all that the entry does
        parts[ASSIGNMENT] = {**assignment, "ranges": None}
        parts["steps"] = [_without_ranges(step) for step in steps] if isinstance(steps, list) else None
    return digest(parts)


def _without_ranges(step: JsonValue) -> JsonValue:
    opens = isinstance(step, dict) and step.get("opens_traffic")
    return {**step, "after": None, "summary": None} if isinstance(step, dict) and opens else step


AGREED = ("version", "spec", "steps", "catalogue", "ranges", "launch", "assignment", "previews", "stage")
"""The covered parts that a plan must share with the one whose yes it rests on."""


def departures(agreed: JsonObject, now: JsonObject) -> list[str]:
    """Names of what a plan does that the yes to an earlier one does not cover. What people read of the writes is not
    compared, and of the overrides only new ones are."""
    before, after = _binding(agreed), _binding(now)
    lifted, needed = agreed.get("overrides"), now.get("overrides")
    if isinstance(lifted, dict) and isinstance(needed, dict):
        before["overrides"], after["overrides"] = {name: lifted.get(name) for name in needed}, needed
    return differing_parts(before, after)


def _binding(covered_parts: JsonObject) -> JsonObject:
    parts: JsonObject = {name: covered_parts.get(name) for name in AGREED}
    steps = parts["steps"]
    if isinstance(steps, list):
        parts["steps"] = [{**step, "summary": None} if isinstance(step, dict) else step for step in steps]
    return parts


def handle_of(full: str) -> str:
    """The short name of a digest that callers use: it need not be unguessable, only unlikely to be typed by chance."""
    return f"p-{full[:HANDLE_DIGITS]}"


def differing_parts(before: JsonObject, after: JsonObject) -> list[str]:
    """Names of the covered parts that differ; of the catalogue, the entries, and of the overrides, the findings."""
    names = [name for name in sorted(before.keys() | after.keys()) if _text(before, name) != _text(after, name)]
    if len(names) > 1 and ASSIGNMENT in names:
        names.remove(ASSIGNMENT)  # the steps are compiled from it, and say the same
    return [entry for name in names for entry in _entries(name, before.get(name), after.get(name))]


def _entries(name: str, old: JsonValue, new: JsonValue) -> list[str]:
    if name in ("catalogue", "overrides") and isinstance(old, dict) and isinstance(new, dict):
        return [f"{name} {entry}" for entry in differing_parts(old, new)]
    return [name]


def _text(covered_parts: JsonObject, name: str) -> str:
    return canonical(covered_parts.get(name))
