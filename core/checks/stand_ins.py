"""A spec in place of a document that is not quite one, so that one reply tells what is wrong elsewhere in it, too."""

from __future__ import annotations

import copy

from pydantic import JsonValue, ValidationError

from ..documents import JsonObject, pointer
from ..model.catalogue import Catalogue
from ..model.experiment import Spec
from ..model.finding import Finding

ROUNDS = 3
"""Most times that faults are looked for: what stands in for one can show another."""


def stood_in(document: JsonObject, catalogue: Catalogue) -> tuple[Spec, frozenset[str]] | None:
    """(the document with stand-ins where it breaks the schema, their pointers); None where too little is left of it."""
    usual = _usual(document, catalogue)
    if usual is None:
        return None
    whole, places = copy.deepcopy(document), set[str]()
    for _ in range(ROUNDS):
        try:
            return Spec.model_validate(whole), frozenset(places)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                path = _as_far_as_named([part for part in fault["loc"] if part != "[key]"])
                places.add(pointer(*path))
                _replace(whole, path, _usual_at(usual, path))
    return None


def beside(findings: list[Finding], places: frozenset[str]) -> list[Finding]:
    """The findings that no stand-in has a part in: those of other places, neither below one nor above it."""
    return [
        finding
        for finding in findings
        if not any(f"{place}/".startswith(f"{finding.at}/") or finding.at.startswith(f"{place}/") for place in places)
    ]


def _usual(document: JsonObject, catalogue: Catalogue) -> JsonObject | None:
    """What a spec on the surface usually holds; None without a known surface, whose rules the rest is held to."""
    key = document.get("surface")
    surface = catalogue.surfaces.get(key) if isinstance(key, str) else None
    if surface is None or not isinstance(document.get("variants"), dict):
        return None
    policy = surface.policy
    return {
        "name": "to be named",
        "hypothesis": {"change": "to be said", "metric": "", "direction": "increase", "because": "to be said"},
        "layer": next(iter(surface.layers)),
        "unit": surface.unit,
        "environment": catalogue.default_environment,
        "allocation": policy.allocation,
        "metrics": {},
        "design": {"alpha": policy.alpha, "power": policy.power, "days": policy.days},
    }


def _as_far_as_named(path: list[int | str]) -> list[str]:
    """The path up to the first list: an item has no place of its own once another is gone."""
    numbers = [place for place, part in enumerate(path) if isinstance(part, int)]
    return [str(part) for part in (path[: numbers[0]] if numbers else path)]


def _usual_at(usual: JsonObject, path: list[str]) -> JsonValue:
    if len(path) == 3 and path[::2] == ["variants", "weight"]:
        return 0.5
    if len(path) == 3 and path[::2] == ["metrics", "role"]:
        return "quality"
    found: JsonValue = usual
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _replace(whole: JsonObject, path: list[str], value: JsonValue) -> None:
    """Set a value, or take what is there out when there is none to set."""
    holder: JsonValue = whole
    for part in path[:-1]:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or not path:
        return
    holder.pop(path[-1], None)
    if value is not None:
        holder[path[-1]] = copy.deepcopy(value)
