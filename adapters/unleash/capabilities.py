"""What Unleash can express and promise."""

from __future__ import annotations

from ...core.ports.capabilities import ALL_AUDIENCES, Capabilities, Promises
from .audience import MOST_ALTERNATIVES
from .hashing import SLOTS, STEPS, WEIGHTS

PROMISES = Promises(compare_and_swap=False, atomic=False)
"""Unleash has neither: of eight writers at once all are taken (`If-Match` is ignored, and a `test` of JSON Patch too),
and an entry takes several calls. Their order keeps traffic closed until the last; the flag's description says what was
begun; a process lets its writers take turns, and the saga's fence those of several processes."""

CAPABILITIES = Capabilities(
    slots=SLOTS,
    coverage_steps=STEPS,
    weight_steps=WEIGHTS,
    holdouts=False,
    previews_alone=True,
    previews_tracked=True,
    audiences={kind: questions - {"missing"} for kind, questions in ALL_AUDIENCES.items()},
    alternatives=MOST_ALTERNATIVES,
    why={
        "slots": "A layer is one flag, and its slots are the variants of that flag.",
        "coverage_steps": "Unleash rolls out to whole percents, and lets nobody in by another number.",
        "weight_steps": "Unleash weighs variants in whole thousandths.",
        "holdouts": "A flag of Unleash depends on one other flag, which is the layer's; a holdout would take a second.",
        "previews_alone": "A test unit has one variant of its layer's flag, which one experiment lets in.",
        "audiences": "A lack would be asked by the opposite of REGEX: an SDK too old for that lets everybody in.",
        "alternatives": "Each alternative of an audience is a strategy, and Unleash takes 30 for a flag.",
    },
)
