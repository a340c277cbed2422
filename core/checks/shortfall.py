"""What a design lacks, in words: which metrics are short of units, and what power each test needs and why."""

from __future__ import annotations

import math

from ..audience import share
from ..model.size import MetricSize, Size
from ..names import listed
from ..planning.size import DAY_LIMIT
from ..wording import percent
from .engine import Case

SHOWN_LACKING = 2
"""Most metrics that are named as short of units."""


def shortfall(case: Case, size: Size, *, curable: bool) -> tuple[str, str, str]:
    """(what is short and why, the power that there is, the power that there has to be) of a size that does not suffice.

    Args:
        curable: whether some run, or more of the units, is enough.
    """
    lacking = sorted((each for each in size.metrics if each.needed > size.control), key=lambda each: -each.needed)
    told = [_given(case, size), _lacking(lacking), _uncovered(case, lacking), _correction(case)]
    if not curable:
        free = percent(max(case.free_share, case.spec.allocation))
        told.append(f"No run of up to {DAY_LIMIT} days is enough, even with the {free} of units that are free.")
    weakest = min(lacking, key=lambda each: each.power)
    got = f"power {_rounded_down(weakest.power):g} on {weakest.metric}"
    allowed = f"power {_rounded_up(size.each):g} in each test, for {case.spec.design.power:g} to ship"
    return " ".join(part for part in told if part), got, allowed


def _given(case: Case, size: Size) -> str:
    given = f"{size.days} days with {percent(case.spec.allocation)} of units"
    if case.audience != [[]]:
        reached, _ = share(case.audience, case.catalogue.attributes)
        given += f" in an audience of {percent(reached)}"
    return f"{given} give {size.control:,.0f} units in the control."


def _lacking(lacking: list[MetricSize]) -> str:
    """What each metric needs that has too few units, those first that need most."""
    needs = [
        f"{each.metric} needs {each.needed:,.0f} for {'an effect' if each.role == 'success' else 'a margin'} of "
        f"{each.effect:.2%} (power {_rounded_down(each.power):g} now)"
        for each in lacking
    ]
    return f"{listed(needs, SHOWN_LACKING)}."


def _uncovered(case: Case, lacking: list[MetricSize]) -> str:
    """Metrics whose covariate helps less than the catalogue says, since units of the audience have no past."""
    known = case.catalogue.metrics
    less = [each for each in lacking if each.cuped is not None and each.cuped < 1 - known[each.metric].unexplained]
    if not less:
        return ""
    names = listed([each.metric for each in less], SHOWN_LACKING)
    return f"New units have no past, so CUPED takes {percent(less[0].cuped or 0)} off the variance of {names}."


def _correction(case: Case) -> str:
    """How alpha and beta are split: over what can win, and over what must not fail (Schultzberg, Ankargren, Frånberg
    2024)."""
    design, roles = case.spec.design, [use.role for use in case.spec.metrics.values()]
    successes, guardrails = roles.count("success"), roles.count("guardrail")
    treatments, parts = len(case.spec.variants) - 1, guardrails + bool(successes)
    split = list[str]()
    if successes * treatments > 1 and design.correction != "none":
        each = design.alpha / (successes * treatments)
        over = f"{_counted(successes, 'success metric')} and {_counted(treatments, 'treatment')}"
        split.append(f"alpha {design.alpha:g} is split over {over}, {each:.3g} each")
    if parts > 1:
        over = _counted(guardrails, "guardrail") + " and the success side" * bool(successes)
        split.append(f"beta {1 - design.power:.3g} is split over {over}, {(1 - design.power) / parts:.3g} each")
    text = "; ".join(split)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _rounded_down(power: float) -> float:
    """To three places: 0.7996 is not yet 0.8."""
    return math.floor(power * 1_000) / 1_000


def _rounded_up(power: float) -> float:
    return math.ceil(round(power * 1_000, 6)) / 1_000


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
