"""Bounds, spending and what looks cost, against published numbers and against each other."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossfade.core.statistics.accrual import eligible_units, weekly_looks
from crossfade.core.statistics.group_sequential import (
    Plan,
    Spending,
    are_looks,
    bounds,
    drift_for,
    error_of_peeking,
    fixed_power,
    inflation,
    power_at,
    sequential_power,
    spent,
)
from crossfade.core.statistics.normal import below, quantile


def equal(count: int) -> tuple[float, ...]:
    return tuple((number + 1) / count for number in range(count))


@pytest.mark.parametrize(
    ("spending", "rho", "published"),
    [
        pytest.param(
            "obrien_fleming", 2, [4.8769, 3.3569, 2.6803, 2.2898, 2.0310], id="Lan, DeMets 1983, as in R's ldbounds"
        ),
        pytest.param("power", 1, [2.5758, 2.4919, 2.4108, 2.3391, 2.2754], id="Kim, DeMets 1987, as in R's ldbounds"),
        pytest.param("power", 2, [3.0902, 2.7141, 2.4728, 2.2799, 2.1140], id="Spotify's choice of rho"),
    ],
)
def test_bounds_of_five_looks_are_the_published_ones(spending: Spending, rho: float, published: list[float]) -> None:
    assert bounds(Plan(equal(5), spending, rho), 0.025) == pytest.approx(published, abs=2e-4)


@pytest.mark.parametrize(("looks", "constant"), [(2, 2.178), (5, 2.413), (10, 2.555)])
def test_one_critical_value_for_all_looks_is_pococks(looks: int, constant: float) -> None:
    """Pocock 1977, table 1: at his constant the error over all looks is 5 %."""
    assert error_of_peeking(equal(looks), 2 * (1 - below(constant))) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(("looks", "error"), [(1, 0.05), (2, 0.083), (5, 0.142), (10, 0.193)])
def test_peeking_at_a_fixed_test_makes_the_error_of_the_textbook(looks: int, error: float) -> None:
    """Armitage, McPherson, Rowe 1969, table 2."""
    assert error_of_peeking(equal(looks), 0.05) == pytest.approx(error, abs=5e-4)


def test_the_integral_agrees_with_a_simulation() -> None:
    chance, plan, drift = random.Random(7), Plan((0.3, 0.7, 1.0), "pocock", 2), 2.5
    critical = bounds(plan, 0.025)
    crossed = 0
    for _ in range(40_000):
        at, done = 0.0, 0.0
        for fraction, bound in zip(plan.looks, critical, strict=True):
            at += chance.gauss(drift * (fraction - done), (fraction - done) ** 0.5)
            done = fraction
            if at / fraction**0.5 > bound:
                crossed += 1
                break
    assert crossed / 40_000 == pytest.approx(power_at(plan, 0.025, drift), abs=0.01)


@st.composite
def plans(draw: st.DrawFn, least: int = 1) -> Plan:
    steps = draw(st.lists(st.integers(1, 20), min_size=least, max_size=6))
    looks = tuple(sum(steps[: number + 1]) / sum(steps) for number in range(len(steps)))
    return Plan(looks, draw(st.sampled_from(get_args(Spending))), draw(st.floats(0.5, 4)))


ALPHAS = st.sampled_from([0.005, 0.0125, 0.025, 0.05])
POWERS = st.sampled_from([0.7, 0.8, 0.9, 0.95])


@settings(max_examples=30, deadline=None)
@given(plan=plans(), alpha=ALPHAS)
def test_no_more_than_alpha_is_ever_spent(plan: Plan, alpha: float) -> None:
    amounts = [spent(plan.spending, alpha, look, plan.rho) for look in plan.looks]
    assert all(0 < one <= other + 1e-15 for one, other in pairwise([*amounts, alpha]))
    assert power_at(plan, alpha, 0.0) == pytest.approx(alpha, rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(plan=plans(least=2), alpha=ALPHAS, power=POWERS)
def test_a_sequential_design_needs_more_units_than_a_fixed_one(plan: Plan, alpha: float, power: float) -> None:
    # A first look that spends next to nothing costs next to nothing: less than the integral is exact to.
    assert 1 - 1e-4 <= inflation(plan, alpha, power) < 1.7


@settings(max_examples=30, deadline=None)
@given(plan=plans(), alpha=ALPHAS, power=POWERS)
def test_the_drift_that_is_asked_for_gives_the_power(plan: Plan, alpha: float, power: float) -> None:
    assert power_at(plan, alpha, drift_for(plan, alpha, power)) == pytest.approx(power, abs=1e-4)
    assert sequential_power(plan, alpha, fixed_power(plan, alpha, power)) == pytest.approx(power, abs=1e-4)


def test_one_look_is_a_fixed_design() -> None:
    plan = Plan((1.0,), "power", 2)
    assert bounds(plan, 0.025) == pytest.approx([quantile(0.975)], abs=1e-6)
    assert inflation(plan, 0.025, 0.8) == pytest.approx(1, abs=1e-4)
    assert fixed_power(None, 0.025, 0.8) == sequential_power(None, 0.025, 0.8) == 0.8


def test_more_looks_cost_more_and_early_spending_costs_most() -> None:
    costs = [inflation(Plan(equal(count), "power", 2), 0.025, 0.8) for count in (2, 5, 10)]
    assert costs == sorted(costs)
    shapes: tuple[Spending, ...] = ("obrien_fleming", "power", "pocock")
    by_shape = [inflation(Plan(equal(5), spending, 2), 0.025, 0.8) for spending in shapes]
    assert by_shape == sorted(by_shape)


@pytest.mark.parametrize("looks", [[], [0.5], [0.5, 0.5, 1], [0.7, 0.3, 1], [0, 1], [-0.1, 1], [0.5, 1.1], [0.1] * 70])
def test_what_does_not_grow_to_one_is_no_plan_of_looks(looks: list[float]) -> None:
    assert not are_looks(looks)


@given(days=st.integers(-3, 180), window=st.integers(1, 60), late=st.integers(1, 28))
def test_weekly_looks_are_a_plan_and_leave_every_window_time(days: int, window: int, late: int) -> None:
    accrual = {1: 1_000, 7: 4_000, 14: 6_000, 28: 6_000 + 100 * late}
    looks = weekly_looks(accrual, days, window)
    assert are_looks(looks)
    if len(looks) > 1:
        assert looks[0] >= eligible_units(accrual, window) / eligible_units(accrual, days) - 1e-4
