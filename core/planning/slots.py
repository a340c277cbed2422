"""Equal steps that a share or a range has to keep to: slots of a layer, steps of a coverage or a weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from ..model.plan import BUCKETS, BucketRange
from ..ports.store import HeldRange, ReleasedRange

Part = TypeVar("Part", HeldRange, ReleasedRange, BucketRange)
WITHIN = 1e-6
"""How far from a whole number of steps a share may lie and still be one: shares are written with a few digits."""


def is_whole(share: float, steps: int | None) -> bool:
    """Whether a share is a whole number of steps, of which the whole has so many; None takes any share."""
    return steps is None or abs(share * steps - round(share * steps)) <= WITHIN


def rounded_up(share: float, steps: int) -> float:
    """The least whole number of steps, at least one, that is no less than a share; all of them at most. 0-1."""
    return min(max(math.ceil(share * steps - WITHIN), 1), steps) / steps


def rounded_down(share: float, steps: int) -> float:
    """The most whole steps that are no more than a share, 0-1; none of them if one is more."""
    return max(min(math.floor(share * steps + WITHIN), steps), 0) / steps


def whole_slots(parts: Sequence[Part], slots: int) -> list[Part]:
    """The ranges, each grown to all of the slots that it meets: of a slot, nobody else can take the rest.

    Args:
        slots: equal parts of a layer, a divisor of 10,000.
    """
    width = BUCKETS // slots
    return [
        part.model_copy(update={"lo": part.lo // width * width, "hi": -(-part.hi // width) * width}) for part in parts
    ]
