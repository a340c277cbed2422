"""Metrics: what the experiment is won by, and what it must not harm."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..documents import JsonObject, nest, pointer
from ..model.experiment import MetricUse
from ..names import listed, nearest, spelled
from ..wording import cut
from .engine import Case, Check, Cure, Fault

USUAL_EFFECTS = 5
"""Times its usual effect up to which a metric's effect is no surprise."""
SHOWN_MEANING = 80
"""Most characters of what a metric means, where it is named instead of an unknown one."""
PLAUSIBLE_MDE = 0.5
"""A relative effect above this has hardly ever been true; GrowthBook calls an observed one suspicious."""


def metrics_are_known(case: Case) -> Iterator[Fault]:
    """Every metric is in the catalogue and in use, with one definition for everybody."""
    allowed = _active(case)
    for name in case.spec.metrics:
        metric = case.catalogue.metrics.get(name)
        if metric is not None and metric.status == "active":
            continue
        same = _meant_metric(case, name, allowed)
        close = [same] if same else nearest(name, allowed)
        message = "The metric is deprecated." if metric is not None else "The catalogue has no such metric."
        if close and not same:
            meanings = {each: cut(case.catalogue.metrics[each].description, SHOWN_MEANING) for each in close}
            message += " Near: " + "; ".join(f"{each}, {meaning}" for each, meaning in meanings.items())
        cures = [_renaming(case, name, same)] if same else []
        yield Fault(pointer("metrics", name), message, name, allowed, close, cures)


def _active(case: Case) -> list[str]:
    """The metrics in use, those first that the surface suggests."""
    active = sorted(name for name, metric in case.catalogue.metrics.items() if metric.status == "active")
    suggested = case.surface.suggested_metrics
    return [*suggested, *(name for name in active if name not in suggested)]


def _meant_metric(case: Case, name: str, active: list[str]) -> str | None:
    """The metric that a name which is not in use stands for: the one that replaces it, one that it is a spelling of, or
    the hypothesis's, which has no other place. Any other name asks another question, however near it looks."""
    metric, uses = case.catalogue.metrics.get(name), case.spec.metrics
    known = (metric.replaced_by if metric is not None else None) or spelled(name, active)
    wanted, use = case.spec.hypothesis.metric, uses[name]
    if known or wanted in uses or wanted not in active:
        return known
    unknown = [each for each, other in uses.items() if other.role == "success" and each not in active]
    improves = (use.mde or 0) * case.catalogue.metrics[wanted].usual_effect >= 0
    return wanted if unknown == [name] and improves else None


def _renaming(case: Case, name: str, meant: str) -> Cure:
    """The entry under the name that is meant; left out where that name has one, which is not to be written over, unless
    by a success metric: what the surface guards may be one, and is then tested more strictly."""
    use = case.spec.metrics[name]
    stays = _entry_of(case, name, meant)
    stricter = stays is not None and (use.role, stays.role) == ("success", "guardrail")
    if stays is not None and not (stricter and meant in case.spec.metrics):
        dropped: JsonObject = {"metrics": {name: None}}
        if case.spec.hypothesis.metric == name:
            dropped["hypothesis"] = {"metric": meant}
        return Cure(f"leave it out, {meant} is there", dropped, relaxes=not _as_strict(stays, use))
    entry = use.model_dump(exclude_none=True)
    if use.role == "success" and not use.mde:
        entry["mde"] = case.catalogue.metrics[meant].usual_effect
    patch: JsonObject = {"metrics": {name: None, meant: {**entry, "margin": None} if stricter else entry}}
    if case.spec.hypothesis.metric == name:
        patch["hypothesis"] = {"metric": meant}
    return Cure(f"use {meant}", patch)


