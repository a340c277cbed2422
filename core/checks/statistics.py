"""The statistical plan: whether the run can answer its question."""

from __future__ import annotations

from collections.abc import Iterator

from ..audience import described, unmeetable
from ..documents import JsonObject, nest, patch_object
from ..model.experiment import Spec
from ..model.size import Size
from ..planning.buckets import buckets_for
from ..planning.size import DAY_LIMIT, allocation_needed, days_needed, size
from ..planning.slots import rounded_up
from .engine import Case, Check, Cure, Fault, Threshold
from .sequential import ONCE
from .shortfall import shortfall

WEEK = 7
"""Days."""
LONG_RUN = Threshold("duration.long", "days", 30, least=7, most=30, tighter="lower", unit="days")
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
        enough = max(least, -case.spec.design.days)
        cure = Cure(case.running(enough), nest("/design/days", enough))
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
    days, long = case.spec.design.days, case.limit(LONG_RUN)
    if long < days <= DAY_LIMIT:
        yield Fault("/design/days", f"{days} days is long; {long:g} are usually enough.", got=days)


def power_is_sufficient(case: Case) -> Iterator[Fault]:
    """The run has enough units for every effect and margin at the corrected alpha and power.

    An underpowered test ends inconclusive most of the time, and what it does find is exaggerated (Gelman, Carlin 2014,
    "Beyond Power Calculations"). alpha is split over the success metrics and comparisons, beta over the guardrails:
    Schultzberg, Ankargren, Frånberg 2024.
    """
    if case.size is None or case.size.sufficient or case.spec.allocation > 1 or unmeetable(case.audience):
        return  # of an audience without members there is a finding that comes first
    cures = _powerful(case)
    message, got, allowed = shortfall(case, case.size, curable=any(not cure.relaxes for cure in cures))
    yield Fault("/design", message, got=got, allowed=[allowed], cures=cures, about=f"{got} instead of {allowed}")


def _powerful(case: Case) -> list[Cure]:
    spec, cures = case.spec, list[Cure]()
    allocation = allocation_needed(spec, case.catalogue, case.audience, case.today)
    allocation = rounded_up(allocation, case.slots) if allocation is not None else None
    if allocation is not None and buckets_for(allocation) <= case.free:
        cures.append(_resized(case, case.entering(allocation), nest("/allocation", allocation)))
    days = days_needed(spec, case.catalogue, case.audience, DAY_LIMIT, case.today)
    if days is not None:
        cures.append(_longer(case, case.running(days), days, {}))
    if spec.design.kind == "group_sequential" and _size_with(case, ONCE).sufficient:
        cures.append(_resized(case, "read it once, at the end", ONCE))
    most = case.free_share
    if not cures and most > spec.allocation:
        wider = spec.model_copy(update={"allocation": most})
        days = days_needed(wider, case.catalogue, case.audience, DAY_LIMIT, case.today)
        if days is not None:
            effect = f"{case.entering(most)} and {case.running(days)}"
            cures.append(_longer(case, effect, days, nest("/allocation", most)))
    return cures + _relaxing(case) + _wider_audience(case)


def _longer(case: Case, effect: str, days: int, patch: JsonObject) -> Cure:
    """A cure by a longer run; one that would meet a blackout starts after it."""
    clear = case.surface.clear_start(case.start, days)
    later: JsonObject = nest("/schedule/start", clear.isoformat()) if clear != case.start else {}
    from_then = f" from {clear}" if later else ""
    return _resized(case, effect + from_then, {**patch, **later, **nest("/design/days", days)})


def _resized(case: Case, effect: str, patch: JsonObject) -> Cure:
    """A cure and the power that it gives."""
    return Cure(f"{effect}: power {_size_with(case, patch).power:.2f} to ship", patch)


def _size_with(case: Case, patch: JsonObject) -> Size:
    """The size under a patch of numbers that make a design."""
    spec = Spec.model_validate(patch_object(case.spec.model_dump(mode="json", exclude_unset=True), patch))
    sized = size(spec, case.catalogue, case.audience, case.today)
    assert sized is not None
    return sized


def _wider_audience(case: Case) -> list[Cure]:
    """The one condition of the audience without which the run would be long enough; it changes who is asked about."""
    raw = case.spec.audience
    for condition in case.audience[0] if len(case.audience) == 1 else []:
        if not isinstance(raw, dict) or condition.attribute not in raw:
            continue
        others = [[each for each in case.audience[0] if each is not condition]]
        wider = case.spec.model_copy(update={"allocation": max(case.spec.allocation, case.free_share)})
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


def first_test_follows_an_a_a(case: Case) -> Iterator[Fault]:
    """Before the first experiment on a surface an A/A test shows that its units are split and counted soundly.

    A broken split or log looks like an effect, and nobody can tell the two apart afterwards (Kohavi, Tang, Xu:
    Trustworthy Online Controlled Experiments, chapter 19).
    """
    if case.first and case.surface.aa_tested is None and "a-a" not in case.spec.tags:
        message = (
            f"This is the first experiment on {case.spec.surface}, and no A/A test is on record. Run one, or note its "
            "day as `aa_tested` in the catalogue."
        )
        yield Fault("/surface", message)


POWER = Check("power.sufficient", "block_unless_overridden", power_is_sufficient)
CHECKS = (
    Check("design.policy", "block_unless_overridden", design_is_within_policy),
    Check("duration.possible", "block", duration_is_possible),
    Check("duration.minimum", "block_unless_overridden", duration_is_long_enough),
    POWER,
    Check("duration.whole_weeks", "warn", duration_is_whole_weeks),
    Check("duration.long", "warn", duration_is_not_too_long, curable=False, thresholds=(LONG_RUN,)),
    Check("design.aa_first", "info", first_test_follows_an_a_a, curable=False),
)
