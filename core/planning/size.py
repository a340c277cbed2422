"""Size a design against a surface's accrual curve."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ..audience import share
from ..model.catalogue import LONGEST, Catalogue, Metric
from ..model.delivery import Audience
from ..model.experiment import Design, MetricUse, Spec
from ..model.size import MetricSize, Size
from ..statistics.accrual import WEEK, eligible_units, first_look, weekly_looks
from ..statistics.detectable import detectable, power_for_effect, power_for_margin
from ..statistics.group_sequential import Plan, are_looks, fixed_power, sequential_power
from ..statistics.multiplicity import adjusted_alpha, adjusted_power, power_to_ship
from ..statistics.sample_sizes import required_units, required_units_for_margin
from .history import with_history

DAY_LIMIT = LONGEST
FORESEEABLE = 3_650
"""Days past which an accrual curve says nothing."""


def size(spec: Spec, catalogue: Catalogue, audience: Audience, today: date) -> Size | None:
    """The design's units and what they find; None when weights, days, alpha, power or looks make no design at all.

    A metric that the catalogue does not know counts for nothing: it is to be given a name that it knows, or to go.
    """
    control = spec.variants.get(spec.control or "")
    treatments = [variant.weight for variant in spec.variants.values() if variant is not control]
    if control is None or not treatments or not _are_shares([control.weight, *treatments]):
        return None
    spec = spec.model_copy(update={"metrics": {name: spec.metrics[name] for name in _known(spec, catalogue)}})
    total = control.weight + sum(treatments)
    if not math.isfinite(total) or not _is_sound(spec.design) or spec.allocation <= 0:
        return None
    # Those whom an early stage lets in before the ramp has ended count as if they came later: few, and never too many.
    entering = reachable_units(spec.surface, catalogue, audience, spec.whole_days, today) * min(spec.allocation, 1.0)
    in_control = entering * control.weight / total
    # Each treatment is compared with the control; the smallest makes the weakest comparison, so it counts.
    test = _test_of(spec, len(treatments), in_control, min(treatments) / control.weight)
    known = {
        name: with_history(catalogue.metrics[name], catalogue, spec.surface, audience, today) for name in spec.metrics
    }
    metrics = [sized for name, metric in known.items() if (sized := test.sized(name, spec.metrics[name], metric))]
    by_role = {role: [each.power for each in metrics if each.role == role] for role in ("success", "guardrail")}
    return Size(
        days=spec.design.days,
        control=in_control,
        smallest=entering * min(control.weight, *treatments) / total,
        metrics=metrics,
        each=test.power,
        power=power_to_ship(by_role["success"], by_role["guardrail"]),
    )


def _known(spec: Spec, catalogue: Catalogue) -> list[str]:
    return [name for name in spec.metrics if name in catalogue.metrics]


def _are_shares(weights: list[float]) -> bool:
    """Whether weights are above 0 and of one scale: 60 and 40 are, 50 and 0.5 say nothing of the split."""
    return min(weights) > 0 and len({weight >= 1 for weight in weights}) == 1


def _is_sound(design: Design) -> bool:
    possible = 0 < design.alpha < 1 and 0 < design.power < 1 and 0 < design.days <= FORESEEABLE
    return possible and (design.kind == "fixed" or are_looks(design.looks))


def plan_of(design: Design) -> Plan | None:
    """When and how the result is read; None for a fixed design."""
    return None if design.kind == "fixed" else Plan(tuple(design.looks), design.spending, design.rho)


def comparisons(spec: Spec) -> int:
    """Tests that can each win the experiment: success metrics times treatments."""
    successes = sum(use.role == "success" for use in spec.metrics.values())
    return successes * max(len(spec.variants) - 1, 1)


def _test_of(spec: Spec, treatments: int, in_control: float, ratio: float) -> _Test:
    design = spec.design
    roles = [use.role for use in spec.metrics.values()]
    corrected = design.correction != "none"
    return _Test(
        plan=plan_of(design),
        alpha=adjusted_alpha(design.alpha, roles.count("success"), treatments, corrected=corrected),
        margin_alpha=design.alpha,
        power=adjusted_power(design.power, roles.count("success"), roles.count("guardrail")),
        in_control=in_control,
        ratio=ratio,
    )


@dataclass(frozen=True)
class _Test:
    """One comparison with the control: two-sided at `alpha` for a success metric, one-sided at `margin_alpha` for a
    guardrail. A sequential one has the size of a fixed one of more power."""

    plan: Plan | None
    alpha: float
    margin_alpha: float
    power: float
    in_control: float
    ratio: float

    def sized(self, name: str, use: MetricUse, metric: Metric) -> MetricSize | None:
        if use.role == "success" and use.mde:
            return self._success(name, use.mde, metric)
        if use.role == "guardrail" and use.margin and use.margin > 0:
            return self._guardrail(name, use.margin, metric)
        return None

    def _success(self, name: str, effect: float, metric: Metric) -> MetricSize | None:
        fixed = fixed_power(self.plan, self.alpha / 2, self.power)
        needed = required_units(metric, effect, self.alpha, fixed, ratio=self.ratio)
        reached = power_for_effect(metric, effect, self.in_control, self.alpha, ratio=self.ratio)
        if needed is None or reached is None:
            return None
        return MetricSize(
            metric=name,
            role="success",
            effect=abs(effect),
            needed=needed,
            power=sequential_power(self.plan, self.alpha / 2, reached),
            cuped=_cuped(metric),
            detects=detectable(metric, self.in_control, self.alpha, fixed, ratio=self.ratio),
        )

    def _guardrail(self, name: str, margin: float, metric: Metric) -> MetricSize | None:
        fixed = fixed_power(self.plan, self.margin_alpha, self.power)
        needed = required_units_for_margin(metric, margin, self.margin_alpha, fixed, ratio=self.ratio)
        reached = power_for_margin(metric, margin, self.in_control, self.margin_alpha, ratio=self.ratio)
        if needed is None or reached is None:
            return None
        power = sequential_power(self.plan, self.margin_alpha, reached)
        return MetricSize(
            metric=name, role="guardrail", effect=margin, needed=needed, power=power, cuped=_cuped(metric)
        )


def _cuped(metric: Metric) -> float | None:
    return None if metric.covariate is None or metric.correlation is None else 1 - metric.unexplained


def reachable_units(surface: str, catalogue: Catalogue, audience: Audience, days: int, today: date) -> float:
    """Unique units after `days` that are in the audience and in no holdout."""
    outside_holdouts = math.prod(1 - holdout.share for holdout in catalogue.holdouts_of(surface, today).values())
    reached = _reached(audience, catalogue)
    return eligible_units(catalogue.surfaces[surface].accrual, days) * reached * outside_holdouts


_last: list[tuple[Audience, Catalogue, float]] = []


def _reached(audience: Audience, catalogue: Catalogue) -> float:
    """The share of the last audience is kept: one draft is sized for dozens of durations."""
    for one, known, reached in _last:
        if one is audience and known is catalogue:
            return reached
    reached, _ = share(audience, catalogue.attributes)
    _last[:] = [(audience, catalogue, reached)]
    return reached


def longest_window(spec: Spec, catalogue: Catalogue) -> int:
    """Days that a unit takes to complete the window of every metric that decides; 0 when none is known."""
    deciding = [name for name, use in spec.metrics.items() if use.role != "quality"]
    return max((catalogue.metrics[name].window_days for name in deciding if name in catalogue.metrics), default=0)


def lasting(spec: Spec, catalogue: Catalogue, days: int, *, weekly: bool = False) -> Spec:
    """The spec with another duration, and with `weekly` a look at the end of each whole week of it."""
    changes: dict[str, object] = {"days": days}
    if weekly and 0 < days <= DAY_LIMIT:
        window = longest_window(spec, catalogue)
        changes["looks"] = weekly_looks(catalogue.surfaces[spec.surface].accrual, days, window)
    return spec.model_copy(update={"design": spec.design.model_copy(update=changes)})


def days_needed(
    spec: Spec, catalogue: Catalogue, audience: Audience, limit: int, today: date, *, weekly: bool = False
) -> int | None:
    """The fewest whole weeks, in days, that make the design sufficient; None when `limit` days do not.

    Args:
        weekly: look at the end of each whole week, whatever looks the design has.
    """
    for days in _durations(spec, catalogue, limit, weekly):
        longer = lasting(spec, catalogue, days, weekly=weekly)
        if _suffices(longer, catalogue, audience, today):
            return days
    return None


def _durations(spec: Spec, catalogue: Catalogue, limit: int, weekly: bool) -> Iterator[int]:
    # One look alone is no sequential design: there has to be a week after the first possible one.
    least = first_look(longest_window(spec, catalogue)) + WEEK if weekly else 0
    least = max(catalogue.surfaces[spec.surface].policy.min_days, least if least <= limit else 0)
    yield from (days for days in range(WEEK, limit + 1, WEEK) if days >= least)


def _suffices(spec: Spec, catalogue: Catalogue, audience: Audience, today: date) -> bool:
    """Whether the design is sufficient. What a fixed design cannot do no sequential one can, and that is soon asked."""
    if spec.design.kind != "fixed":
        once = spec.model_copy(update={"design": spec.design.model_copy(update={"kind": "fixed"})})
        sized = size(once, catalogue, audience, today)
        if sized is None or not sized.sufficient:
            return False
    sized = size(spec, catalogue, audience, today)
    return sized is not None and sized.sufficient


def allocation_needed(spec: Spec, catalogue: Catalogue, audience: Audience, today: date) -> float | None:
    """The smallest allocation, in steps of 0.01, that makes the design sufficient; None when 1.0 does not.

    Units are proportional to the allocation, so one sizing at 1.0 tells."""
    sized = size(spec.model_copy(update={"allocation": 1.0}), catalogue, audience, today)
    if sized is None or not sized.sufficient or sized.control <= 0:
        return None
    needed = max((metric.needed for metric in sized.metrics), default=0.0)
    return max(0.01, math.ceil(needed / sized.control * 100) / 100)
