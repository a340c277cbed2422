"""An audience as a GrowthBook condition that means the same in every SDK."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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
        yield {name: guard}
        yield from _versions(condition)
        return
    operators: JsonObject = {}
    if condition.values is not None:
        operators["$in"] = list[JsonValue](condition.values)
    if condition.excluded:
        operators["$nin"] = list[JsonValue](condition.excluded)
    yield {name: {**guard, **operators, **_bounds(condition)}}


def _bounds(condition: Condition) -> JsonObject:
    bounds = {"gte": condition.gte, "gt": condition.gt, "lte": condition.lte, "lt": condition.lt}
    return {f"${name}": bound for name, bound in bounds.items() if bound is not None}


def _versions(condition: Condition) -> Iterator[JsonObject]:
    """One clause a bound and a set. The SDKs compare padded texts, in which 8.2 is neither equal to 8.2.0 nor above any
    8.2.0-rc: what is to hold for 8.2.0 is said of its short spellings, too."""
    name = condition.attribute
    for operator, bound in _bounds(condition).items():
        text = _whole(str(bound))
        release = "-" not in text.partition("+")[0]
        shorts = _short_spellings(text)
        clause: JsonObject = {name: {f"$v{operator[1:]}": text}}
        # A short spelling of the bound's own numbers stands for a release, and sorts below all that begins like it.
        if operator == "$gte" or (operator == "$gt" and not release):
            yield _any([clause, *({name: {"$veq": short}} for short in shorts)])
        else:
            yield clause
        if operator == "$lt" or (operator == "$lte" and not release):
            yield from _differing(name, shorts)
    if condition.values is not None:
        yield _any([{name: {"$veq": each}} for each in _spellings(condition.values)])
    yield from _differing(name, _spellings(condition.excluded))


def _differing(name: str, versions: Iterable[str]) -> Iterator[JsonObject]:
    for version in versions:
        yield {name: {"$vne": version}}


def _any(clauses: list[JsonObject]) -> JsonObject:
    if not clauses:
        return NOBODY  # an empty $or holds for everybody
    return clauses[0] if len(clauses) == 1 else {"$or": list[JsonValue](clauses)}


def _spellings(versions: list[Scalar]) -> Iterator[str]:
    for version in versions:
        text = _whole(str(version))
        yield text
        if "-" not in text.partition("+")[0]:
            yield from _short_spellings(text)


def _whole(version: str) -> str:
    """A version with all three numbers."""
    return version + ".0" * (2 - version.count(".")) if _SHORT_VERSION.fullmatch(version) else version


def _short_spellings(version: str) -> list[str]:
    """The numbers of a version with the zeros at their end left out: 8.2.0 is 8.2, and 8.0.0 is 8.0 or 8."""
    major, minor, patch = version.removeprefix("v").partition("+")[0].partition("-")[0].split(".")
    shorts = [f"{major}.{minor}"] if patch == "0" else []
    return [*shorts, major] if shorts and minor == "0" else shorts
