"""Sample sizes of fixed designs, in closed form.

Normal approximation throughout; sizes are real numbers of units in the control or in one treatment, to be rounded up
by whoever prints them.
"""

from __future__ import annotations

import math

from ..model.catalogue import Metric
from .normal import quantile

SMALLEST_EFFECT, LARGEST_EFFECT = 1e-9, 1e6
"""Relative; what is smaller or larger counts as these, which no units and any units find."""


def countable(relative: float) -> float:
    """A relative effect or margin within what can be calculated with, its sign kept."""
    return math.copysign(min(max(abs(relative), SMALLEST_EFFECT), LARGEST_EFFECT), relative)


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
    null, alternative = proportion_variances(p0, p1, ratio)
    reach = quantile(1 - alpha / sides) * math.sqrt(null) + quantile(power) * math.sqrt(alternative)
    return (reach / (p1 - p0)) ** 2


def proportion_variances(p0: float, p1: float, ratio: float) -> tuple[float, float]:
    """Variance of the difference of two proportions, per unit in the control: (under the null hypothesis, pooled;
    under the alternative)."""
    pooled = (p0 + ratio * p1) / (1 + ratio)
    return pooled * (1 - pooled) * (1 + 1 / ratio), p0 * (1 - p0) + p1 * (1 - p1) / ratio


def proportion_size_by_baseline(p0: float, p1: float, alpha: float, power: float, *, sides: int = 2) -> float:
    """Units in each of two equal variants, with the baseline's variance under the null hypothesis: the figure of the
    calculators that ask for a baseline rate alone (Miller, "Sample size calculator", evanmiller.org). Smaller than
    `proportion_size` for a rise below one half; a name of its own, so that the two are never mixed up."""
    null = quantile(1 - alpha / sides) * math.sqrt(2 * p0 * (1 - p0))
    alternative = quantile(power) * math.sqrt(p0 * (1 - p0) + p1 * (1 - p1))
    return ((null + alternative) / (p1 - p0)) ** 2


def margin_size(variance: float, margin: float, alpha: float, power: float, *, ratio: float = 1) -> float:
    """Units in the control to show non-inferiority within an absolute margin when there is no true difference.

    One-sided (Chow, Shao, Wang 3.2.2): n = (z_{1-alpha} + z_{power})^2 * variance * (1 + 1/ratio) / margin^2.
    """
    return mean_size(variance, margin, alpha, power, sides=1, ratio=ratio)


def required_units(metric: Metric, relative: float, alpha: float, power: float, *, ratio: float = 1) -> float | None:
    """Units in the control to find a relative effect on a success metric; None when the catalogue lacks its history.

    A ratio's variance in the catalogue is the linearised one, so that its size is that of a mean (delta method: Deng,
    Knoblich, Lu 2018, "Applying the Delta Method in Metric Analytics", section 3.1). A covariate takes its share
    off the variance: `Metric.unexplained`.
    """
    mean, variance = metric.baseline.mean, metric.variance
    if variance is None or mean == 0 or relative == 0:
        return None
    relative = countable(relative)
    if metric.kind == "proportion":
        moved = mean * (1 + relative)
        if not 0 < moved < 1:
            return None
        return metric.unexplained * proportion_size(mean, moved, alpha, power, ratio=ratio)
    return metric.unexplained * mean_size(variance, relative * mean, alpha, power, ratio=ratio)


def required_units_for_margin(
    metric: Metric, relative: float, alpha: float, power: float, *, ratio: float = 1
) -> float | None:
    """Units in the control to show a guardrail no worse than a relative margin."""
    mean, variance = metric.baseline.mean, metric.variance
    if variance is None or mean == 0 or relative <= 0:
        return None
    margin = countable(relative) * abs(mean)
    return metric.unexplained * margin_size(variance, margin, alpha, power, ratio=ratio)
