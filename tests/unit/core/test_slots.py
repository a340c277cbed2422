"""Steps and slots: what is rounded stays a share, on the side that was asked for, and loses no bucket to two."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.model.experiment import equal_weights
from crossfade.core.model.plan import BUCKETS
from crossfade.core.planning.buckets import free_buckets, propose
from crossfade.core.planning.slots import is_whole, rounded_down, rounded_up, whole_slots
from crossfade.core.ports.store import HeldRange, ReleasedRange

shares = st.floats(0, 1)
steps = st.sampled_from([1, 2, 3, 7, 100, 1_000, BUCKETS])
divisors = st.sampled_from([each for each in range(1, BUCKETS + 1) if BUCKETS % each == 0])


@st.composite
def layers(draw: st.DrawFn) -> list[HeldRange]:
    cuts = sorted(draw(st.sets(st.integers(0, BUCKETS), max_size=16)))
    return [
        HeldRange(layer="l", lo=lo, hi=hi, key=f"e{lo}", until=None)
        for lo, hi in zip(cuts[::2], cuts[1::2], strict=False)
    ]


@given(shares, steps)
def test_a_rounded_share_is_whole_and_lies_on_its_side(share: float, count: int) -> None:
    up, down = rounded_up(share, count), rounded_down(share, count)
    assert is_whole(up, count)
    assert is_whole(down, count)
    assert 1 / count <= up <= 1
    assert up >= share - 1e-5
    assert 0 <= down <= share + 1e-5


@given(st.integers(1, 10_000), steps)
def test_a_whole_share_stays_as_it_is(number: int, count: int) -> None:
    share = min(number, count) / count
    assert rounded_up(share, count) == rounded_down(share, count) == share
    assert is_whole(share, None)


@pytest.mark.parametrize(("share", "whole"), [(0.29, True), (0.57, True), (0.295, False), (0.0001, False)])
def test_hundredths_are_whole_percents_whatever_a_float_makes_of_them(share: float, whole: bool) -> None:
    assert is_whole(share, 100) == whole


@given(layers(), layers(), divisors, st.integers(1, BUCKETS))
def test_among_whole_slots_a_proposal_is_whole_slots(
    held: list[HeldRange], before: list[HeldRange], slots: int, count: int
) -> None:
    width = BUCKETS // slots
    count = -(-count // width) * width
    grown = whole_slots(held, slots)
    resting = whole_slots(
        [ReleasedRange(lo=part.lo, hi=part.hi, key=part.key, day=date(2026, 3, 1)) for part in before], slots
    )
    proposed = propose(grown, count, resting)
    if proposed is None:
        assert free_buckets(grown) < count
        return
    assert all(part.lo % width == 0 == part.hi % width for part in proposed)
    taken = {bucket for part in held for bucket in range(part.lo, part.hi)}
    buckets = [bucket for part in proposed for bucket in range(part.lo, part.hi)]
    assert len(buckets) == len(set(buckets)) == count
    assert taken.isdisjoint(buckets)


@given(layers())
def test_slots_of_one_bucket_change_nothing(held: list[HeldRange]) -> None:
    assert whole_slots(held, BUCKETS) == held


@pytest.mark.parametrize("count", range(2, 12))
def test_equal_weights_of_whole_steps_sum_to_exactly_one(count: int) -> None:
    weights = [*equal_weights([f"v{number}" for number in range(count)], 1_000).values()]
    assert sum(round(weight * 1_000) for weight in weights) == 1_000
    assert all(is_whole(weight, 1_000) for weight in weights)
