"""What a number of units can find: the smallest effect, and the power against a given one."""

from __future__ import annotations

import math

from ..model.catalogue import Metric
from .normal import below, quantile
from .sample_sizes import countable, proportion_variances, required_units


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


def power_for_effect(metric: Metric, relative: float, units: float, alpha: float, *, ratio: float = 1) -> float | None:
    """The power of `units` in the control against a relative effect, two-sided; the inverse of `required_units`."""
    mean, variance = metric.baseline.mean, metric.variance
    if variance is None or mean == 0 or relative == 0:
        return None
    relative = countable(relative)
    units /= metric.unexplained
    if metric.kind != "proportion":
        return _power_for_mean(variance, abs(relative * mean), units, quantile(1 - alpha / 2), ratio)
    moved = mean * (1 + relative)
    if not 0 < moved < 1:
        return None
    null, alternative = proportion_variances(mean, moved, ratio)
    reach = math.sqrt(units) * abs(moved - mean) - quantile(1 - alpha / 2) * math.sqrt(null)
    return below(reach / math.sqrt(alternative))


def power_for_margin(metric: Metric, relative: float, units: float, alpha: float, *, ratio: float = 1) -> float | None:
    """The power of `units` in the control to clear a guardrail that has not moved, one-sided; the inverse of
    `required_units_for_margin`."""
    mean, variance = metric.baseline.mean, metric.variance
    if variance is None or mean == 0 or relative <= 0:
        return None
    return _power_for_mean(
        variance, countable(relative) * abs(mean), units / metric.unexplained, quantile(1 - alpha), ratio
    )


def _power_for_mean(variance: float, effect: float, units: float, critical: float, ratio: float) -> float:
    return below(effect * math.sqrt(units / (variance * (1 + 1 / ratio))) - critical)
