"""Buckets of a layer: never twice, never too many, in as few ranges as can be."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

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
    meet,
    next_free,
    propose,
    rested_buckets,
    resting_on,
)
from crossfade.core.ports.store import HeldRange, ReleasedRange


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


def resting(lo: int, hi: int, day: date, key: str = "before") -> ReleasedRange:
    return ReleasedRange(lo=lo, hi=hi, key=key, day=day)


FIRST, SECOND = date(2026, 9, 1), date(2026, 9, 8)


@st.composite
def rests(draw: st.DrawFn) -> ReleasedRange:
    lo = draw(st.integers(0, BUCKETS - 1))
    return resting(lo, min(BUCKETS, lo + draw(st.integers(1, BUCKETS))), draw(st.sampled_from([FIRST, SECOND])))


@given(layers(), st.lists(rests(), max_size=6), st.integers(1, BUCKETS))
def test_buckets_that_rest_are_taken_only_when_no_others_are_left(
    layer: list[HeldRange], released: list[ReleasedRange], count: int
) -> None:
    proposed = propose(layer, count, released)
    if proposed is None:
        assert count > BUCKETS - len(taken(layer))
        return
    buckets = set(members(proposed))
    tired = {bucket for part in released for bucket in range(part.lo, part.hi)}
    fresh = set(range(BUCKETS)) - taken(layer) - tired
    assert len(members(proposed)) == len(buckets) == count
    assert taken(layer).isdisjoint(buckets)
    assert rested_buckets(layer, released) == len(fresh)
    assert len(buckets & tired) == max(0, count - len(fresh))
    assert all(left.hi < right.lo for left, right in pairwise(proposed)) or not released


def test_of_buckets_that_rest_those_are_taken_that_have_rested_longest() -> None:
    released = [resting(0, 3_000, SECOND), resting(2_000, 6_000, FIRST), resting(6_000, BUCKETS, SECOND)]
    assert propose([], 3_500, released) == [BucketRange(lo=0, hi=500), BucketRange(lo=3_000, hi=6_000)]


def test_a_range_rests_for_as_many_days_as_the_surface_says() -> None:
    part = resting(0, 10, FIRST)
    assert resting_on([part], date(2026, 9, 14), 14) == [part]
    assert resting_on([part], date(2026, 9, 15), 14) == []
    assert resting_on([part], FIRST, 0) == []


actions = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 4_000), st.booleans()), max_size=30)


@given(actions)
def test_any_sequence_of_takes_and_releases_gives_no_bucket_twice(steps: list[tuple[str, int, bool]]) -> None:
    """A model of single buckets says what is free after each step."""
    layer: list[HeldRange] = []
    released: list[ReleasedRange] = []
    free = set(range(BUCKETS))
    for day, (key, count, takes) in enumerate(steps):
        mine = [part for part in layer if part.key == key]
        if takes and not mine:
            proposed = propose(layer, count, released)
            assert (proposed is None) == (count > len(free))
            buckets = members(proposed or [])
            assert len(buckets) == len(set(buckets))
            assert free.issuperset(buckets)
            free -= set(buckets)
            layer += [held(part.lo, part.hi, key) for part in proposed or []]
        elif mine and not takes:
            layer = [part for part in layer if part.key != key]
            released += [resting(part.lo, part.hi, FIRST + timedelta(days=day), key) for part in mine]
            free |= {bucket for part in mine for bucket in range(part.lo, part.hi)}
        assert free_buckets(layer) == len(free)
        assert set(members(gaps(layer))) == free


@given(layers(), layers(), st.integers(1, BUCKETS))
def test_what_others_propose_is_left_to_them_while_there_is_room_and_takes_none_away(
    layer: list[HeldRange], plans: list[HeldRange], count: int
) -> None:
    others = [BucketRange(lo=part.lo, hi=part.hi) for part in plans]
    proposed = propose(layer, count, proposed=others)
    if free_buckets([*layer, *plans]) >= count:
        assert proposed is not None
        assert not meet(proposed, others)
        assert taken(layer).isdisjoint(members(proposed))
    else:
        assert proposed == propose(layer, count)


def test_buckets_that_have_not_rested_are_not_taken_to_be_apart_from_another_proposal() -> None:
    resting = [ReleasedRange(lo=0, hi=5_000, key="earlier", day=date(2026, 3, 1))]
    others = [BucketRange(lo=5_000, hi=10_000)]
    assert propose([], 5_000, resting, others) == others
