"""An audience as a tree of conditions, and as alternatives: the normal form in which it can be decided about."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
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
MOST_PAIRS = 20_000
"""Pairs of alternatives that are put together to get there, past which it is given up."""


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


@dataclass(frozen=True)
class Unread:
    """What cannot be read: everybody may be in, and outside."""


Tree = All | Any | Not | Unread | Condition


class TooManyAlternatives(Exception):
    """The normal form has more alternatives than are decided about."""


def alternatives(tree: Tree, attributes: Mapping[str, Attribute]) -> Audience:
    """The tree in normal form: an `or` of alternatives, each an `and` of at most one condition an attribute, sorted.

    What no unit can meet is left out, and so is an alternative that another one contains.

    Raises:
        TooManyAlternatives
    """
    found = _merged(_Expansion(attributes).of(tree, positive=True))
    while (shorter := _merged(_without_contained(found, attributes))) != found:
        found = shorter  # what was merged can contain others now
    return sorted(found, key=_order)


class _Expansion:
    """Writes every `or` out, within a limit of work."""

    def __init__(self, attributes: Mapping[str, Attribute]) -> None:
        self.attributes = attributes
        self.pairs = 0

    def of(self, tree: Tree, *, positive: bool) -> list[Alternative]:
        """Negations are pushed down to the conditions, where a missing attribute still meets none."""
        if isinstance(tree, Not):
            return self.of(tree.part, positive=not positive)
        if isinstance(tree, Unread):
            return [[]]
        if isinstance(tree, Condition):
            conditions = [tree] if positive else opposite(tree)
            shortest = (simplest(each) for each in conditions)
            return [[each] for each in shortest if possible(each, self.attributes[each.attribute])]
        parts = [self.of(part, positive=positive) for part in tree.parts]
        if isinstance(tree, Any) == positive:
            return _within_limit(_united(alternative for part in parts for alternative in part))
        whole = self._folded([part for part in parts if len(part) < 2])
        for part in parts:
            whole = whole if len(part) < 2 else _within_limit(self._met(whole, part))
        return whole

    def _folded(self, parts: list[list[Alternative]]) -> list[Alternative]:
        """What all parts have in common, by halves: one after the other, their values would be gone through again for
        each."""
        if len(parts) < 2:
            return parts[0] if parts else [[]]
        half = len(parts) // 2
        return [*self._met(self._folded(parts[:half]), self._folded(parts[half:]))]

    def _met(self, ones: list[Alternative], others: list[Alternative]) -> Iterator[Alternative]:
        self.pairs += len(ones) * len(others)
        if self.pairs > MOST_PAIRS:
            raise TooManyAlternatives
        for one in ones:
            for other in others:
                joined = meeting(one, other, self.attributes)
                if joined is not None:
                    yield joined


def _key(condition: Condition) -> Hashable:
    """Equal for conditions that are equal."""
    values = None if condition.values is None else tuple(condition.values)
    bounds = (condition.gte, condition.gt, condition.lte, condition.lt)
    return condition.attribute, condition.missing, values, tuple(condition.excluded), bounds


def _within_limit(found: Iterable[Alternative]) -> list[Alternative]:
    distinct: dict[Hashable, Alternative] = {}
    for each in found:
        distinct.setdefault(tuple(map(_key, each)), each)
        if len(distinct) > MOST_ALTERNATIVES:
            raise TooManyAlternatives
    return [*distinct.values()]


def _united(found: Iterable[Alternative]) -> list[Alternative]:
    """Alternatives of nothing but values of one attribute, as one for each attribute; the others as they are."""
    values: dict[str, list[Condition]] = {}
    others: list[Alternative] = []
    for each in found:
        if len(each) == 1 and each[0].values is not None:
            values.setdefault(each[0].attribute, []).append(each[0])
        else:
            others.append(each)
    return [*([_union(conditions)] for conditions in values.values()), *others]


def _union(conditions: list[Condition]) -> Condition:
    """One condition for those of some that ask for values of one attribute."""
    if len(conditions) == 1:
        return conditions[0]
    values = [value for each in conditions for value in each.values or []]
    return simplest(conditions[0].model_copy(update={"values": values}))


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
    merged, earlier = found, None
    while merged != earlier:
        earlier = merged
        for name in sorted({condition.attribute for alternative in merged for condition in alternative}):
            merged = _merged_by(name, merged)
    return merged


def _merged_by(name: str, found: list[Alternative]) -> list[Alternative]:
    """Alternatives that differ in the values of the named attribute only, as one."""
    alike: dict[Hashable, list[Alternative]] = {}
    for place, each in enumerate(found):
        has_values = any(condition.attribute == name and condition.values is not None for condition in each)
        rest = tuple(_key(condition) for condition in each if condition.attribute != name)
        alike.setdefault(rest if has_values else place, []).append(each)
    return [
        [
            _union([condition for other in group for condition in other if condition.attribute == name])
            if condition.attribute == name
            else condition
            for condition in group[0]
        ]
        if len(group) > 1
        else group[0]
        for group in alike.values()
    ]


def _order(alternative: Alternative) -> list[tuple[str, bool, Comparable, str]]:
    """By attribute, then from low to high."""
    return [
        (each.attribute, each.missing, () if low is None else sort_key(low, each.type), each.model_dump_json())
        for each in alternative
        for low in [each.gte if each.gte is not None else each.gt]
    ]
