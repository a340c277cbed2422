"""Decide about audiences: who is in, whether anybody can be, and whether two of them meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ..model.catalogue import Attribute
from ..model.delivery import Audience, Condition
from .conditions import meets, opposite
from .trees import MOST_ALTERNATIVES, meeting
from .values import evaluable, is_scalar


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
    """Whether every unit of `inner` is in `outer`: nothing is left once all of `outer` is taken away. Where that takes
    too many alternatives to find out, the answer is no."""
    left = inner
    for taken in outer:
        outside = [each for condition in taken for each in _complement(condition)]
        left = [joined for one in left for each in outside if (joined := meeting(one, [each], attributes)) is not None]
        if len(left) > MOST_ALTERNATIVES:
            return False
    return not left


def _complement(condition: Condition) -> Iterator[Condition]:
    """Conditions of which one holds for every unit that does not meet this, those that lack the attribute included."""
    yield from opposite(condition)
    if not condition.missing and condition != Condition(attribute=condition.attribute, type=condition.type):
        yield Condition(attribute=condition.attribute, type=condition.type, missing=True)
