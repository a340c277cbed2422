"""A launch tried on made-up units before anybody is asked to agree to it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress

from ..assignment import BUCKETS, GROWTHBOOK, Hashing
from ..model.catalogue import Holdout
from ..model.delivery import Assignment
from ..model.plan import BucketRange
from ..ports.store import HeldRange
from ..srm import srm_p

UNITS = tuple(f"u{number:05}" for number in range(10_000))
"""Ids of the made-up units."""


@dataclass(frozen=True)
class DryRun:
    """What became of the units.

    `entered` counts them by variant; `split_p` and `share_p` are the chances of so uneven a split and of so unexpected
    a number of entering units, None where they are too few to tell. `taken_from` and `held_out` name the experiments
    of the layer and the holdouts that have units which entered as well.
    """

    entered: dict[str, int]
    split_p: float | None
    share_p: float | None
    taken_from: list[str]
    held_out: list[str]


def dry_run(
    assignment: Assignment,
    others: Sequence[HeldRange],
    holdouts: Mapping[str, Holdout],
    hashing: Hashing = GROWTHBOOK,
) -> DryRun:
    """Assign the made-up units, with the very seeds, ranges, weights and exclusions of the assignment.

    Args:
        others: what other experiments hold of the layer.
        holdouts: those of the surface on the day of the launch, by name.
        hashing: that of the assigner.
    """
    layer = _drawn(hashing, assignment.layer_seed)
    inside = _flags(assignment.ranges, layer)
    for each in assignment.exclusions:
        inside = _both(inside, _flags(_outside(each.share), _drawn(hashing, each.salt)))
    units, taken = [*compress(UNITS, inside)], {*compress(layer, inside)}
    excluded = {(each.salt, each.share) for each in assignment.exclusions}
    counts = hashing.counts(assignment, units)
    entered, expected = sum(counts), _expected_share(assignment)
    return DryRun(
        entered=dict(zip(assignment.variants, counts, strict=True)),
        split_p=srm_p(counts, assignment.weights),
        share_p=srm_p([entered, len(UNITS) - entered], [expected, 1 - expected]),
        taken_from=_also_in(others, taken),
        held_out=[
            name
            for name, each in holdouts.items()
            if (each.salt, each.share) not in excluded
            and any(compress(_flags(_inside(each.share), _drawn(hashing, each.salt)), inside))
        ],
    )


@lru_cache(maxsize=64)
def _drawn(hashing: Hashing, seed: str) -> array[int]:
    """The buckets of all made-up units, kept: every launch of a layer asks for those of its seed and its holdouts."""
    return array("H", hashing.buckets(seed, UNITS))


def _outside(share: float) -> list[BucketRange]:
    """The buckets that a holdout of a share leaves alone."""
    return [BucketRange(lo=_kept(share), hi=BUCKETS)]


def _inside(share: float) -> list[BucketRange]:
    return [BucketRange(lo=0, hi=_kept(share))]


def _kept(share: float) -> int:
    """How many buckets a holdout of a share has."""
    return next(bucket for bucket in range(round(share * BUCKETS) - 1, BUCKETS) if bucket / BUCKETS >= share)


def _both(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "little") & int.from_bytes(other, "little")).to_bytes(len(one), "little")


def _flags(ranges: Sequence[BucketRange], at: Sequence[int]) -> bytes:
    """For each of the buckets 1 where a range has it, else 0."""
    members = bytearray(BUCKETS)
    for part in ranges:
        members[part.lo : part.hi] = b"\1" * (part.hi - part.lo)
    return bytes(map(members.__getitem__, at))


def _also_in(others: Sequence[HeldRange], entered: set[int]) -> list[str]:
    return sorted({part.key for part in others if not entered.isdisjoint(range(part.lo, part.hi))})


def _expected_share(assignment: Assignment) -> float:
    return assignment.share * assignment.coverage * math.prod(1 - each.share for each in assignment.exclusions)
