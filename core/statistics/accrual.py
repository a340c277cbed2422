"""How many units have come after how many days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

WEEK = 7
"""Days."""
LEAST_NEWS = 2e-3
"""Least growth of information for which another look is worth its alpha."""


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


def weekly_looks(accrual: Mapping[int, int], days: int, window: int) -> list[float]:
    """Information fractions of a look at the end of each whole week of a run, the last at its end.

    Information grows with the units that have entered. No look comes before the first units have completed `window`
    days: there would be nothing to look at.
    """
    if days < 1:
        return [1.0]
    whole = eligible_units(accrual, days)
    looks: list[float] = []
    for day in range(first_look(window), days, WEEK):
        share = round(eligible_units(accrual, day) / whole, 4)
        # A week that brings hardly anybody gets no look: fractions have to grow.
        if share - (looks[-1] if looks else 0) > LEAST_NEWS and 1 - share > LEAST_NEWS:
            looks.append(share)
    return [*looks, 1.0]


def first_look(window: int) -> int:
    """The first end of a week, in days, by which some unit has completed `window` days."""
    return max(WEEK, -(-window // WEEK) * WEEK)
