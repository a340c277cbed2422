"""Decide about audiences: who is in, whether anybody can be, and whether two of them meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ..model.catalogue import Attribute
from ..model.delivery import Alternative, Audience, Condition
from .conditions import meets, opposite
from .trees import meeting, within
from .values import evaluable, is_scalar

MOST_STEPS = 10_000
"""Steps after which it is given up to look for units outside an audience."""


def kept_out_by(audience: Audience, context: Mapping[str, JsonValue]) -> str | None:
    """The attribute that keeps a unit out of the audience, or None when it is in.

    Of several alternatives, the one of which the unit meets most conditions is told of. An audience with no alternative
    keeps everybody out, by no attribute: "".
    """
    nearest: tuple[int, str] | None = None
    for alternative in audience:
        met = [holds(condition, context) for condition in alternative]
        if all(met):
            return None
        failing = alternative[met.index(False)].attribute
        if nearest is None or met.count(False) < nearest[0]:
            nearest = met.count(False), failing
    return nearest[1] if nearest else ""


def holds(condition: Condition, context: Mapping[str, JsonValue]) -> bool:
    """Whether a unit's attributes meet a condition."""
    value = context.get(condition.attribute)
    if condition.missing:
        return value is None
    return is_scalar(value) and evaluable(value, condition.type) and meets(value, condition)


def asked_for(audience: Audience) -> list[str]:
    """The attributes that an audience asks for, sorted."""
    return sorted({condition.attribute for alternative in audience for condition in alternative})


def unmeetable(audience: Audience) -> bool:
    """Whether nobody can be in the audience: its normal form has no alternative left."""
    return not audience


def overlap(one: Audience, other: Audience, attributes: Mapping[str, Attribute]) -> bool:
    """Whether a unit can be in both audiences. An attribute that left the catalogue counts as overlapping."""
    return any(meeting(mine, theirs, attributes) is not None for mine in one for theirs in other)


def contains(outer: Audience, inner: Audience, attributes: Mapping[str, Attribute]) -> bool:
    """Whether every unit of `inner` is in `outer`. Where that takes too many steps to find out, the answer is no."""
    search = _Search(attributes)
    return all(search.covered(each, outer) for each in inner)


class _Search:
    """Looks for units of an alternative that are in none of others."""

    def __init__(self, attributes: Mapping[str, Attribute]) -> None:
        self.attributes = attributes
        self.steps = 0

    def covered(self, one: Alternative, others: Audience) -> bool:
        self.steps += 1 + len(others)
        if not others or self.steps > MOST_STEPS:
            return False
        if any(within(one, other, self.attributes) for other in others):
            return True
        first, rest = others[0], others[1:]
        here: Alternative | None = one
        # The parts of it outside the first other one, without overlap: those that fail its first condition, those that
        # meet that and fail the second, and so on.
        for condition in first:
            assert here is not None
            for piece in _complement(condition):
                part = meeting(here, [piece], self.attributes)
                if part is not None and not self.covered(part, rest):
                    return False
            here = meeting(here, [condition], self.attributes)
            if here is None:
                break
        return True


def _complement(condition: Condition) -> Iterator[Condition]:
    """Conditions of which one holds for every unit that does not meet this, those that lack the attribute included."""
    yield from opposite(condition)
    if not condition.missing and condition != Condition(attribute=condition.attribute, type=condition.type):
        yield Condition(attribute=condition.attribute, type=condition.type, missing=True)
