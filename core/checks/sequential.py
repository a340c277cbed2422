"""Looks and corrections: whether the planned tests keep the error that the design promises."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ..documents import JsonObject
from ..names import listed
from ..planning.size import comparisons, lasting, longest_window
from ..statistics.accrual import WEEK, eligible_units, first_look
from ..statistics.group_sequential import MAX_LOOKS, are_looks, error_of_peeking
from ..statistics.multiplicity import chance_of_false_success
from .engine import Case, Check, Cure, Fault

ONCE: JsonObject = {"design": {"kind": "fixed", "looks": None, "spending": None, "rho": None}}
"""The patch that makes a design one of a single look."""
LOOKS = "/design/looks"


def _is_sequential(case: Case) -> bool:
    return case.spec.design.kind == "group_sequential"


def looks_are_used(case: Case) -> Iterator[Fault]:
    """A fixed design plans no looks: it is read once, and each further reading at its critical value adds error.

    Five looks at 1.96 make 14 % of 5 % (Armitage, McPherson, Rowe 1969).
    """
    design = case.spec.design
    if _is_sequential(case) or not (design.looks or {"spending", "rho"} & design.model_fields_set):
        return
    message = "A fixed design is read once, at the end."
    if are_looks(design.looks) and 0 < design.alpha < 1:
        error = error_of_peeking(tuple(design.looks), design.alpha)
        message = f"A fixed design is read once: at {len(design.looks)} looks its error would be {error:.1%}."
    cures = [Cure("read it once, at the end", ONCE)]
    if design.looks:
        cures.insert(0, Cure("make it group sequential", {"design": {"kind": "group_sequential"}}))
    yield Fault("/design/kind", message, got=design.kind, cures=cures)


def looks_grow(case: Case) -> Iterator[Fault]:
    """The looks of a sequential design are shares of its units: above 0, each larger than the one before, at most 1."""
    looks = case.spec.design.looks
    if not _is_sequential(case) or not looks or are_looks(looks) or are_looks([*looks, 1.0]):
        return
    cures: list[Cure] = []
    for divisor, effect in ((1, "look at"), (100, "read them as per cent:")):
        fractions = sorted({round(look / divisor, 4) for look in looks if 0 < look / divisor <= 1} | {1.0})
        if len(fractions) > 1 and are_looks(fractions) and (divisor == 100) == (min(looks) >= 1):
            cures.append(Cure(f"{effect} {_shown(fractions)}", _with_looks(fractions)))
    message = f"Looks are shares of the units that grow within 0 and 1; at most {MAX_LOOKS} of them."
    yield Fault(LOOKS, message, got=_shown(looks), cures=cures or _weekly(case))


def a_maximum_is_planned(case: Case) -> Iterator[Fault]:
    """A sequential design has a last look at all of its units: without a maximum there is nothing to spend alpha over,
    and nothing to size."""
    looks = case.spec.design.looks
    if not _is_sequential(case) or are_looks(looks) or (looks and not are_looks([*looks, 1.0])):
        return
    to_the_end = [Cure("end at 1", _with_looks([*looks, 1.0]))] if looks else []
    message = "A sequential design ends with a look at 1, all units." if looks else "Plan looks, the last at 1."
    yield Fault(LOOKS, message, got=_shown(looks) or None, cures=to_the_end + _weekly(case))


def metrics_can_be_looked_at(case: Case) -> Iterator[Fault]:
    """By the first look some unit has completed the window of every metric that decides: before that the metric has no
    value that a sequential test could be made of."""
    design, accrual = case.spec.design, case.surface.accrual
    window = longest_window(case.spec, case.catalogue)
    if not _is_sequential(case) or not are_looks(design.looks) or not window < design.days:
        return
    earliest = eligible_units(accrual, window) / eligible_units(accrual, design.days)
    if design.looks[0] >= earliest - 1e-4:
        return
    slow = [
        name
        for name, use in case.spec.metrics.items()
        if use.role != "quality"
        and name in case.catalogue.metrics
        and case.catalogue.metrics[name].window_days == window
    ]
    message = f"{listed(slow, 3)} takes {window} days a unit: nothing can be read before {earliest:.4g} of the units."
    cures = [*_weekly(case), Cure("read it once, at the end", ONCE)]
    yield Fault(LOOKS, message, got=design.looks[0], cures=cures)


def correction_fits(case: Case) -> Iterator[Fault]:
    """What is done about several chances to win keeps alpha: a correction that is none, or one that has no bounds at
    looks, does not.

    Each success metric on each treatment is one more chance to be lucky (Holm 1979; for the decision to ship,
    Schultzberg, Ankargren, Frånberg 2024).
    """
    design, tests = case.spec.design, comparisons(case.spec)
    at, cure = "/design/correction", Cure("bonferroni", {"design": {"correction": "bonferroni"}})
    if design.correction == "none" and tests > 1 and 0 < design.alpha < 1:
        chance = chance_of_false_success(design.alpha, tests)
        message = f"{tests} comparisons at {design.alpha:g} each find something false with a chance of {chance:.1%}."
        yield Fault(at, message, got="none", allowed=["bonferroni", "holm"], cures=[cure])
    elif design.correction == "holm" and tests > 1 and _is_sequential(case):
        message = "Holm's steps are for one look; a sequential design splits alpha before the first."
        yield Fault(at, message, got="holm", allowed=["bonferroni"], cures=[cure])


def _weekly(case: Case) -> list[Cure]:
    """Looks at the end of each week, in a run that is long enough for two of them."""
    days = max(case.spec.design.days, first_look(longest_window(case.spec, case.catalogue)) + WEEK)
    weekly = lasting(case.spec, case.catalogue, days, weekly=True).design
    if len(weekly.looks) < 2:
        return []
    if days == case.spec.design.days:
        return [Cure(f"look at the end of each week: {_shown(weekly.looks)}", _with_looks(weekly.looks))]
    patch: JsonObject = {"design": {"days": days, "looks": [*weekly.looks]}}
    return [Cure(f"run {days} days and look at {_shown(weekly.looks)}", patch)]


def _with_looks(looks: list[float]) -> JsonObject:
    fractions: list[JsonValue] = [*looks]
    return {"design": {"looks": fractions}}


def _shown(looks: list[float]) -> str:
    return listed((f"{look:g}" for look in looks), 8)


CHECKS = (
    Check("design.looks_used", "block", looks_are_used),
    Check("design.looks", "block", looks_grow),
    Check("design.maximum", "block", a_maximum_is_planned),
    Check("design.sequential_metric", "block", metrics_can_be_looked_at),
    Check("design.correction", "block", correction_fits),
)
