"""Sample sizes against published numbers, and against each other."""

from __future__ import annotations

import math
from datetime import date
from importlib import import_module
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crossfade.core.model.catalogue import Baseline, Metric, Source
from crossfade.core.statistics.accrual import eligible_units
from crossfade.core.statistics.detectable import detectable, power_for_effect, power_for_margin
from crossfade.core.statistics.multiplicity import (
    adjusted_alpha,
    adjusted_power,
    chance_of_false_success,
    power_to_ship,
)
from crossfade.core.statistics.sample_sizes import (
    margin_size,
    mean_size,
    proportion_size,
    proportion_size_by_baseline,
    required_units,
    required_units_for_margin,
)

HOME = {1: 1_200_000, 7: 3_100_000, 14: 4_000_000, 28: 5_000_000}


def metric(
    mean: float,
    variance: float | None = None,
    *,
    kind: Literal["proportion", "mean", "ratio", "count"] = "proportion",
    better: Literal["up", "down"] = "up",
) -> Metric:
    return Metric(
        name="Plays",
        description="Plays of anything.",
        kind=kind,
        unit="user",
        better=better,
        baseline=Baseline(mean=mean, variance=variance, measured=date(2026, 10, 1)),
        owner="home",
        source=Source(table="plays", unit="user_id", time="at"),
    )


def test_two_proportions_take_as_many_units_as_in_r() -> None:
    """power.prop.test(p1=.20, p2=.25, power=.8)"""
    assert proportion_size(0.20, 0.25, 0.05, 0.8) == pytest.approx(1093.74, abs=0.005)


@pytest.mark.parametrize(("sides", "normal", "student"), [(2, 21.01, 22.02110), (1, 17.13, 17.84713)])
def test_a_difference_of_means_takes_the_units_of_the_normal_approximation(
    sides: int, normal: float, student: float
) -> None:
    """R's power.t.test(delta=1, sd=1, power=.9) estimates the variance too and so wants about one unit more; at the
    sizes of experiments the two are the same."""
    size = mean_size(1.0, 1.0, 0.05, 0.9, sides=sides)
    assert size == pytest.approx(normal, abs=0.005)
    assert 0 < student - size < 1.1


def test_non_inferiority_of_a_half_within_a_tenth_takes_393_units_an_arm() -> None:
    assert math.ceil(margin_size(0.25, 0.10, 0.025, 0.8)) == 393


def test_the_total_agrees_with_spotify_and_g_power() -> None:
    assert 2 * mean_size(100.0, 0.3, 0.05, 0.85) == pytest.approx(39_906, rel=0.005)


def test_power_is_split_over_the_guardrails_and_the_success_side() -> None:
    assert adjusted_power(0.8, successes=1, guardrails=2) == pytest.approx(0.93333, abs=5e-6)
    assert adjusted_power(0.8, successes=3, guardrails=0) == pytest.approx(0.8)


def test_without_a_success_metric_power_is_split_over_the_guardrails_alone() -> None:
    assert adjusted_power(0.8, successes=0, guardrails=2) == pytest.approx(0.9)
    assert adjusted_power(0.8, successes=0, guardrails=0) == pytest.approx(0.8)


def test_alpha_is_split_over_success_metrics_and_comparisons() -> None:
    assert adjusted_alpha(0.05, successes=2, treatments=3) == pytest.approx(0.05 / 6)
    assert adjusted_alpha(0.05, successes=0, treatments=3) == 0.05


def test_a_treatment_of_another_size_changes_the_control_by_the_textbook() -> None:
    """Per unit of variance: 1 + 1/ratio instead of 2."""
    assert mean_size(1, 0.1, 0.05, 0.8, ratio=4) == pytest.approx(mean_size(1, 0.1, 0.05, 0.8) * 1.25 / 2)
    assert proportion_size(0.5, 0.6, 0.05, 0.8, ratio=3) < proportion_size(0.5, 0.6, 0.05, 0.8)


def test_swapping_the_arms_of_a_proportion_moves_the_units_with_them() -> None:
    """Three treatment units a control unit, or the same test told from the other side."""
    one = proportion_size(0.2, 0.25, 0.05, 0.8, ratio=3)
    assert 3 * one == pytest.approx(proportion_size(0.25, 0.2, 0.05, 0.8, ratio=1 / 3))


def test_a_metric_without_history_has_no_size() -> None:
    assert required_units(metric(3.0, None, kind="mean"), 0.01, 0.05, 0.8) is None
    assert required_units(metric(0.0, 1.0, kind="mean"), 0.01, 0.05, 0.8) is None
    assert required_units_for_margin(metric(3.0, None, kind="mean"), 0.01, 0.05, 0.8) is None
    assert detectable(metric(3.0, None, kind="mean"), 1e6, 0.05, 0.8) is None


