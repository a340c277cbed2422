"""Buckets of a layer: what is free, what to take, and when more comes free."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ..model.plan import BUCKETS, BucketRange
from ..ports.store import HeldRange


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
    return sum(gap.hi - gap.lo for gap in gaps(held))


def propose(held: Sequence[HeldRange], count: int) -> list[BucketRange] | None:
    """Ranges of `count` free buckets, or None when there are too few.

    The tightest gap that holds all of them, so that large gaps stay whole; else the largest gaps first, which makes
    the fewest ranges.
    """
    free = gaps(held)
    fitting = [gap for gap in free if gap.hi - gap.lo >= count]
    if fitting:
        gap = min(fitting, key=lambda each: (each.hi - each.lo, each.lo))
        return [BucketRange(lo=gap.lo, hi=gap.lo + count)]
    taken: list[BucketRange] = []
    for gap in sorted(free, key=lambda each: (each.lo - each.hi, each.lo)):
        part = min(count, gap.hi - gap.lo)
        taken.append(BucketRange(lo=gap.lo, hi=gap.lo + part))
        count -= part
        if count == 0:
            return sorted(taken, key=lambda each: each.lo)
    return None


def next_free(held: Sequence[HeldRange], count: int) -> date | None:
    """The first day on which `count` buckets should be free, if every planned end holds; None when no end is known."""
    staying = list(held)
    for ending in sorted((part for part in held if part.until is not None), key=lambda part: part.until or date.max):
        staying = [part for part in staying if part is not ending]
        if free_buckets(staying) >= count:
            return ending.until
    return None
