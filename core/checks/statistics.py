"""The statistical plan: whether the run can answer its question."""

from __future__ import annotations

from collections.abc import Iterator

from ..assignment import BUCKETS
from ..audience import described, share
from ..documents import JsonObject, nest, pointer
from ..planning.buckets import buckets_for
from ..planning.size import DAY_LIMIT, allocation_needed, days_needed
from ..wording import percent
from .engine import Case, Check, Cure, Fault

WEEK = 7
"""Days."""
LONG_RUN = 30
"""Days past which a run is called long."""


def design_is_within_policy(case: Case) -> Iterator[Fault]:
    """alpha is no larger and power no smaller than the surface's policy: a laxer test finds more that is not there."""
    design, policy = case.spec.design, case.surface.policy
    if not 0 < design.alpha <= policy.alpha:
        cure = Cure(f"alpha {policy.alpha:g}", nest("/design/alpha", policy.alpha))
        message = f"alpha lies above 0 and is at most {policy.alpha:g} on this surface."
        yield Fault("/design/alpha", message, got=design.alpha, cures=[cure])
    if not policy.power <= design.power < 1:
        cure = Cure(f"power {policy.power:g}", nest("/design/power", policy.power))
        message = f"Power is at least {policy.power:g} on this surface and below 1."
        yield Fault("/design/power", message, got=design.power, cures=[cure])


def duration_is_long_enough(case: Case) -> Iterator[Fault]:
    """The run covers a whole week at least: weekends are not weekdays, and novelty fades."""
    least = max(WEEK, case.surface.policy.min_days)
    if case.spec.design.days < least:
        cure = Cure(case.running(least), nest("/design/days", least))
        message = f"Run {least} days at least."
        yield Fault("/design/days", message, got=case.spec.design.days, cures=[cure])


def duration_is_possible(case: Case) -> Iterator[Fault]:
    """The run ends: nothing longer than 180 days is an experiment."""
    if case.spec.design.days > DAY_LIMIT:
        most = case.surface.policy.max_days
        cure = Cure(case.running(most), nest("/design/days", most))
        message = f"Run at most {DAY_LIMIT} days."
        yield Fault("/design/days", message, got=case.spec.design.days, cures=[cure])


