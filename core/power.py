"""Sample size and minimum detectable effect of fixed designs, in closed form.

Normal approximation throughout; sizes are real numbers of units in the control or in one treatment, to be rounded up
by whoever prints them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

from .model.catalogue import Metric

_NORMAL = NormalDist()


SMALLEST_EFFECT = 1e-9
"""Relative; a smaller one counts as this one, which no number of units finds either."""
_NEAREST_TO_CERTAIN = 1e-15


@lru_cache(maxsize=256)
def quantile(probability: float) -> float:
    """Of the standard normal distribution; a probability that has been rounded to 0 or 1 counts as just inside."""
    return _NORMAL.inv_cdf(min(max(probability, _NEAREST_TO_CERTAIN), 1 - _NEAREST_TO_CERTAIN))


def mean_size(variance: float, effect: float, alpha: float, power: float, *, sides: int = 2, ratio: float = 1) -> float:
    """Units in the control to find a difference of means.

    n = (z_{1-alpha/sides} + z_{power})^2 * variance * (1 + 1/ratio) / effect^2
    (Chow, Shao, Wang: Sample Size Calculations in Clinical Research, 3.2.1, variances taken as known).

    Args:
        effect: absolute difference of the means.
        ratio: treatment units for each control unit.
    """
    z = quantile(1 - alpha / sides) + quantile(power)
    return z * z * variance * (1 + 1 / ratio) / effect**2


def proportion_size(p0: float, p1: float, alpha: float, power: float, *, sides: int = 2, ratio: float = 1) -> float:
    """Units in the control to tell two proportions apart, with the pooled variance under the null hypothesis.

    Fleiss, Levin, Paik: Statistical Methods for Rates and Proportions, equation 4.14 for `ratio` 1 and 4.19 otherwise,
    without continuity correction; R's power.prop.test.
    """
    pooled = (p0 + ratio * p1) / (1 + ratio)
    null = quantile(1 - alpha / sides) * math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    alternative = quantile(power) * math.sqrt(p0 * (1 - p0) + p1 * (1 - p1) / ratio)
    return ((null + alternative) / (p1 - p0)) ** 2


def margin_size(variance: float, margin: float, alpha: float, power: float, *, ratio: float = 1) -> float:
    """Units in the control to show non-inferiority within an absolute margin when there is no true difference.

    One-sided (Chow, Shao, Wang 3.2.2): n = (z_{1-alpha} + z_{power})^2 * variance * (1 + 1/ratio) / margin^2.
    """
    return mean_size(variance, margin, alpha, power, sides=1, ratio=ratio)


def adjusted_alpha(alpha: float, successes: int, treatments: int) -> float:
    """Bonferroni over success metrics times comparisons with the control; guardrails take no part
    (Schultzberg, Ankargren, Frånberg 2024, "Risk-aware product decisions in A/B tests with multiple metrics")."""
    return alpha / max(1, successes * treatments)


def adjusted_power(power: float, successes: int, guardrails: int) -> float:
    """Power of each single test, so that the decision to ship keeps `power`: beta is split over the guardrails and
    the success side, beta / (G + 1), or beta / G without a success metric (same paper)."""
    parts = guardrails + 1 if successes else max(1, guardrails)
    return 1 - (1 - power) / parts


def required_units(metric: Metric, relative: float, alpha: float, power: float, *, ratio: float = 1) -> float | None:
    """Units in the control to find a relative effect on a success metric; None when the catalogue lacks its history."""
    mean, variance = metric.baseline.mean, metric.variance
    if variance is None or mean == 0 or relative == 0:
        return None
    relative = math.copysign(max(abs(relative), SMALLEST_EFFECT), relative)
    if metric.kind == "proportion":
        moved = mean * (1 + relative)
        if not 0 < moved < 1:
            return None
        return proportion_size(mean, moved, alpha, power, ratio=ratio)
    return mean_size(variance, relative * mean, alpha, power, ratio=ratio)


def required_units_for_margin(
    metric: Metric, relative: float, alpha: float, power: float, *, ratio: float = 1
) -> float | None:
    """Units in the control to show a guardrail no worse than a relative margin."""
    mean, variance = metric.baseline.mean, metric.variance
    if variance is None or mean == 0 or relative <= 0:
        return None
    return margin_size(variance, max(relative, SMALLEST_EFFECT) * abs(mean), alpha, power, ratio=ratio)


def detectable(metric: Metric, units: float, alpha: float, power: float, *, ratio: float = 1) -> float | None:
    """The smallest relative effect, 1e-6 to 1, that `units` in the control find towards what is better for the metric;
    the inverse of `required_units`: in closed form, for a proportion by bisection to 1e-9. None when they do not even
    find the largest."""
    sign = 1 if metric.better == "up" else -1
    low, high = 1e-6, _largest_effect(metric)
    at_most = required_units(metric, sign * high, alpha, power, ratio=ratio)
    if at_most is None or at_most > units:
        return None
    if metric.kind != "proportion":
        # n is proportional to 1 / effect^2, so one size gives the effect of any other.
        return max(low, high * math.sqrt(at_most / units))
    for _ in range(30):
        middle = (low + high) / 2
        needed = required_units(metric, sign * middle, alpha, power, ratio=ratio)
        if needed is not None and needed > units:
            low = middle
        else:
            high = middle
    return high


def _largest_effect(metric: Metric) -> float:
    """The largest relative effect looked for: doubled or nothing left, short of a proportion of exactly 0 or 1."""
    if metric.kind != "proportion":
        return 1.0
    return 1 - 1e-9 if metric.better == "down" else min(1.0, (1 - 1e-9) / metric.baseline.mean - 1)


def eligible_units(accrual: Mapping[int, int], days: int) -> float:
    """Cumulative unique eligible units after `days`.

    Between the catalogue's points, and past the last, the curve is a power law through the two nearest: unique units
    grow slower than days, so units a day times days would promise too many.
    """
    points = sorted((day, units) for day, units in accrual.items())
    if days <= points[0][0]:
        return points[0][1] * days / points[0][0]
    pairs = list(pairwise(points))
    (left, left_units), (right, right_units) = next((pair for pair in pairs if days <= pair[1][0]), pairs[-1])
    exponent = math.log(right_units / left_units) / math.log(right / left)
    return left_units * (days / left) ** exponent