def test_no_effect_and_no_margin_have_no_size() -> None:
    assert required_units(metric(0.2), 0.0, 0.05, 0.8) is None
    assert required_units_for_margin(metric(0.2), 0.0, 0.05, 0.8) is None


def test_an_effect_that_takes_a_rate_out_of_its_range_has_no_size() -> None:
    assert required_units(metric(0.9), 0.12, 0.05, 0.8) is None
    assert required_units(metric(0.9), -1.0, 0.05, 0.8) is None


def test_a_relative_margin_counts_from_the_size_of_a_negative_mean() -> None:
    assert required_units_for_margin(metric(-3.0, 9.0, kind="mean"), 0.1, 0.05, 0.8) == pytest.approx(
        margin_size(9.0, 0.3, 0.05, 0.8)
    )


def test_no_units_find_nothing() -> None:
    assert detectable(metric(0.2), 0, 0.05, 0.8) is None


@pytest.mark.parametrize("each", [metric(0.9), metric(0.001, better="down"), metric(1.0, 1e4, kind="mean")])
def test_units_that_miss_even_the_largest_effect_find_none(each: Metric) -> None:
    assert detectable(each, 20, 0.05, 0.8) is None


RATES = st.floats(0.001, 0.999)
ALPHAS = st.sampled_from([0.01, 0.025, 0.05])
RATIOS = st.sampled_from([0.5, 1.0, 3.0])


@given(rate=RATES, effect=st.floats(0.001, 0.9), better=st.sampled_from(["up", "down"]), alpha=ALPHAS, ratio=RATIOS)
def test_the_detectable_effect_is_the_one_that_needs_the_units_for_a_rate(
    rate: float, effect: float, better: Literal["up", "down"], alpha: float, ratio: float
) -> None:
    asked = metric(rate, better=better)
    signed = effect if better == "up" else -effect
    units = required_units(asked, signed, alpha, 0.8, ratio=ratio)
    assume(units is not None)
    assert units is not None
    assert detectable(asked, units, alpha, 0.8, ratio=ratio) == pytest.approx(effect, rel=1e-6)


@given(
    mean=st.floats(-1e3, 1e3).filter(lambda mean: abs(mean) > 1e-3),
    spread=st.floats(0.1, 10),
    effect=st.floats(0.001, 0.9),
    ratio=RATIOS,
)
def test_the_detectable_effect_is_the_one_that_needs_the_units_for_a_mean(
    mean: float, spread: float, effect: float, ratio: float
) -> None:
    asked = metric(mean, (spread * mean) ** 2, kind="mean")
    units = required_units(asked, effect, 0.05, 0.9, ratio=ratio)
    assert units is not None
    assert detectable(asked, units, 0.05, 0.9, ratio=ratio) == pytest.approx(effect, rel=1e-6)


@pytest.mark.parametrize("day", HOME)
def test_the_curve_of_units_meets_the_catalogues_points(day: int) -> None:
    assert eligible_units(HOME, day) == pytest.approx(HOME[day])


def test_the_curve_of_units_starts_at_nobody() -> None:
    assert eligible_units(HOME, 0) == 0


def test_past_the_last_point_units_grow_as_they_did_before_it() -> None:
    assert eligible_units(HOME, 56) == pytest.approx(5_000_000 * 5 / 4)