def _entry_of(case: Case, name: str, meant: str) -> MetricUse | None:
    """The entry that a metric has already: its own, else that of an earlier name for it."""
    uses = case.spec.metrics
    if meant in uses:
        return uses[meant]
    active, names = _active(case), list(uses)
    earlier = (other for other in names[: names.index(name)] if other not in active)
    first = next((other for other in earlier if _meant_metric(case, other, active) == meant), None)
    return uses[first] if first is not None else None


def _as_strict(stays: MetricUse, goes: MetricUse) -> bool:
    """Whether an entry asks for no less than another one of the same metric."""
    if goes.role == "success":
        return stays.role == "success" and (not goes.mde or 0 < abs(stays.mde or 0) <= abs(goes.mde))
    if goes.role == "guardrail" and stays.role == "guardrail":
        return not goes.margin or 0 < (stays.margin or 0) <= goes.margin
    return goes.role == "quality" or stays.role == "success"


def a_success_metric_exists(case: Case) -> Iterator[Fault]:
    """At least one success metric: without one the experiment can only end inconclusive."""
    if any(use.role == "success" for use in case.spec.metrics.values()):
        return
    suggested = case.surface.suggested_metrics or sorted(case.catalogue.metrics)[:5]
    cures: list[Cure] = []
    if case.surface.suggested_metrics:
        name = suggested[0]
        effect = case.catalogue.metrics[name].usual_effect
        patch: JsonObject = {"metrics": {name: {"role": "success", "mde": effect}}, "hypothesis": {"metric": name}}
        cures.append(Cure(f"{name}, to detect {effect:+.2%}", patch))
    yield Fault("/metrics", "Name a success metric.", allowed=suggested, cures=cures)


def required_metrics_are_present(case: Case) -> Iterator[Fault]:
    """The surface's required metrics are measured, so that every experiment on it is held to the same guardrails.

    A metric that the surface guards may be a success metric instead: it is then tested more strictly.
    """
    active = _active(case)
    unknown = [name for name in case.spec.metrics if name not in case.catalogue.metrics]
    for name, required in case.surface.required_metrics.items():
        use = case.spec.metrics.get(name)
        if use is None:
            entry: JsonObject = {"role": required.role}
            if required.role == "guardrail":
                entry["margin"] = case.catalogue.margin_of(case.spec.surface, name)
            cure = Cure(f"add it as {required.role}", nest(pointer("metrics", name), entry))
            slips = [other for other in unknown if _meant_metric(case, other, active) == name]
            if slips:
                cure = _renaming(case, slips[0], name)
            yield Fault(pointer("metrics", name), "The surface requires this metric.", cures=[cure])
        elif use.role != required.role and use.role != "success":
            cure = Cure(f"make it {required.role}", nest(pointer("metrics", name, "role"), required.role))
            message = f"The surface requires it as {required.role}."
            yield Fault(pointer("metrics", name, "role"), message, got=use.role, cures=[cure])


def a_guardrail_exists(case: Case) -> Iterator[Fault]:
    """Something guards what the change could harm: a gain bought with crashes is a loss."""
    if not any(use.role == "guardrail" for use in case.spec.metrics.values()):
        yield Fault("/metrics", "Name a guardrail metric with its margin.")


def success_metrics_have_an_effect(case: Case) -> Iterator[Fault]:
    """Each success metric says which relative effect matters; a sample can be sized for nothing else."""
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        if use.role == "success" and not use.mde and metric is not None and metric.status == "active":
            effect = metric.usual_effect
            cure = Cure(f"the metric's usual effect, {effect:+.2%}", nest(pointer("metrics", name, "mde"), effect))
            message = "A success metric needs its relative effect: 0.01 = up 1 %."
            yield Fault(pointer("metrics", name, "mde"), message, got=use.mde, cures=[cure])


