"""Weights: in which shares the units are split."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..documents import JsonObject, pointer
from ..model.experiment import equal_weights
from .derived import left_over
from .engine import Case, Check, Cure, Fault

SUM_TOLERANCE = 1e-6
WEIGHTS_ARE_SHARES = 'Weights are shares, 0-1, and sum to 1 ("0.5" is 50 %).'


def weights_are_positive(case: Case) -> Iterator[Fault]:
    """Each variant gets units: a weight of zero is a variant that nobody sees."""
    for key, variant in case.spec.variants.items():
        if variant.weight <= 0:
            cures = [*_what_is_left(case, key), Cure("equal weights", _equal_weights(case))]
            yield Fault(pointer("variants", key, "weight"), "A weight is above 0.", got=variant.weight, cures=cures)


def _what_is_left(case: Case, key: str) -> list[Cure]:
    """For the one weight that is no share: what the others leave, if they are shares themselves."""
    rest = left_over([variant.weight for other, variant in case.spec.variants.items() if other != key])
    if rest is None or rest >= 1:
        return []
    return [Cure(f"weigh {key} {rest:g}, what the others leave", weighing({key: rest}))]


def weights_sum_to_one(case: Case) -> Iterator[Fault]:
    """The weights are shares of one whole. Several platforms accept 0.9 + 0.9 and deliver something else."""
    weights = [variant.weight for variant in case.spec.variants.values()]
    if len(weights) < 2 or min(weights) <= 0:
        return  # a single variant is a fault of its own, whose cure sets the weights
    # Within the tolerance a whole one is still no share: it leaves nothing to whom the tiny one belongs.
    if max(weights) < 1 and abs(sum(weights) - 1) <= SUM_TOLERANCE:
        return
    if not math.isfinite(sum(weights)):
        yield Fault("/variants", WEIGHTS_ARE_SHARES, cures=[Cure("equal weights", _equal_weights(case))])
        return
    scaled = {key: round(variant.weight / sum(weights), 6) for key, variant in case.spec.variants.items()}
    last = next(reversed(scaled))
    scaled[last] = round(1 - sum(weight for key, weight in scaled.items() if key != last), 6)
    large = [key for key, variant in case.spec.variants.items() if variant.weight >= 1]
    cures = _what_is_left(case, large[0]) if len(large) == 1 else []
    if (
        not cures and 0 < min(scaled.values()) <= max(scaled.values()) < 1
    ):  # a weight may be too small beside another one to be kept
        cures.append(Cure("scale to " + " + ".join(f"{weight:g}" for weight in scaled.values()), weighing(scaled)))
    if len(set(weights)) > 1:
        cures.append(Cure("equal weights", _equal_weights(case)))
    yield Fault("/variants", WEIGHTS_ARE_SHARES, got=round(sum(weights), 6), cures=cures)


def weighing(weights: dict[str, float]) -> JsonObject:
    """The patch that gives variants these weights."""
    return {"variants": {key: {"weight": weight} for key, weight in weights.items()}}


def _equal_weights(case: Case) -> JsonObject:
    return weighing(equal_weights(list(case.spec.variants), case.can.weight_steps))


CHECKS = (
    Check("weights.positive", "block", weights_are_positive),
    Check("weights.sum_to_one", "block", weights_sum_to_one),
)
