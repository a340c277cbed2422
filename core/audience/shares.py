"""The share of units that an audience reaches, from the catalogue's distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from itertools import pairwise

from ..model.catalogue import Attribute
from ..model.delivery import Alternative, Audience, Condition, Scalar
from .conditions import meets
from .trees import meeting
from .values import number, typed

MOST_TERMS = 4_096
"""Intersections past which the shares of alternatives are added up, which counts who is in several twice."""


def share(audience: Audience, attributes: Mapping[str, Attribute]) -> tuple[float, list[str]]:
    """(share of units in the audience, attributes whose distribution is not known and counted as everybody who has
    one).

    Attributes are taken as independent: an estimate for sizing, not a measurement. Alternatives that overlap are
    counted once, by inclusion and exclusion.
    """
    unknown = {
        condition.attribute
        for alternative in audience
        for condition in alternative
        if not condition.missing and _share_of(condition, attributes[condition.attribute]) is None
    }
    return min(1.0, max(0.0, _of_union(audience, attributes))), sorted(unknown)


def _of_union(audience: Audience, attributes: Mapping[str, Attribute]) -> float:
    total, terms = 0.0, 0
    pending: list[tuple[Alternative, int, int]] = [([], 0, -1)]
    while pending:
        joined, start, sign = pending.pop()
        for index in range(start, len(audience)):
            more = meeting(joined, audience[index], attributes)
            if more is None:
                continue
            terms += 1
            if terms > MOST_TERMS:
                return sum(_of_one(alternative, attributes) for alternative in audience)
            total -= sign * _of_one(more, attributes)
            pending.append((more, index + 1, -sign))
    return total


def _of_one(alternative: Alternative, attributes: Mapping[str, Attribute]) -> float:
    product = 1.0
    for condition in alternative:
        attribute = attributes[condition.attribute]
        if condition.missing:
            product *= 1 - attribute.present
            continue
        part = _share_of(condition, attribute)
        product *= attribute.present * (1.0 if part is None else part)
    return product


def _share_of(condition: Condition, attribute: Attribute) -> float | None:
    """Share of the units that carry the attribute, or None when its distribution is not known."""
    if condition == Condition(attribute=condition.attribute, type=condition.type):
        return 1.0
    if attribute.shares:
        values = [(typed(text, attribute.type), part) for text, part in attribute.shares.items()]
        return sum(part for value, part in values if meets(value, condition)) + _unlisted(condition, attribute)
    if not attribute.quantiles or (attribute.type == "number" and condition.values is not None):
        return None
    # Quantiles are shares below a value: of whole numbers and days, "at most 6" is "below 7".
    step = 0 if attribute.type == "number" else 1
    if condition.values is not None:
        return sum(_between(_point(value), _point(value) + step, attribute) for value in condition.values)
    lows = [_point(bound) + more for bound, more in ((condition.gte, 0), (condition.gt, step)) if bound is not None]
    highs = [_point(bound) + more for bound, more in ((condition.lte, step), (condition.lt, 0)) if bound is not None]
    low, high = max(lows, default=-math.inf), min(highs, default=math.inf)
    points = [point for point in map(_point, condition.excluded) if low <= point < high]
    left_out = sum(_between(point, point + step, attribute) for point in points)
    return max(0.0, _between(low, high, attribute) - left_out)


def _between(low: float, high: float, attribute: Attribute) -> float:
    return max(0.0, _below(high, attribute) - _below(low, attribute))


def _unlisted(condition: Condition, attribute: Attribute) -> float:
    """Share of the values that an open attribute has besides the listed ones, where the condition lets them in: at most
    that many units have a value that the catalogue does not list."""
    rest = max(0.0, 1 - sum(attribute.shares.values()))
    if not attribute.open:
        return 0.0
    if condition.values is not None:
        listed = [typed(text, attribute.type) for text in attribute.shares]
        one_by_one = [condition.model_copy(update={"values": [value]}) for value in condition.values]
        unlisted = any(not any(meets(value, single) for value in listed) for single in one_by_one)
        return rest if unlisted else 0.0
    bounded = any(bound is not None for bound in (condition.gte, condition.gt, condition.lte, condition.lt))
    return 0.0 if bounded else rest


def _point(value: Scalar | date) -> float:
    """A value on the axis of the quantiles: a number itself, a date as its day."""
    if isinstance(value, date):
        return value.toordinal()
    return date.fromisoformat(value).toordinal() if isinstance(value, str) else number(value)


def _below(value: float, attribute: Attribute) -> float:
    """Share of units below a value: linear between the catalogue's points, 0 before the first, 1 after the last."""
    points = sorted((_point(at), part) for at, part in attribute.quantiles.items())
    if value <= points[0][0]:
        return 0.0 if value < points[0][0] else points[0][1]
    for (left, left_share), (right, right_share) in pairwise(points):
        if value <= right:
            return left_share + (right_share - left_share) * (value - left) / (right - left)
    return 1.0
