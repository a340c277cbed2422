"""Which variant a unit gets, and the one rule that decided it."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from growthbook.core import chooseVariation, gbhash, getBucketRanges
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from crossfade.core.assignment import BUCKETS, bucket, decide
from crossfade.core.audience import parse
from crossfade.core.model.catalogue import Attribute
from crossfade.core.model.delivery import Assignment, Exclusion
from crossfade.core.model.plan import BucketRange

COUNTRY = {"country": Attribute(type="string", description="Where.")}
ASSIGNMENT = Assignment(
    experiment="home-order",
    surface="home",
    environment="production",
    unit_attribute="user_id",
    layer_seed="production/home/order",
    ranges=[BucketRange(lo=0, hi=BUCKETS)],
    seed="home-order/1",
    coverage=1.0,
    variants=["control", "treatment"],
    weights=[0.5, 0.5],
    parameters={"order": ["old", "new"]},
    production={"order": "old"},
    audience=[[]],
    exclusions=[],
)
UNITS = [f"user-{number}" for number in range(2_000)]


def changed(**parts: object) -> Assignment:
    return Assignment.model_validate({**dict(ASSIGNMENT), **parts})


def unit_with(seed: str, *, below: int = BUCKETS, least: int = 0) -> str:
    """The first unit whose bucket under a seed lies in a range."""
    return next(unit for unit in UNITS if least <= bucket(seed, unit) < below)


def text(source: random.Random) -> str:
    """A text of up to 30 characters from all of Unicode, every second one of them from its beginning."""
    code = (source.randrange(0x110000) if source.random() < 0.5 else source.randrange(0x250) for _ in range(30))
    characters = [chr(point) for point in code if not 0xD800 <= point < 0xE000]
    return "".join(characters[: source.randrange(31)])


def test_a_bucket_is_growthbooks_for_texts_from_all_of_unicode() -> None:
    source = random.Random(7)
    for _ in range(5_000):
        seed, unit = text(source), text(source)
        hashed = gbhash(seed, unit, 2)
        assert hashed is not None
        assert bucket(seed, unit) == round(hashed * BUCKETS), (seed, unit)


@given(st.text(), st.text())
def test_a_bucket_is_growthbooks_for_any_text(seed: str, unit: str) -> None:
    hashed = gbhash(seed, unit, 2)
    assert hashed is not None
    assert bucket(seed, unit) == round(hashed * BUCKETS)


def test_units_spread_evenly_over_the_buckets() -> None:
    """Chi-square of 20 cells: 43.8 has a probability of .001."""
    cells = Counter(bucket("seed", f"unit-{number}") * 20 // BUCKETS for number in range(20_000))
    assert sum((cells[cell] - 1_000) ** 2 / 1_000 for cell in range(20)) < 43.8


def test_two_seeds_draw_independently() -> None:
    both = sum(bucket("one", unit) < BUCKETS // 2 and bucket("two", unit) < BUCKETS // 2 for unit in UNITS)
    assert 430 < both < 570


@pytest.mark.parametrize("context", [{}, {"user_id": None}, {"user_id": ""}, {"user_id": True}, {"user_id": ["a"]}])
def test_without_an_id_nobody_is_assigned(context: dict[str, JsonValue]) -> None:
    decision = decide(ASSIGNMENT, context)
    assert (decision.variant, decision.because) == (None, "no_unit")
    assert "user_id" in decision.detail


def test_a_number_as_id_counts_as_its_text() -> None:
    assert decide(ASSIGNMENT, {"user_id": 17}) == decide(ASSIGNMENT, {"user_id": "17"})
    assert decide(ASSIGNMENT, {"user_id": 17.0}) == decide(ASSIGNMENT, {"user_id": "17"})


def test_a_named_test_unit_gets_its_variant_whatever_else_would_keep_it_out() -> None:
    closed = changed(
        ranges=[], audience=parse({"country": "SE"}, COUNTRY)[0], previews={"treatment": ["tester-1", "tester-2"]}
    )
    decision = decide(closed, {"user_id": "tester-2"})
    assert (decision.variant, decision.because) == ("treatment", "preview")
    assert (decision.layer_bucket, decision.variant_bucket) == (None, None)
    assert decide(closed, {"user_id": "tester-3"}).because == "audience"


@pytest.mark.parametrize(
    ("context", "detail"),
    [
        ({"user_id": "a"}, "country is missing"),
        ({"user_id": "a", "country": "NO"}, "country = 'NO' is outside the audience"),
    ],
)
def test_a_unit_outside_the_audience_is_told_which_attribute_keeps_it_out(
    context: dict[str, JsonValue], detail: str
) -> None:
    decision = decide(changed(audience=parse({"country": "SE"}, COUNTRY)[0]), context)
    assert (decision.variant, decision.because, decision.detail) == (None, "audience", detail)
    assert decision.layer_bucket is None


def test_a_unit_in_the_audience_is_drawn() -> None:
    inside = changed(audience=parse({"country": "SE"}, COUNTRY)[0])
    assert decide(inside, {"user_id": "a", "country": "SE"}).because == "assigned"


def test_only_units_of_the_held_buckets_enter() -> None:
    part = changed(ranges=[BucketRange(lo=1_000, hi=2_000), BucketRange(lo=5_000, hi=9_000)])
    for unit in UNITS[:200]:
        here = bucket(ASSIGNMENT.layer_seed, unit)
        decision = decide(part, {"user_id": unit})
        assert decision.because == ("assigned" if 1_000 <= here < 2_000 or 5_000 <= here < 9_000 else "bucket")
        assert decision.layer_bucket == here


def test_a_unit_of_another_bucket_is_told_its_own_and_those_held() -> None:
    unit = unit_with(ASSIGNMENT.layer_seed, least=2_000, below=5_000)
    part = changed(ranges=[BucketRange(lo=1_000, hi=2_000), BucketRange(lo=5_000, hi=9_000)])
    here = bucket(ASSIGNMENT.layer_seed, unit)
    assert decide(part, {"user_id": unit}).detail == f"layer bucket {here} is not in 1000-1999, 5000-8999"


def test_a_range_holds_its_first_bucket_and_not_its_last() -> None:
    here = bucket(ASSIGNMENT.layer_seed, "a")
    assert 0 < here < BUCKETS - 1
    first, last = BucketRange(lo=here, hi=here + 1), BucketRange(lo=here - 1, hi=here)
    assert decide(changed(ranges=[first]), {"user_id": "a"}).because == "assigned"
    assert decide(changed(ranges=[last]), {"user_id": "a"}).because == "bucket"


def test_a_unit_of_a_holdout_is_kept_out_and_told_which() -> None:
    held = changed(exclusions=[Exclusion(holdout="global-2026", salt="h-26", share=0.05)])
    inside, outside = unit_with("h-26", below=500), unit_with("h-26", least=500)
    decision = decide(held, {"user_id": inside})
    assert (decision.variant, decision.because) == (None, "holdout")
    assert decision.detail == "the unit is in the holdout global-2026"
    assert decision.layer_bucket == bucket(ASSIGNMENT.layer_seed, inside)
    assert decide(held, {"user_id": outside}).because == "assigned"


def test_a_unit_above_the_coverage_is_not_entered_yet() -> None:
    ramp = changed(coverage=0.2)
    decision = decide(ramp, {"user_id": unit_with(ASSIGNMENT.seed, least=1_000, below=5_000)})
    assert (decision.variant, decision.because) == (None, "coverage")
    assert decision.variant_bucket is not None
    assert decision.detail == f"variant bucket {decision.variant_bucket} is above the coverage 0.2"


def test_an_assigned_unit_is_told_both_of_its_buckets() -> None:
    decision = decide(ASSIGNMENT, {"user_id": "a"})
    layer, variant = bucket(ASSIGNMENT.layer_seed, "a"), bucket(ASSIGNMENT.seed, "a")
    assert (decision.because, decision.layer_bucket, decision.variant_bucket) == ("assigned", layer, variant)
    assert decision.detail == f"layer bucket {layer}, variant bucket {variant}"
    assert decision.variant == ("control" if variant < 5_000 else "treatment")


def test_a_ramp_never_moves_a_unit_from_one_variant_to_another() -> None:
    stages = [changed(coverage=coverage) for coverage in (0.01, 0.1, 0.5, 1.0)]
    for unit in UNITS[:500]:
        got = [decide(stage, {"user_id": unit}).variant for stage in stages]
        entered = [variant for variant in got if variant is not None]
        assert got == [None] * (len(got) - len(entered)) + entered
        assert len(set(entered)) == 1


@st.composite
def weights(draw: st.DrawFn) -> list[float]:
    parts = draw(st.lists(st.integers(1, 100), min_size=2, max_size=20))
    return [part / sum(parts) for part in parts]


@given(weights(), st.floats(0, 1), st.sampled_from(UNITS))
def test_every_split_and_coverage_gives_the_variant_that_growthbook_gives(
    weights: list[float], coverage: float, unit: str
) -> None:
    variants = [f"v{number}" for number in range(len(weights))]
    parts = changed(variants=variants, weights=weights, coverage=coverage, parameters={})
    hashed = gbhash(ASSIGNMENT.seed, unit, 2)
    assert hashed is not None
    chosen = chooseVariation(hashed, getBucketRanges(len(weights), coverage, weights))
    assert decide(parts, {"user_id": unit}).variant == (variants[chosen] if chosen >= 0 else None)
