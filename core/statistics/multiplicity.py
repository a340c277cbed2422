"""What several metrics and several comparisons do to the error rates of each single test."""

from __future__ import annotations


def adjusted_alpha(alpha: float, successes: int, treatments: int, *, corrected: bool = True) -> float:
    """Bonferroni over success metrics times comparisons with the control; guardrails take no part
    (Schultzberg, Ankargren, Frånberg 2024, "Risk-aware product decisions in A/B tests with multiple metrics").

    It is also the level of Holm's first step (Holm 1979, "A simple sequentially rejective multiple test procedure"),
    which is the one that a sample has to be large enough for.
    """
    return alpha / max(1, successes * treatments) if corrected else alpha


def adjusted_power(power: float, successes: int, guardrails: int) -> float:
    """Power of each single test, so that the decision to ship keeps `power`: beta is split over the guardrails and
    the success side, beta / (G + 1), or beta / G without a success metric (same paper)."""
    parts = guardrails + 1 if successes else max(1, guardrails)
    return 1 - (1 - power) / parts


def power_to_ship(successes: list[float], guardrails: list[float]) -> float:
    """At least this is the power of the decision, by Boole's inequality, from the power of each single test: the
    weakest success metric has to be found, and every guardrail cleared. The inverse of `adjusted_power`."""
    missed = sum(1 - power for power in guardrails)
    return max(0.0, 1 - missed - max((1 - power for power in successes), default=0.0))


def chance_of_false_success(alpha: float, tests: int) -> float:
    """That at least one of `tests` independent tests at level `alpha` finds what is not there."""
    return 1 - (1 - alpha) ** tests
