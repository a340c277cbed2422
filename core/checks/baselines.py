"""Baselines: what the catalogue knows of a metric, and whether a test can rest on it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..documents import nest, pointer
from ..model.catalogue import Metric
from ..names import listed
from .engine import Case, Check, Cure, Fault

STALE_DAYS = 90
"""Days after which a baseline is called old: a season has passed. LaunchDarkly looks as far back for a metric."""
UNITS_PER_SQUARED_SKEW = 355
"""Units for each squared skewness by which a mean is normal enough for a confidence interval of 95 %."""
STEADY = 0.1
"""Coefficient of variation of a mean up to which something may be divided by it."""


def _deciding(case: Case) -> Iterator[tuple[str, Metric]]:
    """The known metrics that decide: success metrics and guardrails."""
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        if metric is not None and use.role != "quality":
            yield name, metric


def metrics_have_history(case: Case) -> Iterator[Fault]:
    """Every deciding metric has a baseline and a variance; without them no size is more than a guess."""
    for name, metric in _deciding(case):
        if metric.variance is None or metric.baseline.mean == 0:
            yield Fault(pointer("metrics", name), "The catalogue has no baseline to size this metric by.")


def baselines_are_fresh(case: Case) -> Iterator[Fault]:
    """The baselines of deciding metrics are recent: sizes rest on a rate and a variance that drift with the product."""
    ages = {
        name: (case.today - metric.baseline.measured).days
        for name, metric in _deciding(case)
        if metric.baseline.measured is not None
    }
    stale = {name: age for name, age in ages.items() if age > STALE_DAYS}
    if stale:
        told = listed((f"{name} {age}" for name, age in stale.items()), 4)
        message = f"Baselines older than {STALE_DAYS} days, in days: {told}. Measure them anew in the catalogue."
        yield Fault("/metrics", message, got=max(stale.values()))


def baselines_are_away_from_zero(case: Case) -> Iterator[Fault]:
    """A relative effect is asked of a mean that the units of the control can tell from zero.

    Otherwise the relative effect divides by noise. The coefficient of variation of the mean is to be below 0.1, even if
    every unit entered (Cochran 1977, "Sampling Techniques", section 6.4; for a rate see `metrics.rate_observable`).
    """
    if case.size is None or case.size.control <= 0 or not case.spec.allocation > 0:
        return
    everybody = case.size.control / min(case.spec.allocation, 1.0)
    for name, metric in _deciding(case):
        mean, variance = metric.baseline.mean, metric.variance
        if metric.kind == "proportion" or variance is None or mean == 0:
            continue
        variation = math.sqrt(variance / everybody) / abs(mean)
        if variation > STEADY:
            message = (
                f"The baseline {mean:g} is too near to zero to be divided by: even at allocation 1 the control's mean "
                f"varies by {variation:.0%} of it."
            )
            yield Fault(pointer("metrics", name), message, got=mean)


def skewed_metrics_have_units(case: Case) -> Iterator[Fault]:
    """Each variant has 355 units for each squared skewness of a deciding metric, at the first look already.

    With fewer the mean is not normal, and intervals miss the truth on one side too often (Kohavi, Deng, Longbotham, Xu
    2014, "Seven Rules of Thumb for Web Site Experimenters", rule 7).
    """
    for name, metric in _deciding(case):
        if metric.kind != "proportion" and metric.skew is not None:
            wanted = UNITS_PER_SQUARED_SKEW * metric.skew**2
            yield from _few_units(case, name, wanted, f"Its skewness of {metric.skew:g}")


def rates_are_observable(case: Case) -> Iterator[Fault]:
    """Each variant is large enough to see the rate of a deciding proportion, at the first look already.

    The same rule of 355 squared skewnesses, which for a rare event asks for about 355 events in a variant.
    """
    for name, metric in _deciding(case):
        if metric.kind == "proportion" and metric.skew is not None:
            wanted = UNITS_PER_SQUARED_SKEW * metric.skew**2
            yield from _few_units(case, name, wanted, f"A rate of {metric.baseline.mean:.3g}")


def _few_units(case: Case, name: str, wanted: float, why: str) -> Iterator[Fault]:
    if case.size is None or case.units_at_first_look >= wanted:
        return
    units = case.units_at_first_look
    cures: list[Cure] = []
    larger = math.ceil(case.spec.allocation * wanted / units * 100) / 100 if units > 0 else math.inf
    if larger <= case.free_share:
        cures.append(Cure(f"enter {larger:g} of the units", nest("/allocation", larger)))
    when = "a variant" if case.spec.design.kind == "fixed" else "a variant by the first look"
    message = f"{why} wants {wanted:,.0f} units in {when}; there are {units:,.0f}."
    yield Fault(pointer("metrics", name), message, cures=cures)


def denominators_are_watched(case: Case) -> Iterator[Fault]:
    """A ratio that may win the experiment is watched together with what stands below its line.

    Fewer visits raise the purchases per visit: a ratio can rise because its denominator fell (Kohavi, Tang, Xu:
    Trustworthy Online Controlled Experiments, chapter 7).
    """
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        below = metric.denominator_metric if metric is not None and metric.kind == "ratio" else None
        if use.role == "success" and below is not None and below not in case.spec.metrics:
            cure = Cure(f"watch {below}", nest(pointer("metrics", below), {"role": "quality"}))
            message = f"{name} can rise because {below}, below its line, falls."
            yield Fault(pointer("metrics", name), message, cures=[cure])


CHECKS = (
    Check("metrics.history", "block_unless_overridden", metrics_have_history, curable=False),
    Check("metrics.baseline_nonzero", "block", baselines_are_away_from_zero, curable=False),
    Check("metrics.baseline_fresh", "warn", baselines_are_fresh, curable=False),
    Check("metrics.skew_covered", "warn", skewed_metrics_have_units),
    Check("metrics.rate_observable", "warn", rates_are_observable),
    Check("metrics.denominator_watched", "warn", denominators_are_watched),
)