def effects_are_improvements(case: Case) -> Iterator[Fault]:
    """The effect's sign points to what is better for the metric: nobody ships a change that made it worse."""
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        if use.role != "success" or not use.mde or metric is None:
            continue
        if (use.mde > 0) != (metric.better == "up"):
            patch = nest(pointer("metrics", name, "mde"), -use.mde)
            if case.spec.hypothesis.metric == name:
                patch["hypothesis"] = {"direction": "decrease" if use.mde > 0 else "increase"}
            cure = Cure(f"expect {-use.mde:+.2%}", patch)
            message = f"For {name}, {metric.better} is better; this effect would be a loss."
            yield Fault(pointer("metrics", name, "mde"), message, got=use.mde, cures=[cure])


def effects_are_possible(case: Case) -> Iterator[Fault]:
    """The effect leaves a rate between 0 and 1. Beyond it there is nothing to find, and no size that finds it."""
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        if metric is None or metric.kind != "proportion" or not use.mde or abs(use.mde) > PLAUSIBLE_MDE:
            continue  # of a larger effect it is enough to say that it is not plausible
        moved = metric.baseline.mean * (1 + use.mde)
        if not 0 < moved < 1:
            usual = metric.usual_effect
            cure = Cure(f"the metric's usual effect, {usual:+.2%}", nest(pointer("metrics", name, "mde"), usual))
            message = f"{use.mde:+.0%} on a rate of {metric.baseline.mean:.3g} would make it {moved:.3g}."
            yield Fault(pointer("metrics", name, "mde"), message, got=use.mde, cures=[cure])


def effects_are_plausible(case: Case) -> Iterator[Fault]:
    """The effect is one that changes of this kind have: +100 % is nearly always 1 % written as 1.

    It is the smallest effect to be found: whoever expects more loses nothing by looking for half.
    """
    for name, use in case.spec.metrics.items():
        if use.mde and abs(use.mde) > PLAUSIBLE_MDE:
            at = pointer("metrics", name, "mde")
            smaller, most = use.mde / 100, math.copysign(PLAUSIBLE_MDE, use.mde)
            cures = [Cure(f"{smaller:+.2%}", nest(at, smaller))]
            metric = case.catalogue.metrics.get(name)
            if metric is None or metric.kind != "proportion" or 0 < metric.baseline.mean * (1 + most) < 1:
                cures.append(Cure(f"{most:+.0%}, the most", nest(at, most)))
            message = f"{use.mde:+.0%} is hardly plausible; effects are shares: 0.01 = 1 %."
            yield Fault(at, message, got=use.mde, cures=cures)


def effects_are_usual(case: Case) -> Iterator[Fault]:
    """The effect is not far above the metric's usual one: a test sized for a wish misses what is really there.

    Power is for the assumed effect; of smaller ones such a run finds only exaggerated flukes (Gelman, Carlin 2014,
    "Beyond Power Calculations").
    """
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        if use.role != "success" or metric is None or metric.mde is None or not use.mde:
            continue
        if USUAL_EFFECTS * metric.mde < abs(use.mde) <= PLAUSIBLE_MDE:
            at, usual = pointer("metrics", name, "mde"), metric.usual_effect
            message = f"{use.mde:+.2%} is {abs(use.mde) / metric.mde:.0f} times the usual effect on {name}."
            yield Fault(at, message, got=use.mde, cures=[Cure(f"the usual effect, {usual:+.2%}", nest(at, usual))])


def guardrails_have_a_margin(case: Case) -> Iterator[Fault]:
    """Each guardrail says how much worse is still acceptable; "not significantly worse" protects nothing."""
    for name, use in case.spec.metrics.items():
        if use.role == "guardrail" and not (use.margin and use.margin > 0):
            known = name in case.catalogue.metrics
            margin = case.catalogue.margin_of(case.spec.surface, name) if known else case.surface.policy.max_margin
            cure = Cure(f"{margin:.2%}", nest(pointer("metrics", name, "margin"), margin))
            message = "A guardrail needs a non-inferiority margin, relative: 0.01 = 1 %."
            yield Fault(pointer("metrics", name, "margin"), message, got=use.margin, cures=[cure])


