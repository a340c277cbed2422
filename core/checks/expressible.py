"""What the assigner of a draft can express: what it cannot is found here, and not by a launch that fails."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from pydantic import JsonValue

from .. import audience as audiences
from ..documents import JsonObject, canonical, nest, pointer
from ..model.delivery import Condition, Scalar
from ..model.plan import BUCKETS
from ..names import listed
from ..planning.slots import WITHIN, is_whole, rounded_down, rounded_up
from ..ports.capabilities import JsonType, Question
from ..wording import cut, percent
from .engine import Case, Check, Cure, Fault
from .ramp import ramp_text
from .weights import SUM_TOLERANCE, weighing

SHOWN_REASON = 160
"""Most characters of an adapter's reason."""
SHOWN_VALUE = 100
_ASKED: dict[Question, str] = {
    "missing": "whether a unit lacks it",
    "present": "for any value at all",
    "values": "for one of several values",
    "excluded": "for all but some values",
    "bounds": "for a range",
}


def _limit(case: Case, what: str, field: str) -> str:
    """A sentence about the assigner, and its own reason for the limit."""
    name = case.catalogue.route(case.spec.surface, case.spec.environment).assigner
    why = case.can.why.get(field, "")
    return f"The assigner {name} {what}." + (f" {cut(why, SHOWN_REASON)}" if why else "")


def units_are_told_by_the_assigner(case: Case) -> Iterator[Fault]:
    """Where the assigner gives out the units itself, whoever reads of the experiment knows what nobody here can tell.

    A size is booked here as everywhere, and experiments of a layer exclude each other, but who is in is known to the
    assigner alone: no launch is tried on made-up units, `explain` names no variant, and units of earlier experiments
    come back whether they have rested or not.
    """
    if case.can.allocates:
        what = "gives out units itself, so no launch is tried on made-up units, and explain knows no unit's variant"
        yield Fault("/layer", _limit(case, what, "allocates"))


def allocation_is_whole_slots(case: Case) -> Iterator[Fault]:
    """The allocation is a whole number of the slots that the assigner can tell apart in a layer.

    Between two of them it has no units to give: what it delivers would differ from what the size rests on.
    """
    share, slots = case.spec.allocation, case.slots
    if slots == BUCKETS or case.holds or not 0 < share <= 1 or is_whole(share, slots):
        return
    if 0 < case.free_share < share:
        return  # what allocation.available proposes is whole slots
    options = sorted({rounded_up(share, slots), rounded_down(share, slots)} - {0}, key=lambda each: abs(each - share))
    message = _limit(case, f"splits a layer into {slots} slots, and this is {share * slots:g} of them", "slots")
    cures = [Cure(case.entering(each), nest("/allocation", each)) for each in options]
    yield Fault("/allocation", message, got=share, allowed=[f"steps of {1 / slots:g}"], cures=cures)


def buckets_are_whole_slots(case: Case) -> Iterator[Fault]:
    """The buckets that an experiment holds are whole slots of its assigner.

    They are when they are taken; another assigner in the catalogue since then may be a coarser one.
    """
    width = BUCKETS // case.slots
    split = [part for part in case.held if part.key == case.key and (part.lo % width or part.hi % width)]
    if split:
        what = f"splits a layer into {case.slots} slots, and the buckets held here end inside of some"
        shown = listed([f"{part.lo}-{part.hi - 1}" for part in split], 3)
        yield Fault("/allocation", _limit(case, what, "slots"), got=shown)


def coverages_are_whole_steps(case: Case) -> Iterator[Fault]:
    """Each stage of a ramp lets in a share that the assigner can express, such as whole percents."""
    steps, stages = case.can.coverage_steps, case.spec.ramp
    shares = [stage.coverage for stage in stages]
    if steps is None or all(is_whole(share, steps) for share in shares):
        return
    if any(not 0 < share < 1 for share in shares) or any(low >= high for low, high in pairwise(shares)):
        return  # no ramp yet: ramp.coverage says what mends it
    rounded = {share: stage for stage in stages if (share := rounded_up(stage.coverage, steps)) < 1}
    sound: list[JsonObject] = [
        {**stage.model_dump(mode="json", exclude_none=True), "coverage": share} for share, stage in rounded.items()
    ]
    wrong = next(index for index, share in enumerate(shares) if not is_whole(share, steps))
    message = _limit(case, f"lets in a share in steps of {percent(1 / steps)}", "coverage_steps")
    cure = Cure(ramp_text(sound), {"ramp": list[JsonValue](sound)})
    yield Fault(pointer("ramp", wrong, "coverage"), message, got=shares[wrong], cures=[cure])


