"""Sample ratio mismatch: whether counts are what the weights let expect."""

from __future__ import annotations

import math
from collections.abc import Sequence

MIN_EXPECTED = 5
"""Smallest expected count for which the chi-square approximation holds (Cochran 1954, "Some Methods for Strengthening
the Common chi-squared Tests")."""


def srm_p(counts: Sequence[int], weights: Sequence[float]) -> float | None:
    """The p-value of Pearson's chi-square test of counts against weights (Fabijan et al. 2019, "Diagnosing Sample Ratio
    Mismatch in Online Controlled Experiments", section 2); None where an expected count is below 5.

    Args:
        counts: units of each variant.
        weights: their shares, of any sum above 0.
    """
    total, whole = sum(counts), sum(weights)
    expected = [total * weight / whole for weight in weights]
    if min(expected) < MIN_EXPECTED:
        return None
    statistic = sum((count - each) ** 2 / each for count, each in zip(counts, expected, strict=True))
    return chi_square_tail(statistic, len(counts) - 1)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """P(X > statistic) for X of a chi-square distribution with whole degrees of freedom, at least 1 (Abramowitz and
    Stegun 1964, 26.4.4 and 26.4.5)."""
    half, odd = statistic / 2, degrees % 2
    # The sum of half^k / gamma(k + 1) over whole k, or over k = 1/2, 3/2, ..., times exp(-half).
    tail = math.erfc(math.sqrt(half)) if odd else 0.0
    power = 0.5 if odd else 0.0
    term = math.exp(-half) * half**power / math.gamma(power + 1)
    while power < degrees / 2 - 0.5:
        tail += term
        power += 1
        term *= half / power
    return min(tail, 1.0)
