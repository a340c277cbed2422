"""Size a design against a surface's accrual curve."""

from __future__ import annotations

import math
from datetime import date

from ..audience import share
from ..model.catalogue import LONGEST, Catalogue, Metric
from ..model.delivery import Audience
from ..model.experiment import MetricUse, Spec
from ..model.size import MetricSize, Size
from ..power import (
    adjusted_alpha,
    adjusted_power,
    detectable,
    eligible_units,
    required_units,
    required_units_for_margin,
)

DAY_LIMIT = LONGEST
FORESEEABLE = 3_650
"""Days past which an accrual curve says nothing."""


def size(spec: Spec, catalogue: Catalogue, audience: Audience, today: date) -> Size | None:
    """The design's units and what they find; None when weights, days, alpha or power make no design at all."""
    control = spec.variants.get(spec.control or "")
    treatments = [variant.weight for variant in spec.variants.values() if variant is not control]
    design = spec.design
    sound = 0 < design.alpha < 1 and 0 < design.power < 1 and spec.allocation > 0 and 0 < design.days <= FORESEEABLE
    if control is None or control.weight <= 0 or not treatments or min(treatments) <= 0 or not sound:
        return None
    total = control.weight + sum(treatments)
    if not math.isfinite(total):
        return None
    roles = [use.role for use in spec.metrics.values()]
    alpha = adjusted_alpha(design.alpha, roles.count("success"), len(treatments))
    power = adjusted_power(design.power, roles.count("success"), roles.count("guardrail"))
    entering = reachable_units(spec.surface, catalogue, audience, design.days, today) * min(spec.allocation, 1.0)
    in_control = entering * control.weight / total
    ratio = min(treatments) / control.weight
    metrics = [
        sized
        for name, use in spec.metrics.items()
        if name in catalogue.metrics
        and (sized := _sized(name, use, catalogue.metrics[name], alpha, power, design.alpha, in_control, ratio))
    ]
    return Size(days=design.days, control=in_control, metrics=metrics)


def reachable_units(surface: str, catalogue: Catalogue, audience: Audience, days: int, today: date) -> float:
    """Unique units after `days` that are in the audience and in no holdout."""
    outside_holdouts = math.prod(1 - holdout.share for holdout in catalogue.holdouts_of(surface, today).values())
    reached, _ = share(audience, catalogue.attributes)
    return eligible_units(catalogue.surfaces[surface].accrual, days) * reached * outside_holdouts


def _sized(
    name: str,
    use: MetricUse,
    metric: Metric,
    alpha: float,
    power: float,
    margin_alpha: float,
    in_control: float,
    ratio: float,
) -> MetricSize | None:
    if use.role == "success" and use.mde:
        needed = required_units(metric, use.mde, alpha, power, ratio=ratio)
        found = detectable(metric, in_control, alpha, power, ratio=ratio)
        effect = abs(use.mde)
    elif use.role == "guardrail" and use.margin and use.margin > 0:
        needed = required_units_for_margin(metric, use.margin, margin_alpha, power, ratio=ratio)
        found, effect = None, use.margin
    else:
        return None
    if needed is None:
        return None
    return MetricSize(metric=name, role=use.role, effect=effect, needed=needed, detects=found)


def days_needed(spec: Spec, catalogue: Catalogue, audience: Audience, limit: int, today: date) -> int | None:
    """The fewest whole weeks, in days, that make the design sufficient; None when `limit` days do not."""
    for days in range(7, limit + 1, 7):
        if days < catalogue.surfaces[spec.surface].policy.min_days:
            continue
        longer = spec.model_copy(update={"design": spec.design.model_copy(update={"days": days})})
        sized = size(longer, catalogue, audience, today)
        if sized is not None and sized.sufficient:
            return days
    return None


def allocation_needed(spec: Spec, catalogue: Catalogue, audience: Audience, today: date) -> float | None:
    """The smallest allocation, in steps of 0.01, that makes the design sufficient; None when 1.0 does not.

    Units are proportional to the allocation, so one sizing at 1.0 tells."""
    sized = size(spec.model_copy(update={"allocation": 1.0}), catalogue, audience, today)
    if sized is None or not sized.sufficient or sized.control <= 0:
        return None
    needed = max((metric.needed for metric in sized.metrics), default=0.0)
    return max(0.01, math.ceil(needed / sized.control * 100) / 100)
