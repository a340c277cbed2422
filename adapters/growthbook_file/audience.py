"""An audience as a GrowthBook condition that means the same in every SDK."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import JsonValue

from ...core.audience import DATE_PATTERN, SEMVER_PATTERN
from ...core.documents import JsonObject
from ...core.model.delivery import Alternative, Audience, Condition, Scalar

_TYPES = {"boolean": "boolean", "integer": "number", "number": "number"}
_PATTERNS = {"semver": SEMVER_PATTERN, "date": DATE_PATTERN}
_END = r"(?![\s\S])"
"""The end of the text in both SDKs; `$` would let Python pass over a last line break."""
_SHORT_VERSION = re.compile(r"v?\d+(\.\d+)?")
NOBODY: JsonObject = {"$nor": [{}]}


def compile_audience(audience: Audience) -> JsonObject:
    """The condition that holds where one of the alternatives does; {} for everybody.

    Each attribute is asked for its presence and its type first. Without that, an absent one meets `$nin` and `$vne`
    in every SDK and `$lt` in the JavaScript one, which also orders "9" below 10 where Python's orders neither.
    """
    if not audience:
        return NOBODY  # an empty $or holds for everybody
    if [] in audience:
        return {}
    alternatives: list[JsonValue] = [_alternative(each) for each in audience]
    first = alternatives[0]
    assert isinstance(first, dict)
    return first if len(alternatives) == 1 else {"$or": alternatives}


def _alternative(alternative: Alternative) -> JsonObject:
    condition: JsonObject = {}
    further: list[JsonValue] = []
    for clause in (clause for each in alternative for clause in _clauses(each)):
        if clause.keys() & condition.keys():
            further.append(clause)
        else:
            condition.update(clause)
    return {**condition, "$and": further} if further else condition


def _clauses(condition: Condition) -> Iterator[JsonObject]:
    """Conditions that all have to hold, the guarded one first."""
    name = condition.attribute
    if condition.missing:
        yield {name: {"$exists": False}}
        return
    guard: JsonObject = {"$exists": True, "$type": _TYPES.get(condition.type, "string")}
    if condition.type in _PATTERNS:
        guard["$regex"] = f"^{_PATTERNS[condition.type]}{_END}"
    if condition.type == "semver":
        yield {name: {**guard, **_bounds(condition, "v")}}
        yield from _versions(condition)
        return
    operators: JsonObject = {}
    if condition.values is not None:
        operators["$in"] = list[JsonValue](condition.values)
    if condition.excluded:
        operators["$nin"] = list[JsonValue](condition.excluded)
    yield {name: {**guard, **operators, **_bounds(condition, "")}}


def _bounds(condition: Condition, prefix: str) -> JsonObject:
    bounds = {"gte": condition.gte, "gt": condition.gt, "lte": condition.lte, "lt": condition.lt}
    return {
        f"${prefix}{name}": _version(bound) if prefix else bound for name, bound in bounds.items() if bound is not None
    }


def _versions(condition: Condition) -> Iterator[JsonObject]:
    """Equality of versions, which ignores a leading `v` and build metadata, one operator a version."""
    if condition.values is not None:
        equals: list[JsonValue] = [{condition.attribute: {"$veq": _version(each)}} for each in condition.values]
        yield {"$or": equals} if equals else NOBODY
    for each in condition.excluded:
        yield {condition.attribute: {"$vne": _version(each)}}


def _version(version: Scalar) -> str:
    """A version with all three numbers: the SDKs compare text, in which 8.2 is neither equal to 8.2.0 nor above it."""
    text = str(version)
    return text + ".0" * (2 - text.count(".")) if _SHORT_VERSION.fullmatch(text) else text
