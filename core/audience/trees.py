"""An audience as a tree of conditions, and as alternatives: the normal form in which it can be decided about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from ..documents import JsonObject
from ..model.catalogue import Attribute
from ..model.delivery import Alternative, Audience, Condition
from .conditions import both, implies, opposite, possible, simplest
from .values import Comparable, sort_key

FORMS = [
    "value",
    "[value, ...]",
    '{"in": [...]}',
    '{"not": [...]}',
    '{"gte": ..., "lt": ...} (also gt, lte)',
    '{"exists": false}',
]
MOST_ALTERNATIVES = 256
"""Alternatives past which an audience is not decided about: nobody could read it either."""


@dataclass(frozen=True)
class Problem:
    """Why a part of an audience cannot be read; `patch` cures it where the meaning is plain.

    `patch` sets the first of `nearest`, with `takes_all` all of them.
    """

    kind: Literal["attribute", "value", "form"]
    at: str
    message: str
    got: JsonValue = None
    allowed: list[str] = field(default_factory=list[str])
    nearest: list[str] = field(default_factory=list[str])
    patch: JsonObject | None = None
    takes_all: bool = False


@dataclass(frozen=True)
class All:
    """Every part holds; with none, everybody is in."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Any:
    """At least one part holds; with none, nobody is in."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Not:
    part: Tree


Tree = All | Any | Not | Condition


class TooManyAlternatives(Exception):
    """The normal form has more alternatives than are decided about."""


def alternatives(tree: Tree, attributes: Mapping[str, Attribute]) -> Audience:
    """The tree in normal form: an `or` of alternatives, each an `and` of at most one condition an attribute, sorted.

    What no unit can meet is left out, and so is an alternative that another one contains.

    Raises:
        TooManyAlternatives
    """
    found = _expanded(tree, attributes, positive=True)
    while (shorter := _merged(_without_contained(found, attributes))) != found:
        found = shorter  # what was merged can contain others now
    return sorted(found, key=_order)


def _expanded(tree: Tree, attributes: Mapping[str, Attribute], *, positive: bool) -> list[Alternative]:
    """Negations are pushed down to the conditions, where a missing attribute still meets none."""
    if isinstance(tree, Not):
        return _expanded(tree.part, attributes, positive=not positive)
    if isinstance(tree, Condition):
        conditions = [tree] if positive else opposite(tree)
        shortest = (simplest(each) for each in conditions)
        return [[each] for each in shortest if possible(each, attributes[each.attribute])]
    parts = [_expanded(part, attributes, positive=positive) for part in tree.parts]
    if isinstance(tree, Any) == positive:
        return _within_limit([alternative for part in parts for alternative in part])
    whole: list[Alternative] = [[]]
    for part in parts:
        whole = _within_limit(
            [joined for one in whole for other in part if (joined := meeting(one, other, attributes)) is not None]
        )
    return whole


def _within_limit(found: list[Alternative]) -> list[Alternative]:
    distinct: list[Alternative] = []
    for each in found:
        if each not in distinct:
            distinct.append(each)
        if len(distinct) > MOST_ALTERNATIVES:
            raise TooManyAlternatives
    return distinct


def meeting(one: Alternative, other: Alternative, attributes: Mapping[str, Attribute]) -> Alternative | None:
    """Both alternatives together, by attribute; None when no unit can meet both."""
    together = {condition.attribute: condition for condition in one}
    for condition in other:
        earlier = together.get(condition.attribute)
        joined = condition if earlier is None else both(earlier, condition)
        attribute = attributes.get(condition.attribute)
        if attribute is not None and not possible(joined, attribute):
            return None
        together[condition.attribute] = joined
    return [together[name] for name in sorted(together)]


def within(one: Alternative, other: Alternative, attributes: Mapping[str, Attribute]) -> bool:
    """Whether every unit of one alternative is in the other."""
    mine = {condition.attribute: condition for condition in one}
    return all(
        condition.attribute in mine and implies(mine[condition.attribute], condition, attributes[condition.attribute])
        for condition in other
    )


def _without_contained(found: list[Alternative], attributes: Mapping[str, Attribute]) -> list[Alternative]:
    kept: list[Alternative] = []
    for each in found:
        if any(within(each, other, attributes) for other in kept):
            continue
        kept = [other for other in kept if not within(other, each, attributes)] + [each]
    return kept


def _merged(found: list[Alternative]) -> list[Alternative]:
    """Alternatives that differ in the values of one attribute only, as one."""
    merged = list(found)
    index = 0
    while index < len(merged):
        for other in range(index + 1, len(merged)):
            joined = _joined(merged[index], merged[other])
            if joined is not None:
                del merged[other]
                merged[index] = joined
                index = -1
                break
        index += 1
    return merged


def _joined(one: Alternative, other: Alternative) -> Alternative | None:
    if [each.attribute for each in one] != [each.attribute for each in other]:
        return None
    places = [place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    if len(places) != 1:
        return None
    first, second = one[places[0]], other[places[0]]
    if first.values is None or second.values is None:
        return None
    values = [*first.values, *second.values]
    union = simplest(first.model_copy(update={"values": values}))
    return [*one[: places[0]], union, *one[places[0] + 1 :]]


def _order(alternative: Alternative) -> list[tuple[str, bool, Comparable, str]]:
    """By attribute, then from low to high."""
    return [
        (each.attribute, each.missing, () if low is None else sort_key(low, each.type), each.model_dump_json())
        for each in alternative
        for low in [each.gte if each.gte is not None else each.gt]
    ]
