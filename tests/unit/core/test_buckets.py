"""Buckets of a layer: never twice, never too many, in as few ranges as can be."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.model.plan import BucketRange
from crossfade.core.planning.buckets import (
    BUCKETS,
    buckets_for,
    free_buckets,
    gaps,
    layer_name,
    next_free,
    propose,
)
from crossfade.core.ports.store import HeldRange


def held(lo: int, hi: int, key: str = "other", until: date | None = None) -> HeldRange:
    return HeldRange(layer="production/home/order", lo=lo, hi=hi, key=key, until=until)


def members(ranges: list[BucketRange]) -> list[int]:
    return [bucket for part in ranges for bucket in range(part.lo, part.hi)]


@st.composite
def layers(draw: st.DrawFn) -> list[HeldRange]:
    """Layers in which some experiments hold ranges that do not overlap."""
    cuts = sorted(draw(st.sets(st.integers(0, BUCKETS), max_size=16)))
    pairs = [(lo, hi) for lo, hi in zip(cuts[::2], cuts[1::2], strict=False)]
    return draw(st.permutations([held(lo, hi, f"exp-{lo}") for lo, hi in pairs]))


def taken(layer: list[HeldRange]) -> set[int]:
    return {bucket for part in layer for bucket in range(part.lo, part.hi)}


@given(layers(), st.integers(1, BUCKETS))
def test_a_proposal_is_free_and_exactly_as_large_as_asked(layer: list[HeldRange], count: int) -> None:
    proposed = propose(layer, count)
    if proposed is None:
        assert count > BUCKETS - len(taken(layer))
        return
    buckets = members(proposed)
    assert len(buckets) == len(set(buckets)) == count
    assert taken(layer).isdisjoint(buckets)
    assert proposed == sorted(proposed, key=lambda part: part.lo)


@given(layers(), st.integers(1, BUCKETS))
def test_a_proposal_is_one_range_wherever_one_gap_can_hold_it(layer: list[HeldRange], count: int) -> None:
    proposed = propose(layer, count)
    if any(gap.hi - gap.lo >= count for gap in gaps(layer)):
        assert proposed is not None
        assert len(proposed) == 1


@given(layers())
def test_gaps_are_all_that_nobody_holds(layer: list[HeldRange]) -> None:
    assert set(members(gaps(layer))) == set(range(BUCKETS)) - taken(layer)
    assert free_buckets(layer) == BUCKETS - len(taken(layer))


@given(layers(), st.integers(1, BUCKETS))
def test_the_same_layer_gets_the_same_proposal_in_whatever_order_it_is_told(layer: list[HeldRange], count: int) -> None:
    assert propose(layer, count) == propose(sorted(layer, key=lambda part: part.lo), count)


def test_the_tightest_gap_is_taken_so_that_large_ones_stay_whole() -> None:
    layer = [held(0, 100), held(200, 5_000)]
    assert propose(layer, 50) == [BucketRange(lo=100, hi=150)]


def test_of_gaps_too_small_the_largest_are_taken() -> None:
    layer = [held(1_000, 2_000), held(2_100, 6_000), held(9_000, 10_000)]
    assert propose(layer, 3_500) == [BucketRange(lo=0, hi=500), BucketRange(lo=6_000, hi=9_000)]


def test_ranges_that_overlap_are_not_counted_twice() -> None:
    assert free_buckets([held(0, 6_000), held(5_000, 7_000), held(1_000, 2_000)]) == 3_000


def test_a_full_layer_has_nothing_to_propose() -> None:
    assert propose([held(0, BUCKETS)], 1) is None
    assert gaps([held(0, BUCKETS)]) == []


def test_an_empty_layer_can_be_taken_whole() -> None:
    assert propose([], BUCKETS) == [BucketRange(lo=0, hi=BUCKETS)]


@pytest.mark.parametrize(
    ("allocation", "buckets"), [(1.0, 10_000), (0.2, 2_000), (0.3333, 3_333), (1e-9, 1), (7, 10_000)]
)
def test_an_allocation_takes_its_share_of_the_buckets_and_at_least_one(allocation: float, buckets: int) -> None:
    assert buckets_for(allocation) == buckets


def test_enough_is_free_on_the_day_on_which_the_last_needed_experiment_ends() -> None:
    layer = [
        held(0, 4_000, "late", date(2026, 12, 24)),
        held(4_000, 8_000, "early", date(2026, 12, 1)),
        held(8_000, 10_000, "endless"),
    ]
    assert next_free(layer, 4_000) == date(2026, 12, 1)
    assert next_free(layer, 4_001) == date(2026, 12, 24)


def test_no_day_is_known_while_too_much_is_held_without_an_end() -> None:
    assert next_free([held(0, 8_000), held(8_000, 10_000, until=date(2026, 12, 1))], 2_001) is None
    assert next_free([], BUCKETS + 1) is None


def test_a_layer_is_named_by_all_that_tells_it_apart() -> None:
    assert layer_name("production", "home", "order") == "production/home/order"
