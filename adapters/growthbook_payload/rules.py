"""An assignment as GrowthBook features and rules."""

from __future__ import annotations

from pydantic import JsonValue

from ...core.assignment import BUCKETS
from ...core.documents import JsonObject
from ...core.errors import Invalid
from ...core.model.delivery import Assignment
from .audience import compile_audience

PREVIEW = ":preview:"
"""Stands between the experiment and the variant in the id of a preview rule; neither key can hold a colon."""


def compile_entry(assignment: Assignment) -> JsonObject:
    """{"defaults": {feature: production value}, "rules": {feature: [preview rules, experiment rule]}}, of the features
    that the experiment varies.

    Raises:
        Invalid: a previewed variant holds null, which a rule cannot force (the Python SDK takes it for no value).
    """
    name, shared = assignment.experiment, _shared(assignment)
    rules: JsonObject = {}
    for parameter, values in sorted(assignment.parameters.items()):
        experiment: JsonObject = {"id": name, "key": name, "variations": list[JsonValue](values), **shared}
        feature, shown = _feature(assignment, parameter), dict(zip(assignment.variants, values, strict=True))
        forced = _previews(name, assignment.unit_attribute, feature, shown, assignment.previews)
        rules[feature] = [*forced, experiment]
    defaults: JsonObject = {
        _feature(assignment, each): assignment.production[each] for each in sorted(assignment.parameters)
    }
    return {"defaults": defaults, "rules": rules}


def replace_previews(entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
    """The entry with other preview rules before the rules that it has; their values are those of the rules.

    Raises:
        Invalid: as `compile_entry`.
    """
    rules = entry.get("rules")
    changed = {
        feature: _repreviewed(feature, listed, previews)
        for feature, listed in (rules if isinstance(rules, dict) else {}).items()
    }
    return {**entry, "rules": changed}


def replace_coverage(entry: JsonObject, coverage: float) -> JsonObject:
    """The entry with another coverage in the experiment's own rules; those of test units have none."""
    rules = entry.get("rules")
    changed: JsonObject = {
        feature: [
            {**rule, "coverage": coverage} if isinstance(rule, dict) and "coverage" in rule else rule for rule in each
        ]
        if isinstance(each, list)
        else each
        for feature, each in (rules if isinstance(rules, dict) else {}).items()
    }
    return {**entry, "rules": changed}


def _repreviewed(feature: str, rules: JsonValue, previews: dict[str, list[str]]) -> JsonValue:
    if not isinstance(rules, list):
        return rules
    kept = [rule for rule in rules if not (isinstance(rule, dict) and PREVIEW in str(rule.get("id", "")))]
    made: list[JsonValue] = []
    for rule in kept:
        match rule:
            case {"id": str(name), "hashAttribute": str(unit), "variations": list(values), "meta": list(meta)}:
                named = [str(each.get("key")) if isinstance(each, dict) else "" for each in meta]
                made += _previews(name, unit, feature, dict(zip(named, values, strict=False)), previews)
            case _:
                pass
    return [*made, *kept]


def _feature(assignment: Assignment, parameter: str) -> str:
    return f"{assignment.surface}.{parameter}"


def _shared(assignment: Assignment) -> JsonObject:
    """What the rules of one experiment have in common, so that a unit gets one variant in all its features."""
    rule: JsonObject = {
        "phase": "0",
        "filters": _filters(assignment),
        "hashAttribute": assignment.unit_attribute,
        "hashVersion": 2,
        "seed": assignment.seed,
        "coverage": assignment.coverage,
        "weights": list[JsonValue](assignment.weights),
        "meta": [{"key": variant} for variant in assignment.variants],
        # A remembered variant would outlive a smaller coverage; the hash alone decides.
        "disableStickyBucketing": True,
    }
    condition = compile_audience(assignment.audience)
    return {**rule, "condition": condition} if condition else rule


def _filters(assignment: Assignment) -> list[JsonValue]:
    """The layer's buckets first, then what each holdout leaves; a unit has to pass all of them."""
    ranges: list[JsonValue] = [[each.lo / BUCKETS, each.hi / BUCKETS] for each in assignment.ranges]
    chosen = [(assignment.layer_seed, ranges)]
    chosen += [(each.salt, list[JsonValue]([[each.share, 1.0]])) for each in assignment.exclusions]
    return [
        {"attribute": assignment.unit_attribute, "seed": seed, "hashVersion": 2, "ranges": ranges}
        for seed, ranges in chosen
    ]


def _previews(
    experiment: str, unit: str, feature: str, values: dict[str, JsonValue], previews: dict[str, list[str]]
) -> list[JsonValue]:
    """A rule for each previewed variant. A forced value is never tracked."""
    rules: list[JsonValue] = []
    for variant, value in values.items():
        units = previews.get(variant)
        if not units:
            continue
        if value is None:
            raise Invalid(
                "A variant that sets a parameter to null cannot be previewed: a GrowthBook rule cannot force null.",
                next="Take the variant's preview units out, or give the parameter a value that stands for nothing.",
                got={"variant": variant, "feature": feature},
                code="not_expressible",
            )
        condition: JsonObject = {unit: {"$in": _spellings(units)}}
        rules.append({"id": f"{experiment}{PREVIEW}{variant}", "condition": condition, "force": value})
    return rules


def _spellings(units: list[str]) -> list[JsonValue]:
    """The units as text, and as a number where one reads so: both hash alike, so both are the same unit."""
    numbers = [int(unit) for unit in units if unit.isascii() and unit.isdigit() and len(unit) <= 15 and unit[0] != "0"]
    return [*units, *numbers]
