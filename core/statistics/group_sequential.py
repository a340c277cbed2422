"""Group sequential tests: bounds at planned looks, and what looking costs in units.

Z-statistics at information fractions t_1 < ... < t_K = 1 have independent increments; their joint density is integrated
recursively on a grid (Armitage, McPherson, Rowe 1969; Jennison, Turnbull 2000, "Group Sequential Methods with
Applications to Clinical Trials", chapter 19), which the package gsdesign does. Probabilities and alphas here are per
side: a two-sided test at 5 % spends 0.025 on each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from .normal import below, quantile

Spending = Literal["power", "obrien_fleming", "pocock"]
Looks = tuple[float, ...]
MAX_LOOKS = 30
"""More looks than a daily one over a month, or a weekly one over half a year, cost units and gain nothing."""
SMALLEST_STEP = 1e-3
"""Least growth of information from one look to the next: the integration needs some."""
_FARTHEST = 8.5
"""Bounds beyond this are crossed by nobody: the normal tail is below 1e-17."""
_GRID = 18


@dataclass(frozen=True)
class Plan:
    """When a test may end, and how its alpha is spent until then."""

    looks: Looks
    spending: Spending
    rho: float


def are_looks(fractions: list[float]) -> bool:
    """Whether a test can be made at these information fractions: they grow, within (0, 1], and end at 1."""
    steps = zip([0.0, *fractions], fractions, strict=False)
    return 0 < len(fractions) <= MAX_LOOKS and fractions[-1] == 1 and all(b - a >= SMALLEST_STEP for a, b in steps)


def spent(spending: Spending, alpha: float, fraction: float, rho: float = 2) -> float:
    """Cumulative alpha, of one side, that may be spent by an information fraction.

    Lan, DeMets 1983, "Discrete sequential boundaries for clinical trials": 2 - 2 Phi(z_{alpha/2} / sqrt(t)) after
    O'Brien and Fleming, alpha ln(1 + (e - 1) t) after Pocock; Kim, DeMets 1987: alpha t^rho.
    """
    if spending == "obrien_fleming":
        return 2 * below(quantile(alpha / 2) / math.sqrt(fraction))
    if spending == "pocock":
        return alpha * math.log1p((math.e - 1) * fraction)
    return alpha * fraction**rho


@lru_cache(maxsize=512)
def bounds(plan: Plan, alpha: float) -> Looks:
    """Critical values of the Z-statistic at each look, for one side's alpha: an upper bound without a lower one, so
    that a symmetric two-sided test takes them with both signs."""
    found: list[float] = []
    walk = _Walk(0.0)
    before = 0.0
    for fraction in plan.looks:
        now = spent(plan.spending, alpha, fraction, plan.rho)
        bound = _bound_for(walk, fraction, now - before)
        walk.go_on(fraction, -math.inf, bound)
        found.append(bound)
        before = now
    return tuple(found)


def _bound_for(walk: _Walk, fraction: float, probability: float) -> float:
    """The bound that is first crossed at this look with a probability, by bisection to 1e-9."""
    low, high = -_FARTHEST, _FARTHEST
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if walk.above(fraction, middle) > probability else (low, middle)
    return (low + high) / 2


class _Walk:
    """The part of a test's paths that has crossed no bound yet, under a drift: the mean of Z at full information."""

    def __init__(self, drift: float) -> None:
        import numpy

        self.drift = drift
        self._fraction = 0.0
        self._z = numpy.zeros(1)
        self._density = numpy.ones(1)

    def above(self, fraction: float, bound: float) -> float:
        """The probability of being above a bound at a look, having crossed none before."""
        step = math.sqrt(fraction - self._fraction)
        moved = self._z * math.sqrt(self._fraction) + self.drift * (fraction - self._fraction)
        tails = [below(float((at - bound * math.sqrt(fraction)) / step)) for at in moved]
        return float(self._density @ tails)

    def go_on(self, fraction: float, lower: float, upper: float) -> None:
        """Leave only the paths that are between the bounds at this look."""
        import gsdesign  # pyright: ignore[reportMissingTypeStubs] - it has annotations, and no py.typed

        if self._fraction == 0:
            self._z, _, self._density = gsdesign.h1(_GRID, self.drift, fraction, lower, upper)
        else:
            known = self._z, self._z, self._density
            self._z, _, self._density = gsdesign.hupdate(
                _GRID, self.drift, fraction, lower, upper, self.drift, self._fraction, known
            )
        self._fraction = fraction

    @property
    def left(self) -> float:
        """The probability of having crossed no bound so far."""
        return float(self._density.sum())


@lru_cache(maxsize=2_048)
def power_at(plan: Plan, alpha: float, drift: float) -> float:
    """The probability of crossing an upper bound when Z has mean `drift` at full information."""
    walk, crossed = _Walk(drift), 0.0
    for fraction, bound in zip(plan.looks, bounds(plan, alpha), strict=True):
        crossed += walk.above(fraction, bound)
        walk.go_on(fraction, -math.inf, bound)
    return min(crossed, 1.0)


@lru_cache(maxsize=512)
def drift_for(plan: Plan, alpha: float, power: float) -> float:
    """The mean of Z at full information that gives a power; of a fixed test it is z_{1-alpha} + z_{power}."""
    wanted = quantile(power)
    drift = quantile(1 - alpha) + wanted
    for _ in range(20):
        # The quantile of the power grows nearly as the drift does, so the difference is the next step.
        step = wanted - quantile(power_at(plan, alpha, drift))
        drift += step
        if abs(step) < 1e-6:
            break
    return drift


def inflation(plan: Plan, alpha: float, power: float) -> float:
    """Units of the longest sequential test for each unit of a fixed one with the same alpha, of one side, and power
    (Jennison, Turnbull 2000, section 2.3 on their R_P, R_B)."""
    return (drift_for(plan, alpha, power) / (quantile(1 - alpha) + quantile(power))) ** 2


def fixed_power(plan: Plan | None, alpha: float, power: float) -> float:
    """The power of a fixed test with as many units as a sequential one of this power needs: what its size is."""
    return power if plan is None else below(drift_for(plan, alpha, power) - quantile(1 - alpha))


def sequential_power(plan: Plan | None, alpha: float, power: float) -> float:
    """The power of a sequential test with the units of a fixed one of this power; the inverse of `fixed_power`."""
    return power if plan is None else power_at(plan, alpha, round(quantile(1 - alpha) + quantile(power), 4))


@lru_cache(maxsize=64)
def error_of_peeking(looks: Looks, alpha: float) -> float:
    """The real two-sided error when a fixed test at level `alpha` is looked at several times and ended at the first
    significant result (Armitage, McPherson, Rowe 1969, table 2)."""
    walk, critical = _Walk(0.0), quantile(1 - alpha / 2)
    for fraction in looks:
        walk.go_on(fraction, -critical, critical)
    return 1 - walk.left
