"""The share of units that an audience reaches, from the catalogue's distributions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from itertools import pairwise

from ..model.catalogue import Attribute
from ..model.delivery import Audience, Condition, Scalar
from .conditions import both, implies, meeting_values, possible
from .values import number, typed

Kept = frozenset[int]
"""Places of the alternatives that a unit can still be in."""
Split = list[tuple[Kept, float]]
"""What the units of one attribute can be in, with their shares, which sum to 1."""


def share(audience: Audience, attributes: Mapping[str, Attribute]) -> tuple[float, list[str]]:
    """(share of units in the audience, attributes whose distribution is not known and counted as everybody who has
    one).

    Attributes are taken as independent: an estimate for sizing, not a measurement. Who is in several alternatives is
    counted once: the units are split by one attribute after the other, into those that can be in the same ones.
    """
    names = sorted({condition.attribute for alternative in audience for condition in alternative})
    asked = {
        name: {
            place: each for place, alternative in enumerate(audience) for each in alternative if each.attribute == name
        }
        for name in names
    }
    every = frozenset(range(len(audience)))
    splits = [_split(asked[name], every, attributes[name]) for name in names]
    last = {
        place: max((names.index(each.attribute) for each in alternative), default=-1)
        for place, alternative in enumerate(audience)
    }

    @cache
    def reached(step: int, kept: Kept) -> float:
        if any(last[place] < step for place in kept):
            return 1.0  # nothing more is asked of them
        if not kept:
            return 0.0
        return sum(part * reached(step + 1, kept & here) for here, part in splits[step])

    unknown = [
        name
        for name in names
        if any(not each.missing and not _is_known(each, attributes[name]) for each in asked[name].values())
    ]
    return min(1.0, reached(0, every)), unknown


def share_within(audience: Audience, wanted: Condition, attributes: Mapping[str, Attribute]) -> float:
    """The share of an audience's units, 0-1, that meet one more condition; 0 of an audience that reaches nobody.

    Where the catalogue has no distribution of the attribute, only units that have to meet it count.
    """
    attribute = attributes[wanted.attribute]
    known = bool(attribute.shares or attribute.quantiles)
    within: Audience = []
    for alternative in audience:
        here = next((each for each in alternative if each.attribute == wanted.attribute), None)
        narrower = wanted if here is None else both(here, wanted)
        sure = known or (here is not None and implies(here, wanted, attribute))
        if sure and possible(narrower, attribute):
            within.append([*(each for each in alternative if each is not here), narrower])
    whole, part = share(audience, attributes)[0], share(within, attributes)[0]
    return min(1.0, part / whole) if whole > 0 else 0.0


def _is_known(condition: Condition, attribute: Attribute) -> bool:
    """Whether the catalogue tells how many of the units that carry the attribute meet the condition."""
    if condition == Condition(attribute=condition.attribute, type=condition.type) or attribute.shares:
        return True
    # One number has no share of its own on a curve.
    return bool(attribute.quantiles) and (attribute.type != "number" or condition.values is None)


def _split(asked: Mapping[int, Condition], every: Kept, attribute: Attribute) -> Split:
    """The units by which alternatives they can be in, as far as this attribute goes."""
    elsewhere = every - frozenset(asked)
    shares: dict[Kept, float] = defaultdict(float)
    lacking = elsewhere | {place for place, each in asked.items() if each.missing}
    shares[lacking] += 1 - attribute.present
    there = {place: each for place, each in asked.items() if not each.missing}
    certain = elsewhere | {place for place, each in there.items() if not _is_known(each, attribute)}
    for meeting, part in _cells({place: each for place, each in there.items() if place not in certain}, attribute):
        shares[certain | meeting] += attribute.present * part
    return [(kept, part) for kept, part in shares.items() if part > 0]


def _cells(asked: Mapping[int, Condition], attribute: Attribute) -> Iterator[tuple[Kept, float]]:
    """(places whose conditions a group of the units that carry the attribute meets, its share among them)."""
    if attribute.shares:
        values = {text: typed(text, attribute.type) for text in attribute.shares}
        meeting = {place: {*meeting_values(values.values(), each)} for place, each in asked.items()}
        for text, part in attribute.shares.items():
            yield frozenset(place for place, met in meeting.items() if values[text] in met), part
        rest = max(0.0, 1 - sum(attribute.shares.values()))
        yield frozenset(place for place, each in asked.items() if _lets_in_unlisted(each, attribute)), rest
    elif attribute.quantiles:
        yield from _intervals(asked, attribute)
    else:
        yield frozenset(asked), 1.0


def _lets_in_unlisted(condition: Condition, attribute: Attribute) -> bool:
    """Whether values of an open attribute that the catalogue does not list meet a condition. A value that is named and
    not listed counts as nobody's: it has not been seen."""
    bounds = (condition.gte, condition.gt, condition.lte, condition.lt)
    return attribute.open and condition.values is None and all(bound is None for bound in bounds)


def _intervals(asked: Mapping[int, Condition], attribute: Attribute) -> Iterator[tuple[Kept, float]]:
    """The groups between the bounds that are named. Quantiles are shares below a value: of whole numbers and days, "at
    most 6" is "below 7"."""
    step = 0 if attribute.type == "number" else 1
    changes: dict[float, Kept] = defaultdict(frozenset)
    for place, each in asked.items():
        for edge in (edge for span in _spans(each, step) for edge in span):
            changes[edge] ^= {place}  # twice at one edge, where a span ends and the next begins, is no change
    points = sorted((_point(at), part) for at, part in attribute.quantiles.items())
    meeting: Kept = frozenset()
    below = 0.0
    for edge in sorted({*changes, float("inf")}):
        earlier, below = below, _below(edge, points)
        yield meeting, max(0.0, below - earlier)
        meeting ^= changes[edge]


def _spans(condition: Condition, step: int) -> Iterator[tuple[float, float]]:
    """The stretches of the axis, without their ends, of which the values meet a condition; of a number, single values
    are none."""
    lows = [_point(each) for each in (condition.gte,) if each is not None]
    lows += [_point(each) + step for each in (condition.gt,) if each is not None]
    highs = [_point(each) for each in (condition.lt,) if each is not None]
    highs += [_point(each) + step for each in (condition.lte,) if each is not None]
    low, high = max(lows, default=float("-inf")), min(highs, default=float("inf"))
    out = {_point(value) for value in condition.excluded} if step else set[float]()
    if condition.values is not None:
        inside = {_point(value) for value in condition.values} - out
        yield from ((point, point + step) for point in inside if low <= point < high)
        return
    for point in sorted(each for each in out if low <= each < high):
        yield low, point
        low = point + step
    if low < high:
        yield low, high


def _point(value: Scalar | date) -> float:
    """A value on the axis of the quantiles: a number itself, a date as its day."""
    if isinstance(value, date):
        return value.toordinal()
    return date.fromisoformat(value).toordinal() if isinstance(value, str) else number(value)


def _below(value: float, points: list[tuple[float, float]]) -> float:
    """Share of units below a value: linear between the catalogue's points, 0 before the first, 1 after the last."""
    if value <= points[0][0]:
        return 0.0 if value < points[0][0] else points[0][1]
    for (left, left_share), (right, right_share) in pairwise(points):
        if value <= right:
            return left_share + (right_share - left_share) * (value - left) / (right - left)
    return 1.0
