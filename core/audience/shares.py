"""The share of units that an audience reaches, from the catalogue's distributions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise

from ..model.catalogue import Attribute
from ..model.delivery import Audience, Condition, Scalar
from .conditions import both, implies, meeting_values, possible
from .values import number, typed

Kept = int
"""Alternatives that a unit can still be in, the first as the lowest bit."""
Split = list[tuple[Kept, float]]
"""What the units of one attribute can be in, with their shares, which sum to 1."""
MOST_GROUPS = 30_000
"""Groups of units that are told apart for one share: in general there is no short way (#P-hard; Valiant 1979, "The
Complexity of Enumeration and Reliability Problems"), and people write few alternatives."""


def share(audience: Audience, attributes: Mapping[str, Attribute]) -> tuple[float, list[str]]:
    """(share of units in the audience, attributes whose distribution is not known and counted as everybody who has
    one).

    Attributes are taken as independent: an estimate for sizing, not a measurement. Who is in several alternatives is
    counted once: the units are split by one attribute after the other, into those that can be in the same ones. Where
    that takes too many groups, only the alternatives that reach most count, so that the share is at least what is said.
    """
    asked = [each for alternative in audience for each in alternative if not each.missing]
    unknown = {each.attribute for each in asked if not _is_known(each, attributes[each.attribute])}
    return _counted(audience, attributes)[0], sorted(unknown)


def is_counted_in_full(audience: Audience, attributes: Mapping[str, Attribute]) -> bool:
    """Whether the share of an audience is that of all its alternatives."""
    return _counted(audience, attributes)[1] == len(audience)


def _counted(audience: Audience, attributes: Mapping[str, Attribute]) -> tuple[float, int]:
    """(share of units in the alternatives that count, how many count)."""
    most, reached = len(audience), _reached(audience, attributes)
    if reached is None:
        alone = [_reached([each], attributes) or 0.0 for each in audience]
        audience = [audience[place] for place in sorted(range(most), key=lambda place: -alone[place])]
    while reached is None:
        most //= 2
        reached = _reached(audience[:most], attributes)
    return min(1.0, reached), most


def _reached(audience: Audience, attributes: Mapping[str, Attribute]) -> float | None:
    """The share of units in one of the alternatives, None where that takes too many groups; of one it never does."""
    every = (1 << len(audience)) - 1
    groups: dict[Kept, float] = {every: 1.0}
    reached, work = 0.0, 0
    for name in ["", *sorted({condition.attribute for alternative in audience for condition in alternative})]:
        split = _split(_asked(audience, name), every, attributes[name]) if name else [(every, 1.0)]
        work += len(groups) * len(split)
        if work > MOST_GROUPS and len(audience) > 1:
            return None
        finer: dict[Kept, float] = defaultdict(float)
        for kept, part in groups.items():
            for here, portion in split:
                finer[kept & here] += part * portion
        settled = every & ~_asking_later(audience, name)
        reached += sum(part for kept, part in finer.items() if kept & settled)
        groups = {kept: part for kept, part in finer.items() if kept and not kept & settled}
    return reached


def _asked(audience: Audience, name: str) -> dict[int, Condition]:
    """The condition that each alternative has on an attribute, by the alternative's place."""
    return {place: each for place, one in enumerate(audience) for each in one if each.attribute == name}


def _asking_later(audience: Audience, name: str) -> Kept:
    """The alternatives that also ask for an attribute whose name comes later."""
    return _bits(place for place, one in enumerate(audience) if any(each.attribute > name for each in one))


def _bits(places: Iterable[int]) -> Kept:
    return sum(1 << place for place in places)


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
    elsewhere = every & ~_bits(asked)
    shares: dict[Kept, float] = defaultdict(float)
    shares[elsewhere | _bits(place for place, each in asked.items() if each.missing)] += 1 - attribute.present
    there = {place: each for place, each in asked.items() if not each.missing}
    known = {place: each for place, each in there.items() if _is_known(each, attribute)}
    certain = elsewhere | _bits(there.keys() - known.keys())
    for meeting, part in _cells(known, attribute):
        shares[certain | meeting] += attribute.present * part
    return [(kept, part) for kept, part in shares.items() if part > 0]


def _cells(asked: Mapping[int, Condition], attribute: Attribute) -> Iterator[tuple[Kept, float]]:
    """(places whose conditions a group of the units that carry the attribute meets, its share among them)."""
    if attribute.shares:
        values = {text: typed(text, attribute.type) for text in attribute.shares}
        meeting = {place: {*meeting_values(values.values(), each)} for place, each in asked.items()}
        for text, part in attribute.shares.items():
            yield _bits(place for place, met in meeting.items() if values[text] in met), part
        rest = max(0.0, 1 - sum(attribute.shares.values()))
        yield _bits(place for place, each in asked.items() if _lets_in_unlisted(each, attribute)), rest
    elif attribute.quantiles:
        yield from _intervals(asked, attribute)
    else:
        yield _bits(asked), 1.0


def _lets_in_unlisted(condition: Condition, attribute: Attribute) -> bool:
    """Whether values of an open attribute that the catalogue does not list meet a condition. A value that is named and
    not listed counts as nobody's: it has not been seen."""
    bounds = (condition.gte, condition.gt, condition.lte, condition.lt)
    return attribute.open and condition.values is None and all(bound is None for bound in bounds)


def _intervals(asked: Mapping[int, Condition], attribute: Attribute) -> Iterator[tuple[Kept, float]]:
    """The groups between the bounds that are named. Quantiles are shares below a value: of whole numbers and days, "at
    most 6" is "below 7"."""
    step = 0 if attribute.type == "number" else 1
    changes: dict[float, Kept] = defaultdict(int)
    for place, each in asked.items():
        for edge in (edge for span in _spans(each, step) for edge in span):
            changes[edge] ^= 1 << place  # twice at one edge, where a span ends and the next begins, is no change
    points = sorted((_point(at), part) for at, part in attribute.quantiles.items())
    meeting, below = 0, 0.0
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
