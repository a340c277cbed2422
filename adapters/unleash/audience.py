"""An audience as constraints of Unleash, which are asked of texts."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ...core.documents import JsonObject
from ...core.errors import Invalid
from ...core.model.delivery import Alternative, Audience, Condition, Scalar
from .patterns import ANY, DATE, VERSION, dates, number, one_of, these_versions, versions

MOST_ALTERNATIVES = 20
"""A strategy each, of the 30 that Unleash takes; the rest is for test units."""
MOST_CONSTRAINTS, MOST_VALUES = 30, 250
"""Unleash's own limits, of one strategy and of one constraint."""
_LEAST = "-9007199254740991"
"""The least number that Unleash takes in a constraint: every attribute that is a number is above it."""
_SPELLED: dict[bool, list[JsonValue]] = {True: ["true", "True"], False: ["false", "False"]}
"""A Python SDK writes True as "True"."""


def compile_audience(audience: Audience) -> list[list[JsonObject]]:
    """For each alternative the constraints that all have to hold; [[]] for everybody, [] for nobody.

    A unit without an attribute, or with one of another type, meets NOT_IN and every inverted constraint, so a
    constraint that it cannot meet stands beside each of them.

    Raises:
        Invalid: Unleash cannot ask that.
    """
    if [] in audience:
        return [[]]
    if len(audience) > MOST_ALTERNATIVES:
        raise refused("more than 20 alternatives", "Say the audience with fewer alternatives.", len(audience))
    return [_alternative(each) for each in audience]


def refused(what: str, then: str, got: JsonValue) -> Invalid:
    return Invalid(f"Unleash cannot express {what}.", next=then, got=got, code="not_expressible")


def constraint(name: str, operator: str, asked: str | list[JsonValue], *, inverted: bool = False) -> JsonObject:
    """A constraint without what Unleash fills in by itself."""
    found: JsonObject = {"contextName": name, "operator": operator}
    found["value" if isinstance(asked, str) else "values"] = asked
    return {**found, "inverted": True} if inverted else found


def _alternative(alternative: Alternative) -> list[JsonObject]:
    found = [each for condition in alternative for each in _constraints(condition)]
    if len(found) > MOST_CONSTRAINTS:
        raise refused("more than 30 conditions at once", "Ask less of the units at once.", len(found))
    for each in found:
        values = each.get("values")
        if isinstance(values, list) and len(values) > MOST_VALUES:
            raise refused("more than 250 values of an attribute", "Name fewer values.", len(values))
    return found


def _constraints(condition: Condition) -> Iterator[JsonObject]:
    if condition.missing:
        then = "Ask for units that have the attribute."
        raise refused("that an attribute is missing in a way that every SDK honours", then, condition.attribute)
    if condition.type == "boolean":
        yield _boolean(condition)
    elif condition.type in ("integer", "number"):
        yield from _number(condition)
    elif condition.type in ("semver", "date"):
        yield from _ordered_text(condition)
    else:
        yield from _text(condition)


def _boolean(condition: Condition) -> JsonObject:
    wanted = [True, False] if condition.values is None else condition.values
    values = [text for each in wanted if each not in condition.excluded for text in _SPELLED[bool(each)]]
    return constraint(condition.attribute, "IN", values)


def _text(condition: Condition) -> Iterator[JsonObject]:
    name = condition.attribute
    if condition.values is not None:
        kept = [each for each in condition.values if each not in condition.excluded]
        yield constraint(name, "IN", list[JsonValue](kept))
        return
    yield constraint(name, "REGEX", ANY)
    if condition.excluded:
        yield constraint(name, "NOT_IN", list[JsonValue](condition.excluded))


def _number(condition: Condition) -> Iterator[JsonObject]:
    name, values = condition.attribute, condition.values
    yield constraint(name, "NUM_GTE", _LEAST)
    for operator, bound in _bounds(condition):
        yield constraint(name, f"NUM_{operator.upper()}", _decimal(bound))
    if values is not None:
        spelled = [number(float(each)) for each in values]
        if None in spelled:
            raise refused("numbers with an exponent", "Ask for bounds instead.", list[JsonValue](values))
        yield constraint(name, "REGEX", one_of([each for each in spelled if each is not None]))
    for each in condition.excluded:
        yield constraint(name, "NUM_EQ", _decimal(each), inverted=True)


def _decimal(value: Scalar) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _ordered_text(condition: Condition) -> Iterator[JsonObject]:
    name, version = condition.attribute, condition.type == "semver"
    yield constraint(name, "REGEX", VERSION if version else DATE)
    for operator, bound in _bounds(condition):
        pattern = versions(operator, str(bound)) if version else dates(operator, str(bound))
        if pattern is None:
            raise refused("a bound that is no release", "Bound the version by a release, 8.2.0 say.", bound)
        yield constraint(name, "REGEX", pattern)
    if condition.values is not None:
        yield constraint(name, "REGEX", _these(version, condition.values))
    if condition.excluded:
        yield constraint(name, "REGEX", _these(version, condition.excluded), inverted=True)


def _these(version: bool, values: list[Scalar]) -> str:
    texts = [str(each) for each in values]
    return these_versions(texts) if version else one_of(texts)


def _bounds(condition: Condition) -> list[tuple[str, Scalar]]:
    bounds = {"gte": condition.gte, "gt": condition.gt, "lte": condition.lte, "lt": condition.lt}
    return [(name, bound) for name, bound in bounds.items() if bound is not None]
