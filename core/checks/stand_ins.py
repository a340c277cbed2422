"""A spec in place of a document that is not quite one, so that one reply tells what is wrong elsewhere in it, too."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from ..documents import JsonObject, patch_object, patch_to, pointer, same, tokens_of
from ..model.catalogue import Catalogue
from ..model.experiment import Spec
from ..model.finding import Finding, Fix
from .engine import Cure, as_fix
from .places import path_of

ROUNDS = 3
"""Most times that faults are looked for: what stands in for one can show another."""


@dataclass(frozen=True)
class StandIns:
    """A document with stand-ins where it breaks the schema, the spec that it is, and their pointers."""

    document: JsonObject
    spec: Spec
    places: frozenset[str]


def stood_in(document: JsonObject, catalogue: Catalogue, shape: list[Finding]) -> StandIns | None:
    """The document with stand-ins: what the first fixes of its shape put there, else what is usual. None where too
    little is left of it."""
    whole, places = copy.deepcopy(document), set[str]()
    for finding in shape:
        for fix in finding.fixes[:1]:
            whole = patch_object(whole, fix.patch)
            places.add(pointer(*_as_far_as_there(document, tokens_of(finding.at))))
    usual = _usual(whole, catalogue)
    if usual is None:
        return None
    for _ in range(ROUNDS):
        try:
            return StandIns(whole, Spec.model_validate(whole), frozenset(places))
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                path = _as_far_as_named(path_of(fault["loc"]))
                places.add(pointer(*path))
                _replace(whole, path, _usual_at(usual, path))
    return None


def beside(findings: list[Finding], places: frozenset[str]) -> list[Finding]:
    """The findings that no stand-in has a part in: those of other places, neither below one nor above it."""
    return [finding for finding in findings if not any(_meet(place, finding.at) for place in places)]


def _meet(one: str, other: str) -> bool:
    """Whether one of two places is the other, or is inside it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def completed(shape: list[Finding], document: JsonObject, stand_ins: StandIns, found: list[Finding]) -> list[Finding]:
    """The findings of the shape, with fixes that do not bring up the next fault: one that puts there what stood in
    (often nothing) also mends what is then found at that place."""
    return [_complete(finding, document, stand_ins, found) for finding in shape]


def _complete(finding: Finding, document: JsonObject, stand_ins: StandIns, found: list[Finding]) -> Finding:
    place = next((each for each in stand_ins.places if f"{finding.at}/".startswith(f"{each}/")), None)
    if place is None or not finding.fixes:
        return finding
    standing = copy.deepcopy(document)
    _replace(standing, tokens_of(place), _value_at(stand_ins.document, tokens_of(place)))
    next_fixes = [fix for each in found if each.blocks and _meet(place, each.at) for fix in each.sound[:1]]
    fixes = [
        _joined(finding.code, fix, next_fixes, document) if same(patch_object(document, fix.patch), standing) else fix
        for fix in finding.fixes
    ]
    return finding.model_copy(update={"fixes": fixes})


def _joined(code: str, fix: Fix, others: list[Fix], document: JsonObject) -> Fix:
    """One fix that does what several do, one after the other."""
    if not others:
        return fix
    after = document
    for each in (fix, *others):
        after = patch_object(after, each.patch)
    effect = ", then ".join(dict.fromkeys(each.effect for each in (fix, *others)))
    return as_fix(code, Cure(effect, patch_to(document, after)))


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


def _as_far_as_there(document: JsonObject, path: list[str]) -> list[str]:
    """The path up to the first list of the document, as `_as_far_as_named`."""
    found: JsonValue = document
    for depth, part in enumerate(path):
        if not isinstance(found, dict):
            return path[:depth]
        found = found.get(part)
    return path


def _usual_at(usual: JsonObject, path: list[str]) -> JsonValue:
    if len(path) == 3 and path[::2] == ["variants", "weight"]:
        return 0.5
    if len(path) == 3 and path[::2] == ["metrics", "role"]:
        return "quality"
    return _value_at(usual, path)


def _value_at(document: JsonObject, path: list[str]) -> JsonValue:
    found: JsonValue = document
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