def margins_are_within_policy(case: Case) -> Iterator[Fault]:
    """A margin is no wider than the surface allows."""
    for name, use in case.spec.metrics.items():
        required = case.surface.required_metrics.get(name)
        limit = (required.margin if required else None) or case.surface.policy.max_margin
        if use.role == "guardrail" and use.margin and use.margin > limit:
            cure = Cure(f"{limit:.2%}", nest(pointer("metrics", name, "margin"), limit))
            message = f"The surface allows a margin of at most {limit:g} here."
            yield Fault(pointer("metrics", name, "margin"), message, got=use.margin, cures=[cure])


def success_metrics_are_few(case: Case) -> Iterator[Fault]:
    """At most two success metrics: alpha is split over them, and each makes every other test weaker."""
    names = [name for name, use in case.spec.metrics.items() if use.role == "success"]
    if len(names) > 2:
        yield Fault("/metrics", f"alpha is split over {listed(names)}; two success metrics are enough.", got=len(names))


def metrics_are_of_the_unit(case: Case) -> Iterator[Fault]:
    """Metrics are analysed by the unit that is randomised; a finer one has a variance that looks too small.

    What is finer can be had as a ratio per unit, with the delta method (Deng, Knoblich, Lu 2018).
    """
    required = case.surface.required_metrics
    for name, use in case.spec.metrics.items():
        metric = case.catalogue.metrics.get(name)
        if metric is not None and metric.unit != case.spec.unit:
            at, cures = pointer("metrics", name), list[Cure]()
            if metric.unit == case.surface.unit:
                cures.append(Cure(f"randomise by {metric.unit}, as the surface does", nest("/unit", metric.unit)))
            elif use.role != "success" and name not in required:
                cures.append(Cure("leave it out", nest(at, None), relaxes=use.role == "guardrail"))
            message = f"It is measured per {metric.unit}, and the experiment randomises by {case.spec.unit}."
            yield Fault(at, message, metric.unit, allowed=[case.spec.unit], cures=cures)


def windows_fit_the_run(case: Case) -> Iterator[Fault]:
    """A metric's window ends before the experiment does, or no unit ever completes it."""
    if case.spec.design.days <= 0:
        return  # no duration at all, which is a fault of its own
    known = {name: case.catalogue.metrics[name] for name in case.spec.metrics if name in case.catalogue.metrics}
    longer = {name: each.window_days for name, each in known.items() if each.window_days > case.spec.design.days}
    # One length for all of them: whichever fix is applied last, the longest window fits.
    days = -(-max(longer.values(), default=0) // 7) * 7
    for name, window in longer.items():
        message = f"{name} needs {window} days a unit."
        cure = Cure(case.running(days), nest("/design/days", days))
        yield Fault("/design/days", message, got=case.spec.design.days, cures=[cure])


CHECKS = (
    Check("metrics.known", "block", metrics_are_known),
    Check("metrics.success_present", "block", a_success_metric_exists),
    Check("metrics.required_present", "block", required_metrics_are_present),
    Check("metrics.guardrail_present", "block_unless_overridden", a_guardrail_exists, curable=False),
    Check("metrics.effect_present", "block", success_metrics_have_an_effect),
    Check("metrics.effect_improves", "block", effects_are_improvements),
    Check("metrics.effect_possible", "block", effects_are_possible),
    Check("metrics.effect_plausible", "block_unless_overridden", effects_are_plausible),
    Check("metrics.margin_present", "block", guardrails_have_a_margin),
    Check("metrics.window", "block", windows_fit_the_run),
    Check("metrics.margin_policy", "block_unless_overridden", margins_are_within_policy),
    Check("metrics.unit", "block", metrics_are_of_the_unit),
    Check("metrics.few", "warn", success_metrics_are_few, curable=False),
    Check("metrics.effect_usual", "warn", effects_are_usual),
)