@st.composite
def curves(draw: st.DrawFn) -> dict[int, int]:
    """Curves as the catalogue allows them: units never fall and never outrun days."""
    units, day, curve = draw(st.integers(100, 10**6)), 1, dict[int, int]()
    for later in (1, 7, 14, 28):
        units = draw(st.integers(units, units * later // day))
        curve[later], day = units, later
    return curve


@given(curve=curves(), day=st.integers(1, 179))
def test_units_never_fall_and_never_outrun_days(curve: dict[int, int], day: int) -> None:
    today, tomorrow = eligible_units(curve, day), eligible_units(curve, day + 1)
    assert today <= tomorrow * (1 + 1e-9)
    assert tomorrow / (day + 1) <= today / day * (1 + 1e-9)


def test_the_variance_of_the_baseline_alone_gives_the_figure_of_evan_millers_calculator() -> None:
    """evanmiller.org: 20 % against 25 %, 1,030 in each."""
    assert proportion_size_by_baseline(0.20, 0.25, 0.05, 0.8) == pytest.approx(1030, abs=0.5)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("power", [0.8, 0.95])
def test_statsmodels_finds_the_same_units_for_a_mean(power: float, ratio: float) -> None:
    """Up to the chance of a significant result in the wrong direction, which it counts as power."""
    stats = import_module("statsmodels.stats.power")
    units = stats.NormalIndPower().solve_power(effect_size=0.02, alpha=0.05, power=power, ratio=ratio)
    assert mean_size(1.0, 0.02, 0.05, power, ratio=ratio) == pytest.approx(units, rel=1e-5)


@pytest.mark.parametrize(("delta", "sides", "units"), [(0.5, 2, 63.76561), (1.0, 2, 22.02110), (1.0, 1, 17.84713)])
def test_statsmodels_reaches_the_published_sizes_from_ours(delta: float, sides: int, units: float) -> None:
    """Cohen's d of one half, and R's power.t.test: the sizes of a t test, between our size and two units more."""
    stats = import_module("statsmodels.stats.power")
    power = 0.8 if delta == 0.5 else 0.9
    side = "two-sided" if sides == 2 else "larger"
    student = stats.TTestIndPower().solve_power(effect_size=delta, alpha=0.05, power=power, alternative=side)
    assert student == pytest.approx(units, abs=5e-5)
    assert 0 < student - mean_size(1.0, delta, 0.05, power, sides=sides) < 2


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0])
def test_statsmodels_gives_our_units_the_power_they_were_sized_for(ratio: float) -> None:
    proportion = import_module("statsmodels.stats.proportion")
    control = proportion_size(0.20, 0.25, 0.05, 0.8, ratio=ratio)
    reached = proportion.power_proportions_2indep(
        0.05, 0.20, control * ratio, ratio=1 / ratio, alpha=0.05, return_results=False
    )
    assert reached == pytest.approx(0.8, abs=0.01)


@given(effect=st.floats(0.002, 0.2), units=st.floats(1e3, 1e7), ratio=RATIOS, alpha=ALPHAS)
def test_the_power_of_the_units_that_are_needed_is_the_one_asked_for(
    effect: float, units: float, ratio: float, alpha: float
) -> None:
    for asked in (metric(0.2), metric(12.0, 80.0, kind="mean")):
        needed = required_units(asked, effect, alpha, 0.8, ratio=ratio)
        cleared = required_units_for_margin(asked, effect, alpha, 0.8, ratio=ratio)
        assert needed is not None
        assert cleared is not None
        assert power_for_effect(asked, effect, needed, alpha, ratio=ratio) == pytest.approx(0.8)
        assert power_for_margin(asked, effect, cleared, alpha, ratio=ratio) == pytest.approx(0.8)
        power = power_for_effect(asked, effect, units, alpha, ratio=ratio)
        assert power is not None
        assert (power >= 0.8) == (units >= needed) or power == pytest.approx(0.8)


@given(rate=st.floats(0.01, 0.9), units=st.floats(1e4, 1e7), more=st.floats(1.01, 10))
def test_more_units_find_less(rate: float, units: float, more: float) -> None:
    few, many = (detectable(metric(rate), count, 0.05, 0.8) for count in (units, units * more))
    assert many is not None
    assert few is None or many < few


def test_a_covariate_takes_the_square_of_its_correlation_off_the_units() -> None:
    """Deng, Xu, Kohavi, Walker 2013, equation 5."""
    for plain in (metric(0.2), metric(12.0, 80.0, kind="mean")):
        helped = plain.model_copy(update={"covariate": "plays", "correlation": 0.6})
        both = required_units(plain, 0.01, 0.05, 0.8), required_units(helped, 0.01, 0.05, 0.8)
        assert None not in both
        assert (both[1] or 0) / (both[0] or 1) == pytest.approx(1 - 0.36)
        found = detectable(helped, both[1] or 0, 0.05, 0.8)
        assert found == pytest.approx(0.01, rel=1e-6)


def test_a_correlation_without_a_covariate_changes_nothing() -> None:
    assert metric(0.2).model_copy(update={"correlation": 0.6}).unexplained == 1


def test_split_power_adds_up_to_the_power_of_the_decision() -> None:
    """One success metric and three guardrails: each at 0.95 ships with 0.8 at least."""
    each = adjusted_power(0.8, 1, 3)
    assert each == pytest.approx(0.95)
    assert power_to_ship([each], [each] * 3) == pytest.approx(0.8)
    assert power_to_ship([0.9, 0.95], [0.95]) == pytest.approx(0.85)
    assert power_to_ship([0.1], [0.05]) == 0


def test_uncorrected_comparisons_keep_alpha_and_lose_the_error() -> None:
    assert adjusted_alpha(0.05, 2, 3, corrected=False) == 0.05
    assert chance_of_false_success(0.05, 3) == pytest.approx(0.142625)


def test_the_skewness_of_a_rate_follows_from_the_rate() -> None:
    assert metric(0.5).skew == pytest.approx(0)
    assert metric(0.1).skew == pytest.approx(0.8 / 0.3)
    assert metric(3.0, 1.0, kind="mean").skew is None
