"""What a field has to hold by the catalogue or by the rest of the spec, so that its author need not be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from ..documents import JsonObject
from ..model.catalogue import Catalogue, Surface
from ..names import meant
from ..wording import percent

GIVEN = {
    *("surface", "layer", "unit", "environment", "allocation", "hypothesis/direction"),
    *("design", "design/alpha", "design/power", "design/days"),
}
"""Fields that the surface, the catalogue or another field gives, by their names from the top of the spec."""
GIVEN_OF_EACH = {"variants": "weight", "metrics": "role"}
"""Maps by name -> the field of each entry that the rest of the spec gives."""
NAMES = {"surface", "layer", "unit", "environment", "hypothesis/direction"}
"""Those that are names: of one that is no name at all nothing can be kept. A number may be wrong and yet say much."""


@dataclass(frozen=True)
class Derived:
    """A value, and what setting it does."""

    value: JsonValue
    effect: str


def is_given(document: JsonObject, catalogue: Catalogue | None, path: list[int | str]) -> bool:
    """Whether a field is one that others give: by its name alone, but for a metric, which the surface may require."""
    if len(path) == 2 and path[0] == "metrics":
        return _metric_entry(document, catalogue, str(path[1])) is not None
    if len(path) == 3:
        return GIVEN_OF_EACH.get(str(path[0])) == path[2]
    return _joined(path) in GIVEN


def is_name(path: list[int | str]) -> bool:
    return _joined(path) in NAMES or (len(path) == 3 and GIVEN_OF_EACH.get(str(path[0])) == path[2])


def _joined(path: list[int | str]) -> str:
    return "/".join(map(str, path))


def derived(document: JsonObject, catalogue: Catalogue | None, path: list[int | str]) -> Derived | None:
    """What others give a field, or None when they do not agree on one value, or are wrong themselves."""
    if catalogue is None or not is_given(document, catalogue, path):
        return None
    if path[0] == "surface":
        surface = surface_of(document, catalogue)
        return Derived(surface, f"use {surface}, which alone has its parameters") if surface else None
    if path[0] == "environment":
        default = catalogue.default_environment
        return Derived(default, f"use {default}, the default")
    if len(path) == 2 and path[0] == "metrics":
        return _metric_entry(document, catalogue, str(path[1]))
    if path[0] in ("variants", "metrics"):
        entries = document.get(str(path[0]))
        return _of_entry(entries, str(path[1])) if isinstance(entries, dict) else None
    if path[0] == "hypothesis":
        return _direction(document, catalogue)
    surface = catalogue.surfaces.get(str(document.get("surface")))
    return _by_surface(document, surface, _joined(path)) if surface is not None else None


def surface_of(document: JsonObject, catalogue: Catalogue) -> str | None:
    """The one surface that has every parameter which the variants set, or the only one that may mean them; or None."""
    set_here = parameters_of(document)
    if not set_here:
        return None
    surfaces = catalogue.surfaces.items()
    having = [name for name, surface in surfaces if set_here <= surface.parameters.keys()] or [
        name for name, surface in surfaces if all(meant(each, surface.parameters) for each in set_here)
    ]
    return having[0] if len(having) == 1 else None


def parameters_of(document: JsonObject) -> set[str]:
    """Names of the parameters that any variant sets."""
    variants = document.get("variants")
    found = set[str]()
    for variant in variants.values() if isinstance(variants, dict) else ():
        parameters = variant.get("parameters") if isinstance(variant, dict) else None
        found |= parameters.keys() if isinstance(parameters, dict) else set()
    return found


def _by_surface(document: JsonObject, surface: Surface, field: str) -> Derived | None:
    policy = surface.policy
    if field == "layer":
        named = {meant(name, surface.parameters) for name in parameters_of(document)} - {None}
        layers = {surface.parameters[name].layer for name in named if name is not None}
        return Derived(layer := layers.pop(), f"use {layer}, its parameters' layer") if len(layers) == 1 else None
    numbers: JsonObject = {"alpha": policy.alpha, "power": policy.power, "days": policy.days}
    return {
        "unit": Derived(surface.unit, f"randomise by {surface.unit}, as the surface does"),
        "allocation": Derived(policy.allocation, f"enter {percent(policy.allocation)} of units, the surface's usual"),
        "design": Derived(
            numbers, f"{policy.days} days, alpha {policy.alpha:g}, power {policy.power:g}, as usual here"
        ),
        "design/alpha": Derived(policy.alpha, f"alpha {policy.alpha:g}, the surface's"),
        "design/power": Derived(policy.power, f"power {policy.power:g}, the surface's"),
        "design/days": Derived(policy.days, f"run {policy.days} days, the surface's usual"),
    }.get(field)


def _of_entry(entries: JsonObject, name: str) -> Derived | None:
    """The weight that the other variants leave; the role that goes with a metric's number."""
    entry = entries.get(name)
    if not isinstance(entry, dict):
        return None
    roles = {role for number, role in (("mde", "success"), ("margin", "guardrail")) if entry.get(number) is not None}
    if roles:
        return Derived(role := roles.pop(), f"make it {role}, as its number says") if len(roles) == 1 else None
    others = [_number(other, "weight") for key, other in entries.items() if key != name]
    rest = left_over(others)
    return Derived(rest, f"weigh it {rest:g}, what the others leave") if rest else None


def left_over(others: list[float]) -> float | None:
    """The share that other weights leave, 0-1; None when they are no shares or leave nothing."""
    rest = round(1 - sum(others), 6)
    return rest if others and all(0 < weight < 1 for weight in others) and rest > 0 else None


def _direction(document: JsonObject, catalogue: Catalogue) -> Derived | None:
    """Where the metric of the hypothesis is expected to go, else the only success metric: by its effect, or by what is
    better."""
    metrics = document.get("metrics")
    uses = metrics if isinstance(metrics, dict) else {}
    named = hypothesis.get("metric") if isinstance(hypothesis := document.get("hypothesis"), dict) else None
    successes = [name for name, use in uses.items() if isinstance(use, dict) and use.get("role") == "success"]
    name = named if isinstance(named, str) and named in catalogue.metrics else successes[0] if successes else ""
    if name not in catalogue.metrics or (name != named and len(successes) > 1):
        return None
    effect = _number(uses.get(name), "mde") or catalogue.metrics[name].usual_effect
    direction = "increase" if effect > 0 else "decrease"
    return Derived(direction, f"predict {direction}, as {name} is to move")


def _metric_entry(document: JsonObject, catalogue: Catalogue | None, name: str) -> Derived | None:
    """A metric as the surface requires it, or as the hypothesis needs it."""
    if catalogue is None or name not in catalogue.metrics:
        return None
    surface = catalogue.surfaces.get(str(document.get("surface")))
    required = surface.required_metrics.get(name) if surface is not None else None
    if required is not None and surface is not None:
        entry: JsonObject = {"role": required.role}
        if required.role == "guardrail":
            entry["margin"] = catalogue.margin_of(str(document.get("surface")), name)
        return Derived(entry, f"add it as {required.role}, as the surface requires")
    hypothesis = document.get("hypothesis")
    if not isinstance(hypothesis, dict) or hypothesis.get("metric") != name:
        return None
    effect = catalogue.metrics[name].usual_effect
    return Derived({"role": "success", "mde": effect}, f"the hypothesis's metric, to detect {effect:+.2%}")


def _number(holder: JsonValue | None, name: str) -> float:
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
