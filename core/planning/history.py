"""How many units of an audience have the past that a covariate is measured over."""

from __future__ import annotations

import math
from datetime import date, timedelta

from ..audience import share_within
from ..keeping import Latest
from ..model.catalogue import Attribute, Catalogue, Metric
from ..model.delivery import Audience, Condition


def with_history(metric: Metric, catalogue: Catalogue, surface: str, audience: Audience, today: date) -> Metric:
    """The metric with the correlation that its covariate has among the units of an audience.

    A unit that came to be within the covariate's window has no value of it and keeps its variance. Of the variance of
    all units the covariate takes rho^2 off, with the new ones among them; in an audience with a smaller share of units
    that have a past, it takes off as much less (CUPED: Deng, Xu, Kohavi, Walker 2013, equation 5, with the units that
    lack the covariate as a stratum of their own). Older units than usual are not counted on for more.
    """
    window = catalogue.metrics[metric.covariate].window_days if metric.covariate in catalogue.metrics else None
    if window is None or not metric.correlation:
        return metric
    past = _kept_past(catalogue, surface, metric.unit, audience, window, today)
    return metric if past == 1 else metric.model_copy(update={"correlation": metric.correlation * math.sqrt(past)})


_Question = tuple[str, str, int, date]


def _of_audience(_: Audience) -> dict[_Question, float]:
    return {}


def _of_catalogue(_: Catalogue) -> Latest[Audience, dict[_Question, float]]:
    return Latest(_of_audience)


_found = Latest(_of_catalogue)
"""What was found for the last audience of a catalogue: one draft is sized for dozens of durations."""


def _kept_past(catalogue: Catalogue, surface: str, unit: str, audience: Audience, days: int, today: date) -> float:
    kept = _found.of(catalogue).of(audience)
    asked = (surface, unit, days, today)
    if asked not in kept:
        kept[asked] = _past(catalogue, surface, unit, audience, days, today)
    return kept[asked]


def _past(catalogue: Catalogue, surface: str, unit: str, audience: Audience, days: int, today: date) -> float:
    """How large the share of units that came to be at least `days` ago is in an audience, 0-1, against all units."""
    if catalogue.surfaces[surface].new_units:
        return 0.0
    asked = {condition.attribute for alternative in audience for condition in alternative}
    ages = {name: catalogue.attributes[name] for name in asked if catalogue.attributes[name].age_of == unit}
    past = 1.0
    for name, attribute in ages.items():
        old = _at_least(name, attribute, days, today)
        everybody = [[Condition(attribute=name, type=attribute.type)]]
        usual = share_within(everybody, old, catalogue.attributes) or 1.0
        past = min(past, share_within(audience, old, catalogue.attributes) / usual)
    return past


def _at_least(name: str, attribute: Attribute, days: int, today: date) -> Condition:
    if attribute.type == "date":
        return Condition(attribute=name, type="date", lte=(today - timedelta(days=days)).isoformat())
    return Condition(attribute=name, type=attribute.type, gte=days)