def duration_is_whole_weeks(case: Case) -> Iterator[Fault]:
    """Each weekday counts equally often."""
    days = case.spec.design.days
    if days > WEEK and days % WEEK:
        rounded = -(-days // WEEK) * WEEK
        cure = Cure(case.running(rounded), nest("/design/days", rounded))
        yield Fault("/design/days", "Whole weeks weigh every weekday alike.", got=days, cures=[cure])


def duration_is_not_too_long(case: Case) -> Iterator[Fault]:
    """Past a month cookies churn, other launches mix in, and the buckets are missing to others."""
    days = case.spec.design.days
    if LONG_RUN < days <= DAY_LIMIT:
        yield Fault("/design/days", f"{days} days is long; {LONG_RUN} are usually enough.", got=days)


def power_is_sufficient(case: Case) -> Iterator[Fault]:
    """The run has enough units for every effect and margin at the corrected alpha and power.

    An underpowered test ends inconclusive most of the time, and what it does find is exaggerated (Gelman, Carlin 2014,
    "Beyond Power Calculations"). alpha is split over the success metrics and comparisons, beta over the guardrails:
    Schultzberg, Ankargren, Frånberg 2024.
    """
    if case.size is None or case.size.sufficient or case.spec.allocation > 1:
        return
    lacking = sorted((each for each in case.size.metrics if each.needed > case.size.control), key=lambda m: -m.needed)
    needs = ", ".join(
        f"{each.metric} {each.needed:,.0f} for {'an effect' if each.role == 'success' else 'a margin'} "
        f"of {each.effect:.2%}"
        for each in lacking
    )
    given = f"{case.size.days} days with {percent(case.spec.allocation)} of units"
    if case.audience:
        reached, _ = share(case.audience, case.catalogue.attributes)
        given += f" in an audience of {percent(reached)}"
    message = f"{given} give {case.size.control:,.0f} units in the control; needed: {needs}."
    yield Fault("/design", message, cures=_powerful(case))


def _powerful(case: Case) -> list[Cure]:
    spec, cures = case.spec, list[Cure]()
    allocation = allocation_needed(spec, case.catalogue, case.audience, case.today)
    if allocation is not None and buckets_for(allocation) <= case.free:
        cures.append(Cure(case.entering(allocation), nest("/allocation", allocation)))
    days = days_needed(spec, case.catalogue, case.audience, DAY_LIMIT, case.today)
    if days is not None:
        cures.append(Cure(case.running(days), nest("/design/days", days)))
    most = min(1.0, case.free / BUCKETS)
    if not cures and most > spec.allocation:
        wider = spec.model_copy(update={"allocation": most})
        days = days_needed(wider, case.catalogue, case.audience, DAY_LIMIT, case.today)
        if days is not None:
            patch = {**nest("/allocation", most), **nest("/design/days", days)}
            cures.append(Cure(f"{case.entering(most)} and {case.running(days)}", patch))
    return cures + _relaxing(case) + _wider_audience(case)


def _wider_audience(case: Case) -> list[Cure]:
    """The one condition of the audience without which the run would be long enough; it changes who is asked about."""
    for condition in case.audience:
        others = [each for each in case.audience if each is not condition]
        wider = case.spec.model_copy(update={"allocation": max(case.spec.allocation, min(1.0, case.free / BUCKETS))})
        days = days_needed(wider, case.catalogue, others, case.surface.policy.max_days, case.today)
        if days is not None:
            patch: JsonObject = {
                "audience": {condition.attribute: None},
                "allocation": wider.allocation,
                "design": {"days": days},
            }
            effects = [f"drop the condition on {condition.attribute}, so that {described(others)} is asked about"]
            if wider.allocation != case.spec.allocation:
                effects.append(case.entering(wider.allocation))
            if days != case.spec.design.days:
                effects.append(case.running(days))
            return [Cure(", ".join(effects), patch, relaxes=True)]
    return []


def _relaxing(case: Case) -> list[Cure]:
    """Larger effects for every success metric that lacks units, when that alone would do."""
    assert case.size is not None
    weak = [metric for metric in case.size.metrics if metric.needed > case.size.control]
    if not weak or any(metric.role != "success" or metric.detects is None for metric in weak):
        return []
    effects: JsonObject = {}
    texts: list[str] = []
    for metric in weak:
        assert metric.detects is not None
        use = case.spec.metrics[metric.metric]
        larger = round(metric.detects * 1.001 + 5e-5, 4) * (1 if (use.mde or 0) > 0 else -1)
        effects[metric.metric] = {"mde": larger}
        texts.append(f"{larger:+.2%} on {metric.metric}")
    return [Cure("settle for detecting " + ", ".join(texts), {"metrics": effects}, relaxes=True)]


def metrics_have_history(case: Case) -> Iterator[Fault]:
    """Every deciding metric has a baseline and a variance; without them no size is more than a guess."""
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        if metric is not None and use.role != "quality" and (metric.variance is None or metric.baseline.mean == 0):
            yield Fault(pointer("metrics", name), "The catalogue has no baseline to size this metric by.")


CHECKS = (
    Check("design.policy", "block_unless_overridden", design_is_within_policy),
    Check("duration.possible", "block", duration_is_possible),
    Check("duration.minimum", "block_unless_overridden", duration_is_long_enough),
    Check("power.sufficient", "block_unless_overridden", power_is_sufficient),
    Check("metrics.history", "block_unless_overridden", metrics_have_history),
    Check("duration.whole_weeks", "warn", duration_is_whole_weeks),
    Check("duration.long", "warn", duration_is_not_too_long),
)
