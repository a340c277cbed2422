"""Buckets of a layer: what is free, what to take, and when more comes free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from ..model.plan import BUCKETS, BucketRange, width
from ..ports.store import HeldRange, ReleasedRange


def layer_name(environment: str, surface: str, layer: str) -> str:
    """The name under which a layer's buckets are held, which is its seed as well."""
    return f"{environment}/{surface}/{layer}"


def buckets_for(allocation: float) -> int:
    """How many of the 10,000 buckets an allocation takes; at least one."""
    return max(1, round(min(allocation, 1.0) * BUCKETS))


def gaps(held: Sequence[HeldRange]) -> list[BucketRange]:
    """The free ranges of a layer, by `lo`."""
    free: list[BucketRange] = []
    start = 0
    for part in sorted(held, key=lambda each: each.lo):
        if part.lo > start:
            free.append(BucketRange(lo=start, hi=part.lo))
        start = max(start, part.hi)
    if start < BUCKETS:
        free.append(BucketRange(lo=start, hi=BUCKETS))
    return free


def free_buckets(held: Sequence[HeldRange]) -> int:
    return width(gaps(held))


def free_by_layer(held: Sequence[HeldRange], names: Iterable[str]) -> dict[str, int]:
    """Layer, by its full name -> its buckets that nobody holds."""
    return {name: free_buckets([part for part in held if part.layer == name]) for name in names}


def propose(
    held: Sequence[HeldRange],
    count: int,
    resting: Sequence[ReleasedRange] = (),
    proposed: Sequence[BucketRange] = (),
) -> list[BucketRange] | None:
    """Ranges of `count` free buckets, or None when there are too few.

    What others propose to take is left to them where enough is free and rested besides: of two plans with one bucket
    in common, the later one to be applied is stale, and a person is asked again. They hold nothing by it.

    Buckets that nobody used lately come first: the units of the others may still act on what they saw. Of those, the
    tightest gap that holds all, so that large gaps stay whole; else the largest gaps first, which makes the fewest
    ranges. Where they do not suffice, all of them are taken, and of the resting ones those that have rested longest.
    """
    if free_buckets(held) < count:
        return None
    spared = [*held, *(_as_held(part) for part in resting)]
    avoided = [*spared, *(_as_held(part) for part in proposed)]
    if free_buckets(avoided) >= count:
        return _of_gaps(gaps(avoided), count)
    rested = free_buckets(spared)
    if rested >= count:
        return _of_gaps(gaps(spared), count)
    taken = gaps(spared)
    longest_first = sorted(resting, key=lambda each: (each.day, each.lo))
    for index, part in enumerate(longest_first):
        later = (_as_held(each) for each in longest_first[index + 1 :])
        open_to = gaps([*held, *later, *(_as_held(each) for each in taken), *_outside(part)])
        room = min(count - width(taken), width(open_to))
        taken += _of_gaps(open_to, room)
    return _joined(taken)


def _of_gaps(free: list[BucketRange], count: int) -> list[BucketRange]:
    fitting = [gap for gap in free if gap.hi - gap.lo >= count]
    if fitting:
        gap = min(fitting, key=lambda each: (each.hi - each.lo, each.lo))
        return [BucketRange(lo=gap.lo, hi=gap.lo + count)] if count else []
    taken: list[BucketRange] = []
    for gap in sorted(free, key=lambda each: (each.lo - each.hi, each.lo)):
        part = min(count, gap.hi - gap.lo)
        if part:
            taken.append(BucketRange(lo=gap.lo, hi=gap.lo + part))
        count -= part
    return sorted(taken, key=lambda each: each.lo)


def meet(some: Sequence[BucketRange], others: Sequence[BucketRange]) -> bool:
    """Whether two proposals have a bucket in common."""
    return any(one.lo < other.hi and other.lo < one.hi for one in some for other in others)


def _as_held(part: BucketRange | ReleasedRange) -> HeldRange:
    return HeldRange(layer="", lo=part.lo, hi=part.hi, key="", until=None)


def _outside(part: ReleasedRange) -> list[HeldRange]:
    """Everything but the range, as if it were held."""
    sides = [(0, part.lo), (part.hi, BUCKETS)]
    return [HeldRange(layer="", lo=lo, hi=hi, key="", until=None) for lo, hi in sides if lo < hi]


def _joined(ranges: Sequence[BucketRange]) -> list[BucketRange]:
    """The same buckets in ranges that do not touch each other."""
    joined: list[BucketRange] = []
    for part in sorted(ranges, key=lambda each: each.lo):
        if joined and joined[-1].hi == part.lo:
            part = BucketRange(lo=joined.pop().lo, hi=part.hi)
        joined.append(part)
    return joined


def resting_on(released: Sequence[ReleasedRange], day: date, rest: int) -> list[ReleasedRange]:
    """The ranges that have not rested for `rest` days on a day."""
    return [part for part in released if part.day + timedelta(days=rest) > day]


def rested_buckets(held: Sequence[HeldRange], resting: Sequence[ReleasedRange]) -> int:
    """Buckets that are free and that no resting range covers."""
    return free_buckets([*held, *(_as_held(part) for part in resting)])


def next_free(held: Sequence[HeldRange], count: int) -> date | None:
    """The first day on which `count` buckets should be free, if every planned end holds; None when no end is known."""
    staying = list(held)
    for ending in sorted((part for part in held if part.until is not None), key=lambda part: part.until or date.max):
        staying = [part for part in staying if part is not ending]
        if free_buckets(staying) >= count:
            return ending.until
    return None
