"""The standard normal distribution."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()
_NEAREST_TO_CERTAIN = 1e-15


@lru_cache(maxsize=256)
def quantile(probability: float) -> float:
    """Of the standard normal distribution; a probability that has been rounded to 0 or 1 counts as just inside."""
    return _NORMAL.inv_cdf(min(max(probability, _NEAREST_TO_CERTAIN), 1 - _NEAREST_TO_CERTAIN))


def below(value: float) -> float:
    """The probability of a value below this one."""
    return math.erfc(-value / math.sqrt(2)) / 2