def weights_are_whole_steps(case: Case) -> Iterator[Fault]:
    """Each weight is one that the assigner can express, such as tenths of a percent.

    Other weights would be delivered than those that a sample ratio mismatch is told by.
    """
    steps, weights = case.can.weight_steps, {key: each.weight for key, each in case.spec.variants.items()}
    if steps is None or all(is_whole(weight, steps) for weight in weights.values()):
        return
    if min(weights.values()) <= 0 or not abs(sum(weights.values()) - 1) <= SUM_TOLERANCE:
        return  # no split yet: weights.positive and weights.sum_to_one say what mends it
    rounded = _rounded(weights, steps)
    told = ", ".join(f"{key} {weight:g}" for key, weight in rounded.items())
    cures = [Cure(f"weigh {told}", weighing(rounded))] if rounded else []
    message = _limit(case, f"weighs variants in steps of {1 / steps:g}", "weight_steps")
    yield Fault("/variants", message, got=listed([f"{each:g}" for each in weights.values()], 6), cures=cures)


def _rounded(weights: dict[str, float], steps: int) -> dict[str, float]:
    """The nearest weights of whole steps that sum to 1, at least a step each; none where there are too few steps.

    Whole steps first, then one more for those that have lost most (the largest remainder method).
    """
    if steps < len(weights):
        return {}
    whole = {key: max(1, math.floor(weight * steps + WITHIN)) for key, weight in weights.items()}
    while (over := sum(whole.values()) - steps) > 0:
        largest = max(whole, key=lambda key: whole[key])
        whole[largest] -= min(over, whole[largest] - 1)
    losers = sorted(weights, key=lambda key: whole[key] - weights[key] * steps)
    for key in losers[: steps - sum(whole.values())]:
        whole[key] += 1
    return {key: count / steps for key, count in whole.items()}


def holdouts_can_be_kept_out(case: Case) -> Iterator[Fault]:
    """The assigner can keep the units of the surface's holdouts out: a holdout that some experiments enter measures
    nothing."""
    holdouts = case.catalogue.holdouts_of(case.spec.surface, case.started or case.start)
    if holdouts and not case.can.holdouts:
        message = _limit(case, "cannot keep the units of a holdout out", "holdouts")
        yield Fault("/surface", message, got=listed(holdouts, 3))


def audience_can_be_asked(case: Case) -> Iterator[Fault]:
    """The assigner can ask everything that the audience asks of a unit.

    What it cannot ask it would leave out, or compare as another type, and let in whom nobody meant.
    """
    if case.parsed_audience[1]:
        return
    found: dict[str, tuple[Condition, Question]] = {}
    for condition in (condition for alternative in case.audience for condition in alternative):
        for question in _questions(condition):
            if not _can_ask(case, condition, question):
                found.setdefault(condition.attribute, (condition, question))
    for name, (condition, question) in found.items():
        what = f"cannot ask an attribute of type {condition.type} {_ASKED[question]}"
        raw = case.spec.audience
        alone = isinstance(raw, dict) and name in raw
        at = pointer("audience", name) if alone else "/audience"
        got = name if isinstance(raw, str) else canonical(raw.get(name, name))[:SHOWN_VALUE]
        yield Fault(at, _limit(case, what, "audiences"), got=got, cures=_asked_otherwise(case, name, condition))


def _questions(condition: Condition) -> Iterator[Question]:
    if condition.missing:
        yield "missing"
        return
    bounded = any(bound is not None for bound in (condition.gte, condition.gt, condition.lte, condition.lt))
    if condition.values is not None:
        yield "values"
    if condition.excluded:
        yield "excluded"
    if bounded:
        yield "bounds"
    if condition.values is None and not condition.excluded and not bounded:
        yield "present"


def _can_ask(case: Case, condition: Condition, question: Question) -> bool:
    return any(kind == condition.type and question in asked for kind, asked in case.can.audiences.items())


def _asked_otherwise(case: Case, name: str, condition: Condition) -> list[Cure]:
    """The same units by the values that they have, where the catalogue has all of them; else all units."""
    raw = case.spec.audience
    if not isinstance(raw, dict) or name not in raw:
        return []
    cures = [Cure(f"drop the condition on {name}", {"audience": {name: None}}, relaxes=True)]
    alone, _ = audiences.parse({name: raw[name]}, case.catalogue.attributes)
    kept = _values_of(case, alone[0][0]) if len(alone) == 1 and len(alone[0]) == 1 else []
    if kept and _can_ask(case, condition, "values"):
        shown = listed([canonical(each) for each in kept], 6)
        cures.insert(0, Cure(f"ask {name} for {shown}, the same units", {"audience": {name: kept}}))
    return cures


def _values_of(case: Case, condition: Condition) -> list[JsonValue]:
    """The values that meet a condition, of an attribute that has no others than the catalogue's."""
    attribute = case.catalogue.attributes[condition.attribute]
    if attribute.open or condition.missing or attribute.type not in ("string", "boolean"):
        return []
    known: list[Scalar] = [name == "true" if attribute.type == "boolean" else name for name in attribute.shares]
    return [each for each in known if each not in condition.excluded and each in (condition.values or known)]


def alternatives_fit(case: Case) -> Iterator[Fault]:
    """The audience has no more alternatives than the assigner can hold, once every `or` is written out."""
    most, count = case.can.alternatives, len(case.audience)
    if most is not None and count > most and not case.parsed_audience[1]:
        plural = "alternative" if most == 1 else "alternatives"
        message = _limit(case, f"holds {most} {plural} of an audience, and this has {count}", "alternatives")
        yield Fault("/audience", message, got=count, allowed=[str(most)])


def values_can_be_delivered(case: Case) -> Iterator[Fault]:
    """The assigner can hold the values that the variants show, that of production among them, and their names."""
    longest = case.can.longest_name
    for name in case.spec.touched:
        if longest is not None and len(name) > longest:
            message = _limit(case, f"holds no name of more than {longest} characters", "longest_name")
            yield Fault(pointer("variants"), message, got=name[:SHOWN_VALUE])
    for key, variant in case.spec.variants.items():
        for name in case.spec.touched:
            if name not in variant.parameters and (key != case.spec.control or name not in case.production):
                continue  # a treatment that leaves it as it is shows the control's value
            value = variant.parameters.get(name, case.production.get(name))
            yield from _undeliverable(case, pointer("variants", key, "parameters", name), value)


def _undeliverable(case: Case, at: str, value: JsonValue) -> Iterator[Fault]:
    kind, longest, got = _type_of(value), case.can.longest_text, canonical(value)[:SHOWN_VALUE]
    if kind not in case.can.values:
        message = _limit(case, f"delivers no value of type {kind}", "values")
        yield Fault(at, message, got=got, allowed=sorted(case.can.values))
    elif longest is not None and isinstance(value, str) and len(value) > longest:
        yield Fault(at, _limit(case, f"delivers no text of more than {longest} characters", "longest_text"), got=got)


def _type_of(value: JsonValue) -> JsonType:
    if value is None:
        return "null"
    if isinstance(value, bool):  # before numbers, which it is one of
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


CHECKS = (
    Check("assigner.allocation", "block", allocation_is_whole_slots),
    Check("assigner.buckets", "block", buckets_are_whole_slots, curable=False),
    Check("assigner.coverage", "block", coverages_are_whole_steps),
    Check("assigner.weights", "block", weights_are_whole_steps),
    Check("assigner.holdouts", "block", holdouts_can_be_kept_out, curable=False),
    Check("assigner.audience", "block", audience_can_be_asked),
    Check("assigner.alternatives", "block", alternatives_fit, curable=False),
    Check("assigner.values", "block", values_can_be_delivered, curable=False),
    Check("assigner.allocates", "info", units_are_told_by_the_assigner, curable=False),
)
